package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.toydiff.Checks.rejected;

import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.internal.launch.ReductionKind;
import org.toydiff.internal.launch.Shape;

/// Reductions over every set of axes of tensors that lie in any way, against a loop over single elements.
class ReductionTest extends ArenaTest {
    private static final int ROUNDS = 40;
    private static final int MAX_AXES = 6;

    @ParameterizedTest
    @EnumSource(ReductionKind.class)
    void everySetOfAxesOfAnyViewIsReducedAsByALoop(ReductionKind reduction) {
        var random = new Random(7);
        for (int round = 0; round < ROUNDS; round++) {
            for (int rank = 1; rank <= MAX_AXES; rank++) {
                DType dtype = round % 2 == 0 ? DType.FLOAT32 : DType.FLOAT64;
                try (var scratch = TensorArena.ofConfined()) {
                    Tensor x = RandomViews.of(random, dtype, shape(random, rank));
                    for (int axes = 0; axes < 1 << rank; axes++) {
                        check(reduction, x, marked(axes, rank));
                    }
                }
            }
        }
    }

    private static long[] shape(Random random, int rank) {
        return random.longs(rank, 1, rank > 4 ? 4 : 7).toArray();
    }

    private static boolean[] marked(int axes, int rank) {
        boolean[] reduced = new boolean[rank];
        for (int i = 0; i < rank; i++) {
            reduced[i] = (axes >> i & 1) != 0;
        }
        return reduced;
    }

    private static void check(ReductionKind reduction, Tensor x, boolean[] reduced) {
        double[] expected = byLoop(reduction, x, reduced);
        String what = reduction + " of " + Shape.text(x.shape) + " with strides " + Shape.text(x.strides) + " over "
                + Arrays.toString(reduced);
        double tolerance = x.dtype == DType.FLOAT32 ? 1e-5 : 1e-12;
        Tensor y = Families.reduction(x, "reduction", reduced, true, reduction, 0, null);
        assertArrayEquals(expected, y.toDoubleArray(), tolerance, what);
        assertArrayEquals(expected, betweenGuards(reduction, x, reduced, y), tolerance, what);
    }

    /// The result written to the middle of a larger tensor, of which nothing else may change.
    private static double[] betweenGuards(ReductionKind reduction, Tensor x, boolean[] reduced, Tensor like) {
        int n = (int) like.size();
        int guard = 64;
        Tensor whole = Tensor.full(like.dtype, -77, n + 2 * guard);
        Tensor y = whole.view(whole.offset + guard, like.shape, like.strides);
        if (!Launch.reducible(reduction, x, like.shape)) {
            return like.toDoubleArray();
        }
        Launch.reduction(reduction, 0, x, like.shape, y);
        double[] all = whole.toDoubleArray();
        for (int i = 0; i < guard; i++) {
            assertEquals(-77, all[i], "before the result");
            assertEquals(
                    -77,
                    all[guard + n + i],
                    () -> "after the result of " + reduction + " of "
                            + Shape.text(x.shape) + " with strides " + Shape.text(x.strides) + " over "
                            + Arrays.toString(reduced));
        }
        return Arrays.copyOfRange(all, guard, guard + n);
    }

    private static double[] byLoop(ReductionKind reduction, Tensor x, boolean[] reduced) {
        long[] kept = Shape.kept(x.shape, reduced);
        int outputs = (int) Shape.size(kept);
        int n = (int) (x.size() / outputs);
        double[][] runs = new double[outputs][n];
        int[] filled = new int[outputs];
        double[] elements = x.toDoubleArray();
        long[] index = new long[x.rank()];
        int at = 0;
        do {
            int output = RandomViews.position(kept, index);
            runs[output][filled[output]++] = elements[at++];
        } while (RandomViews.next(x.shape, index));
        return Arrays.stream(runs).mapToDouble(run -> of(reduction, run)).toArray();
    }

    private static double of(ReductionKind reduction, double[] run) {
        double sum = Arrays.stream(run).sum();
        double mean = sum / run.length;
        double variance = Arrays.stream(run).map(v -> (v - mean) * (v - mean)).sum() / run.length;
        return switch (reduction) {
            case SUM -> sum;
            case MEAN -> mean;
            case MAX -> Arrays.stream(run).max().getAsDouble();
            case MIN -> Arrays.stream(run).min().getAsDouble();
            case STD -> Math.sqrt(variance);
            case VAR -> variance;
            case NORM -> Math.sqrt(Arrays.stream(run).map(v -> v * v).sum());
            case ARGMAX -> first(run, Arrays.stream(run).max().getAsDouble());
            case ARGMIN -> first(run, Arrays.stream(run).min().getAsDouble());
        };
    }

    private static int first(double[] run, double value) {
        int i = 0;
        while (run[i] != value) {
            i++;
        }
        return i;
    }

    private interface SeveralAxes {
        Tensor of(Tensor x, int[] axes, boolean keepDims);
    }

    private static final Map<ReductionKind, SeveralAxes> SEVERAL = Map.of(
            ReductionKind.SUM, Tensor::sum,
            ReductionKind.MEAN, Tensor::mean,
            ReductionKind.MAX, Tensor::max,
            ReductionKind.MIN, Tensor::min,
            ReductionKind.STD, (x, axes, keepDims) -> x.std(axes, keepDims, 0),
            ReductionKind.VAR, (x, axes, keepDims) -> x.var(axes, keepDims, 0),
            ReductionKind.NORM, (x, axes, keepDims) -> x.norm(2, axes, keepDims));

    @Test
    void axesInAnyOrderAreReducedTogether() {
        var random = new Random(8);
        for (int round = 0; round < 20; round++) {
            Tensor x = RandomViews.of(random, DType.FLOAT64, shape(random, 4));
            boolean[] reduced = {true, false, true, false};
            SEVERAL.forEach((reduction, op) -> {
                double[] expected = byLoop(reduction, x, reduced);
                assertArrayEquals(expected, op.of(x, new int[] {2, 0}, false).toDoubleArray(), 1e-12);
                Tensor kept = op.of(x, new int[] {0, -2}, true);
                assertArrayEquals(expected, kept.toDoubleArray(), 1e-12);
                assertArrayEquals(Shape.kept(x.shape, reduced), kept.shape());
                assertArrayEquals(
                        byLoop(reduction, x, new boolean[4]),
                        op.of(x, new int[0], false).toDoubleArray(),
                        1e-12);
            });
            assertArrayEquals(x.sum(0, 2).toDoubleArray(), x.sum(2).sum(0).toDoubleArray(), 1e-12);
            assertArrayEquals(
                    x.exp().sum(new int[] {1, 3}, true).log().toDoubleArray(),
                    x.logSumExp(new int[] {3, 1}, true).toDoubleArray(),
                    1e-12);
            assertEquals(x.exp().sum().log().item(), x.logSumExp().item(), 1e-12);
        }
    }

    @Test
    void neighbouringAxesGiveTheBitsOfOneAxis() {
        Tensor x = Tensor.randn(new Random(3), 7, 11, 13);
        Tensor flat = x.reshape(7, 143);
        assertArrayEquals(flat.sum(1).toFloatArray(), x.sum(1, 2).toFloatArray());
        assertArrayEquals(flat.var(1).toFloatArray(), x.var(-1, 1).toFloatArray());
        assertArrayEquals(x.reshape(77, 13).mean(0).toFloatArray(), x.mean(0, 1).toFloatArray());
        assertArrayEquals(flat.logSumExp(1).toFloatArray(), x.logSumExp(2, 1).toFloatArray());
    }

    @Test
    void gradientsOfSeveralAxesAgreeWithDifferences() {
        Tensor x = Tensor.of(DType.FLOAT64, Oracles.distinct(DType.FLOAT64, 24), 2, 3, 4);
        SEVERAL.forEach((reduction, op) -> {
            GradientCheck.check(t -> op.of(t, new int[] {2, 0}, false).exp(), x);
            GradientCheck.check(t -> op.of(t, new int[] {0, 1}, true).exp(), x);
            GradientCheck.check(
                    t -> Oracles.gradientOf(
                            u -> op.of(u, new int[] {2, 0}, false).exp().sum(), t),
                    x);
        });
        GradientCheck.check(t -> t.logSumExp(2, 0).add(t.norm(3, new int[] {0, 2}, false)), x.add(1));
        GradientCheck.check(Tensor::logSumExp, x);
    }

    @Test
    void axesThatAreNamedTwiceOrNotThereAreRefused() {
        Tensor x = Tensor.ones(2, 3);
        rejected("sum: axes [1, -1] of [2, 3] name axis 1 twice; name each once", () -> x.sum(1, -1));
        rejected("std: axis 2 is out of range for a tensor of rank 2; use -2 to 1", () -> x.std(0, 2));
        rejected("max: axis 0 of [0, 2] has size 0, and nothing has no max", () -> Tensor.ones(0, 2)
                .max(0, 1));
        assertArrayEquals(new float[] {1, 1, 1, 1, 1, 1}, x.sum(new int[] {}).toFloatArray());
        assertEquals(3, Tensor.scalar(3).mean(new int[] {}).item());
    }

    @Test
    void aBiasUnderTokensThatArePooledGetsTheWholeGradient() {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            assertArrayEquals(new double[] {96, 96, 96, 96}, gradientOfBias(dtype, 1), 1e-4);
            assertArrayEquals(new double[] {60, 60, 60, 60}, gradientOfBias(dtype, 0), 1e-4);
        }
    }

    /// Of the sum of squares after pooling: every pooled element is 6, so b gets 2·6 from each of the 8 or 5 rows.
    private static double[] gradientOfBias(DType dtype, int axis) {
        Tensor b = Tensor.zeros(dtype, 4).trackGradient();
        Tensor pooled =
                Tensor.ones(dtype, 8, 5, 6).linear(Tensor.ones(dtype, 4, 6), b).mean(axis);
        pooled.multiply(pooled).sum().backward();
        return b.gradient().toDoubleArray();
    }
}
