package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.toydiff.internal.kernels.BinaryCalls.doubles;
import static org.toydiff.internal.kernels.BinaryCalls.floats;
import static org.toydiff.internal.kernels.BinaryCalls.narrow;
import static org.toydiff.internal.kernels.BinaryCalls.pairs;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.BinaryOperator;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import jdk.incubator.vector.VectorShape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;
import org.toydiff.internal.arithmetic.Remainder;
import org.toydiff.internal.arithmetic.Rounding;

/// Rounding and remainders against Java's, bit by bit: they are exact.
///
/// `mvn -Paccuracy test` rounds every float; other runs one in 40,009.
class RoundingTest {
    private static final int STRIDE = Integer.getInteger("toydiff.accuracy.stride", 40_009);
    private static final int CHUNK = 1 << 12;

    enum Function {
        FLOOR(Rounding::floor, StrictMath::floor),
        CEIL(Rounding::ceil, StrictMath::ceil),
        ROUND(Rounding::round, StrictMath::rint),
        TRUNC(Rounding::trunc, x -> Math.copySign(StrictMath.floor(Math.abs(x)), x));

        final UnaryOperator<Real> expression;
        final DoubleUnaryOperator strict;

        Function(UnaryOperator<Real> expression, DoubleUnaryOperator strict) {
            this.expression = expression;
            this.strict = strict;
        }

        Kernel.Unary vector(Precision precision) {
            Real y = expression.apply(precision.input(0));
            return VectorLoop.unary(this + "", y, VectorShape.preferredShape(), ScalarLoop.unary(this + "", y));
        }
    }

    enum Division {
        FMOD(Remainder::fmod, (a, b) -> a % b, (a, b) -> a % b),
        REMAINDER(Remainder::remainder, (a, b) -> signed(a % b, b), (a, b) -> {
            float rest = (float) a % (float) b;
            return rest != 0 && rest < 0 != b < 0 ? rest + (float) b : rest;
        });

        final BinaryOperator<Real> expression;
        final DoubleBinaryOperator ofDoubles;
        final DoubleBinaryOperator ofFloats;

        Division(BinaryOperator<Real> expression, DoubleBinaryOperator ofDoubles, DoubleBinaryOperator ofFloats) {
            this.expression = expression;
            this.ofDoubles = ofDoubles;
            this.ofFloats = ofFloats;
        }

        private static double signed(double rest, double b) {
            return rest != 0 && rest < 0 != b < 0 ? rest + b : rest;
        }
    }

    @ParameterizedTest
    @EnumSource
    void floatsAreRoundedExactly(Function function) {
        Kernel.Unary kernel = function.vector(Precision.FLOAT32);
        int chunks = (int) ((1L << 32) / STRIDE / CHUNK) + 1;
        IntStream.range(0, chunks).parallel().forEach(chunk -> {
            float[] x = new float[CHUNK];
            for (int i = 0; i < CHUNK; i++) {
                x[i] = Float.intBitsToFloat((int) (((long) chunk * CHUNK + i) * STRIDE));
            }
            requireRounded(function, kernel, x);
        });
    }

    private static void requireRounded(Function function, Kernel.Unary kernel, float[] x) {
        try (var arena = Arena.ofShared()) {
            MemorySegment y = arena.allocate(JAVA_FLOAT, x.length);
            kernel.run(arena.allocateFrom(JAVA_FLOAT, x), 0, 0, 1, y, 0, 0, 1, 1, x.length);
            for (int i = 0; i < x.length; i++) {
                requireSame(function.strict.applyAsDouble(x[i]), y.getAtIndex(JAVA_FLOAT, i), function, x[i]);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void numbersNearIntegersAreRoundedExactly(Function function) {
        double[] x = nearIntegers();
        requireRounded(function, function.vector(Precision.FLOAT32), narrow(x));
        try (var arena = Arena.ofShared()) {
            MemorySegment y = arena.allocate(JAVA_DOUBLE, x.length);
            function.vector(Precision.FLOAT64)
                    .run(arena.allocateFrom(JAVA_DOUBLE, x), 0, 0, 1, y, 0, 0, 1, 1, x.length);
            for (int i = 0; i < x.length; i++) {
                requireSame(function.strict.applyAsDouble(x[i]), y.getAtIndex(JAVA_DOUBLE, i), function, x[i]);
            }
        }
    }

    /// {@return numbers of all sizes, most of them an integer, halfway between two, or next to that}
    private static double[] nearIntegers() {
        var random = new SplittableRandom(1);
        double[] x = new double[20_000];
        for (int i = 0; i < x.length; i++) {
            double half = Math.rint(Math.scalb(random.nextDouble(-1, 1), random.nextInt(0, 56))) / 2;
            x[i] = switch (i % 4) {
                case 0 -> half;
                case 1 -> Math.nextUp(half);
                case 2 -> Math.nextDown(half);
                default -> Double.longBitsToDouble(random.nextLong());
            };
        }
        System.arraycopy(SPECIAL, 0, x, 0, SPECIAL.length);
        return x;
    }

    private static final double[] SPECIAL = {
        0.0,
        -0.0,
        Double.NaN,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY,
        1,
        -1,
        0.5,
        -0.5,
        1.5,
        2.5,
        -2.5,
        3,
        -7,
        0.1,
        Math.nextDown(0.5),
        Math.nextDown(1),
        8388607.5,
        8388608,
        8388609,
        16777215,
        4503599627370495.5,
        4503599627370497.0,
        9007199254740991.0,
        1e-10,
        1e30,
        -1e30,
        1e300,
        Float.MIN_VALUE,
        -Float.MIN_NORMAL,
        Float.MAX_VALUE,
        Double.MIN_VALUE,
        -Double.MIN_VALUE,
        Double.MIN_NORMAL,
        Double.MAX_VALUE,
        -Double.MAX_VALUE
    };

    @ParameterizedTest
    @EnumSource
    void remaindersAreExact(Division division) {
        requireExact(division, pairs(SPECIAL, 0), pairs(SPECIAL, 1));
        double[] b = divisors(200_000);
        requireExact(division, dividends(b, 60), b);
    }

    private static double[] divisors(int n) {
        var random = new SplittableRandom(2);
        double[] b = new double[n];
        Arrays.setAll(b, i -> (float) Math.scalb(random.nextDouble(-1, 1), random.nextInt(-140, 100)));
        return b;
    }

    /// {@return numbers up to 2 to the power of `exponent` times as large: any, multiples, and next to multiples}
    private static double[] dividends(double[] b, int exponent) {
        var random = new SplittableRandom(3);
        double[] a = new double[b.length];
        for (int i = 0; i < a.length; i++) {
            double ratio = Math.scalb(random.nextDouble(-1, 1), random.nextInt(0, exponent));
            a[i] = switch (i % 4) {
                case 0 -> b[i] * ratio;
                case 1 -> b[i] * Math.rint(ratio);
                case 2 -> Math.nextUp((float) (b[i] * Math.rint(ratio)));
                default -> Math.nextDown(b[i] * Math.rint(ratio));
            };
        }
        return a;
    }

    @Test
    void quotientsAreRoundedDown() {
        double[] b = divisors(50_000);
        double[] a = dividends(b, 20);
        double[] y = doubles(BinaryCalls.scalar(Remainder::floorDivide, Precision.FLOAT64), a, b);
        float[] c = narrow(a);
        float[] d = narrow(b);
        float[] z = floats(BinaryCalls.scalar(Remainder::floorDivide, Precision.FLOAT32), c, d);
        for (int i = 0; i < y.length; i++) {
            assertEquals(floor(a[i], b[i]), y[i] + 0.0, a[i] + " by " + b[i]);
            if (Float.isFinite(c[i])) {
                assertEquals(floor(c[i], d[i]), z[i] + 0.0, c[i] + " by " + d[i]);
            }
        }
    }

    private static double floor(double a, double b) {
        return new BigDecimal(a)
                .divide(new BigDecimal(b), 0, RoundingMode.FLOOR)
                .doubleValue();
    }

    private static void requireExact(Division division, double[] a, double[] b) {
        double[] y = doubles(BinaryCalls.scalar(division.expression, Precision.FLOAT64), a, b);
        float[] c = narrow(a);
        float[] d = narrow(b);
        float[] z = floats(BinaryCalls.scalar(division.expression, Precision.FLOAT32), c, d);
        for (int i = 0; i < y.length; i++) {
            requireSame(division.ofDoubles.applyAsDouble(a[i], b[i]), y[i], division, a[i], b[i]);
            requireSame(division.ofFloats.applyAsDouble(c[i], d[i]), z[i], division, c[i], d[i]);
        }
    }

    /// Requires the same bits, except for NaN.
    private static void requireSame(double expected, double actual, Enum<?> function, double... operands) {
        if (Double.doubleToLongBits(expected) != Double.doubleToLongBits(actual)) {
            assertEquals(expected, actual, function + " of " + Arrays.toString(operands));
        }
    }

    @ParameterizedTest
    @EnumSource
    void vectorsGiveTheBitsOfElements(Division division) {
        BinaryCalls.requireBitsOfElements(division.expression, pairs(SPECIAL, 0), pairs(SPECIAL, 1));
    }

    @Test
    void vectorsOfQuotientsGiveTheBitsOfElements() {
        BinaryCalls.requireBitsOfElements(Remainder::floorDivide, pairs(SPECIAL, 0), pairs(SPECIAL, 1));
    }
}
