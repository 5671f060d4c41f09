package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.Prediction.AbstractTensors;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.nn.Sequential;
import org.toydiff.nn.Tanh;

/// What is predicted is what happens, to the byte.
class ScheduleTest {
    /// `x²`, whose rule reads 2·x as forward has saved it.
    private static Tensor square(Tensor x) {
        Tensor y = Tensor.make("square", x.dtype, x.shape, true);
        Launch.binary(x.dtype.kind.of(BinaryKernel.MULTIPLY), x, x, y);
        Tensor twice = Tensor.makeSaved("twice", x.dtype, x.shape);
        Launch.binary(x.dtype.kind.of(BinaryKernel.ADD), x, x, twice);
        Rule toX = Rule.readsAllInputs((g, inputs) -> g.multiply(inputs[1]));
        return y.record("square", null, new Rule[] {toX, null}, x, twice);
    }

    @Test
    void savedValuesAreFreedAfterTheirRule() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(4, 6).trackGradient();
            Tensor y = square(x);
            Tensor twice = y.node.inputs[1];
            y.sum().backward(Release.AT_CLOSE);
            assertFalse(twice.storage.isFreed());
            y.sum().backward(Release.EAGER);
            assertTrue(twice.storage.isFreed());
            assertEquals(
                    List.of(4.0, 4.0),
                    List.of(x.gradient().at(0, 0), x.gradient().at(3, 5)));
        }
    }

    /// Graphs of one leaf `x` of shape [4, 6], each ending in a scalar.
    private static Map<String, Function<Tensor, Tensor>> graphs() {
        Map<String, Function<Tensor, Tensor>> graphs = new LinkedHashMap<>();
        graphs.put("chain", x -> x.exp().tanh().sin().sum());
        graphs.put("deep", x -> {
            Tensor y = x;
            for (int i = 0; i < 50; i++) {
                y = y.multiply(0.9).tanh();
            }
            return y.mean();
        });
        graphs.put("diamond", x -> {
            Tensor y = x.tanh();
            return y.exp().multiply(y.sin()).sum();
        });
        graphs.put("read five times", x -> {
            Tensor y = x.tanh();
            return y.multiply(y).add(y.exp()).add(y.sin()).multiply(y).add(y).sum();
        });
        graphs.put("a leaf read twice", x -> x.multiply(x).add(x).sum());
        graphs.put("views", x -> {
            Tensor y = x.tanh();
            Tensor z = y.transpose().slice(0, 1, 5).reshape(4, 4).exp();
            return z.add(y.get(2).slice(0, 0, 4))
                    .broadcastTo(3, 4, 4)
                    .multiply(2)
                    .sum();
        });
        graphs.put("an unused branch", x -> {
            Tensor y = x.tanh();
            y.exp().sin();
            return y.cos().sum();
        });
        graphs.put("a retained view", x -> {
            Tensor y = x.tanh();
            y.reshape(24).retain();
            return y.exp().multiply(y).sum();
        });
        graphs.put("relu in place", x -> x.multiply(2).relu().multiply(3).relu().sum());
        graphs.put("broadcast", x -> x.multiply(x.mean(1, true))
                .add(x.max(0))
                .divide(x.std().add(1))
                .sum());
        graphs.put(
                "products",
                x -> x.matmul(x.transpose()).fma(x, x).matmul(x.get(0)).sum());
        graphs.put("batched products", x -> x.reshape(2, 2, 6)
                .matmul(x.reshape(6, 4))
                .matmul(x.transpose().slice(0, 0, 4).reshape(4, 4))
                .sum());
        graphs.put(
                "attention",
                x -> x.tanh().scaledDotProductAttention(x, x.exp(), null, true).sum());
        graphs.put("attention of heads", x -> {
            Tensor heads = x.linear(x, null).reshape(4, 2, 2).transpose(1, 0, 2);
            Tensor y = heads.scaledDotProductAttention(heads, heads, null, false);
            return y.transpose(1, 0, 2)
                    .reshape(4, 4)
                    .linear(x.transpose(), null)
                    .sum();
        });
        graphs.put("attention to strided keys", x -> x.transpose()
                .scaledDotProductAttention(x.transpose().exp(), x.tanh().transpose(), null, false)
                .sum());
        graphs.put("a saved value", x -> square(square(x.tanh())).sum());
        graphs.put("a power", x -> x.abs().add(1).power(x).sum());
        graphs.put("softmax", x -> Functional.softmax(x, 1).log().sum());
        graphs.put("ignored labels", x -> x.exp()
                .crossEntropy(Tensor.of(new int[] {0, -1, 2, -1}), -1)
                .sum());
        graphs.put("cross entropy", x -> Functional.crossEntropyLoss(x, Tensor.of(new int[] {0, 5, 2, 2})));
        graphs.put(
                "a double", x -> x.cast(DType.FLOAT64).exp().cast(DType.FLOAT32).sum());
        graphs.put("layers", x -> x.linear(x, null, Activation.RELU)
                .linear(Tensor.ones(6, 4), Tensor.ones(6), Activation.TANH)
                .linear(x, null)
                .sum());
        graphs.put("an activation of the leaf", x -> x.relu()
                .linear(x, null, Activation.SIGMOID)
                .linear(Tensor.ones(3, 4), null)
                .sum());
        graphs.put("a layer read three times", x -> {
            Tensor y = x.linear(x, null, Activation.RELU);
            return y.linear(y, null).add(y).sum();
        });
        graphs.put("softmax of a layer", x -> x.linear(x, null)
                .softmax(0)
                .linear(x.transpose(), null)
                .logSoftmax(1)
                .sum());
        graphs.put("a checkpoint", x -> {
            Tensor y = x.tanh();
            Tensor z = Autograd.checkpoint(t -> t.multiply(2).exp().sin().multiply(t), y, List.of());
            return z.multiply(y).sum();
        });
        graphs.put(
                "a checkpoint of the leaf",
                x -> Autograd.checkpoint(t -> t.exp().tanh(), x, List.of()).sum());
        graphs.put("a checkpoint that reads the leaf", x -> Autograd.checkpoint(
                        t -> t.linear(x, null, Activation.RELU).exp(), x.sin(), List.of(x))
                .sum());
        graphs.put("a checkpoint of views", x -> Autograd.checkpoint(
                        t -> t.transpose().reshape(24), x.exp().tanh(), List.of())
                .multiply(2)
                .sum());
        graphs.put("a checkpoint in a checkpoint", x -> Autograd.checkpoint(
                        t -> Autograd.checkpoint(u -> u.exp().sin().exp(), t.tanh(), List.of())
                                .sin(),
                        x.exp(),
                        List.of())
                .sum());
        graphs.put("an op of one's own", x -> Tensor.custom(new CustomOpTest.SignedSquare(), x.tanh())
                .exp()
                .sum());
        graphs.put("the leaf itself", x -> x);
        return graphs;
    }

    private static Tensor leaf() {
        return Tensor.rand(RandomGenerator.of("L64X128MixRandom"), 4, 6).trackGradient();
    }

    @TestFactory
    Stream<DynamicTest> thePredictionIsWhatBackwardDoes() {
        return graphs().entrySet().stream()
                .map(graph -> dynamicTest(graph.getKey(), () -> {
                    long before = Memory.liveBytes();
                    try (var model = TensorArena.ofConfined()) {
                        Tensor x = leaf();
                        ReleaseSchedule first = predictedAndMeasured(x, graph.getValue());
                        x.zeroGradient();
                        // From the second step on the leaf's gradient has its block already.
                        ReleaseSchedule second = predictedAndMeasured(x, graph.getValue());
                        assertEquals(second, predictedAndMeasured(x, graph.getValue()));
                        assertEquals(first.entries(), second.entries());
                    }
                    assertEquals(before, Memory.liveBytes());
                }));
    }

    /// Runs `backward(Release.EAGER)` and returns the schedule that it has kept to.
    static ReleaseSchedule measure(Tensor root) {
        var writer = new ReleaseSchedule.Writer(TensorArena.innermost());
        Backward.run("backward", root, Release.EAGER, AbstractTensors.OF_NONE, writer);
        return writer.schedule();
    }

    private static ReleaseSchedule predictedAndMeasured(Tensor x, Function<Tensor, Tensor> graph) {
        try (var step = TensorArena.ofConfined()) {
            Tensor y = graph.apply(x);
            long live = step.liveBytes();
            ReleaseSchedule predicted = y.releaseSchedule();
            assertEquals(live, step.liveBytes(), "predicting makes nothing");
            ReleaseSchedule measured = measure(y);
            assertEquals(predicted.toString(), measured.toString());
            assertEquals(predicted, measured);
            assertEquals(predicted.peakBytes(), step.peakBytes());
            assertEquals(predicted.liveBytes().getLast(), step.liveBytes());
            return measured;
        }
    }

    @TestFactory
    Stream<DynamicTest> eagerAndAtCloseGiveTheSameGradient() {
        return graphs().entrySet().stream()
                .map(graph -> dynamicTest(graph.getKey(), () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        Tensor x = leaf();
                        graph.getValue().apply(x).backward(Release.AT_CLOSE);
                        double[] expected = x.gradient().toDoubleArray();
                        x.zeroGradient();
                        graph.getValue().apply(x).backward(Release.EAGER);
                        org.junit.jupiter.api.Assertions.assertArrayEquals(
                                expected, x.gradient().toDoubleArray(), 1e-6);
                    }
                }));
    }

    @Test
    void afterEagerOnlyLeavesRetainedAndRootAreLive() {
        try (var model = TensorArena.ofConfined()) {
            Tensor x = leaf();
            try (var step = TensorArena.ofConfined()) {
                Tensor kept = x.tanh().retain();
                Tensor y = kept.exp().sin().sum();
                y.backward(Release.EAGER);
                // Values of `kept` and y, and their gradients: 4·6·4 B in two blocks of 128, and two of 64.
                assertEquals(2 * 128 + 2 * 64, step.liveBytes());
                assertTrue(kept.hasGradient());
                assertEquals(24, kept.toFloatArray().length);
            }
            assertEquals(2 * 128, model.liveBytes());
        }
    }

    @Test
    void aDeepNetNeedsLessThanTwoThirdsOfTheMemory() {
        long atClose = peak(Release.AT_CLOSE);
        long eager = peak(Release.EAGER);
        assertTrue(eager < 0.62 * atClose, eager + " of " + atClose);
    }

    /// The peak of a step of a 6-layer, 256-wide tanh net at batch 4096, in bytes.
    private static long peak(Release release) {
        try (var model = TensorArena.ofConfined()) {
            var layers = new org.toydiff.nn.Layer[12];
            for (int i = 0; i < layers.length; i += 2) {
                layers[i] = new Linear(256, 256);
                layers[i + 1] = new Tanh();
            }
            var net = new Sequential(layers);
            Tensor x = Tensor.rand(4096, 256);
            try (var step = TensorArena.ofConfined()) {
                Tensor loss = net.forward(x).mean();
                long predicted = loss.releaseSchedule().peakBytes();
                loss.backward(release);
                if (release == Release.EAGER) {
                    assertEquals(predicted, step.peakBytes());
                }
                return step.peakBytes();
            }
        }
    }

    @Test
    void aReadOfWhatWasFreedSaysWhenAndWhatToDo() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = leaf();
            Tensor y = x.tanh();
            Tensor z = y.exp();
            z.sum().backward(Release.EAGER);
            var value = assertThrows(IllegalStateException.class, () -> y.add(1));
            assertEquals(
                    "add: the tensor [4, 6] made by tanh was freed at step 3 of backward(Release.EAGER), after tanh;"
                            + " call retain() on it before backward, or use Release.AT_CLOSE",
                    value.getMessage());
            var gradient = assertThrows(IllegalStateException.class, z::gradient);
            assertEquals(
                    "gradient: the gradient of exp [4, 6] was freed at step 2 of backward(Release.EAGER);"
                            + " call retain() before backward, or use Release.AT_CLOSE",
                    gradient.getMessage());
            assertFalse(y.hasGradient());
        }
    }

    @Test
    void anInPlaceReluMakesNoGradientBlock() {
        try (var model = TensorArena.ofConfined()) {
            Tensor x = leaf();
            try (var step = TensorArena.ofConfined()) {
                Tensor y = x.multiply(x).relu().sum();
                long forward = step.liveBytes();
                y.backward(Release.EAGER);
                // sum's gradient is a view of ones, so relu makes one block of 128; x's two contributions one more
                // at a time.
                assertTrue(step.peakBytes() <= forward + 64 + 2 * 128, step.peakBytes() + " after " + forward);
            }
        }
    }

    @Test
    void gradientsOfSlicesAreAddedUpInOneBlock() {
        try (var model = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(64, 256).trackGradient();
            try (var step = TensorArena.ofConfined()) {
                Tensor y = x.add(1);
                Tensor sum = y.get(0).add(y.get(1)).add(y.get(2)).sum();
                long before = step.liveBytes();
                sum.backward(Release.EAGER);
                // No rule reads y: its block of 64 KiB is freed first, and its gradient takes as much.
                assertEquals(before, step.peakBytes(), 1024);
            }
        }
    }
}
