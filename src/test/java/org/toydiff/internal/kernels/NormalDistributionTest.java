package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigDecimal;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.internal.arithmetic.NormalDistribution;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;

/// The distribution function and the density of the standard normal against series and a continued fraction in double
/// double.
class NormalDistributionTest {
    private static final int COUNT = 5_000;

    private static final DoubleDouble ROOT_OF_2_PI =
            DoubleDouble.of(new BigDecimal("2.50662827463100050241576528481104525300698674060994"));

    /// From here on the continued fraction converges, and the series cancels.
    private static final double FAR = 6;

    private static DoubleDouble density(double x) {
        DoubleDouble half = DoubleDouble.of(x).times(-0.5);
        return DoubleDouble.exp(half.times(DoubleDouble.of(x))).by(ROOT_OF_2_PI);
    }

    /// `½ ± φ(t)·Σ t²ⁿ⁺¹/(2n + 1)!!`, or `φ(t)/(t + 1/(t + 2/(t + 3/…)))`.
    private static DoubleDouble distribution(double x) {
        DoubleDouble size = DoubleDouble.of(Math.abs(x));
        if (x <= -FAR) {
            DoubleDouble fraction = size;
            for (int k = 120; k > 0; k--) {
                fraction = size.plus(DoubleDouble.of(k).by(fraction));
            }
            return density(x).by(fraction);
        }
        DoubleDouble term = size;
        DoubleDouble sum = size;
        for (int n = 1; term.high() > 1e-34 * sum.high(); n++) {
            term = term.times(size).times(size).by(DoubleDouble.of(2 * n + 1));
            sum = sum.plus(term);
        }
        DoubleDouble half = DoubleDouble.of(0.5);
        DoubleDouble part = x > FAR ? half : density(x).times(sum);
        return x < 0 ? half.minus(part) : half.plus(part);
    }

    private static double[] run(Precision precision, UnaryOperator<Real> expression, double[] in) {
        boolean wide = precision == Precision.FLOAT64;
        Kernel.Unary kernel = ScalarLoop.unary("normal" + precision, expression.apply(precision.input(0)));
        try (var arena = Arena.ofShared()) {
            MemorySegment x = arena.allocate(JAVA_DOUBLE, in.length);
            for (int i = 0; i < in.length; i++) {
                if (wide) {
                    x.setAtIndex(JAVA_DOUBLE, i, in[i]);
                } else {
                    x.setAtIndex(JAVA_FLOAT, i, (float) in[i]);
                }
            }
            kernel.run(x, 0, 0, 1, x, 0, 0, 1, 1, in.length);
            double[] out = new double[in.length];
            for (int i = 0; i < in.length; i++) {
                out[i] = wide ? x.getAtIndex(JAVA_DOUBLE, i) : x.getAtIndex(JAVA_FLOAT, i);
            }
            return out;
        }
    }

    /// {@return numbers near 0 and far from it, which are floats}
    private static double[] numbers(double farthest) {
        return new SplittableRandom(3)
                .doubles(COUNT, -1, 1)
                .map(unit -> (float) (Math.abs(unit) < 0.5 ? 8 * unit : farthest * unit))
                .toArray();
    }

    @ParameterizedTest
    @EnumSource
    void relativeErrorsAreAsStated(Precision precision) {
        boolean wide = precision == Precision.FLOAT64;
        double epsilon = wide ? 0x1p-53 : 0x1p-24;
        double[] in = numbers(wide ? 37 : 12.8);
        double[] distribution = run(precision, NormalDistribution::distribution, in);
        double[] density = run(precision, NormalDistribution::density, in);
        for (int i = 0; i < in.length; i++) {
            double unit = epsilon * (1 + in[i] * in[i]);
            requireNear(distribution(in[i]), distribution[i], 2.2 * unit, "Φ", in[i]);
            requireNear(density(in[i]), density[i], 1.7 * unit, "φ", in[i]);
        }
    }

    private static void requireNear(DoubleDouble expected, double actual, double tolerance, String name, double x) {
        double error =
                Math.abs(DoubleDouble.of(actual).minus(expected).by(expected).high());
        assertTrue(error <= tolerance, () -> name + " of " + x + " is " + actual + ": an error of " + error);
    }

    @ParameterizedTest
    @EnumSource
    void valuesAt0FarAwayAndOfNanAreExact(Precision precision) {
        double infinity = Double.POSITIVE_INFINITY;
        double[] in = {0, -0.0, 1e-44, 40, -40, 1e38, -1e38, infinity, -infinity, Double.NaN};
        double[] expected = {0.5, 0.5, 0.5, 1, 0, 1, 0, 1, 0, Double.NaN};
        assertArrayEquals(expected, run(precision, NormalDistribution::distribution, in));
        double[] density = run(precision, NormalDistribution::density, in);
        double highest = 1 / Math.sqrt(2 * Math.PI);
        double top = precision == Precision.FLOAT64 ? highest : (float) highest;
        assertArrayEquals(new double[] {top, top, top, 0, 0, 0, 0, 0, 0, Double.NaN}, density);
    }
}
