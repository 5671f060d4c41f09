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

/// Layers, activations and losses against PyTorch 2.13: the values that golden_nn.py wrote.
class GoldenLayersTest {
    private static final Map<String, UnaryOperator<Tensor>> ONE = new HashMap<>();
    private static final Map<String, BinaryOperator<Tensor>> TWO = new HashMap<>();
    private static final Map<String, Function<DType, Layer>> LAYERS = Map.of(
            "layerNorm", dtype -> new LayerNorm(dtype, 4),
            "layerNorm2", dtype -> new LayerNorm(dtype, 3, 4),
            "batchNorm", dtype -> new BatchNorm1d(dtype, 3),
            "batchNormLong", dtype -> new BatchNorm1d(dtype, 3),
            "batchNormEval", GoldenLayersTest::trainedBatchNorm,
            "embedding", dtype -> new Embedding(dtype, 5, 3));

    private static Layer trainedBatchNorm(DType dtype) {
        var norm = new BatchNorm1d(dtype, 3);
        norm.namedBuffers().get("running_mean").copyFrom(Tensor.of(dtype, 1, -1, 0));
        norm.namedBuffers().get("running_var").copyFrom(Tensor.of(dtype, 2, 0.5f, 1));
        norm.eval();
        return norm;
    }

    static {
        ONE.put("gelu", Functional::gelu);
        ONE.put("geluTanh", Functional::geluTanh);
        ONE.put("silu", Functional::silu);
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
        return Golden.cases("golden_nn.txt").stream()
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
        Golden.cases("golden_nn.txt").forEach(golden -> found.add(golden.name()));
        assertEquals(found, names);
    }
}
