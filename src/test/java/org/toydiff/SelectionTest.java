package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.rejected;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Ops that choose, join and look up, at their edges.
@Tag("kernels")
class SelectionTest extends ArenaTest {
    private static final float INFINITY = Float.POSITIVE_INFINITY;

    @Test
    void theBranchNotTakenGivesNeitherValueNorGradient() {
        for (Release release : Release.values()) {
            Tensor a = Tensor.of(1, 0, -1).trackGradient();
            Tensor condition = a.greater(Tensor.scalar(0));
            Tensor y = Tensor.where(condition, a.log(), a.multiply(10));
            assertArrayEquals(new float[] {0, 0, -10}, y.toFloatArray());
            y.sum().backward(release);
            // The logarithm's own gradient at 0 would be infinite; times 0 it would be NaN.
            assertEquals(1, a.gradient().toFloatArray()[0]);
            assertEquals(10, a.gradient().toFloatArray()[2]);
            Tensor b = Tensor.of(Float.NaN, 5, INFINITY).trackGradient();
            Tensor.where(condition, Tensor.scalar(7), b).sum().backward(release);
            assertArrayEquals(new float[] {0, 1, 1}, b.gradient().toFloatArray());
        }
    }

    @Test
    void whereTakesAnyDType() {
        Tensor condition = Tensor.of(DType.BOOL, new int[] {1, 0}, 2, 1);
        Tensor y = Tensor.where(condition, Tensor.of(new long[] {Long.MAX_VALUE, 3}), Tensor.of(new long[] {-1}));
        assertArrayEquals(new long[] {Long.MAX_VALUE, 3, -1, -1}, y.toLongArray());
        assertArrayEquals(
                new double[] {1, 0, 0, 0},
                Tensor.where(condition, condition.transpose(), Tensor.zeros(DType.BOOL))
                        .toDoubleArray());
        assertEquals(
                0,
                Tensor.where(Tensor.zeros(DType.BOOL, 0, 3), Tensor.ones(3), Tensor.ones(3))
                        .size());
    }

    @Test
    void theLargestAreThoseThatSortingFinds() {
        var random = new Random(2);
        for (int n : new int[] {1, 2, 7, 100}) {
            for (int k : new int[] {0, 1, Math.min(3, n), n}) {
                float[] x = new float[n];
                for (int i = 0; i < n; i++) {
                    // Equal ones, NaN and infinities among them.
                    x[i] = i % 11 == 10 ? Float.NaN : i % 13 == 12 ? INFINITY : random.nextInt(20) - 10;
                }
                Comparator<Integer> order =
                        Comparator.comparing((Integer i) -> x[i]).reversed();
                long[] expected = IntStream.range(0, n)
                        .boxed()
                        .sorted(order)
                        .limit(k)
                        .mapToLong(i -> i)
                        .toArray();
                Tensor.TopK top = Tensor.of(x, 1, n).topk(k, -1);
                assertArrayEquals(expected, top.indices().toLongArray(), n + " " + k);
                for (int i = 0; i < k; i++) {
                    assertEquals(x[(int) expected[i]], top.values().at(0, i));
                }
                assertArrayEquals(
                        expected,
                        Tensor.of(x, n, 1).topk(k, 0).indices().transpose().toLongArray());
            }
        }
    }

    @Test
    void theSmallestIsFoundAsTheLargestIs() {
        assertEquals(2, Tensor.of(3, 2, 1, 1).argmin(0).item());
        assertEquals(1, Tensor.of(3, Float.NaN, 1, Float.NaN).argmin(0).item());
        assertArrayEquals(
                new long[] {1, 0},
                Tensor.of(new float[] {4, 2, 3, 9}, 2, 2).argmin(1).toLongArray());
    }

    @Test
    void infiniteElementsHaveALogSumExp() {
        Tensor x = Tensor.of(new float[] {-INFINITY, -INFINITY, INFINITY, 1, 1000, 1000}, 3, 2)
                .trackGradient();
        Tensor y = x.logSumExp(1);
        assertArrayEquals(new float[] {-INFINITY, INFINITY, 1000 + (float) Math.log(2)}, y.toFloatArray());
        x.slice(0, 2, 3).logSumExp(1).sum().backward();
        assertArrayEquals(new float[] {0, 0, 0, 0, 0.5f, 0.5f}, x.gradient().toFloatArray(), 1e-4f);
        x.zeroGradient();
        x.slice(0, 0, 1).logSumExp(1).sum().backward();
        assertArrayEquals(new float[6], x.gradient().toFloatArray());
        assertEquals(-INFINITY, Tensor.zeros(0, 2).logSumExp(0).at(1));
    }

    @Test
    void normsAreTheirFormulas() {
        double[] values = {3, -4, 0, 12};
        Tensor x = Tensor.of(values, 2, 2).trackGradient();
        assertEquals(13, x.norm().item(), 1e-12);
        assertArrayEquals(new double[] {7, 12}, x.norm(1, 1, false).toDoubleArray());
        assertArrayEquals(
                new double[] {4, 12}, x.norm(Double.POSITIVE_INFINITY, 1, false).toDoubleArray());
        assertArrayEquals(
                new double[] {Math.cbrt(27 + 64), 12}, x.norm(3, 1, true).toDoubleArray(), 1e-12);
        Tensor zeros = Tensor.zeros(3).trackGradient();
        zeros.norm().backward();
        assertArrayEquals(new float[3], zeros.gradient().toFloatArray());
        assertEquals(0, Tensor.zeros(0).norm().item());
    }

    @Test
    void manyTensorsAreJoinedAndEachGetsItsGradient() {
        Tensor[] parts = new Tensor[70];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = Tensor.full(i, 1 + i % 3).trackGradient();
        }
        Tensor all = Tensor.concat(0, parts);
        all.multiply(Tensor.arange(0, all.size(), 1)).sum().backward(Release.EAGER);
        double position = 0;
        for (Tensor part : parts) {
            assertEquals(position, part.gradient().at(0));
            position += part.size();
        }
    }

    @Test
    void aRowThatIsReadTwiceGetsBothGradients() {
        Tensor table = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 3, 2).trackGradient();
        Tensor rows = table.indexSelect(0, Tensor.of(new long[] {2, 2, 0}));
        assertArrayEquals(new float[] {5, 6, 5, 6, 1, 2}, rows.toFloatArray());
        rows.backward(Tensor.of(new float[] {1, 2, 10, 20, 100, 200}, 3, 2));
        assertArrayEquals(new float[] {100, 200, 0, 0, 11, 22}, table.gradient().toFloatArray());
        assertArrayEquals(
                new double[] {1, 0, 1},
                Tensor.of(DType.BOOL, new int[] {0, 1})
                        .indexSelect(0, Tensor.of(new int[] {1, 0, 1}))
                        .toDoubleArray());
        assertEquals(0, table.indexSelect(1, Tensor.zeros(DType.INT64, 0)).size());
    }

    @Test
    void theErrorFunctionHoldsItsDigitsEverywhere() {
        double[] xs =
                IntStream.rangeClosed(-700, 700).mapToDouble(i -> i / 100.0).toArray();
        double[] wide = Tensor.of(xs).erf().toDoubleArray();
        float[] narrow = Tensor.of(DType.FLOAT32, xs).erf().toFloatArray();
        for (int i = 0; i < xs.length; i++) {
            double expected = Oracles.erf(xs[i]);
            assertEquals(expected, wide[i], 4e-15 * Math.abs(expected), "erf of " + xs[i]);
            float exact = (float) Oracles.erf((float) xs[i]);
            assertTrue(Math.abs(exact - narrow[i]) <= 2 * Math.ulp(exact), "erf of " + (float) xs[i]);
        }
        assertEquals(-0.0f, Tensor.of(-0.0f).erf().toFloatArray()[0]);
        assertTrue(Double.isNaN(Tensor.of(Float.NaN).erf().item()));
    }

    @Test
    void aStackIsNotCalledAConcat() {
        Tensor x = Tensor.ones(100).trackGradient();
        List<String> ops = Tensor.stack(0, x, x).exp().sum().releaseSchedule().entries().stream()
                .map(ReleaseSchedule.Entry::op)
                .toList();
        assertTrue(ops.contains("stack"), ops.toString());
        assertFalse(ops.contains("concat"), ops.toString());
        try (var inner = TensorArena.ofConfined(512)) {
            String message = assertThrows(MemoryLimitException.class, () -> Tensor.stack(0, x, x))
                    .getMessage();
            assertTrue(message.startsWith("stack"), message);
        }
    }

    @Test
    void whatDoesNotFitIsToldSo() {
        Tensor x = Tensor.ones(2, 3);
        long live = arena.liveBytes();
        rejected(
                "concat: [2, 3] and [2, 4] differ beyond axis 0; only the joined axis may",
                () -> Tensor.concat(0, x, Tensor.ones(2, 4)));
        rejected(
                "stack: [2, 3] and [3] (tensor 1) differ in shape; concat joins along an axis that is there",
                () -> Tensor.stack(0, x, Tensor.ones(3)));
        rejected("concat: there are no tensors; give one or more", () -> Tensor.concat(0));
        rejected("stack: there are no tensors; give one or more", () -> Tensor.stack(0));
        rejected("where: the condition [2, 3] is float32; compare it, or cast it to BOOL", () -> Tensor.where(x, x, x));
        rejected("clamp: 2.0 to 1.0 is no range; give min ≤ max", () -> x.clamp(2, 1));
        rejected("clamp: NaN to 1.0 is no range; give min ≤ max", () -> x.clamp(Double.NaN, 1));
        rejected("topk: there are no 4 along axis 1 of [2, 3]; give 0 to 3", () -> x.topk(4, 1));
        rejected(
                "indexSelect: index 2 is out of range for axis 0 of [2, 3]",
                () -> x.indexSelect(0, Tensor.of(new int[] {2})));
        rejected("indexSelect: the index [2, 3] is float32; cast it to INT64", () -> x.indexSelect(0, x));
        rejected("norm: p 0.0 is out of range; give p > 0, 2 for the Euclidean norm", () -> x.norm(0, 0, false));
        rejected("var: ddof -1 is negative; use 0 or 1", () -> x.var(0, false, -1));
        assertTrue(arena.liveBytes() <= live + 7 * 64 * 2, "only the operands of the calls above were made");
        assertTrue(Arrays.equals(new long[] {2, 3}, x.shape()));
    }
}
