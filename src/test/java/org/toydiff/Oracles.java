package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.toydiff.internal.launch.Shape;

/// The operands on which ops are tested, and their results in double.
final class Oracles {
    static final int[] SIZES = {0, 1, 3, 7, 8, 9, 15, 16, 17, 63, 64, 65, 1021};
    static final double[] SPECIAL = {
        0.0, -0.0, 1, -1, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN, Float.MIN_VALUE, 1e30, -1e-30
    };
    static final double GRADIENT_TOLERANCE = 2e-5;

    /// Half the relative distance of two numbers of BFLOAT16, and a little more.
    private static final double HALF_STEP = 0x1.01p-8;

    static final Domain REAL = new Domain(-2, 2);
    static final Domain POSITIVE = new Domain(0.3, 3);

    private Oracles() {}

    /// The result of ops that are recorded even where the caller, such as [GradientCheck], records nothing.
    static Tensor recorded(Supplier<Tensor> ops) {
        boolean recording = Scope.current().recording;
        Scope.current().recording = true;
        try {
            return ops.get();
        } finally {
            Scope.current().recording = recording;
        }
    }

    /// A gradient of `f`, to be differentiated again.
    static Tensor gradientOf(UnaryOperator<Tensor> f, Tensor x) {
        Tensor t = x.tracksGradient() ? x : x.detach().trackGradient();
        return recorded(() -> Autograd.gradients(f.apply(t.multiply(1)).multiply(t), List.of(t), true)
                .getFirst());
    }

    /// A grid of values between `low` and `high`, none of them close to 0 or, across operands, to each other.
    record Domain(double low, double high) {
        double[] draw(Random random, int n, double shift) {
            return random.doubles(n, low, high)
                    .map(v -> Math.rint(v * 100) / 100 + shift)
                    .toArray();
        }
    }

    /// Tensors with the elements `values` in row-major order: contiguous, transposed, and a slice.
    static List<Tensor> layouts(DType dtype, double[] values, int rows, int columns) {
        Tensor plain = Tensor.of(dtype, values, rows, columns);
        Tensor transposed =
                Tensor.empty(dtype, columns, rows).copyFrom(plain.transpose()).transpose();
        Tensor wide = Tensor.full(dtype, 7, rows, columns + 3);
        Tensor sliced = wide.slice(1, 2, columns + 2);
        sliced.copyFrom(plain);
        return List.of(plain, transposed, sliced);
    }

    /// Distinct values, so that max and min have one place, far enough apart for differences.
    static double[] distinct(DType dtype, int n) {
        List<Double> values = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            values.add((i - n / 2) * 0.01);
        }
        Collections.shuffle(values, new Random(n));
        return rounded(dtype, values.stream().mapToDouble(v -> v).toArray());
    }

    static double[] rounded(DType dtype, double[] values) {
        return switch (dtype) {
            case FLOAT32 -> Arrays.stream(values).map(v -> (float) v).toArray();
            case BFLOAT16 -> Arrays.stream(values).map(Bfloat16Oracle::rounded).toArray();
            default -> values;
        };
    }

    /// For each element of `shape`, the position of the element of `from` that broadcasting reads.
    static int[] sources(long[] from, long[] shape) {
        int[] sources = new int[(int) Shape.size(shape)];
        for (int i = 0; i < sources.length; i++) {
            int rest = i;
            int at = 0;
            int stride = 1;
            for (int axis = 1; axis <= shape.length; axis++) {
                int position = rest % (int) shape[shape.length - axis];
                rest /= (int) shape[shape.length - axis];
                if (axis <= from.length) {
                    int n = (int) from[from.length - axis];
                    at += n == 1 ? 0 : position * stride;
                    stride *= n;
                }
            }
            sources[i] = at;
        }
        return sources;
    }

    /// The population standard deviation.
    static double std(double[] v) {
        double mean = Arrays.stream(v).sum() / v.length;
        return Math.sqrt(Arrays.stream(v).map(x -> (x - mean) * (x - mean)).sum() / v.length);
    }

    /// By its power series, or its continued fraction: M. Abramowitz, I. Stegun, 7.1.6 and 7.1.14.
    static double erf(double x) {
        if (Double.isNaN(x) || Double.isInfinite(x)) {
            return Math.signum(x);
        }
        if (Math.abs(x) < 2.5) {
            double term = x;
            double sum = x;
            for (int n = 1; n < 200; n++) {
                term *= 2 * x * x / (2 * n + 1);
                sum += term;
            }
            return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
        }
        double size = Math.abs(x);
        double fraction = 0;
        for (int n = 300; n > 0; n--) {
            fraction = n / 2.0 / (size + fraction);
        }
        return Math.copySign(1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (size + fraction), x);
    }

    /// Python's `a % b`.
    static double remainder(double a, double b) {
        double rest = a % b;
        return rest != 0 && rest < 0 != b < 0 ? rest + b : rest;
    }

    /// By differences of fourth order.
    static double derivative(DoubleUnaryOperator f, double x) {
        double h = 5e-4;
        return (f.applyAsDouble(x - 2 * h)
                        - 8 * f.applyAsDouble(x - h)
                        + 8 * f.applyAsDouble(x + h)
                        - f.applyAsDouble(x + 2 * h))
                / (12 * h);
    }

    /// The relative tolerance of a value.
    static double tolerance(DType dtype) {
        return switch (dtype) {
            case FLOAT32 -> 1e-6;
            case BFLOAT16 -> HALF_STEP;
            default -> 1e-13;
        };
    }

    /// The tolerance of a gradient, which in BFLOAT16 is rounded after each of some ops.
    static double gradientTolerance(DType dtype) {
        return dtype == DType.BFLOAT16 ? 8 * HALF_STEP : GRADIENT_TOLERANCE;
    }

    /// Requires equal values within `tolerance`, relative to those larger than 1; infinities exactly.
    static void requireClose(double[] expected, double[] actual, double tolerance, String what) {
        assertEquals(expected.length, actual.length, what);
        for (int i = 0; i < expected.length; i++) {
            double scale = Double.isFinite(expected[i]) ? Math.max(1, Math.abs(expected[i])) : 0;
            assertEquals(expected[i], actual[i], tolerance * scale, what + " at " + i);
        }
    }
}
