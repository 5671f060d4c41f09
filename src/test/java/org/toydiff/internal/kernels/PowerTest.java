package org.toydiff.internal.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.internal.kernels.BinaryCalls.doubles;
import static org.toydiff.internal.kernels.BinaryCalls.floats;
import static org.toydiff.internal.kernels.BinaryCalls.narrow;
import static org.toydiff.internal.kernels.BinaryCalls.pairs;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.toydiff.internal.arithmetic.Power;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;

/// Powers against [StrictMath#pow] and [DoubleDouble].
class PowerTest {
    private static final Kernel.Binary FLOATS = ScalarLoop.binary("Power32", power(Precision.FLOAT32));
    private static final Kernel.Binary DOUBLES = ScalarLoop.binary("Power64", power(Precision.FLOAT64));

    /// Bases and exponents whose pairs cover each special case of C's and Java's pow.
    private static final double[] SPECIAL = {
        0.0,
        -0.0,
        1,
        -1,
        2,
        -2,
        3,
        -3,
        0.5,
        -0.5,
        1.5,
        -2.5,
        Math.nextDown(1),
        Math.nextUp(1),
        Math.nextDown(-1),
        Math.nextUp(-1),
        1023,
        1024,
        -1074,
        -1075,
        -1076,
        127,
        128,
        -149,
        -150,
        16777215,
        16777216,
        -16777215,
        33554434,
        9007199254740991.0,
        9007199254740992.0,
        -9007199254740991.0,
        4503599627370497.0,
        4503599627370495.5,
        8388607.5,
        8388609,
        Float.MIN_VALUE,
        Float.MIN_NORMAL,
        Float.MAX_VALUE,
        Double.MIN_VALUE,
        -Double.MIN_VALUE,
        1e-310,
        Double.MIN_NORMAL,
        Double.MAX_VALUE,
        -Double.MAX_VALUE,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY,
        Double.NaN
    };

    private static Real power(Precision precision) {
        return Power.power(precision.input(0), precision.input(1));
    }

    @Test
    void specialCasesAreStrictMaths() {
        double[] a = pairs(SPECIAL, 0);
        double[] b = pairs(SPECIAL, 1);
        double[] y = doubles(DOUBLES, a, b);
        for (int i = 0; i < y.length; i++) {
            double expected = StrictMath.pow(a[i], b[i]);
            String message = a[i] + " to the power " + b[i];
            if (expected == 0 || !Double.isFinite(expected)) {
                assertEquals(expected, y[i], message);
            } else {
                assertEquals(expected, y[i], 2 * Math.ulp(expected), message);
            }
        }
    }

    @Test
    void specialCasesOfFloatsAreStrictMathsRounded() {
        float[] a = narrow(pairs(SPECIAL, 0));
        float[] b = narrow(pairs(SPECIAL, 1));
        float[] y = floats(FLOATS, a, b);
        for (int i = 0; i < y.length; i++) {
            float expected = (float) StrictMath.pow(a[i], b[i]);
            String message = a[i] + " to the power " + b[i];
            if (expected == 0 || !Float.isFinite(expected)) {
                assertEquals(expected, y[i], message);
            } else {
                assertEquals(expected, y[i], Math.ulp(expected), message);
            }
        }
    }

    @Test
    void powersOfFloatsAreWithinOneAndATenthUlp() {
        var random = new SplittableRandom(5);
        int n = 500_000;
        float[] a = new float[n];
        float[] b = new float[n];
        for (int i = 0; i < n; i++) {
            a[i] = (float) base(random, i);
            b[i] = (float)
                    (i % 2 == 0
                            ? random.nextDouble(-9, 9)
                            : random.nextDouble(-149, 128) / Math.log(a[i]) * Math.log(2));
        }
        float[] y = floats(FLOATS, a, b);
        for (int i = 0; i < n; i++) {
            double expected = StrictMath.pow(a[i], b[i]);
            if (Math.abs(expected) < Float.MAX_VALUE) {
                double error = Math.abs(y[i] - expected) / Math.ulp((float) expected);
                assertTrue(error < 1.1, a[i] + " to the power " + b[i] + ": " + y[i] + ", by " + error);
            }
        }
    }

    @Test
    void powersOfDoublesAreWithinOneAndATenthUlp() {
        var random = new SplittableRandom(6);
        int n = 20_000;
        double[] a = new double[n];
        double[] b = new double[n];
        for (int i = 0; i < n; i++) {
            a[i] = base(random, i);
            b[i] = i % 2 == 0
                    ? random.nextDouble(-9, 9)
                    : random.nextDouble(-1022, 1023) / Math.log(a[i]) * Math.log(2);
        }
        double[] y = doubles(DOUBLES, a, b);
        for (int i = 0; i < n; i++) {
            double strict = StrictMath.pow(a[i], b[i]);
            if (strict > 2 * Double.MIN_NORMAL && strict < 1e308) {
                double error = DoubleDouble.power(a[i], b[i]).error(y[i]);
                assertTrue(error < 1.1, a[i] + " to the power " + b[i] + ": " + y[i] + ", by " + error);
            }
        }
    }

    /// {@return a positive number: around 1, moderate, or of any exponent}
    private static double base(SplittableRandom random, int i) {
        return switch (i % 3) {
            case 0 -> 1 + Math.scalb(random.nextDouble(-1, 1), -random.nextInt(1, 20));
            case 1 -> random.nextDouble(0.01, 20);
            default -> Math.scalb(random.nextDouble(1, 2), random.nextInt(-140, 127));
        };
    }

    @Test
    void vectorsGiveTheBitsOfElements() {
        BinaryCalls.requireBitsOfElements(Power::power, pairs(SPECIAL, 0), pairs(SPECIAL, 1));
    }
}
