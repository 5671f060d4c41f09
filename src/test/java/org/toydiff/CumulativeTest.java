package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.toydiff.Checks.rejected;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.internal.launch.Shape;

/// Cumulative sums and products, products and differences, against loops and PyTorch.
class CumulativeTest extends ArenaTest {
    @ParameterizedTest
    @EnumSource(DType.class)
    void anyViewIsAccumulatedAlongEveryAxis(DType dtype) {
        var random = new Random(6);
        for (int round = 0; round < 60; round++) {
            try (var scratch = TensorArena.ofConfined()) {
                Tensor x = RandomViews.of(
                                random,
                                DType.FLOAT64,
                                random.longs(1 + round % 4, 1, 6).toArray())
                        .cast(dtype);
                for (int axis = 0; axis < x.rank(); axis++) {
                    double[] sums = byLoop(x, axis, Double::sum);
                    double[] products = byLoop(x, axis, (a, b) -> a * b);
                    assertArrayEquals(sums, x.cumsum(axis).toDoubleArray());
                    assertArrayEquals(products, x.cumprod(axis - x.rank()).toDoubleArray());
                    assertEquals(
                            dtype.isFloating() ? dtype : DType.INT64,
                            x.cumsum(axis).dtype());
                    long n = x.size(axis);
                    Tensor last = Tensor.of(products, x.shape()).slice(axis, n - 1, n);
                    assertArrayEquals(last.toDoubleArray(), x.prod(axis, true).toDoubleArray());
                    assertArrayEquals(last.squeeze(axis).shape(), x.prod(axis).shape());
                }
            }
        }
    }

    private static double[] byLoop(Tensor x, int axis, DoubleBinaryOperator f) {
        double[] y = x.toDoubleArray();
        int step = (int) Shape.strides(x.shape)[axis];
        for (int i = 0; i < y.length; i++) {
            boolean first = i / step % x.shape[axis] == 0;
            y[i] = first ? y[i] : f.applyAsDouble(y[i - step], y[i]);
            // Integers have one zero.
            y[i] += x.dtype().isFloating() ? -0.0 : 0.0;
        }
        if (x.dtype() == DType.BFLOAT16) {
            Arrays.setAll(y, i -> Bfloat16Oracle.rounded(y[i]));
        }
        return y;
    }

    @Test
    void integersWrapAroundAndFloatsAreRoundedFromADouble() {
        Tensor large = Tensor.of(new long[] {Long.MAX_VALUE, 1, 2});
        assertArrayEquals(
                new long[] {Long.MAX_VALUE, Long.MIN_VALUE, Long.MIN_VALUE + 2},
                large.cumsum(0).toLongArray());
        assertArrayEquals(
                new long[] {Long.MAX_VALUE, Long.MAX_VALUE, -2},
                large.cumprod(0).toLongArray());
        assertEquals(-2, large.prod().toLongArray()[0]);
        int most = Integer.MAX_VALUE;
        assertArrayEquals(
                new long[] {most, 2L * most},
                Tensor.of(new int[] {most, most}).cumsum(0).toLongArray());
        assertArrayEquals(
                new float[] {1e30f, Float.POSITIVE_INFINITY, 1e30f},
                Tensor.of(1e30f, 1e30f, 1e-30f).cumprod(0).toFloatArray());
        assertEquals(16_777_218, Tensor.of(16_777_216, 1, 1).cumsum(0).at(2));
        assertEquals(2, Tensor.of(DType.BOOL, new int[] {1, 0, 1}).cumsum(0).at(2));
    }

    @Test
    void aMillionSumsAreThoseOfALoop() {
        Tensor x = Tensor.rand(1_000_000);
        float[] values = x.toFloatArray();
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += values[i];
            values[i] = (float) sum;
        }
        assertArrayEquals(values, x.cumsum(0).toFloatArray());
    }

    /// Of PyTorch 2.13: `y = torch.cumprod(x, 1); y.backward(w)`.
    @Test
    void gradientsOfProductsAreRightAtZeros() {
        for (Release release : Release.values()) {
            Tensor x = Tensor.of(new float[] {2, 0, 3, 0, 4, 0, 5, 6, 7}, 3, 3).trackGradient();
            Tensor y = x.cumprod(1);
            assertArrayEquals(new float[] {2, 0, 0, 0, 0, 0, 5, 30, 210}, y.toFloatArray());
            y.backward(Tensor.arange(1, 10, 1).reshape(3, 3), release);
            assertArrayEquals(
                    new float[] {1, 22, 0, 24, 0, 0, 433, 355, 270},
                    x.gradient().toFloatArray());
            x.zeroGradient();
            x.prod(1).backward(Tensor.of(1, 2, 3), release);
            assertArrayEquals(
                    new float[] {0, 6, 0, 0, 0, 0, 126, 105, 90}, x.gradient().toFloatArray());
            x.zeroGradient();
            x.prod().backward(release);
            assertArrayEquals(new float[9], x.gradient().toFloatArray());
        }
    }

    @Test
    void gradientsAgreeWithDifferences() {
        Tensor x = Tensor.of(new double[] {0.5, 0, -1.5, 2, 0, 0, 1, 0.7, -0.3, 0, 1.2, 0.9}, 3, 4);
        List<UnaryOperator<Tensor>> ops = List.of(
                t -> t.cumsum(0).exp(),
                t -> t.cumsum(-1).exp(),
                t -> t.cumprod(0).exp(),
                t -> t.cumprod(1).exp(),
                t -> t.prod().exp(),
                t -> t.prod(1).exp(),
                t -> t.prod(0, true).exp(),
                t -> t.prod(new int[] {-1, 0}, true).exp(),
                t -> t.reshape(3, 2, 2).prod(2, 0).exp(),
                t -> t.diff(1).exp());
        for (UnaryOperator<Tensor> op : ops) {
            GradientCheck.check(op, x);
            GradientCheck.check(t -> Oracles.gradientOf(u -> op.apply(u).sum(), t), x);
        }
    }

    @Test
    void productsAlongSeveralAxesAreThoseOfTheirElements() {
        var random = new Random(9);
        for (int round = 0; round < 20; round++) {
            Tensor x = RandomViews.of(random, DType.FLOAT64, 2, 3, 1, 2);
            assertArrayEquals(x.prod(3).prod(1).toDoubleArray(), x.prod(-1, 1).toDoubleArray());
            assertArrayEquals(
                    new long[] {2, 1, 1, 1}, x.prod(new int[] {3, 1}, true).shape());
            assertArrayEquals(x.prod(new int[] {}).toDoubleArray(), x.toDoubleArray());
            assertEquals(x.prod().item(), x.prod(0, 1, 2, 3).item());
        }
    }

    @Test
    void theProductOfNothingIsOne() {
        Tensor nothing = Tensor.zeros(2, 0, 3).trackGradient();
        assertEquals(1, nothing.prod().item());
        assertArrayEquals(new double[] {1, 1, 1, 1, 1, 1}, nothing.prod(1).toDoubleArray());
        assertArrayEquals(new double[] {1, 1, 1}, nothing.prod(0, 1).toDoubleArray());
        assertArrayEquals(new long[] {2, 0}, nothing.prod(2).shape());
        assertEquals(1, Tensor.zeros(DType.INT32, 0).prod().item());
        assertArrayEquals(new long[] {2, 0, 3}, nothing.cumsum(1).shape());
        assertArrayEquals(new long[] {2, 0, 3}, nothing.cumprod(2).shape());
        assertArrayEquals(new long[] {2, 0, 3}, nothing.diff(1).shape());
        assertArrayEquals(new long[] {1, 0, 3}, nothing.diff(0).shape());
        nothing.prod(1)
                .sum()
                .add(nothing.cumprod(1).sum())
                .add(nothing.cumsum(0).sum())
                .backward();
        assertEquals(0, nothing.gradient().size());
    }

    @Test
    void differencesAreThoseOfNeighbours() {
        Tensor x = Tensor.of(new float[] {1, 4, 9, 2, 2, 0}, 2, 3);
        assertArrayEquals(
                new long[] {3, -5}, Tensor.of(new long[] {1, 4, -1}).diff(0).toLongArray());
        assertArrayEquals(new float[] {3, 5, 0, -2}, x.diff(1).toFloatArray());
        assertArrayEquals(new float[] {1, -2, -9}, x.diff(0).toFloatArray());
        assertArrayEquals(new long[] {0, 3}, x.diff(0).diff(0).shape());
    }

    @Test
    void axesThatDoNotFitAreRefused() {
        Tensor x = Tensor.ones(2, 3);
        rejected("cumsum: axis 2 is out of range for a tensor of rank 2; use -2 to 1", () -> x.cumsum(2));
        rejected("prod: axes [1, -1] of [2, 3] name axis 1 twice; name each once", () -> x.prod(1, -1));
        rejected("diff: axis 0 is out of range for a tensor of rank 0 (a scalar has no axes)", () -> Tensor.scalar(1)
                .diff(0));
    }
}
