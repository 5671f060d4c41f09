package org.toydiff.internal.kernels;

import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;
import org.toydiff.internal.arithmetic.ScalarFunction;

/// Elementwise kernels that convert elements of one type to another: to the nearest real number, truncated towards 0
/// to an integer, "is not 0" to a truth value. A kernel throws ArithmeticException at an element that has no value
/// of an integer type: NaN, or a number out of range.
///
/// Between types of one size, and from and to BOOL, a conversion is an expression; [WidthLoop] has the others.
public final class CastKernels {
    private static final Element[] TYPES = Element.values();

    /// Indexed by the two types. Two threads may each create a kernel; the two are equivalent.
    private static final Kernel.Unary[][] KERNELS = new Kernel.Unary[TYPES.length][TYPES.length];

    private CastKernels() {}

    /// {@return the kernel from one type to another, created on first use}
    public static Kernel.Unary of(Element from, Element to) {
        Kernel.Unary kernel = KERNELS[from.ordinal()][to.ordinal()];
        if (kernel == null) {
            kernel = create(from, to);
            KERNELS[from.ordinal()][to.ordinal()] = kernel;
        }
        return kernel;
    }

    private static Kernel.Unary create(Element from, Element to) {
        if (from == to) {
            return CopyKernels.of(from.bytes).copy;
        }
        String name = "cast" + from.title() + "To" + to.title();
        boolean widthChanges = from != Element.BOOL && to != Element.BOOL && from.bytes != to.bytes;
        return widthChanges ? Kernels.widthLoop(name, from, to) : Kernels.unary(name, expression(from, to));
    }

    private static Expression expression(Element from, Element to) {
        if (from == Element.BOOL) {
            return ofTruth(to);
        }
        Precision p = from.precision();
        if (to == Element.BOOL) {
            return from.isInteger()
                    ? p.integer(0).notEqualTo(p.bits(0))
                    : p.input(0).notEqualTo(p.constant(0));
        }
        return from.isInteger() ? p.integer(0).toReal() : truncated(p.input(0));
    }

    private static Real ofTruth(Element to) {
        Precision p = to.precision();
        return to.isInteger()
                ? p.mask(0).select(p.bits(1), p.bits(0)).real()
                : p.mask(0).select(p.constant(1), p.constant(0));
    }

    /// {@return the integer of a real number of its size, which lies between −2ⁿ⁻¹ and 2ⁿ⁻¹}
    private static Real truncated(Real x) {
        Precision p = x.precision();
        Real end = p.constant(Math.scalb(1.0, p.size - 1));
        var inRange = x.greaterOrEqual(end.negative()).and(x.less(end));
        return x.rarely(
                inRange.not(),
                new ScalarFunction(CastKernels.class, "refuse"),
                x.toInteger().real());
    }

    /// Throws ArithmeticException.
    public static float refuse(float x) {
        throw hasNoInteger(x);
    }

    /// Throws ArithmeticException.
    public static double refuse(double x) {
        throw hasNoInteger(x);
    }

    /// {@return a number that fits, truncated}
    static int toInt(double x) {
        if (x > Integer.MIN_VALUE - 1.0 && x < Integer.MAX_VALUE + 1.0) {
            return (int) x;
        }
        throw hasNoInteger(x);
    }

    /// {@return a number that fits, truncated}
    static long toLong(double x) {
        if (x >= Long.MIN_VALUE && x < 0x1p63) {
            return (long) x;
        }
        throw hasNoInteger(x);
    }

    private static ArithmeticException hasNoInteger(double x) {
        return new ArithmeticException(x + " has no integer of this type");
    }
}
