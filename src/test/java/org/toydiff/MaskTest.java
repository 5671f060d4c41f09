package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.rejected;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Elements under masks, against loops over single elements.
class MaskTest extends ArenaTest {
    private static Tensor mask(int... bits) {
        return Tensor.of(DType.BOOL, bits);
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void elementsUnderTheMaskComeOneAfterAnotherAndGoBack(DType dtype) {
        var random = new Random(3);
        for (int round = 0; round < 60; round++) {
            try (var scratch = TensorArena.ofConfined()) {
                long[] shape = random.longs(round % 4, 1, 6).toArray();
                Tensor x = RandomViews.of(random, DType.FLOAT64, shape).cast(dtype);
                Tensor mask = RandomViews.of(random, DType.FLOAT32, shape).greater(0.25);
                double[] elements = x.toDoubleArray();
                double[] bits = mask.toDoubleArray();
                List<Double> expected = new ArrayList<>();
                double[] replaced = elements.clone();
                for (int i = 0; i < bits.length; i++) {
                    if (bits[i] != 0) {
                        expected.add(elements[i]);
                        replaced[i] = dtype == DType.BOOL ? 1 : 3 + expected.size();
                    }
                }
                Tensor selected = x.select(mask);
                assertArrayEquals(expected.stream().mapToDouble(v -> v).toArray(), selected.toDoubleArray());
                assertEquals(dtype, selected.dtype());
                Tensor values = Tensor.arange(dtype, 4, 4 + selected.size(), 1);
                assertArrayEquals(replaced, x.put(mask, values).toDoubleArray());
                assertArrayEquals(elements, x.put(mask, selected).toDoubleArray());
                Tensor indices = x.equalTo(x).nonzero();
                assertArrayEquals(new long[] {x.size(), x.rank()}, indices.shape());
            }
        }
    }

    @Test
    void aMaskIsStretchedToTheElements() {
        Tensor x = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        assertArrayEquals(new float[] {1, 3, 4, 6}, x.select(mask(1, 0, 1)).toFloatArray());
        assertArrayEquals(
                new float[] {4, 5, 6}, x.select(mask(0, 1).reshape(2, 1)).toFloatArray());
        assertArrayEquals(
                new float[] {7, 2, 7, 7, 5, 7}, x.put(mask(1, 0, 1), 7).toFloatArray());
        assertArrayEquals(
                new float[] {8, 2, 9, 10, 5, 11},
                x.put(mask(1, 0, 1), Tensor.of(8, 9, 10, 11)).toFloatArray());
        assertArrayEquals(
                new long[] {Long.MAX_VALUE},
                Tensor.of(new long[] {Long.MAX_VALUE, 1}).select(mask(1, 0)).toLongArray());
    }

    @Test
    void gradientsGoToWhatWasTaken() {
        for (Release release : Release.values()) {
            Tensor x = Tensor.of(1, 2, 3).trackGradient();
            Tensor values = Tensor.of(10, 20).trackGradient();
            Tensor weights = Tensor.of(5, 6, 7);
            x.put(mask(1, 0, 1), values).multiply(weights).sum().backward(release);
            assertArrayEquals(new float[] {0, 6, 0}, x.gradient().toFloatArray());
            assertArrayEquals(new float[] {5, 7}, values.gradient().toFloatArray());
            x.zeroGradient();
            x.select(mask(0, 1, 1)).multiply(Tensor.of(5, 6)).sum().backward(release);
            assertArrayEquals(new float[] {0, 5, 6}, x.gradient().toFloatArray());
            x.zeroGradient();
            x.put(mask(0, 1, 1), 9).multiply(weights).sum().backward(release);
            assertArrayEquals(new float[] {5, 0, 0}, x.gradient().toFloatArray());
        }
        Tensor x = Tensor.rand(DType.FLOAT64, 3, 4).add(1);
        Tensor mask = x.greater(1.5);
        long n = x.select(mask).size();
        assertTrue(n > 0 && n < 12);
        GradientCheck.check(t -> Oracles.gradientOf(u -> u.select(mask).exp().sum(), t), x);
        GradientCheck.check(xs -> xs.get(0).put(mask, xs.get(1).exp()).exp(), x, Tensor.rand(DType.FLOAT64, n));
        GradientCheck.check(
                t -> Oracles.gradientOf(u -> x.put(mask, u.exp()).exp().sum(), t), Tensor.rand(DType.FLOAT64, n));
    }

    @Test
    void aScheduleIsPredictedThoughSizesDependOnElements() {
        Tensor x = Tensor.rand(1000).trackGradient();
        Tensor mask = x.detach().greater(0.5);
        Tensor loss = x.put(mask, x.select(mask).exp()).exp().sum();
        ReleaseSchedule schedule = loss.releaseSchedule();
        loss.backward(Release.EAGER);
        assertEquals(schedule.peakBytes(), arena.peakBytes());
    }

    @Test
    void temporariesAreGivenBack() {
        Tensor x = Tensor.ones(1000).reshape(10, 100).transpose();
        Tensor mask = x.greater(0);
        Tensor values = Tensor.ones(1000);
        long live = arena.liveBytes();
        x.put(mask, values);
        x.select(mask);
        assertEquals(live + 2 * 4032, arena.liveBytes());
    }

    @Test
    void indicesOfNonzeroElementsAreRowsOfPositions() {
        // np.argwhere(x)
        Tensor x = Tensor.of(new float[] {0, 2, Float.NaN, -0.0f, 0, -1}, 2, 3);
        assertArrayEquals(new long[] {0, 1, 0, 2, 1, 2}, x.nonzero().toLongArray());
        assertArrayEquals(new long[] {1, 0, 2, 0, 2, 1}, x.transpose().nonzero().toLongArray());
        assertArrayEquals(new long[] {1, 0}, Tensor.scalar(3).nonzero().shape());
        assertArrayEquals(new long[] {0, 0}, Tensor.scalar(0).nonzero().shape());
        assertArrayEquals(new long[] {0, 2}, Tensor.zeros(1L << 40, 0).nonzero().shape());
        assertArrayEquals(
                new long[] {1},
                Tensor.of(new long[] {0, Long.MIN_VALUE}).nonzero().toLongArray());
    }

    @Test
    void nothingIsSelectedFromNothing() {
        Tensor nothing = Tensor.zeros(1L << 40, 0).trackGradient();
        Tensor mask = nothing.greater(0);
        assertArrayEquals(new long[] {0}, nothing.select(mask).shape());
        nothing.put(mask, Tensor.zeros(0)).sum().backward();
        assertEquals(0, Tensor.ones(3).select(mask(0, 0, 0)).size());
        assertEquals(0, nothing.gradient().size());
    }

    @Test
    void masksThatDoNotFitAreRefused() {
        Tensor x = Tensor.ones(2, 3);
        rejected(
                "select: the mask [2] bool does not fit [2, 3]; it must be BOOL and broadcast to that shape",
                () -> x.select(mask(1, 0)));
        rejected(
                "put: the mask [2, 3] float32 does not fit [2, 3]; it must be BOOL and broadcast to that shape",
                () -> x.put(x, 1));
        rejected(
                "put: the mask [3] is set 4 times and there are 3 values; give one for each place",
                () -> x.put(mask(1, 0, 1), Tensor.ones(3)));
        rejected(
                "put: the values [2, 2] must have one axis; reshape them, or use where for values of the mask's shape",
                () -> x.put(mask(1, 0, 1), Tensor.ones(2, 2)));
        rejected(
                "put: [2, 3] is float32 and [4] is int64; cast one to the dtype of the other",
                () -> x.put(mask(1, 0, 1), Tensor.zeros(DType.INT64, 4)));
        rejected(
                "put: NaN has no value of dtype int64; replace it, or keep a floating dtype",
                () -> Tensor.zeros(DType.INT64, 3).put(mask(1, 0, 1), Double.NaN));
    }

    @Test
    void aDryRunKnowsSizesOfMasksThatWereThereBefore() {
        Tensor x = Tensor.ones(100);
        Tensor mask = Tensor.zeros(DType.BOOL, 100);
        MemoryPlan.dryRun(() -> {
            assertEquals(0, x.select(mask).size());
            String message = assertThrows(IllegalStateException.class, () -> x.select(x.greater(0)))
                    .getMessage();
            assertTrue(message.startsWith("select: the tensor [100] is abstract"), message);
            assertThrows(IllegalStateException.class, () -> x.add(1).nonzero());
            assertArrayEquals(
                    new long[] {100}, x.put(x.greater(0), Tensor.ones(7)).shape());
        });
        assertArrayEquals(new float[100], x.subtract(1).toFloatArray());
    }
}
