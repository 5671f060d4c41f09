package org.toydiff.internal.kernels;

import java.util.EnumMap;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.toydiff.internal.arithmetic.Bits;
import org.toydiff.internal.arithmetic.Condition;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Precision;

/// Elementwise kernels of integers, INT32 and INT64 (`wide`): those of [UnaryKernel] and [BinaryKernel] that
/// integers have, and division. Arithmetic wraps around.
public final class IntegerKernels {
    private static final Map<UnaryKernel, PerPrecision<Kernel.Unary>> UNARY = new EnumMap<>(UnaryKernel.class);
    private static final Map<BinaryKernel, PerPrecision<Kernel.Binary>> BINARY = new EnumMap<>(BinaryKernel.class);

    private static final PerPrecision<Kernel.Binary> FLOOR_DIVIDE =
            kernel("floorDivide", p -> p.integer(0).floorDivide(p.integer(1)).real());
    private static final PerPrecision<Kernel.Binary> REMAINDER =
            kernel("remainder", p -> p.integer(0).floorRemainder(p.integer(1)).real());
    private static final PerPrecision<Kernel.Binary> FMOD = kernel(
            "fmod", p -> remainderWithSignOfFirst(p.integer(0), p.integer(1)).real());

    static {
        unary(UnaryKernel.ABS, Bits::abs);
        unary(UnaryKernel.NEGATIVE, Bits::negative);
        unary(UnaryKernel.RELU, x -> x.max(x.precision().bits(0)));
        unary(UnaryKernel.SIGN, IntegerKernels::sign);
        arithmetic(BinaryKernel.ADD, Bits::add);
        arithmetic(BinaryKernel.SUBTRACT, Bits::subtract);
        arithmetic(BinaryKernel.MULTIPLY, Bits::multiply);
        arithmetic(BinaryKernel.MAXIMUM, Bits::max);
        arithmetic(BinaryKernel.MINIMUM, Bits::min);
        comparison(BinaryKernel.EQUAL_TO, Bits::equalTo);
        comparison(BinaryKernel.NOT_EQUAL_TO, Bits::notEqualTo);
        comparison(BinaryKernel.GREATER, Bits::greater);
        comparison(BinaryKernel.GREATER_OR_EQUAL, Bits::greaterOrEqual);
        comparison(BinaryKernel.LESS, Bits::less);
        comparison(BinaryKernel.LESS_OR_EQUAL, Bits::lessOrEqual);
    }

    private IntegerKernels() {}

    private interface Comparison {
        Condition of(Bits a, Bits b);
    }

    private static void unary(UnaryKernel kernel, UnaryOperator<Bits> result) {
        String name = BinaryKernel.method(kernel);
        UNARY.put(
                kernel,
                new PerPrecision<>(p ->
                        Kernels.unary(name(name, p), result.apply(p.integer(0)).real())));
    }

    private static void arithmetic(BinaryKernel kernel, BinaryOperator<Bits> result) {
        BINARY.put(kernel, kernel(BinaryKernel.method(kernel), p -> result.apply(p.integer(0), p.integer(1))
                .real()));
    }

    private static void comparison(BinaryKernel kernel, Comparison result) {
        BINARY.put(kernel, kernel(BinaryKernel.method(kernel), p -> result.of(p.integer(0), p.integer(1))));
    }

    private static PerPrecision<Kernel.Binary> kernel(String name, Function<Precision, Expression> result) {
        return new PerPrecision<>(p -> Kernels.binary(name(name, p), result.apply(p)));
    }

    private static String name(String op, Precision precision) {
        return op + (precision == Precision.FLOAT64 ? "Int64" : "Int32");
    }

    private static Bits remainderWithSignOfFirst(Bits a, Bits b) {
        Bits zero = a.precision().bits(0);
        Bits remainder = a.floorRemainder(b);
        return a.xor(b).less(zero).and(remainder.notEqualTo(zero)).select(remainder.subtract(b), remainder);
    }

    private static Bits sign(Bits x) {
        Bits zero = x.precision().bits(0);
        return x.less(zero)
                .select(
                        x.precision().bits(-1),
                        zero.less(x).select(x.precision().bits(1), zero));
    }

    /// {@return whether integers have this kernel}
    public static boolean has(BinaryKernel kernel) {
        return BINARY.containsKey(kernel);
    }

    /// {@return whether integers have this kernel}
    public static boolean has(UnaryKernel kernel) {
        return UNARY.containsKey(kernel);
    }

    /// {@return the kernel, which integers [have][#has(UnaryKernel)], created on first use}
    public static Kernel.Unary of(UnaryKernel kernel, boolean wide) {
        return UNARY.get(kernel).of(wide);
    }

    /// {@return the kernel, which integers [have][#has(BinaryKernel)], created on first use}
    public static Kernel.Binary of(BinaryKernel kernel, boolean wide) {
        return BINARY.get(kernel).of(wide);
    }

    /// {@return the kernel of the quotient rounded towards −∞} It throws ArithmeticException if a divisor is 0.
    public static Kernel.Binary floorDivide(boolean wide) {
        return FLOOR_DIVIDE.of(wide);
    }

    /// {@return the kernel of the remainder of [#floorDivide]} It throws ArithmeticException if a divisor is 0.
    public static Kernel.Binary remainder(boolean wide) {
        return REMAINDER.of(wide);
    }

    /// {@return the kernel of the remainder with the sign of the first operand} It throws ArithmeticException if a
    /// divisor is 0.
    public static Kernel.Binary fmod(boolean wide) {
        return FMOD.of(wide);
    }
}
