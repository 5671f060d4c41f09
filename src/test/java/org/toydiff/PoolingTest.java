package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;
import static org.toydiff.nn.Interpolation.BILINEAR;
import static org.toydiff.nn.Interpolation.LINEAR;
import static org.toydiff.nn.Interpolation.NEAREST;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.nn.AdaptiveAvgPool1d;
import org.toydiff.nn.AdaptiveAvgPool2d;
import org.toydiff.nn.AvgPool1d;
import org.toydiff.nn.AvgPool2d;
import org.toydiff.nn.Functional;
import org.toydiff.nn.MaxPool1d;
import org.toydiff.nn.MaxPool2d;
import org.toydiff.nn.Upsample;

/// Pooling and interpolation against PyTorch 2.13, the values that golden_pooling.py wrote, and what those have
/// not.
class PoolingTest {
    private static final Map<String, UnaryOperator<Tensor>> OPS = new HashMap<>();

    static {
        OPS.put("max2", new MaxPool2d(2)::forward);
        OPS.put("max3s2p1", x -> Functional.maxPool2d(x, 3, 2, 1));
        OPS.put("maxRectangle", new MaxPool2d(new long[] {3, 2}).stride(1, 2).padding(1, 0)::forward);
        OPS.put("maxDilated", new MaxPool2d(2, 1, 1).dilation(2, 1)::forward);
        OPS.put("maxCeil", new MaxPool2d(2, 2).ceilMode(true)::forward);
        OPS.put("maxCeilPadded", new MaxPool2d(3, 2, 1).ceilMode(true)::forward);
        OPS.put("maxApart", new MaxPool2d(2, 3)::forward);
        OPS.put("maxWhole", new MaxPool2d(new long[] {3, 4})::forward);
        OPS.put("max1d", x -> Functional.maxPool1d(x, 3, 2, 1));
        OPS.put("max1dDilated", new MaxPool1d(3, 1, 1).dilation(2).ceilMode(true)::forward);
        OPS.put("avg2", new AvgPool2d(2)::forward);
        OPS.put("avg3s2p1", x -> Functional.avgPool2d(x, 3, 2, 1));
        OPS.put("avgInside", new AvgPool2d(3, 2, 1).countIncludePad(false)::forward);
        OPS.put("avgCeil", new AvgPool2d(3, 2, 1).ceilMode(true)::forward);
        OPS.put("avgCeilInside", new AvgPool2d(3, 2, 1).ceilMode(true).countIncludePad(false)::forward);
        OPS.put("avgRectangle", new AvgPool2d(new long[] {2, 3}).stride(2, 1).padding(0, 1)::forward);
        OPS.put("avg1d", x -> Functional.avgPool1d(x, 3, 2, 1));
        OPS.put("avg1dCeil", new AvgPool1d(2, 3).ceilMode(true)::forward);
        OPS.put("adaptive1", new AdaptiveAvgPool2d(1)::forward);
        OPS.put("adaptive35", x -> Functional.adaptiveAvgPool2d(x, 3, 5));
        OPS.put("adaptive1d", new AdaptiveAvgPool1d(3)::forward);
        OPS.put("nearestSize", new Upsample(new long[] {7, 3})::forward);
        OPS.put("nearestScale", new Upsample(2)::forward);
        OPS.put("nearestFraction", new Upsample(new double[] {1.7, 0.6})::forward);
        OPS.put("nearest1d", x -> Functional.interpolate(x, new long[] {7}, NEAREST, false));
        OPS.put("bilinearSize", new Upsample(new long[] {7, 3}).mode(BILINEAR)::forward);
        OPS.put("bilinearScale", new Upsample(2).mode(BILINEAR)::forward);
        OPS.put("bilinearFraction", new Upsample(new double[] {1.7, 0.6}).mode(BILINEAR)::forward);
        OPS.put(
                "bilinearAligned",
                new Upsample(new long[] {7, 3}).mode(BILINEAR).alignCorners(true)::forward);
        OPS.put("bilinearAligned1", x -> Functional.interpolate(x, new long[] {1, 4}, BILINEAR, true));
        OPS.put("linear1d", new Upsample(new long[] {7}).mode(LINEAR)::forward);
    }

    @TestFactory
    Stream<DynamicTest> everyCaseIsAsPyTorchHasIt() throws IOException {
        return Golden.cases("golden_pooling.txt").stream()
                .map(golden -> dynamicTest(golden.name(), () -> {
                    for (Release release : Release.values()) {
                        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
                            long before = Memory.liveBytes();
                            try (var arena = TensorArena.ofConfined()) {
                                require(golden, release, dtype, false);
                                require(golden, release, dtype, true);
                            }
                            assertEquals(before, Memory.liveBytes());
                        }
                    }
                }));
    }

    /// Held against PyTorch's, of a contiguous input or of one whose channels are adjacent in memory.
    private static void require(Golden.Case golden, Release release, DType dtype, boolean channelsLast) {
        Tensor x = golden.all("in").getFirst().tensor().cast(dtype);
        Tensor leaf = (channelsLast ? channelsLast(x) : x).trackGradient();
        Tensor y = OPS.get(golden.name()).apply(leaf.multiply(1));
        golden.all("out").getFirst().requireEqual(y, "output");
        Tensor g = golden.all("g").getFirst().tensor().cast(dtype);
        y.backward(channelsLast ? channelsLast(g) : g, release);
        golden.all("grad").getFirst().requireEqual(leaf.gradient(), release + " gradient");
    }

    private static Tensor channelsLast(Tensor x) {
        return x.movedim(0, -1).multiply(1).movedim(-1, 0);
    }

    @Test
    void everyNameHasACase() throws IOException {
        var found = new TreeSet<String>();
        Golden.cases("golden_pooling.txt").forEach(golden -> found.add(golden.name()));
        assertEquals(found, new TreeSet<>(OPS.keySet()));
    }

    /// Of each case, the gradient and the gradient of the gradient.
    @TestFactory
    Stream<DynamicTest> gradientsAreThoseOfDifferences() throws IOException {
        return Golden.cases("golden_pooling.txt").stream()
                .map(golden -> dynamicTest(golden.name(), () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        Tensor given = golden.all("in").getFirst().tensor().cast(DType.FLOAT64);
                        // Distinct, and far enough apart for differences.
                        Tensor x = Tensor.randperm(given.size())
                                .cast(DType.FLOAT64)
                                .multiply(0.1)
                                .reshape(given.shape());
                        UnaryOperator<Tensor> op = OPS.get(golden.name());
                        GradientCheck.check(op, x);
                        GradientCheck.check(t -> op.apply(t.multiply(t)).sin(), x.multiply(0.3));
                        requireSecondDerivative(op, x.multiply(0.1));
                    }
                }));
    }

    /// The derivative of a gradient along a direction is that of differences.
    private static void requireSecondDerivative(UnaryOperator<Tensor> op, Tensor x) {
        Tensor leaf = x.trackGradient();
        Tensor y = op.apply(leaf.multiply(1)).power(3);
        Tensor first = Autograd.gradients(y.sum(), List.of(leaf), true).getFirst();
        Tensor direction = Tensor.randn(DType.FLOAT64, x.shape());
        double second = Autograd.gradients(first.multiply(direction).sum(), List.of(leaf))
                .getFirst()
                .multiply(direction)
                .sum()
                .item();
        double h = 1e-5;
        double numeric = (slope(op, x.detach().add(direction.multiply(h)), direction)
                        - slope(op, x.detach().subtract(direction.multiply(h)), direction))
                / (2 * h);
        assertEquals(numeric, second, 1e-5 * Math.max(1, Math.abs(second)));
    }

    private static double slope(UnaryOperator<Tensor> op, Tensor x, Tensor direction) {
        Tensor leaf = x.trackGradient();
        Tensor y = op.apply(leaf).power(3);
        return Autograd.gradients(y.sum(), List.of(leaf))
                .getFirst()
                .multiply(direction)
                .sum()
                .item();
    }

    /// Rows longer than a tile, and windows longer than one, of a contiguous input and of one that is not.
    @Test
    void longRowsAreAsTheirDefinition() {
        for (long[] window :
                new long[][] {{3, 2, 1, 1}, {2, 1, 1, 5}, {40, 7, 20, 1}, {2600, 900, 13, 1}, {70, 3, 9, 60}}) {
            for (int stretch : new int[] {1, 2}) {
                try (var arena = TensorArena.ofConfined()) {
                    Tensor wide = Tensor.randn(DType.FLOAT64, new java.util.Random(5), 1, 5000L * stretch);
                    Tensor x = wide.slice(1, 0, wide.size(1), stretch);
                    requireDefinition(x, window, true);
                    if (window[3] == 1) {
                        requireDefinition(x, window, false);
                    }
                }
            }
        }
    }

    private static void requireDefinition(Tensor x, long[] window, boolean largest) {
        double[] in = x.toDoubleArray();
        Tensor leaf = x.trackGradient();
        leaf.zeroGradient();
        Tensor y = largest
                ? leaf.maxPool(one(window, 0), one(window, 1), one(window, 2), one(window, 3), false)
                : leaf.avgPool(one(window, 0), one(window, 1), one(window, 2), false, true);
        double[] expected = new double[(int) y.size()];
        double[] gradient = new double[in.length];
        for (int i = 0; i < expected.length; i++) {
            int best = -1;
            for (int k = 0; k < window[0]; k++) {
                int at = (int) (i * window[1] - window[2] + k * window[3]);
                boolean inside = at >= 0 && at < in.length;
                if (inside && largest) {
                    best = best < 0 || in[at] > in[best] ? at : best;
                } else if (inside) {
                    expected[i] += in[at] / window[0];
                    gradient[at] += (i + 1.0) / window[0];
                }
            }
            if (largest) {
                expected[i] = in[best];
                gradient[best] += i + 1;
            }
        }
        Oracles.requireClose(expected, y.toDoubleArray(), 1e-12, "value");
        y.backward(Tensor.arange(DType.FLOAT64, 1, expected.length + 1, 1).reshape(y.shape()));
        Oracles.requireClose(gradient, leaf.gradient().toDoubleArray(), 1e-12, "gradient");
    }

    private static long[] one(long[] window, int setting) {
        return new long[] {window[setting]};
    }

    @Test
    void emptyBatchesAndChannelsGiveEmptyResults() {
        try (var arena = TensorArena.ofConfined()) {
            for (long[] shape : new long[][] {{0, 3, 4, 4}, {2, 0, 4, 4}}) {
                Tensor x = Tensor.zeros(shape).trackGradient();
                Tensor y = Functional.maxPool2d(x, 2, 2, 0)
                        .add(Functional.avgPool2d(x, 2, 2, 0))
                        .add(Functional.interpolate(x, new double[] {0.5}, BILINEAR, false));
                assertArrayEquals(new long[] {shape[0], shape[1], 2, 2}, y.shape());
                y.sum().backward();
                assertArrayEquals(shape, x.gradient().shape());
            }
        }
    }

    @Test
    void adaptiveWindowsOfOneAxisHaveTheMeansOfTheirElements() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(new float[] {1, 2, 3, 4, 6}, 1, 1, 5);
            // PyTorch: window i is from floor(5·i/2) to ceil(5·(i + 1)/2).
            assertArrayEquals(
                    new float[] {2, 13 / 3f}, Functional.adaptiveAvgPool1d(x, 2).toFloatArray());
        }
    }

    @Test
    void noWindowsGiveAnEmptyResultAndAGradientOfZero() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(1, 2, 3).trackGradient();
            Tensor y = x.adaptiveAvgPool(0);
            assertArrayEquals(new long[] {1, 2, 0}, y.shape());
            y.sum().backward();
            assertArrayEquals(new float[6], x.gradient().toFloatArray());
        }
    }

    @Test
    void bfloat16IsWidenedForTheCall() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.randn(1, 2, 4, 4).cast(DType.BFLOAT16);
            Tensor wide = x.cast(DType.FLOAT32);
            for (UnaryOperator<Tensor> op : List.<UnaryOperator<Tensor>>of(
                    t -> Functional.maxPool2d(t, 2, 2, 0), t -> Functional.avgPool2d(t, 3, 1, 1))) {
                Tensor y = op.apply(x);
                assertEquals(DType.BFLOAT16, y.dtype());
                assertArrayEquals(op.apply(wide).cast(DType.BFLOAT16).toFloatArray(), y.toFloatArray());
            }
        }
    }

    @Test
    void aWindowOverPaddingAloneIsMinusInfinityAndHasNoGradient() {
        try (var arena = TensorArena.ofConfined()) {
            // The positions of the only window are −2 and 1 of an input of one element.
            Tensor x = Tensor.ones(1, 1, 1).trackGradient();
            Tensor y = x.maxPool(new long[] {2}, new long[] {9}, new long[] {2}, new long[] {3}, false);
            assertArrayEquals(new float[] {Float.NEGATIVE_INFINITY}, y.toFloatArray());
            y.sum().backward();
            assertArrayEquals(new float[] {0}, x.gradient().toFloatArray());
        }
    }

    @Test
    void backwardIsWhatWasPredicted() {
        for (UnaryOperator<Tensor> op : OPS.values()) {
            try (var arena = TensorArena.ofConfined()) {
                Tensor x = Tensor.randn(2, 3, 8, 8).trackGradient();
                UnaryOperator<Tensor> one = op;
                Tensor y;
                try {
                    y = one.apply(x.exp()).exp().sum();
                } catch (IllegalArgumentException e) {
                    continue; // Of one axis.
                }
                ReleaseSchedule schedule = y.releaseSchedule();
                y.backward(Release.EAGER);
                assertEquals(schedule.peakBytes(), arena.peakBytes());
            }
        }
    }

    /// Planes are divided among threads by their sizes alone.
    @Test
    void anyNumberOfThreadsGivesTheSameBits() {
        int threads = Threads.count();
        try {
            Threads.set(1);
            float[] one = bits();
            Threads.set(3);
            assertArrayEquals(one, bits());
        } finally {
            Threads.set(threads);
        }
    }

    private static float[] bits() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.randn(new java.util.Random(1), 3, 5, 70, 66).trackGradient();
            Tensor y = Functional.maxPool2d(x, 3, 2, 1)
                    .add(Functional.avgPool2d(x, 3, 2, 1))
                    .add(Functional.adaptiveAvgPool2d(x, 35, 33))
                    .add(Functional.interpolate(x, new long[] {35, 33}, BILINEAR, false));
            y.multiply(y).sum().backward();
            return Tensor.concat(0, y.flatten(0, -1), x.gradient().flatten(0, -1))
                    .toFloatArray();
        }
    }

    private static void requireMessage(String expected, Runnable call) {
        String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(message.contains(expected), message);
    }

    @Test
    void whatDoesNotFitIsRefused() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.zeros(1, 2, 4, 4);
            requireMessage("maxPool: [4] is neither", () -> Functional.maxPool2d(Tensor.zeros(4), 2, 2, 0));
            requireMessage("maxPool: kernel [0, 0] is out of range", () -> Functional.maxPool2d(x, 0, 1, 0));
            requireMessage("avgPool: stride [0, 0] is out of range", () -> Functional.avgPool2d(x, 2, 0, 0));
            requireMessage("maxPool: padding 2 is more than half", () -> Functional.maxPool2d(x, 3, 1, 2));
            requireMessage("does not fit into axis 2 of [1, 2, 4, 4]", () -> Functional.maxPool2d(x, 5, 1, 0));
            requireMessage("takes FLOAT32", () -> Functional.maxPool2d(x.cast(DType.INT32), 2, 2, 0));
            requireMessage(
                    "are not of as many axes",
                    () -> x.avgPool(new long[] {2, 2}, new long[] {2}, new long[2], false, true));
            requireMessage("settings for 3 axes", () -> x.adaptiveAvgPool(1, 2, 3));
            requireMessage(
                    "axis 3 of [1, 2, 4, 0] has size 0",
                    () -> Functional.adaptiveAvgPool2d(Tensor.zeros(1, 2, 4, 0), 1, 1));
            requireMessage(
                    "upsampleNearest: size [0, 0] is out of range",
                    () -> x.upsampleNearest(new double[] {0.1, Double.NaN}));
            requireMessage("do not fit", () -> Functional.interpolate(x, new long[] {3}, LINEAR, false));
            requireMessage("do not fit", () -> Functional.interpolate(x, new long[] {3}, NEAREST, true));
            requireMessage("MaxPool2d: kernel [1, 2, 3]", () -> new MaxPool2d(new long[] {1, 2, 3}));
            requireMessage(
                    "AvgPool1d: padding [-1] is out of range; give one number, from 0 to 2147483647",
                    () -> new AvgPool1d(2, 2, -1));
            requireMessage(
                    "MaxPool2d: stride [2147483648] is out of range; give one number for all axes or 2, from 1 to"
                            + " 2147483647",
                    () -> new MaxPool2d(2).stride(1L << 31));
            requireMessage("AdaptiveAvgPool2d: height 0", () -> new AdaptiveAvgPool2d(0, 1));
            requireMessage("Upsample: scaleFactor", () -> new Upsample(0));
            assertThrows(NullPointerException.class, () -> new Upsample(2).mode(null));
        }
    }
}
