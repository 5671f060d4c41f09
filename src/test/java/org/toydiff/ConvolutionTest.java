package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BinaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/// Convolutions beside the defining loops, in double.
@Tag("kernels")
class ConvolutionTest {
    private static final long[] ONE = {1};

    /// A convolution of images `[n, in, h, w]`, or `[n, in, w]` where h is 0.
    private record Sizes(
            long n,
            long in,
            long h,
            long w,
            long out,
            long kh,
            long kw,
            long stride,
            long padding,
            long dilation,
            long groups) {
        boolean isPlane() {
            return h > 0;
        }

        long[] image() {
            return isPlane() ? new long[] {n, in, h, w} : new long[] {n, in, w};
        }

        long[] weight() {
            return isPlane() ? new long[] {out, in / groups, kh, kw} : new long[] {out, in / groups, kw};
        }

        /// Two spatial axes, whatever their number.
        Sizes asPlane() {
            return isPlane() ? this : new Sizes(n, in, 1, w, out, 1, kw, stride, padding, dilation, groups);
        }

        long outSize(long size, long kernel, long padding) {
            return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
        }

        Tensor convolve(Tensor x, Tensor weight, Tensor bias) {
            return x.convolution(
                    weight, bias, new long[] {stride}, new long[] {padding}, new long[] {dilation}, groups);
        }
    }

    private static final List<Sizes> ALL = List.of(
            new Sizes(2, 3, 5, 6, 4, 3, 3, 1, 1, 1, 1),
            new Sizes(1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1),
            new Sizes(3, 4, 6, 5, 6, 1, 1, 1, 0, 1, 1),
            new Sizes(3, 4, 6, 5, 6, 1, 1, 1, 0, 1, 2),
            new Sizes(2, 4, 7, 8, 6, 3, 2, 2, 1, 1, 2),
            new Sizes(2, 3, 9, 8, 2, 2, 3, 1, 2, 2, 1),
            new Sizes(2, 3, 9, 8, 2, 2, 3, 3, 0, 2, 1),
            new Sizes(2, 5, 6, 7, 5, 3, 3, 1, 1, 1, 5),
            new Sizes(2, 4, 6, 7, 8, 3, 3, 2, 1, 1, 4),
            new Sizes(1, 2, 4, 4, 3, 4, 4, 1, 0, 1, 1),
            new Sizes(1, 2, 3, 3, 3, 5, 5, 1, 1, 1, 1),
            new Sizes(2, 1, 5, 5, 3, 1, 1, 4, 0, 1, 1),
            new Sizes(2, 2, 2, 2, 2, 2, 2, 3, 5, 1, 1),
            new Sizes(2, 3, 0, 11, 4, 0, 3, 1, 1, 1, 1),
            new Sizes(2, 4, 0, 11, 4, 0, 3, 2, 2, 2, 2),
            new Sizes(2, 4, 0, 1, 4, 0, 1, 1, 0, 1, 4),
            new Sizes(3, 1, 9, 8, 8, 3, 3, 1, 1, 1, 1),
            new Sizes(3, 2, 9, 8, 14, 3, 3, 2, 1, 1, 2),
            // Several tiles, chunks of images, blocks of channels and of rows of patches.
            new Sizes(9, 3, 40, 41, 2, 3, 3, 1, 1, 1, 1),
            new Sizes(1, 70, 9, 9, 5, 3, 3, 1, 1, 1, 1),
            new Sizes(1, 1, 0, 9000, 2, 0, 5, 1, 2, 1, 1),
            new Sizes(1, 1, 0, 9000, 2, 0, 5, 2, 2, 1, 1),
            new Sizes(1, 2, 0, 9000, 2, 0, 7, 1, 3, 1, 2),
            new Sizes(1, 1, 0, 9500, 1, 0, 9000, 1, 0, 1, 1));

    @TestFactory
    Stream<DynamicTest> valuesAndGradientsAreThoseOfTheLoops() {
        return ALL.stream().flatMap(sizes -> Stream.of(DType.FLOAT32, DType.FLOAT64)
                .map(dtype -> dynamicTest(sizes + " " + dtype, () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        requireLoops(sizes, dtype);
                    }
                })));
    }

    private static void requireLoops(Sizes sizes, DType dtype) {
        var random = new Random(1);
        Tensor x = Tensor.randn(dtype, random, sizes.image()).trackGradient();
        Tensor weight = Tensor.randn(dtype, random, sizes.weight()).trackGradient();
        Tensor bias = Tensor.randn(dtype, random, sizes.out).trackGradient();
        Tensor y = sizes.convolve(x, weight, bias);
        Tensor g = Tensor.randn(dtype, random, y.shape());
        y.retain();
        y.backward(g, Release.EAGER);
        var loops = new Loops(sizes.asPlane(), x, weight, bias, g);
        double tolerance = dtype == DType.FLOAT32 ? 3e-6 : 1e-14;
        requireClose(loops.y, y, tolerance);
        requireClose(loops.toImage, x.gradient(), tolerance);
        requireClose(loops.toWeight, weight.gradient(), tolerance);
        requireClose(loops.toBias, bias.gradient(), tolerance);
    }

    @TestFactory
    Stream<DynamicTest> aTransposedConvolutionIsTheGradientToTheInput() {
        return ALL.stream()
                .map(sizes -> dynamicTest(sizes.toString(), () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        requireTransposed(sizes);
                    }
                }));
    }

    private static void requireTransposed(Sizes sizes) {
        var random = new Random(2);
        Tensor x = Tensor.randn(DType.FLOAT64, random, sizes.image()).trackGradient();
        Tensor weight = Tensor.randn(DType.FLOAT64, random, sizes.weight());
        Tensor y = sizes.convolve(x, weight, null);
        Tensor g = Tensor.randn(DType.FLOAT64, random, y.shape());
        y.backward(g);
        // What the stride leaves over of the image, which no output position reads.
        long[] left = new long[x.rank() - 2];
        for (int axis = 0; axis < left.length; axis++) {
            long span = sizes.dilation * (weight.shape[2 + axis] - 1) + 1;
            left[axis] = (x.shape[2 + axis] + 2 * sizes.padding - span) % sizes.stride;
        }
        Tensor bias = Tensor.randn(DType.FLOAT64, random, sizes.in);
        Tensor transposed = g.transposedConvolution(
                weight,
                bias,
                new long[] {sizes.stride},
                new long[] {sizes.padding},
                new long[] {sizes.dilation},
                left,
                sizes.groups);
        long[] perChannel = new long[x.rank()];
        Arrays.fill(perChannel, 1);
        perChannel[1] = sizes.in;
        Tensor expected = x.gradient().add(bias.reshape(perChannel));
        assertArrayEquals(expected.shape(), transposed.shape());
        requireClose(expected.toDoubleArray(), transposed, 1e-14);
    }

    /// A convolution, a transposed one and patches of small operands x and weight.
    private static final Map<String, BinaryOperator<Tensor>> SMALL = Map.of(
            "convolution",
            (x, w) -> x.convolution(w, null, ONE, ONE, ONE, 1),
            "convolution with a stride",
            (x, w) -> x.convolution(w, w.get(0).get(0).get(0), new long[] {2}, ONE, new long[] {2, 1}, 1),
            "depthwise convolution",
            (x, w) -> x.convolution(w.reshape(2, 1, 3, 3).slice(3, 0, 2), null, ONE, ONE, ONE, 2),
            "pointwise convolution",
            (x, w) -> x.convolution(w.slice(2, 0, 1).slice(3, 1, 2), null, ONE, new long[] {0}, ONE, 1),
            "transposedConvolution",
            (x, w) -> x.transposedConvolution(
                    w.reshape(2, 1, 3, 3),
                    w.slice(0, 0, 1).flatten(0, -1).slice(0, 0, 1),
                    new long[] {2},
                    ONE,
                    ONE,
                    ONE,
                    1),
            "unfold",
            (x, w) -> x.unfold(new long[] {2, 3}, ONE, ONE, new long[] {2}),
            "fold",
            (x, w) -> x.reshape(1, 4, 6).fold(new long[] {3, 4}, new long[] {2}, ONE, new long[] {0}, ONE));

    /// Operands of [#SMALL]: weights are `[out, in, 3, 3]` with as many elements as two of one channel.
    private static Tensor[] small(String name) {
        var random = new Random(3);
        boolean wide = name.startsWith("convolution") || name.startsWith("pointwise");
        Tensor weight = Tensor.randn(DType.FLOAT64, random, wide ? new long[] {3, 2, 3, 3} : new long[] {2, 1, 3, 3});
        return new Tensor[] {Tensor.randn(DType.FLOAT64, random, 1, 2, 3, 4), weight};
    }

    @TestFactory
    Stream<DynamicTest> gradientsOfFirstAndSecondOrderAreThoseOfDifferences() {
        return SMALL.entrySet().stream()
                .map(op -> dynamicTest(op.getKey(), () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        BinaryOperator<Tensor> f = op.getValue();
                        Tensor[] inputs = small(op.getKey());
                        GradientCheck.check(in -> f.apply(in.get(0), in.get(1)), inputs);
                        GradientCheck.check(in -> sizeOfGradients(f, in), inputs);
                    }
                }));
    }

    /// The sum of the squares of a function's gradients, which differences take without a graph.
    private static Tensor sizeOfGradients(BinaryOperator<Tensor> f, List<Tensor> in) {
        try (var on = Scope.current().begin("gradients", true)) {
            List<Tensor> leaves = in.stream()
                    .map(x -> x.tracksGradient() ? x : x.detach().trackGradient())
                    .toList();
            Tensor y = f.apply(leaves.get(0), leaves.get(1));
            List<Tensor> gradients = Autograd.gradients(y.multiply(y).sin().sum(), leaves, true);
            return gradients.stream()
                    .map(gradient -> gradient.multiply(gradient).sum())
                    .reduce(Tensor::add)
                    .orElseThrow();
        }
    }

    @Test
    void operandsMayLieInAnyOrder() {
        try (var arena = TensorArena.ofConfined()) {
            var random = new Random(4);
            Tensor x = Tensor.randn(DType.FLOAT32, random, 2, 5, 6, 3).movedim(3, 1);
            Tensor weight = Tensor.randn(DType.FLOAT32, random, 3, 3, 3, 4).transpose();
            Tensor bias = Tensor.randn(DType.FLOAT32, random, 8).slice(0, 0, 8, 2);
            Tensor copied = x.copyTo(arena).convolution(weight.copyTo(arena), bias.copyTo(arena), ONE, ONE, ONE, 1);
            assertArrayEquals(
                    copied.toFloatArray(),
                    x.convolution(weight, bias, ONE, ONE, ONE, 1).toFloatArray());
        }
    }

    @Test
    void nothingOfTheSizeOfAllPatchesIsMadeAndThePredictedPeakIsMeasured() {
        for (Release release : Release.values()) {
            try (var model = TensorArena.ofConfined()) {
                Tensor first = Tensor.randn(8, 1, 3, 3).trackGradient();
                Tensor second = Tensor.randn(8, 8, 3, 3).trackGradient();
                Tensor bias = Tensor.randn(8).trackGradient();
                Tensor x = Tensor.randn(4, 1, 32, 40);
                long image = 4 * 8 * 32 * 40 * Float.BYTES;
                try (var step = TensorArena.ofConfined()) {
                    Tensor y = x.convolution(first, null, ONE, ONE, ONE, 1)
                            .convolution(second, bias, ONE, ONE, ONE, 1, Activation.TANH)
                            .sum();
                    long predicted = y.releaseSchedule().peakBytes();
                    y.backward(release);
                    if (release == Release.EAGER) {
                        assertEquals(predicted, step.peakBytes());
                        // Input, output and the gradients of both, and the weights' gradients before they are added.
                        long weights = (8 + 8 * 8) * 9 * Float.BYTES + 4096;
                        assertTrue(step.peakBytes() <= 4 * image + weights, step.peakBytes() + " beside " + image);
                    }
                }
            }
        }
    }

    @Test
    void anEmptyBatchHasNoOutputAndZeroGradients() {
        try (var arena = TensorArena.ofConfined()) {
            for (long groups : new long[] {1, 2}) {
                Tensor x = Tensor.ones(0, 2, 4, 4).trackGradient();
                Tensor weight = Tensor.ones(4, 2 / groups, 3, 3).trackGradient();
                Tensor bias = Tensor.ones(4).trackGradient();
                Tensor y = x.convolution(weight, bias, ONE, ONE, ONE, groups);
                assertArrayEquals(new long[] {0, 4, 4, 4}, y.shape());
                y.sum().backward();
                assertArrayEquals(new long[] {0, 2, 4, 4}, x.gradient().shape());
                assertArrayEquals(
                        new float[(int) weight.size()], weight.gradient().toFloatArray());
                assertArrayEquals(new float[4], bias.gradient().toFloatArray());
            }
        }
    }

    @Test
    void aNanReachesTheOutputsThatReadIt() {
        try (var arena = TensorArena.ofConfined()) {
            double[] values = new double[25];
            values[12] = Double.NaN;
            for (long groups : new long[] {1, 2}) {
                Tensor x = Tensor.of(DType.FLOAT32, values, 1, 1, 5, 5).broadcastTo(1, 2, 5, 5);
                Tensor y = x.convolution(Tensor.ones(2, 2 / groups, 3, 3), null, ONE, ONE, ONE, groups);
                assertEquals(18, y.isNan().cast(DType.INT64).sum().item());
            }
        }
    }

    @Test
    void bfloat16IsComputedAsFloatsAndRoundedOnce() {
        try (var arena = TensorArena.ofConfined()) {
            var random = new Random(5);
            Tensor x = Tensor.randn(DType.BFLOAT16, random, 2, 3, 6, 5).trackGradient();
            Tensor weight = Tensor.randn(DType.BFLOAT16, random, 4, 3, 3, 3).trackGradient();
            Tensor bias = Tensor.randn(DType.BFLOAT16, random, 4);
            Tensor wideX = x.detach().cast(DType.FLOAT32).trackGradient();
            Tensor wideWeight = weight.detach().cast(DType.FLOAT32).trackGradient();
            Tensor y = x.convolution(weight, bias, ONE, ONE, ONE, 1);
            Tensor wide = wideX.convolution(wideWeight, bias.cast(DType.FLOAT32), ONE, ONE, ONE, 1);
            assertEquals(DType.BFLOAT16, y.dtype());
            assertArrayEquals(wide.cast(DType.BFLOAT16).toFloatArray(), y.toFloatArray());
            Tensor g = Tensor.randn(DType.BFLOAT16, random, y.shape());
            y.backward(g);
            wide.backward(g.cast(DType.FLOAT32));
            assertArrayEquals(
                    wideX.gradient().cast(DType.BFLOAT16).toFloatArray(),
                    x.gradient().toFloatArray());
            assertArrayEquals(
                    wideWeight.gradient().cast(DType.BFLOAT16).toFloatArray(),
                    weight.gradient().toFloatArray());
            assertArrayEquals(
                    wideX.detach().unfold(new long[] {2}, ONE, ONE, ONE).toFloatArray(),
                    x.unfold(new long[] {2}, ONE, ONE, ONE).toFloatArray());
        }
    }

    @Test
    void foldLeavesItsOperandAlone() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(1, 2 * 9, 20);
            Tensor y = x.fold(new long[] {4, 5}, new long[] {3}, ONE, ONE, ONE);
            assertEquals(360, x.sum().item());
            // Of nine patches around an element of the middle, four at a corner.
            assertEquals(9, y.at(0, 1, 1, 1));
            assertEquals(4, y.at(0, 1, 0, 0));
        }
    }

    @Test
    void whatDoesNotFitIsRefused() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(2, 4, 5, 6);
            Tensor w = Tensor.ones(6, 4, 3, 3);
            requireRefused(
                    "convolution: x [2, 4, 5, 6] and weight [6, 4, 3] do not fit",
                    () -> x.convolution(Tensor.ones(6, 4, 3).detach(), null, ONE, ONE, ONE, 1));
            requireRefused(
                    "convolution: x [2, 4, 5, 6], weight [6, 4, 3, 3] and groups 2 do not fit: axis 1 of x has 4 channels, and the weight"
                            + " takes 8 to 6; groups divide both",
                    () -> x.convolution(w, null, ONE, ONE, ONE, 2));
            requireRefused(
                    "convolution: bias [4] is not [6]", () -> x.convolution(w, Tensor.ones(4), ONE, ONE, ONE, 1));
            requireRefused(
                    "convolution: stride [0, 0, 0] for [2, 4, 5, 6]",
                    () -> x.convolution(w, null, new long[3], ONE, ONE, 1));
            requireRefused("convolution: stride [0]", () -> x.convolution(w, null, new long[1], ONE, ONE, 1));
            requireRefused("convolution: 0 groups", () -> x.convolution(w, null, ONE, ONE, ONE, 0));
            requireRefused(
                    "convolution: a kernel that spans 9 positions along axis 2 does not fit into [2, 4, 5, 6], which has 7"
                            + " with its padding",
                    () -> x.convolution(w, null, ONE, ONE, new long[] {4, 1}, 1));
            requireRefused("convolution: [2, 4, 0, 6] has size 0 along axis 2", () -> Tensor.ones(2, 4, 0, 6)
                    .convolution(w, null, ONE, ONE, ONE, 1));
            requireRefused(
                    "convolution: weight [0, 4, 3, 3] is empty",
                    () -> x.convolution(Tensor.ones(0, 4, 3, 3), null, ONE, ONE, ONE, 1));
            requireRefused("BLAS counts no further", () -> x.convolution(w, null, ONE, new long[] {1 << 30}, ONE, 1));
            requireRefused(
                    "transposedConvolution: outputPadding 1 along axis 2 of [2, 4, 5, 6] must be less",
                    () -> x.transposedConvolution(Tensor.ones(4, 2, 3, 3), null, ONE, ONE, ONE, ONE, 1));
            requireRefused(
                    "transposedConvolution: nothing is left of axis 2 of [2, 4, 5, 6] with padding 9",
                    () -> x.transposedConvolution(
                            Tensor.ones(4, 2, 3, 3), null, ONE, new long[] {9}, ONE, new long[1], 1));
            requireRefused("unfold: [2, 4] is not [n, channels, h, w]", () -> Tensor.ones(2, 4)
                    .unfold(ONE, ONE, ONE, ONE));
            requireRefused("fold: [2, 4, 5] is not [n, channels·4, 6]", () -> Tensor.ones(2, 4, 5)
                    .fold(new long[] {3, 4}, new long[] {2}, ONE, new long[1], ONE));
        }
    }

    private static void requireRefused(String message, Executable call) {
        var failure = assertThrows(IllegalArgumentException.class, call);
        assertTrue(failure.getMessage().contains(message), failure.getMessage());
    }

    private static void requireClose(double[] expected, Tensor actual, double tolerance) {
        double[] values = actual.toDoubleArray();
        double largest = 1;
        for (double each : expected) {
            largest = Math.max(largest, Math.abs(each));
        }
        assertArrayEquals(expected, values, tolerance * largest);
    }

    /// The seven loops.
    private static final class Loops {
        final double[] y;
        final double[] toImage;
        final double[] toWeight;
        final double[] toBias;

        Loops(Sizes s, Tensor image, Tensor weight, Tensor bias, Tensor gradient) {
            double[] x = image.toDoubleArray();
            double[] w = weight.toDoubleArray();
            double[] b = bias.toDoubleArray();
            double[] g = gradient.toDoubleArray();
            long padY = s.h == 1 && s.kh == 1 && image.rank() == 3 ? 0 : s.padding;
            long oh = image.rank() == 3 ? 1 : s.outSize(s.h, s.kh, padY);
            long ow = s.outSize(s.w, s.kw, s.padding);
            y = new double[g.length];
            toImage = new double[x.length];
            toWeight = new double[w.length];
            toBias = new double[b.length];
            long each = s.in / s.groups;
            int at = 0;
            for (long n = 0; n < s.n; n++) {
                for (long o = 0; o < s.out; o++) {
                    for (long p = 0; p < oh * ow; p++, at++) {
                        y[at] = b[(int) o];
                        toBias[(int) o] += g[at];
                        for (long k = 0; k < each * s.kh * s.kw; k++) {
                            long c = o / (s.out / s.groups) * each + k / (s.kh * s.kw);
                            long row = p / ow * s.stride + k / s.kw % s.kh * s.dilation - padY;
                            long column = p % ow * s.stride + k % s.kw * s.dilation - s.padding;
                            if (row >= 0 && row < s.h && column >= 0 && column < s.w) {
                                int i = (int) (((n * s.in + c) * s.h + row) * s.w + column);
                                int j = (int) (o * each * s.kh * s.kw + k);
                                y[at] += x[i] * w[j];
                                toImage[i] += g[at] * w[j];
                                toWeight[j] += g[at] * x[i];
                            }
                        }
                    }
                }
            }
        }
    }
}
