package org.toydiff.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.DType;
import org.toydiff.Golden;
import org.toydiff.Memory;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Layers, activations and losses against PyTorch 2.13: the values that golden_nn.py and golden_normalization.py wrote.
class GoldenLayersTest {
    private static final Map<String, UnaryOperator<Tensor>> ONE = new HashMap<>();
    private static final Map<String, BinaryOperator<Tensor>> TWO = new HashMap<>();
    private static final Map<String, Function<DType, Layer>> LAYERS = new HashMap<>();
    private static final List<String> FILES = List.of("golden_nn.txt", "golden_normalization.txt");

    private static Layer trained(Layer norm, Tensor mean, Tensor variance) {
        norm.namedBuffers().get("running_mean").copyFrom(mean);
        norm.namedBuffers().get("running_var").copyFrom(variance);
        norm.eval();
        return norm;
    }

    static {
        LAYERS.put("layerNorm", dtype -> new LayerNorm(dtype, 4));
        LAYERS.put("layerNorm2", dtype -> new LayerNorm(dtype, 3, 4));
        LAYERS.put("layerNormOfManyRows", dtype -> new LayerNorm(dtype, 6));
        LAYERS.put("layerNormOfOne", dtype -> new LayerNorm(dtype, 1));
        // PyTorch's ε is that of its dtype, FLOAT32.
        LAYERS.put("rmsNorm", dtype -> new RMSNorm(dtype, 5).epsilon(Math.ulp(1f)));
        LAYERS.put("rmsNorm2", dtype -> new RMSNorm(dtype, 2, 3).epsilon(Math.ulp(1f)));
        LAYERS.put("rmsNormOfManyRows", dtype -> new RMSNorm(dtype, 3).epsilon(Math.ulp(1f)));
        LAYERS.put("groupNorm", dtype -> new GroupNorm(dtype, 2, 4));
        LAYERS.put("groupNormOfShortRuns", dtype -> new GroupNorm(dtype, 2, 4));
        LAYERS.put("groupNormOfOneGroup", dtype -> new GroupNorm(dtype, 1, 3));
        LAYERS.put("groupNormOfEachChannel", dtype -> new GroupNorm(dtype, 3, 3));
        LAYERS.put("batchNorm", dtype -> new BatchNorm1d(dtype, 3));
        LAYERS.put("batchNormLong", dtype -> new BatchNorm1d(dtype, 3));
        LAYERS.put("batchNorm1dOfLongRuns", dtype -> new BatchNorm1d(dtype, 2));
        LAYERS.put(
                "batchNormEval",
                dtype -> trained(new BatchNorm1d(dtype, 3), Tensor.of(dtype, 1, -1, 0), Tensor.of(dtype, 2, 0.5f, 1)));
        LAYERS.put("batchNorm2d", dtype -> new BatchNorm2d(dtype, 2));
        LAYERS.put("batchNorm2dOfShortRuns", dtype -> new BatchNorm2d(dtype, 3));
        LAYERS.put("batchNorm2dOfOneImage", dtype -> new BatchNorm2d(dtype, 2));
        LAYERS.put(
                "batchNorm2dEval",
                dtype -> trained(new BatchNorm2d(dtype, 2), Tensor.of(dtype, 1, -1), Tensor.of(dtype, 2, 0.5f)));
        LAYERS.put("prelu", dtype -> new PReLU(dtype, 3));
        LAYERS.put("preluOfOneWeight", dtype -> new PReLU(dtype, 1));
        LAYERS.put("embedding", dtype -> new Embedding(dtype, 5, 3));
        ONE.put("gelu", Functional::gelu);
        ONE.put("geluTanh", Functional::geluTanh);
        ONE.put("silu", Functional::silu);
        ONE.put("elu", x -> Functional.elu(x, 0.7));
        ONE.put("hardswish", Functional::hardswish);
        ONE.put("mish", Functional::mish);
        ONE.put("leakyRelu", x -> Functional.leakyRelu(x, 0.1));
        ONE.put("softplus", x -> Functional.softplus(x, 1, 20));
        ONE.put("softplus2", x -> Functional.softplus(x, 2, 5));
        for (Reduction reduction : Reduction.values()) {
            String suffix =
                    switch (reduction) {
                        case MEAN -> "";
                        case SUM -> "Sum";
                        case NONE -> "None";
                    };
            TWO.put("bce" + suffix, (a, b) -> Functional.binaryCrossEntropyWithLogits(a, b, reduction));
            TWO.put("huber" + suffix, (a, b) -> Functional.huberLoss(a, b, 0.7, reduction));
            ONE.put("nll" + suffix, x -> Functional.nllLoss(x, labels(), reduction));
            ONE.put(
                    "smoothed" + suffix,
                    x -> loss(reduction).labelSmoothing(0.1).forward(x, labels()));
            ONE.put("weighted" + suffix, x -> loss(reduction).weight(weight()).forward(x, labels()));
            ONE.put(
                    "both" + suffix,
                    x -> loss(reduction).weight(weight()).labelSmoothing(0.2).forward(x, labels()));
            ONE.put(
                    "bothOfProbabilities" + suffix,
                    x -> loss(reduction).weight(weight()).labelSmoothing(0.2).forward(x, probabilities()));
            putIgnoring("ignored", suffix, reduction, 1, -100, 2, -100);
            putIgnoring("ignoredAll", suffix, reduction, -100, -100, -100, -100);
            ONE.put("ignoredClass" + suffix, x -> Functional.crossEntropyLoss(x, labels(), reduction, 2));
        }
    }

    private static void putIgnoring(String name, String suffix, Reduction reduction, long... labels) {
        Supplier<Tensor> y = () -> Tensor.of(labels);
        Supplier<CrossEntropyLoss> loss = () -> loss(reduction).ignoreIndex(-100);
        ONE.put(name + suffix, x -> Functional.crossEntropyLoss(x, y.get(), reduction, -100));
        ONE.put(name + "Smoothed" + suffix, x -> loss.get().labelSmoothing(0.1).forward(x, y.get()));
        ONE.put(name + "Weighted" + suffix, x -> loss.get().weight(weight()).forward(x, y.get()));
        ONE.put(
                name + "Both" + suffix,
                x -> loss.get().weight(weight()).labelSmoothing(0.2).forward(x, y.get()));
        ONE.put(name + "Nll" + suffix, x -> Functional.nllLoss(x, y.get(), reduction, -100));
    }

    private static CrossEntropyLoss loss(Reduction reduction) {
        return new CrossEntropyLoss().reduction(reduction);
    }

    private static Tensor labels() {
        return Tensor.of(new long[] {1, 0, 2});
    }

    private static Tensor weight() {
        return Tensor.of(0.5f, 2, 1, 3);
    }

    private static Tensor probabilities() {
        return Tensor.of(new float[][] {{0.1f, 0.2f, 0.3f, 0.4f}, {1, 0, 0, 0}, {0, 0.5f, 0.5f, 0}});
    }

    @TestFactory
    Stream<DynamicTest> everyCaseIsAsPyTorchHasIt() throws IOException {
        return cases().stream()
                .map(golden -> dynamicTest(golden.name(), () -> {
                    for (Release release : Release.values()) {
                        long before = Memory.liveBytes();
                        try (var arena = TensorArena.ofConfined()) {
                            if (LAYERS.containsKey(golden.name())) {
                                requireLayer(golden, release, DType.FLOAT32);
                                requireLayer(golden, release, DType.FLOAT64);
                            } else {
                                requireFunction(golden, release);
                            }
                        }
                        assertEquals(before, Memory.liveBytes());
                    }
                }));
    }

    private static List<Golden.Case> cases() throws IOException {
        List<Golden.Case> cases = new ArrayList<>();
        for (String file : FILES) {
            cases.addAll(Golden.cases(file));
        }
        return cases;
    }

    private static void requireFunction(Golden.Case golden, Release release) {
        List<Tensor> in = golden.all("in").stream()
                .map(array -> array.tensor().trackGradient())
                .toList();
        Tensor out = in.size() == 1
                ? ONE.get(golden.name()).apply(in.get(0))
                : TWO.get(golden.name()).apply(in.get(0), in.get(1));
        requireGradients(golden, release, out, in);
    }

    private static void requireLayer(Golden.Case golden, Release release, DType dtype) {
        Layer layer = LAYERS.get(golden.name()).apply(dtype);
        List<Golden.Array> in = golden.all("in");
        List<Tensor> parameters = layer.parameters();
        int batches = in.size() - parameters.size();
        for (int i = 0; i < parameters.size(); i++) {
            parameters.get(i).copyFrom(in.get(batches + i).tensor().cast(dtype));
        }
        for (int i = 0; i < batches - 1; i++) {
            layer.forward(in.get(i).tensor().cast(dtype));
        }
        List<Tensor> leaves = new ArrayList<>();
        Tensor x = in.get(batches - 1).tensor().cast(dtype);
        if (layer instanceof Embedding) {
            x = x.cast(DType.INT64);
        } else {
            leaves.add(x.trackGradient());
        }
        leaves.addAll(parameters);
        requireGradients(golden, release, layer.forward(x), leaves);
        List<Tensor> buffers = List.copyOf(layer.namedBuffers().values());
        for (int i = 0; i < buffers.size(); i++) {
            golden.all("out").get(i + 1).requireEqual(buffers.get(i), "buffer " + i);
        }
    }

    private static void requireGradients(Golden.Case golden, Release release, Tensor out, List<Tensor> leaves) {
        golden.all("out").getFirst().requireEqual(out, "output");
        out.backward(golden.all("g").getFirst().tensor().cast(out.dtype()), release);
        for (int i = 0; i < leaves.size(); i++) {
            golden.all("grad").get(i).requireEqual(leaves.get(i).gradient(), release + " gradient " + i);
        }
    }

    @Test
    void everyNameHasACase() throws IOException {
        var names = new TreeSet<>(ONE.keySet());
        names.addAll(TWO.keySet());
        names.addAll(LAYERS.keySet());
        var found = new TreeSet<String>();
        cases().forEach(golden -> found.add(golden.name()));
        assertEquals(found, names);
    }
}
