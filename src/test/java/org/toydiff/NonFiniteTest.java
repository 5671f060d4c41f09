package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import java.util.Map;
import java.util.function.DoublePredicate;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Tests for NaN and infinities, and their replacement.
@Tag("kernels")
class NonFiniteTest {
    private static final double INFINITY = Double.POSITIVE_INFINITY;
    private static final double NAN = Double.NaN;
    private static final DType[] FLOATING = {DType.FLOAT32, DType.FLOAT64};

    private record Row(UnaryOperator<Tensor> op, DoublePredicate oracle) {}

    private static final Map<String, Row> TESTS = Map.of(
            "isNan", new Row(Tensor::isNan, Double::isNaN),
            "isFinite", new Row(Tensor::isFinite, Double::isFinite),
            "isInf", new Row(Tensor::isInf, Double::isInfinite));

    /// As many as `n`: each of the special ones, in turn.
    private static double[] numbers(int n) {
        double[] x = new double[n];
        Arrays.setAll(x, i -> Oracles.SPECIAL[i % Oracles.SPECIAL.length]);
        return x;
    }

    @Test
    void testsAgreeWithJavasInAllLayouts() {
        for (DType dtype : FLOATING) {
            for (int n : Oracles.SIZES) {
                try (var arena = TensorArena.ofConfined()) {
                    double[] x = numbers(3 * n);
                    for (Tensor layout : Oracles.layouts(dtype, x, n, 3)) {
                        TESTS.forEach((name, row) -> requireTest(name, row, x, layout));
                    }
                }
            }
        }
    }

    private static void requireTest(String name, Row row, double[] x, Tensor layout) {
        Tensor y = row.op.apply(layout.trackGradient());
        assertEquals(DType.BOOL, y.dtype());
        assertFalse(y.tracksGradient());
        assertArrayEquals(layout.shape(), y.shape());
        double[] expected =
                Arrays.stream(x).map(v -> row.oracle.test(v) ? 1 : 0).toArray();
        assertArrayEquals(expected, y.toDoubleArray(), name);
    }

    @Test
    void integersAreFinite() {
        try (var arena = TensorArena.ofConfined()) {
            for (DType dtype : new DType[] {DType.INT32, DType.INT64, DType.BOOL}) {
                Tensor x = Tensor.of(dtype, new int[] {0, 1, 1});
                assertArrayEquals(new double[] {0, 0, 0}, x.isNan().toDoubleArray());
                assertArrayEquals(new double[] {1, 1, 1}, x.isFinite().toDoubleArray());
                assertArrayEquals(new double[] {0, 0, 0}, x.isInf().toDoubleArray());
                assertEquals(DType.BOOL, x.isFinite().dtype());
            }
        }
    }

    /// `numpy.nan_to_num(x, nan=…, posinf=…, neginf=…)`, for any replacements, such as ∞ by −∞ and −∞ by ∞.
    @Test
    void eachNumberIsReplacedOnce() {
        double[] values = {0, -7.5, NAN, INFINITY, -INFINITY};
        for (DType dtype : FLOATING) {
            for (double nan : values) {
                for (double posinf : values) {
                    for (double neginf : values) {
                        requireReplaced(dtype, nan, posinf, neginf, 20);
                    }
                }
            }
            for (int n : Oracles.SIZES) {
                requireReplaced(dtype, 1, 2, 3, n);
            }
        }
    }

    private static void requireReplaced(DType dtype, double nan, double posinf, double neginf, int n) {
        try (var arena = TensorArena.ofConfined()) {
            double[] x = Oracles.rounded(dtype, numbers(3 * n));
            double[] y = Arrays.stream(x)
                    .map(v -> Double.isNaN(v) ? nan : v == INFINITY ? posinf : v == -INFINITY ? neginf : v)
                    .toArray();
            for (Tensor layout : Oracles.layouts(dtype, x, n, 3)) {
                assertArrayEquals(y, layout.nanToNum(nan, posinf, neginf).toDoubleArray());
            }
        }
    }

    @Test
    void defaultsAreZeroAndTheLargestNumbersOfTheDtype() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 2);
            assertArrayEquals(
                    new float[] {0, Float.MAX_VALUE, -Float.MAX_VALUE, 2},
                    x.nanToNum().toFloatArray());
            assertArrayEquals(
                    new double[] {0, Double.MAX_VALUE, -Double.MAX_VALUE, 2},
                    x.cast(DType.FLOAT64).nanToNum().toDoubleArray());
        }
    }

    /// PyTorch 2.13: `torch.nan_to_num(x).backward(g)` leaves `g * x.isfinite()`; here it is 0 even for an infinite
    /// g.
    @Test
    void replacedNumbersHaveNoGradient() {
        for (DType dtype : FLOATING) {
            try (var arena = TensorArena.ofConfined()) {
                Tensor x = Tensor.of(dtype, new double[] {NAN, 1, INFINITY, -2, -INFINITY})
                        .trackGradient();
                Tensor y = x.nanToNum();
                y.backward(Tensor.of(dtype, new double[] {INFINITY, 3, 4, 5, NAN}), Release.EAGER);
                assertArrayEquals(new double[] {0, 3, 0, 5, 0}, x.gradient().toDoubleArray());
                GradientCheck.check(
                        t -> Oracles.gradientOf(u -> u.nanToNum().exp(), t),
                        Tensor.of(DType.FLOAT64, new double[] {1}));
            }
        }
    }

    @Test
    void theMaskOfReplacementsIsFreed() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.zeros(1000);
            long before = arena.liveBytes();
            x.nanToNum();
            // The result, and five scalars: two infinities and three replacements.
            assertEquals(before + 4032 + 5 * 64, arena.liveBytes());
        }
    }

    @Test
    void integersNeedNoReplacement() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(new long[] {1, Long.MIN_VALUE, Long.MAX_VALUE});
            assertArrayEquals(x.toLongArray(), x.nanToNum().toLongArray());
            assertArrayEquals(x.toLongArray(), x.nanToNum(5, 6, 7).toLongArray());
            Tensor copy = x.equalTo(1).nanToNum();
            assertEquals(DType.BOOL, copy.dtype());
            assertArrayEquals(new long[] {1, 0, 0}, copy.toLongArray());
        }
    }
}
