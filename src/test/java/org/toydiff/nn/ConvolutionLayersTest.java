package org.toydiff.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;
import org.toydiff.Autocast;
import org.toydiff.DType;
import org.toydiff.Golden;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Convolutions, functions and layers, against PyTorch 2.13: the values that golden_convolution.py wrote.
class ConvolutionLayersTest {
    /// Functions of the inputs: x, then weight and bias, if there are any.
    private static final Map<String, Function<List<Tensor>, Tensor>> FUNCTIONS = new HashMap<>();

    private static final Map<String, Function<DType, Layer>> LAYERS = new HashMap<>();

    private static long[] of(long... values) {
        return values;
    }

    static {
        FUNCTIONS.put("conv1d", in -> Functional.conv1d(in.get(0), in.get(1), in.get(2), 1, 0, 1, 1));
        FUNCTIONS.put("conv1dSettings", in -> Functional.conv1d(in.get(0), in.get(1), in.get(2), 2, 3, 2, 2));
        FUNCTIONS.put("conv1dSingle", in -> Functional.conv1d(in.get(0), in.get(1), null, 1, 0, 1, 1));
        FUNCTIONS.put("conv2d", in -> Functional.conv2d(in.get(0), in.get(1), in.get(2), 1, 0, 1, 1));
        FUNCTIONS.put("conv2dPadded", in -> Functional.conv2d(in.get(0), in.get(1), in.get(2), 1, 1, 1, 1));
        FUNCTIONS.put("conv2dSettings", in -> Functional.conv2d(in.get(0), in.get(1), in.get(2), 2, 1, 2, 2));
        FUNCTIONS.put("conv2dDepthwise", in -> Functional.conv2d(in.get(0), in.get(1), in.get(2), 1, 1, 1, 3));
        FUNCTIONS.put("conv2dPointwise", in -> Functional.conv2d(in.get(0), in.get(1), null, 1, 0, 1, 1));
        FUNCTIONS.put("conv2dWhole", in -> Functional.conv2d(in.get(0), in.get(1), in.get(2), 1, 0, 1, 1));
        FUNCTIONS.put("conv2dSparse", in -> Functional.conv2d(in.get(0), in.get(1), null, 4, 0, 1, 1));
        FUNCTIONS.put(
                "convTranspose2d", in -> Functional.convTranspose2d(in.get(0), in.get(1), in.get(2), 1, 0, 0, 1, 1));
        FUNCTIONS.put(
                "convTranspose2dSettings",
                in -> Functional.convTranspose2d(in.get(0), in.get(1), in.get(2), 2, 1, 1, 2, 2));
        FUNCTIONS.put("unfold", in -> Functional.unfold(in.get(0), of(2, 3), of(1, 2), of(1), of(2, 1)));
        FUNCTIONS.put("fold", in -> Functional.fold(in.get(0), of(4, 5), of(2, 3), of(1, 2), of(1), of(2, 1)));
        for (Tensor.Padding mode :
                new Tensor.Padding[] {null, Tensor.Padding.REFLECT, Tensor.Padding.REPLICATE, Tensor.Padding.CIRCULAR
                }) {
            String suffix = mode == null ? " zeros" : " " + mode.name().toLowerCase(Locale.ROOT);
            LAYERS.put(
                    "conv1dLayer" + suffix,
                    dtype ->
                            padded(new Conv1d(dtype, 2, 3, 3, 1, true).stride(2).padding(2), mode));
            LAYERS.put(
                    "conv2dLayer" + suffix,
                    dtype -> padded(new Conv2d(dtype, 2, 2, of(2, 3), 1, true).padding(1, 2), mode));
            LAYERS.put(
                    "conv2dSame" + suffix,
                    dtype -> padded(
                            new Conv2d(dtype, 2, 2, of(2, 3), 2, true)
                                    .samePadding()
                                    .dilation(1, 2),
                            mode));
        }
        LAYERS.put("convTranspose2dLayer", dtype -> new ConvTranspose2d(dtype, 2, 4, of(3, 3), 2, true)
                .stride(2)
                .padding(1)
                .outputPadding(1));
    }

    private static <L extends PaddedConvolution<L>> Layer padded(L layer, Tensor.Padding mode) {
        return mode == null ? layer : layer.paddingMode(mode);
    }

    @TestFactory
    Stream<DynamicTest> resultsAndGradientsAreThoseOfPyTorch() throws IOException {
        return Golden.cases("golden_convolution.txt").stream()
                .flatMap(golden -> Stream.of(DType.FLOAT32, DType.FLOAT64).flatMap(dtype -> Stream.of(Release.values())
                        .map(release -> dynamicTest(golden.name() + " " + dtype + " " + release, () -> {
                            try (var arena = TensorArena.ofConfined()) {
                                require(golden, dtype, release);
                            }
                        }))));
    }

    private static void require(Golden.Case golden, DType dtype, Release release) {
        String name = golden.name();
        List<Tensor> in = golden.all("in").stream()
                .map(array -> array.tensor().cast(dtype).trackGradient())
                .toList();
        Layer layer = LAYERS.containsKey(name) ? LAYERS.get(name).apply(dtype) : null;
        List<Tensor> leaves = in;
        Tensor y;
        if (layer == null) {
            y = FUNCTIONS.get(name).apply(in);
        } else {
            List<Tensor> parameters = layer.parameters();
            for (int i = 0; i < parameters.size(); i++) {
                parameters.get(i).copyFrom(in.get(i + 1).detach());
            }
            leaves =
                    Stream.concat(Stream.of(in.getFirst()), parameters.stream()).toList();
            y = layer.forward(in.getFirst());
        }
        y.retain();
        y.backward(golden.all("g").getFirst().tensor().cast(dtype), release);
        golden.all("out").getFirst().requireEqual(y, name);
        for (int i = 0; i < leaves.size(); i++) {
            golden.all("grad").get(i).requireEqual(leaves.get(i).gradient(), name + " gradient " + i);
        }
    }

    @Test
    void everyCaseIsCompared() throws IOException {
        var known = new TreeSet<>(FUNCTIONS.keySet());
        known.addAll(LAYERS.keySet());
        var found = new TreeSet<String>();
        Golden.cases("golden_convolution.txt").forEach(golden -> found.add(golden.name()));
        assertEquals(known, found);
    }

    @Test
    void anActivationAfterAConvolutionIsPartOfIt() {
        try (var arena = TensorArena.ofConfined()) {
            var convolution = new Conv2d(2, 3, 3).padding(1);
            var net = new Sequential(convolution, new ReLU());
            Tensor x = Tensor.randn(2, 2, 4, 5);
            Tensor apart = convolution.forward(x).relu();
            long before = arena.liveBytes();
            Tensor y = net.forward(x);
            assertEquals(2 * 3 * 4 * 5 * 4, arena.liveBytes() - before, 63);
            assertEquals(List.of(boxed(apart)), List.of(boxed(y)));
            apart.sum().backward();
            Tensor expected = convolution.parameters().getFirst().gradient().copyTo(arena);
            net.zeroGradients();
            y.sum().backward(Release.EAGER);
            assertEquals(
                    boxed(expected), boxed(convolution.parameters().getFirst().gradient()));
        }
    }

    private static List<Double> boxed(Tensor t) {
        return Arrays.stream(t.toDoubleArray()).boxed().toList();
    }

    @Test
    void initialValuesAreBoundedByTheFanIn() {
        try (var arena = TensorArena.ofConfined()) {
            var layer = new Conv2d(DType.FLOAT64, 8, 32, of(3, 3), 2, true);
            double bound = 1 / Math.sqrt(4 * 9);
            for (Tensor parameter : layer.parameters()) {
                double largest = parameter.abs().max().item();
                assertTrue(largest <= bound && largest > 0.8 * bound, () -> largest + " beside " + bound);
            }
        }
    }

    @Test
    void anAutocastRegionComputesInBfloat16() {
        try (var arena = TensorArena.ofConfined()) {
            var layer = new Conv2d(2, 3, 3).padding(1);
            Tensor x = Tensor.randn(2, 2, 5, 5).trackGradient();
            Tensor exact = layer.forward(x);
            Tensor y;
            try (var region = Autocast.bfloat16()) {
                y = layer.forward(x);
            }
            assertEquals(DType.BFLOAT16, y.dtype());
            double error = y.cast(DType.FLOAT32).subtract(exact).abs().max().item();
            assertTrue(error > 0 && error < 0.05, "" + error);
            y.cast(DType.FLOAT32).sum().backward(Release.EAGER);
            assertEquals(DType.FLOAT32, x.gradient().dtype());
            Tensor gradient = x.gradient().copyTo(arena);
            x.zeroGradient();
            exact.sum().backward(Release.EAGER);
            assertTrue(gradient.subtract(x.gradient()).abs().max().item() < 0.05);
        }
    }

    @Test
    void settingsOutOfRangeAreRefused() {
        try (var arena = TensorArena.ofConfined()) {
            requireRefused("Conv2d: channels 4 and 3", () -> new Conv2d(DType.FLOAT32, 3, 4, of(3, 3), 2, true));
            requireRefused(
                    "Conv2d: kernel [3] does not have two sizes",
                    () -> new Conv2d(DType.FLOAT32, 3, 4, of(3), 1, true));
            requireRefused("Conv2d: channels 0", () -> new Conv2d(3, 0, 3));
            requireRefused(
                    "Conv1d: stride [0] is out of range; give one number, from 1 to 2147483647",
                    () -> new Conv1d(3, 4, 3).stride(0));
            requireRefused(
                    "Conv2d: padding [9223372036854775807] is out of range; give one number for all axes or 2, from 0"
                            + " to 2147483647",
                    () -> new Conv2d(3, 4, 3).padding(Long.MAX_VALUE));
            requireRefused("Conv2d: padding [1, 2, 3]", () -> new Conv2d(3, 4, 3).padding(1, 2, 3));
            requireRefused(
                    "Conv2d: samePadding() with a stride of [2, 2]; set a stride of 1",
                    () -> new Conv2d(1, 1, 3).stride(2).samePadding().forward(Tensor.ones(1, 1, 4, 4)));
            requireRefused(
                    "conv1d: weight [1, 1, 2, 2] does not have 3 axes",
                    () -> Functional.conv1d(Tensor.ones(1, 2, 2), Tensor.ones(1, 1, 2, 2), null, 1, 0, 1, 1));
        }
    }

    private static void requireRefused(String message, Executable call) {
        var failure = assertThrows(IllegalArgumentException.class, call);
        assertTrue(failure.getMessage().contains(message), failure.getMessage());
    }

    @Test
    void aLayerPrintsItsSettings() {
        try (var arena = TensorArena.ofConfined()) {
            assertEquals(
                    "Conv2d(in=2, out=4, kernel=3, stride=2, padding=1, bias=false)",
                    new Conv2d(2, 4, 3, false).stride(2).padding(1).toString());
            assertEquals(
                    "Conv1d(in=2, out=4, kernel=3, padding=same, paddingMode=CIRCULAR)",
                    new Conv1d(2, 4, 3)
                            .samePadding()
                            .paddingMode(Tensor.Padding.CIRCULAR)
                            .toString());
            assertEquals("ConvTranspose2d(in=2, out=4, kernel=3)", new ConvTranspose2d(2, 4, 3).toString());
            assertEquals("MaxPool2d(kernel=2)", new MaxPool2d(2).toString());
            assertEquals(
                    "MaxPool2d(kernel=[2, 3], dilation=2)",
                    new MaxPool2d(new long[] {2, 3}).dilation(2).toString());
            assertEquals("AvgPool1d(kernel=3, stride=1, padding=1)", new AvgPool1d(3, 1, 1).toString());
        }
    }
}
