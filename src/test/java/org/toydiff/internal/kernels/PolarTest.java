package org.toydiff.internal.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.internal.kernels.BinaryCalls.doubles;
import static org.toydiff.internal.kernels.BinaryCalls.floats;
import static org.toydiff.internal.kernels.BinaryCalls.narrow;
import static org.toydiff.internal.kernels.BinaryCalls.pairs;

import java.util.SplittableRandom;
import java.util.function.BiFunction;
import java.util.function.BinaryOperator;
import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.internal.arithmetic.Hypotenuse;
import org.toydiff.internal.arithmetic.InverseTrigonometry;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;

/// Angles and lengths of vectors against [StrictMath] and [DoubleDouble]. Each row states the largest error, in units
/// in the last place, that the function's documentation gives.
class PolarTest {
    enum Function {
        ATAN2(InverseTrigonometry::atan2, StrictMath::atan2, DoubleDouble::atan2, 1, 0.9),
        HYPOT(Hypotenuse::hypot, StrictMath::hypot, DoubleDouble::hypot, 1.1, 1.1);

        final BinaryOperator<Real> expression;
        final DoubleBinaryOperator strict;
        final BiFunction<Double, Double, DoubleDouble> exact;
        final double maxError32;
        final double maxError64;

        Function(
                BinaryOperator<Real> expression,
                DoubleBinaryOperator strict,
                BiFunction<Double, Double, DoubleDouble> exact,
                double maxError32,
                double maxError64) {
            this.expression = expression;
            this.strict = strict;
            this.exact = exact;
            this.maxError32 = maxError32;
            this.maxError64 = maxError64;
        }
    }

    private static final double[] SPECIAL = {
        0.0,
        -0.0,
        1,
        -1,
        Double.NaN,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY,
        0.5,
        -3,
        Math.tan(Math.PI / 8),
        1e-10,
        -1e10,
        Double.MIN_VALUE,
        -Double.MIN_VALUE,
        Double.MIN_NORMAL,
        1e-310,
        Float.MIN_VALUE,
        Float.MIN_NORMAL,
        -1e-40,
        0x1p-100,
        0x1p100,
        -0x1p127,
        Float.MAX_VALUE,
        0x1p-1000,
        0x1p1000,
        1e300,
        -1e300,
        Double.MAX_VALUE,
        -Double.MAX_VALUE
    };

    @ParameterizedTest
    @EnumSource
    void specialCasesAreStrictMaths(Function function) {
        double[] a = pairs(SPECIAL, 0);
        double[] b = pairs(SPECIAL, 1);
        double[] y = doubles(BinaryCalls.scalar(function.expression, Precision.FLOAT64), a, b);
        for (int i = 0; i < y.length; i++) {
            double expected = function.strict.applyAsDouble(a[i], b[i]);
            requireNear(function, a[i], b[i], expected, y[i], 2 * Math.ulp(expected));
        }
    }

    @ParameterizedTest
    @EnumSource
    void specialCasesOfFloatsAreStrictMathsRounded(Function function) {
        float[] a = narrow(pairs(SPECIAL, 0));
        float[] b = narrow(pairs(SPECIAL, 1));
        float[] y = floats(BinaryCalls.scalar(function.expression, Precision.FLOAT32), a, b);
        for (int i = 0; i < y.length; i++) {
            float expected = (float) function.strict.applyAsDouble(a[i], b[i]);
            requireNear(function, a[i], b[i], expected, y[i], 2 * Math.ulp(expected));
        }
    }

    private static void requireNear(Function function, double a, double b, double expected, double y, double delta) {
        String message = function + " of " + a + " and " + b;
        if (expected == 0 || !Double.isFinite(expected)) {
            assertEquals(expected, y, message);
        } else {
            assertEquals(expected, y, delta, message);
        }
    }

    @ParameterizedTest
    @EnumSource
    void floatsAreAsNearAsStated(Function function) {
        int n = 400_000;
        var random = new SplittableRandom(1);
        float[] a = new float[n];
        float[] b = new float[n];
        for (int i = 0; i < n; i++) {
            a[i] = (float) first(random, 120);
            b[i] = (float) second(random, a[i], i);
        }
        float[] y = floats(BinaryCalls.scalar(function.expression, Precision.FLOAT32), a, b);
        for (int i = 0; i < n; i++) {
            double expected = function.strict.applyAsDouble(a[i], b[i]);
            if (Math.abs(expected) >= Float.MIN_NORMAL && Math.abs(expected) <= Float.MAX_VALUE) {
                double error = Math.abs(y[i] - expected) / Math.ulp((float) expected);
                assertTrue(error < function.maxError32, message(function, a[i], b[i], y[i], error));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void doublesAreAsNearAsStated(Function function) {
        int n = 10_000;
        var random = new SplittableRandom(2);
        double[] a = new double[n];
        double[] b = new double[n];
        for (int i = 0; i < n; i++) {
            // Smaller exponents than there are: DoubleDouble does not scale.
            a[i] = first(random, 400);
            b[i] = second(random, a[i], i);
        }
        double[] y = doubles(BinaryCalls.scalar(function.expression, Precision.FLOAT64), a, b);
        for (int i = 0; i < n; i++) {
            double error = function.exact.apply(a[i], b[i]).error(y[i]);
            assertTrue(error < function.maxError64, message(function, a[i], b[i], y[i], error));
        }
    }

    private static String message(Function function, double a, double b, double y, double error) {
        return function + " of " + a + " and " + b + ": " + y + ", by " + error;
    }

    /// {@return a number of either sign and any exponent up to `exponent`}
    private static double first(SplittableRandom random, int exponent) {
        return random.nextDouble(-1, 1) * Math.scalb(1.0, random.nextInt(-exponent, exponent));
    }

    /// {@return a number like `a`: near it, moderately larger or smaller, or by much}
    private static double second(SplittableRandom random, double a, int i) {
        double ratio = random.nextDouble(-1, 1);
        return switch (i % 4) {
            case 0 -> a * (1 + Math.scalb(ratio, -random.nextInt(1, 20)));
            case 1 -> a * ratio;
            case 2 -> a / ratio;
            default -> a * Math.scalb(ratio, random.nextInt(-20, 20));
        };
    }

    @ParameterizedTest
    @EnumSource
    void vectorsGiveTheBitsOfElements(Function function) {
        BinaryCalls.requireBitsOfElements(function.expression, pairs(SPECIAL, 0), pairs(SPECIAL, 1));
    }
}
