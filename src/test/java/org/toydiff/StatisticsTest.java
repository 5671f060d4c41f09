package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.rejected;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Quantiles, medians and counts, against PyTorch, NumPy and loops.
class StatisticsTest extends ArenaTest {
    private static final float NAN = Float.NaN;

    /// Of PyTorch 2.13: `torch.quantile(x, q, 1)` and its gradient.
    @Test
    void quantilesAreInterpolatedAndShareTheirGradient() {
        double[] qs = {0, 0.25, 0.5, 0.9, 1};
        double[][] values = {{1, 2}, {2.5, 2}, {4, 3}, {6.4, 7.5}, {7, 9}};
        double[][] gradients = {
            {0, 1, 0, 0, 1, 0, 0, 0},
            {0, 0.25, 0, 0.75, 0.25, 0.75, 0, 0},
            {0, 0, 0.5, 0.5, 0, 0.5, 0, 0.5},
            {0.7, 0, 0.3, 0, 0, 0, 0.7, 0.3},
            {1, 0, 0, 0, 0, 0, 1, 0}
        };
        for (int i = 0; i < qs.length; i++) {
            Tensor x = Tensor.of(DType.FLOAT64, new double[] {7, 1, 5, 3, 2, 2, 9, 4}, 2, 4)
                    .trackGradient();
            Tensor y = x.quantile(qs[i], 1);
            assertArrayEquals(values[i], y.toDoubleArray(), 1e-12, "quantile " + qs[i]);
            y.sum().backward(Release.EAGER);
            assertArrayEquals(gradients[i], x.gradient().toDoubleArray(), 1e-12, "gradient " + qs[i]);
        }
    }

    @Test
    void quantilesOfAnyViewAreThoseOfItsSortedRuns() {
        var random = new Random(1);
        for (int round = 0; round < 40; round++) {
            try (var scratch = TensorArena.ofConfined()) {
                long[] shape = random.longs(1 + round % 3, 1, 7).toArray();
                Tensor x = RandomViews.of(random, round % 2 == 0 ? DType.FLOAT32 : DType.FLOAT64, shape);
                double[] sorted = x.toDoubleArray();
                Arrays.sort(sorted);
                double rank = 0.3 * (sorted.length - 1);
                double low = sorted[(int) rank];
                double high = sorted[(int) Math.ceil(rank)];
                assertEquals(
                        low + (rank - Math.floor(rank)) * (high - low),
                        x.quantile(0.3).item(),
                        1e-5);
                assertEquals(sorted[(sorted.length - 1) / 2], x.median().item());
                for (int axis = 0; axis < x.rank(); axis++) {
                    Tensor values = x.sort(axis).values();
                    long middle = (x.size(axis) - 1) / 2;
                    Tensor expected = values.slice(axis, middle, middle + 1);
                    assertArrayEquals(
                            expected.toDoubleArray(), x.median(axis, true).toDoubleArray());
                    assertArrayEquals(
                            expected.squeeze(axis).shape(), x.median(axis).shape());
                    assertArrayEquals(
                            expected.shape(), x.quantile(0.4, axis, true).shape());
                }
            }
        }
    }

    @Test
    void nanAndInfinitiesAreAsInPyTorch() {
        Tensor x = Tensor.of(new float[] {NAN, 1, 2, 3, 1, 2}, 2, 3);
        assertArrayEquals(new float[] {NAN, 2}, x.median(1).toFloatArray());
        assertArrayEquals(new float[] {NAN, 1}, x.quantile(0, 1).toFloatArray());
        assertTrue(Double.isNaN(x.median().item()));
        Tensor infinite = Tensor.of(1, Float.POSITIVE_INFINITY);
        assertEquals(1, infinite.quantile(0).item());
        assertTrue(Double.isNaN(infinite.quantile(0.5).item()));
        assertEquals(1, infinite.median().item());
    }

    @Test
    void mediansOfEveryDTypeAreElements() {
        assertArrayEquals(
                new long[] {Long.MAX_VALUE - 1},
                Tensor.of(new long[] {Long.MAX_VALUE, Long.MIN_VALUE, Long.MAX_VALUE - 1})
                        .median(0, true)
                        .toLongArray());
        assertEquals(2, Tensor.of(new int[] {4, 1, 3, 2}).median().item());
        assertEquals(DType.INT32, Tensor.of(new int[] {4, 1}).median().dtype());
        Tensor x = Tensor.of(4, 1, 3, 2, 2).trackGradient();
        x.median().backward();
        assertArrayEquals(new float[] {0, 0, 0, 0, 1}, x.gradient().toFloatArray(), "the later 2 is the third");
    }

    @Test
    void gradientsAgreeWithDifferences() {
        Tensor x = Tensor.of(DType.FLOAT64, Oracles.distinct(DType.FLOAT64, 12), 3, 4);
        GradientCheck.check(t -> t.quantile(0.3, 0).exp(), x);
        GradientCheck.check(t -> t.quantile(0.8, 1, true).exp(), x);
        GradientCheck.check(t -> t.median(1).exp().add(t.quantile(0.37).exp()), x);
        GradientCheck.check(
                t -> Oracles.gradientOf(u -> u.quantile(0.3, 0).exp().sum(), t), x);
    }

    /// Of PyTorch 2.13: `torch.quantile(x, torch.tensor([0.9, 0.25, 0.5]), axis)` and the gradient of
    /// `(y * torch.arange(1, n + 1)).sum()`.
    @Test
    void severalQuantilesStandInFrontOfTheOtherAxes() {
        double[] q = {0.9, 0.25, 0.5};
        double[][] values = {{6.5, 1.9, 8.6, 3.9, 3.25, 1.25, 6, 3.25, 4.5, 1.5, 7, 3.5}, {6.4, 7.5, 2.5, 2, 4, 3}};
        double[][] gradients = {{6.65, 9.7, 11.05, 12.4, 8.35, 8.3, 9.95, 11.6}, {0.7, 0.75, 2.8, 4.75, 1, 6, 1.4, 3.6}
        };
        for (int axis = 0; axis < 2; axis++) {
            for (boolean keepDims : new boolean[] {false, true}) {
                Tensor x = Tensor.of(DType.FLOAT64, new double[] {7, 1, 5, 3, 2, 2, 9, 4}, 2, 4)
                        .trackGradient();
                Tensor y = x.quantile(q, axis - 2, keepDims);
                long[] others = x.sum(axis, keepDims).shape();
                long[] shape = new long[others.length + 1];
                shape[0] = 3;
                System.arraycopy(others, 0, shape, 1, others.length);
                assertArrayEquals(shape, y.shape());
                assertArrayEquals(values[axis], y.toDoubleArray(), 1e-12);
                y.backward(Tensor.arange(DType.FLOAT64, 1, y.size() + 1, 1).reshape(shape), Release.EAGER);
                assertArrayEquals(gradients[axis], x.gradient().toDoubleArray(), 1e-12);
            }
        }
    }

    @Test
    void severalQuantilesAreTheSingleOnesBitForBit() {
        double[] q = {0.5, 0, 1, 0.123, 0.5, 0.877};
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            Tensor x = Tensor.rand(dtype, 3, 17, 2);
            Tensor infinite = x.put(x.greater(0.95), Double.POSITIVE_INFINITY);
            for (Tensor each : new Tensor[] {x, infinite, x.transpose(), x.put(x.greater(0.95), NAN)}) {
                Tensor all = each.quantile(q);
                for (int i = 0; i < q.length; i++) {
                    assertEquals(each.quantile(q[i]).item(), all.at(i));
                    for (int axis = 0; axis < 3; axis++) {
                        assertArrayEquals(
                                each.quantile(q[i], axis, true).toDoubleArray(),
                                each.quantile(q, axis).get(i).toDoubleArray());
                    }
                }
            }
        }
    }

    @Test
    void noneAndWrongQuantilesAreEmptyAndRefused() {
        Tensor x = Tensor.rand(2, 3);
        assertArrayEquals(new long[] {0, 2}, x.quantile(new double[0], 1).shape());
        assertArrayEquals(new long[] {0}, x.quantile(new double[0]).shape());
        assertArrayEquals(
                new long[] {2, 0},
                Tensor.zeros(0, 3).quantile(new double[] {0, 1}, 1).shape());
        rejected("quantile: q -0.5 is out of range; give 0 to 1", () -> x.quantile(new double[] {0, -0.5}, 0));
        rejected("quantile: q NaN is out of range; give 0 to 1", () -> x.quantile(new double[] {Double.NaN}));
        rejected("quantile: axis 0 of [0, 3] has size 0, and nothing has no quantile", () -> Tensor.zeros(0, 3)
                .quantile(new double[] {0.5}, 0));
        Tensor smooth = Tensor.of(DType.FLOAT64, Oracles.distinct(DType.FLOAT64, 12), 3, 4);
        GradientCheck.check(t -> t.quantile(new double[] {0.3, 1, 0.8}, 0).exp(), smooth);
        GradientCheck.check(
                t -> Oracles.gradientOf(
                        u -> u.quantile(new double[] {0.3, 0.8}, 1).exp().sum(), t),
                smooth);
    }

    @Test
    void temporariesOfQuantilesAreGivenBack() {
        Tensor x = Tensor.rand(100, 200);
        long live = arena.liveBytes();
        x.quantile(0.5, 1);
        assertTrue(arena.liveBytes() - live < 10_000, "no order of all elements");
        long predicted = MemoryPlan.dryRun(() -> x.median(0));
        long before = Memory.liveBytes();
        Memory.resetPeak();
        x.median(0);
        assertEquals(predicted, Memory.peakBytes() - before);
    }

    @Test
    void integersAreCounted() {
        Tensor x = Tensor.of(new int[] {1, 3, 1, 0, 9, 5}, 3, 2).slice(1, 0, 1).squeeze(1);
        assertArrayEquals(
                new long[] {0, 2, 0, 0, 0, 0, 0, 0, 0, 1}, x.bincount().toLongArray());
        assertArrayEquals(
                new long[] {0, 2, 0, 1, 0, 0},
                Tensor.of(new long[] {1, 1, 3}).bincount(6).toLongArray());
        assertEquals(0, Tensor.zeros(DType.INT64, 0).bincount().size());
        assertArrayEquals(new long[2], Tensor.zeros(DType.INT64, 0).bincount(2).toLongArray());
    }

    /// `numpy.histogram` of 50 multiples of ⅛.
    @Test
    void binsHaveTheirLeftEdges() {
        double[] x = {
            0.125, -0.125, 0.625, 0.125, -0.5, 0.375, 1.25, 1.0, -0.75, -1.25, -0.625, 0.0, -2.375, -0.25, -1.25, -0.75,
            -0.5, -0.375, 0.375, 1.0, -0.125, 1.375, -0.625, 0.375, 0.875, 0.125, -0.75, -0.875, -0.5, 0.25, -1.0,
            -0.25, -0.125, 0.5, 0.25, 0.375, -0.625, -0.125, 0.75, 1.5, -1.25, 1.5, 1.375, 0.75, 0.25, -0.375, 1.5, 2.0,
            1.75, 1.375
        };
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            Tensor values = Tensor.of(dtype, x, 5, 10).transpose();
            Tensor.Histogram all = values.histogram(7);
            assertArrayEquals(
                    new double[] {-2.375, -1.75, -1.125, -0.5, 0.125, 0.75, 1.375, 2.0},
                    all.edges().toDoubleArray());
            assertArrayEquals(new long[] {1, 3, 8, 12, 12, 6, 8}, all.counts().toLongArray());
            assertEquals(dtype, all.edges().dtype());
        }
        Tensor.Histogram some = Tensor.of(x).histogram(10, -1, 1);
        assertArrayEquals(
                new long[] {2, 6, 3, 4, 4, 4, 7, 1, 3, 3}, some.counts().toLongArray());
        assertArrayEquals(
                new double[] {
                    -1.0,
                    -0.8,
                    -0.6,
                    -0.3999999999999999,
                    -0.19999999999999996,
                    0.0,
                    0.20000000000000018,
                    0.40000000000000013,
                    0.6000000000000001,
                    0.8,
                    1.0
                },
                some.edges().toDoubleArray());
    }

    @Test
    void everyElementLiesInTheBinOfItsEdges() {
        var random = new Random(2);
        for (int round = 0; round < 30; round++) {
            try (var scratch = TensorArena.ofConfined()) {
                double scale = Math.pow(10, random.nextInt(60) - 30);
                Tensor x = Tensor.rand(random, 500).multiply(scale).add(scale * random.nextInt(1000));
                int bins = 1 + random.nextInt(40);
                Tensor.Histogram histogram = x.histogram(bins);
                double[] edges = histogram.edges().toDoubleArray();
                long[] expected = new long[bins];
                for (double element : x.toDoubleArray()) {
                    int bin = 0;
                    while (bin < bins - 1 && element >= edges[bin + 1]) {
                        bin++;
                    }
                    expected[bin]++;
                }
                assertArrayEquals(expected, histogram.counts().toLongArray());
            }
        }
    }

    @Test
    void elementsNextToAnEdgeLieOnTheirSide() {
        for (int bins = 1; bins <= 100; bins++) {
            double[] edges =
                    Tensor.zeros(DType.FLOAT64, 0).histogram(bins).edges().toDoubleArray();
            double[] below = Arrays.stream(edges).skip(1).map(Math::nextDown).toArray();
            Tensor x = Tensor.concat(0, Tensor.of(edges), Tensor.of(below));
            long[] expected = new long[bins];
            Arrays.fill(expected, 2);
            expected[bins - 1]++;
            assertArrayEquals(expected, x.histogram(bins, 0, 1).counts().toLongArray(), bins + " bins");
        }
    }

    /// As `numpy.histogram`.
    @Test
    void elementsOutsideOfTheRangeAreNotCounted() {
        Tensor x = Tensor.of(1, 2, 1.5f, 4, 2.5f, NAN, 9, -3);
        assertArrayEquals(new long[] {0, 2, 2, 1}, x.histogram(4, 0, 4).counts().toLongArray());
        Tensor.Histogram one = Tensor.of(new int[] {2, 2}).histogram(2);
        assertArrayEquals(new long[] {0, 2}, one.counts().toLongArray());
        assertArrayEquals(new double[] {1.5, 2, 2.5}, one.edges().toDoubleArray());
        assertEquals(DType.FLOAT64, one.edges().dtype());
        assertArrayEquals(
                new long[] {1, 0, 5},
                Tensor.of(new long[] {3, 9, 9, 4, 7, -(1L << 62)})
                        .histogram(3)
                        .counts()
                        .toLongArray());
        Tensor.Histogram nothing = Tensor.zeros(0).histogram(2);
        assertArrayEquals(new double[] {0, 0.5, 1}, nothing.edges().toDoubleArray());
        assertArrayEquals(new long[2], nothing.counts().toLongArray());
        double huge = Double.MAX_VALUE / 2;
        assertArrayEquals(
                new long[] {1, 1, 1},
                Tensor.of(new double[] {-huge, 0, huge}).histogram(3).counts().toLongArray());
    }

    @Test
    void aDryRunKnowsSizesThatDoNotDependOnElements() {
        MemoryPlan.dryRun(() -> {
            Tensor x = Tensor.ones(100);
            assertArrayEquals(new long[] {6}, x.histogram(5).edges().shape());
            assertArrayEquals(new long[] {5}, x.histogram(5, 0, 1).counts().shape());
            assertEquals(0, x.quantile(0.3).rank());
            String message = assertThrows(IllegalStateException.class, () -> Tensor.zeros(DType.INT64, 3)
                            .bincount())
                    .getMessage();
            assertTrue(message.startsWith("bincount: the tensor [3] is abstract"), message);
        });
    }

    @Test
    void whatCannotBeCountedOrRankedIsRefused() {
        Tensor x = Tensor.ones(2, 3);
        rejected("quantile: q 1.5 is out of range; give 0 to 1", () -> x.quantile(1.5));
        rejected("quantile: q NaN is out of range; give 0 to 1", () -> x.quantile(NAN, 0));
        rejected(
                "quantile: takes FLOAT32, FLOAT64 or BFLOAT16, and [1] is int32; cast(DType.FLOAT64) first",
                () -> Tensor.of(new int[] {1}).quantile(0.5));
        rejected("median: axis 1 of [2, 0] has size 0, and nothing has no median", () -> Tensor.ones(2, 0)
                .median(1));
        rejected("quantile: axis 0 of [0] has size 0, and nothing has no quantile", () -> Tensor.ones(2, 0)
                .quantile(0.5));
        rejected(
                "bincount: [2, 3] float32 is not a vector of integers; reshape(-1) it, and cast it to INT64",
                x::bincount);
        rejected(
                "bincount: element -1 at position 2 is negative; count from 0, or use histogram",
                () -> Tensor.of(new int[] {0, 1, -1}).bincount());
        rejected("bincount: negative size in shape [-1]", () -> Tensor.of(new int[] {0})
                .bincount(-1));
        rejected(
                "bincount: shape [9223372036854775807] has more bytes than a long can count; check its sizes",
                () -> Tensor.of(new long[] {Long.MAX_VALUE}).bincount());
        rejected("histogram: 0 bins; give 1 or more", () -> x.histogram(0));
        rejected(
                "histogram: NaN to NaN is no finite range; give one, and elements outside of it are not counted",
                () -> Tensor.of(1, NAN).histogram(2));
        rejected(
                "histogram: 1.0 to 0.0 is no finite range; give one, and elements outside of it are not counted",
                () -> x.histogram(2, 1, 0));
    }
}
