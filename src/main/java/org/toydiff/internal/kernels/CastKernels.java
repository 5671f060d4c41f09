package org.toydiff.internal.kernels;

import org.toydiff.internal.arithmetic.Bits;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;
import org.toydiff.internal.arithmetic.ScalarFunction;

/// Elementwise kernels that convert elements of one type to another: to the nearest real number, truncated towards 0
/// to an integer, "is not 0" to a truth value. A kernel throws ArithmeticException at an element that has no value
/// of an integer type: NaN, or a number out of range.
///
/// Between types of one size, and from and to BOOL, a conversion is an expression; [WidthLoop] has the others, and
/// all those of BFLOAT16.
public final class CastKernels {
    private static final Element[] TYPES = Element.values();

    /// The bit that distinguishes quiet NaNs of FLOAT32.
    private static final int QUIET = 0x400000;

    // The half of a FLOAT32 that BFLOAT16 lacks: its bits, and the number just below half of them.
    private static final int LOW_HALF = 0xffff;
    private static final int BELOW_HALF = 0x7fff;

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
        boolean half = from == Element.BFLOAT16 || to == Element.BFLOAT16;
        if (!widthChanges && !half) {
            return Kernels.unary(name, expression(from, to));
        }
        Kernel.Unary loop = Kernels.widthLoop(name, from, to);
        Real value = narrowed(from, to);
        return value == null ? loop : Kernels.noted(loop, name, value);
    }

    /// {@return the conversion between two floating types of which one is half as wide, for numbers of the wider one;
    /// null for other types} Loops widen elements where they read them, and round them to FLOAT32 where they write.
    private static Real narrowed(Element from, Element to) {
        boolean widens =
                to == Element.FLOAT32 && from == Element.BFLOAT16 || to == Element.FLOAT64 && from == Element.FLOAT32;
        if (widens || from == Element.FLOAT64 && to == Element.FLOAT32) {
            return (widens ? to : from).precision().input(0);
        }
        return from == Element.FLOAT32 && to == Element.BFLOAT16 ? rounded(Precision.FLOAT32.input(0)) : null;
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

    /// {@return the bits of the BFLOAT16 nearest to x, ties to the even one, in the low half} A NaN keeps its sign and
    /// the upper bits of its payload, and becomes quiet.
    static Bits bfloat16(Real x) {
        Precision p = x.precision();
        Bits bits = x.bits();
        Bits odd = bits.shiftRightUnsigned(Short.SIZE).and(p.bits(1));
        Bits rounded = bits.add(p.bits(BELOW_HALF)).add(odd);
        return x.isNaN().select(bits.or(p.bits(QUIET)), rounded).shiftRightUnsigned(Short.SIZE);
    }

    /// {@return the value of a BFLOAT16, whose bits are in the low half}
    static Real ofBfloat16(Bits bits) {
        return bits.shiftLeft(Short.SIZE).real();
    }

    /// {@return the BFLOAT16 nearest to x}
    public static Real rounded(Real x) {
        return ofBfloat16(bfloat16(x));
    }

    /// {@return the value of the BFLOAT16 that is the lower half of x, as loops read it from memory}
    public static Real ofLowerHalf(Real x) {
        return ofBfloat16(x.bits());
    }

    /// {@return a number whose lower half is x, a BFLOAT16, as loops write it to memory}
    public static Real toLowerHalf(Real x) {
        return x.bits().shiftRightUnsigned(Short.SIZE).real();
    }

    /// {@return the bits of the BFLOAT16 nearest to x, as [#bfloat16(Real)]: rounded once, not to a float first}
    public static short bfloat16(double x) {
        float nearest = (float) x;
        int bits = Float.floatToRawIntBits(nearest);
        if (Float.isNaN(nearest)) {
            return (short) ((bits | QUIET) >>> Short.SIZE);
        }
        // A float halfway between two results may stand for a number on either side.
        if ((bits & LOW_HALF) == BELOW_HALF + 1 && nearest != x) {
            bits += Math.abs(x) > Math.abs(nearest) ? 1 : -1;
        }
        return (short) (bits + BELOW_HALF + (bits >>> Short.SIZE & 1) >>> Short.SIZE);
    }

    /// {@return the bits of the BFLOAT16 nearest to x: rounded once}
    public static short bfloat16(long x) {
        double nearest = x;
        if ((long) nearest != x) {
            nearest = (long) nearest < x ? Math.nextUp(nearest) : Math.nextDown(nearest);
        }
        return bfloat16(nearest);
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
