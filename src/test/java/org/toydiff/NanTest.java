package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.rejected;

import java.util.Arrays;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/// Reductions that leave out NaN, against PyTorch and against the plain reductions of what is left.
class NanTest extends ArenaTest {
    private static final double NAN = Double.NaN;

    private static Tensor input() {
        return Tensor.of(
                DType.FLOAT64,
                new double[] {7, NAN, 5, 3, NAN, NAN, NAN, NAN, 2, 2, NAN, NAN, 9, 4, 1, Double.POSITIVE_INFINITY},
                4,
                4);
    }

    /// The gradient is that of `(y * torch.arange(1, n + 1)).sum()`.
    private static void require(UnaryOperator<Tensor> op, double[] values, double... gradient) {
        Tensor x = input().trackGradient();
        Tensor y = op.apply(x);
        assertArrayEquals(values, y.toDoubleArray(), 1e-12);
        y.backward(Tensor.arange(DType.FLOAT64, 1, y.size() + 1, 1).reshape(y.shape()), Release.EAGER);
        assertArrayEquals(gradient, x.gradient().toDoubleArray(), 1e-12);
    }

    private static double[] values(double... values) {
        return values;
    }

    /// Of PyTorch 2.13: `x.nansum(1)`, `x.nanmean(0, keepdim=True)` and so on. The gradient of the mean of nothing is
    /// NaN there and 0 here.
    @Test
    void sumsAndMeansAreThoseOfPyTorch() {
        double infinity = Double.POSITIVE_INFINITY;
        require(x -> x.nanSum(1), values(15, 0, 4, infinity), 1, 0, 1, 1, 0, 0, 0, 0, 3, 3, 0, 0, 4, 4, 4, 4);
        require(Tensor::nanSum, values(infinity), 1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1);
        double third = 1.0 / 3;
        require(
                x -> x.nanMean(-1),
                values(5, NAN, 2, infinity),
                third,
                0,
                third,
                third,
                0,
                0,
                0,
                0,
                1.5,
                1.5,
                0,
                0,
                1,
                1,
                1,
                1);
        require(
                x -> x.nanMean(0, true),
                values(6, 3, 3, infinity),
                third,
                0,
                1.5,
                2,
                0,
                0,
                0,
                0,
                third,
                1,
                0,
                0,
                third,
                1,
                1.5,
                2);
    }

    /// Of PyTorch 2.13: `x.nanmedian(1)`, `x.nanquantile(0.8, 0, keepdim=True)` and so on.
    @Test
    void mediansAndQuantilesAreThoseOfPyTorch() {
        require(x -> x.nanMedian(1), values(5, NAN, 2, 4), 0, 0, 1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 4, 0, 0);
        require(Tensor::nanMedian, values(4), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
        require(
                x -> x.nanQuantile(0.3, 1),
                values(4.2, NAN, 2, 3.7),
                0,
                0,
                0.6,
                0.4,
                2,
                0,
                0,
                0,
                2.1,
                0.9,
                0,
                0,
                0,
                3.6,
                0.4,
                0);
        require(
                x -> x.slice(1, 0, 3).nanQuantile(0.8, 0, true),
                values(8.2, 3.6, 4.2),
                0.4,
                0,
                2.4,
                0,
                0,
                0,
                0,
                0,
                0,
                0.4,
                0,
                0,
                0.6,
                1.6,
                0.6,
                0);
        require(x -> x.nanQuantile(0.5), values(4), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    }

    @Test
    void anyViewIsReducedAsTheRestOfItsRuns() {
        var random = new Random(4);
        for (int round = 0; round < 60; round++) {
            try (var scratch = TensorArena.ofConfined()) {
                DType dtype = round % 2 == 0 ? DType.FLOAT32 : DType.FLOAT64;
                Tensor x = RandomViews.of(random, dtype, 1 + round % 5, 1 + round % 7);
                x = Tensor.where(x.greater(2.5), Tensor.scalar(dtype, NAN), x);
                double[][] runs = new double[(int) x.size(0)][];
                for (int i = 0; i < runs.length; i++) {
                    runs[i] = Arrays.stream(x.get(i).toDoubleArray())
                            .filter(v -> !Double.isNaN(v))
                            .toArray();
                }
                requireRuns(runs, x.nanSum(1), rest -> rest.sum().item());
                requireRuns(runs, x.nanMean(1), rest -> rest.mean().item());
                requireRuns(
                        runs,
                        x.nanMedian(1),
                        rest -> rest.size() == 0 ? NAN : rest.median().item());
                double q = random.nextInt(11) / 10.0;
                requireRuns(
                        runs,
                        x.nanQuantile(q, 1),
                        rest -> rest.size() == 0 ? NAN : rest.quantile(q).item());
                assertEquals(x.nanSum(1).sum().item(), x.nanSum(0, 1).item(), 1e-5);
            }
        }
    }

    private static void requireRuns(double[][] runs, Tensor y, ToDoubleFunction<Tensor> ofTheRest) {
        for (int i = 0; i < runs.length; i++) {
            assertEquals(ofTheRest.applyAsDouble(Tensor.of(DType.FLOAT64, runs[i])), y.at(i), 1e-5);
        }
    }

    @Test
    void withoutNanTheyAreThePlainOnesBitForBit() {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            Tensor x = Tensor.rand(dtype, 7, 33);
            assertArrayEquals(x.sum(0).toDoubleArray(), x.nanSum(0).toDoubleArray());
            assertArrayEquals(x.median(1).toDoubleArray(), x.nanMedian(1).toDoubleArray());
            for (double q = 0; q <= 1; q += 0.0625) {
                assertArrayEquals(
                        x.quantile(q, 1).toDoubleArray(), x.nanQuantile(q, 1).toDoubleArray());
            }
        }
        Tensor integers = Tensor.of(new long[] {Long.MAX_VALUE, 4, 1});
        assertArrayEquals(integers.sum().toLongArray(), integers.nanSum().toLongArray());
        assertArrayEquals(new long[] {4}, integers.nanMedian().toLongArray());
        assertEquals(1, integers.greater(4).nanSum(0, true).item());
    }

    @Test
    void gradientsOfGradientsAgreeWithDifferences() {
        Tensor x = Tensor.of(DType.FLOAT64, Oracles.distinct(DType.FLOAT64, 12), 3, 4);
        Tensor mask = Tensor.of(DType.BOOL, new int[] {0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0}, 3, 4);
        UnaryOperator<Tensor> holes = t -> t.put(mask, NAN);
        for (UnaryOperator<Tensor> op : Arrays.<UnaryOperator<Tensor>>asList(
                t -> holes.apply(t).nanSum(1).exp(),
                t -> holes.apply(t).nanMean(0, true).exp(),
                t -> holes.apply(t).nanMedian(1).exp(),
                t -> holes.apply(t).nanQuantile(0.3, 0).exp())) {
            GradientCheck.check(op, x);
            GradientCheck.check(t -> Oracles.gradientOf(u -> op.apply(u).sum(), t), x);
        }
    }

    @Test
    void theyAreRecordedUnderTheirNamesAndKeepNoTemporaries() {
        Tensor x = Tensor.rand(100, 50).trackGradient();
        long live = arena.liveBytes();
        Tensor sum = x.nanSum(1);
        Tensor mean = x.nanMean(new int[] {0, 1}, false);
        assertEquals(live + 448 + 64, arena.liveBytes());
        assertTrue(sum.toString().contains("backward=NanSum"), sum::toString);
        assertTrue(mean.toString().contains("backward=NanMean"), mean::toString);
        long predicted = MemoryPlan.dryRun(() -> x.detach().nanQuantile(0.3, 1));
        long before = Memory.liveBytes();
        Memory.resetPeak();
        x.detach().nanQuantile(0.3, 1);
        assertEquals(predicted, Memory.peakBytes() - before);
    }

    @Test
    void nothingAndOtherDTypesAreRefusedOrEmpty() {
        Tensor nothing = Tensor.zeros(0, 3);
        assertArrayEquals(new float[3], nothing.nanSum(0).toFloatArray());
        assertTrue(Double.isNaN(nothing.nanMean().item()));
        rejected("nanMedian: axis 0 of [0, 3] has size 0, and nothing has no nanMedian", () -> nothing.nanMedian(0));
        rejected(
                "nanQuantile: axis 0 of [0, 3] has size 0, and nothing has no nanQuantile",
                () -> nothing.nanQuantile(0.5, 0));
        assertArrayEquals(new long[] {0}, nothing.nanQuantile(0.5, 1).shape());
        assertArrayEquals(new long[] {0, 1}, nothing.nanMedian(1, true).shape());
        rejected("nanQuantile: q 1.5 is out of range; give 0 to 1", () -> Tensor.ones(2)
                .nanQuantile(1.5));
        rejected(
                "nanMean: takes FLOAT32, FLOAT64 or BFLOAT16, and [1] is int32; cast(DType.FLOAT64) first",
                () -> Tensor.of(new int[] {1}).nanMean());
        rejected(
                "nanQuantile: takes FLOAT32, FLOAT64 or BFLOAT16, and [1] is int32; cast(DType.FLOAT64) first",
                () -> Tensor.of(new int[] {1}).nanQuantile(0.5));
    }
}
