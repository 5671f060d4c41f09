package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;
import static org.toydiff.Oracles.requireClose;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.child.Child;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.SGD;

/// Every fused op is held against the composition that it replaces.
@Tag("kernels")
class FusionTest {
    private static final Tensor NO_BIAS = null;

    private static Tensor composed(Tensor x, Tensor weight, Tensor bias, Activation activation) {
        Tensor product = x.matmul(weight.transpose());
        Tensor y = bias == null ? product : product.add(bias);
        return activation == null
                ? y
                : switch (activation) {
                    case RELU -> y.relu();
                    case TANH -> y.tanh();
                    case SIGMOID -> y.sigmoid();
                };
    }

    private static Tensor fused(Tensor x, Tensor weight, Tensor bias, Activation activation) {
        return activation == null ? x.linear(weight, bias) : x.linear(weight, bias, activation);
    }

    private record Run(double[] value, List<double[]> gradients) {}

    /// The value of `f` and the gradients of its weighted sum.
    private static Run run(Release release, List<Tensor> inputs, Function<List<Tensor>, Tensor> f) {
        try (var arena = TensorArena.ofConfined()) {
            List<Tensor> leaves = new ArrayList<>();
            for (Tensor input : inputs) {
                leaves.add(input == null ? null : input.copyTo(arena).trackGradient());
            }
            Tensor y = f.apply(leaves);
            double[] value = y.toDoubleArray();
            Tensor weights = Tensor.arange(y.dtype(), 0, y.size(), 1)
                    .multiply(0.37)
                    .sin()
                    .reshape(y.shape());
            y.backward(weights, release);
            return new Run(
                    value,
                    leaves.stream()
                            .map(leaf -> leaf == null
                                    ? new double[0]
                                    : leaf.gradient().toDoubleArray())
                            .toList());
        }
    }

    private static void requireSame(
            List<Tensor> inputs, Function<List<Tensor>, Tensor> fused, Function<List<Tensor>, Tensor> composed) {
        double tolerance = inputs.getFirst().dtype() == DType.FLOAT32 ? 2e-5 : 1e-12;
        for (Release release : Release.values()) {
            Run expected = run(release, inputs, composed);
            Run actual = run(release, inputs, fused);
            requireClose(expected.value, actual.value, tolerance, release + " value");
            for (int i = 0; i < inputs.size(); i++) {
                requireClose(expected.gradients.get(i), actual.gradients.get(i), tolerance, release + " gradient " + i);
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> linearIsProductBiasAndActivation() {
        long[][] shapes = {{3, 5, 4}, {1, 7, 2}, {9, 1, 3}, {32, 48, 64}, {40, 33, 20}, {200, 300, 90}, {600, 30, 140}};
        List<Activation> activations = new ArrayList<>(Arrays.asList(Activation.values()));
        activations.add(null);
        return Stream.of(DType.FLOAT32, DType.FLOAT64).flatMap(dtype -> activations.stream()
                .map(activation -> dynamicTest(dtype + " " + activation, () -> {
                    for (long[] s : shapes) {
                        try (var arena = TensorArena.ofConfined()) {
                            Tensor.manualSeed(Arrays.hashCode(s));
                            Tensor x = Tensor.randn(dtype, s[0], s[1]);
                            Tensor w = Tensor.randn(dtype, s[2], s[1]).multiply(1 / Math.sqrt(s[1]));
                            requireLinear(Arrays.asList(x, w, Tensor.randn(dtype, s[2])), activation);
                            requireLinear(Arrays.asList(x, w, NO_BIAS), activation);
                            requireLinear(Arrays.asList(x.reshape(1, s[0], s[1]), w, NO_BIAS), activation);
                        }
                    }
                })));
    }

    private static void requireLinear(List<Tensor> inputs, Activation activation) {
        requireSame(
                inputs,
                in -> fused(in.get(0), in.get(1), in.get(2), activation),
                in -> composed(in.get(0), in.get(1), in.get(2), activation));
    }

    @Test
    void operandsOfLinearMayLieAnyhow() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.randn(7, 2 * 6).slice(1, 3, 9).transpose();
            Tensor w = Tensor.randn(2, 7, 5).get(1).transpose();
            Tensor b = Tensor.randn(5, 3).transpose().get(1);
            for (Activation activation : Activation.values()) {
                requireClose(
                        composed(x, w, b, activation).toDoubleArray(),
                        x.linear(w, b, activation).toDoubleArray(),
                        1e-5,
                        activation.op);
            }
            // A batch whose leading axes cannot be seen as one.
            Tensor batch = Tensor.randn(4, 3, 2, 7).transpose(1, 0, 2, 3).slice(0, 1, 3);
            requireClose(
                    composed(batch, w, b, Activation.TANH).toDoubleArray(),
                    batch.linear(w, b, Activation.TANH).toDoubleArray(),
                    1e-5,
                    "batch");
        }
    }

    @Test
    void linearSaysWhatDoesNotFit() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(2, 3);
            var weight = assertThrows(IllegalArgumentException.class, () -> x.linear(Tensor.ones(4, 5), NO_BIAS));
            assertEquals(
                    "linear: x [2, 3], weight [4, 5] do not fit; they are [..., in], [out, in]", weight.getMessage());
            var bias = assertThrows(IllegalArgumentException.class, () -> x.linear(Tensor.ones(4, 3), Tensor.ones(5)));
            assertEquals(
                    "linear: x [2, 3], weight [4, 3] and bias [5] do not fit; they are [..., in], [out, in] and [out]",
                    bias.getMessage());
            assertThrows(NullPointerException.class, () -> x.linear(Tensor.ones(4, 3), NO_BIAS, null));
        }
    }

    @Test
    void nothingOfALinearLayerStaysForTheNextProduct() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.full(-1, 3, 3);
            a.linear(Tensor.ones(3, 3), Tensor.ones(3), Activation.RELU);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> a.linear(Tensor.ones(3, 4), Tensor.ones(3), Activation.SIGMOID));
            assertEquals(-27, a.matmul(Tensor.ones(3, 3)).sum().item());
        }
    }

    @TestFactory
    Stream<DynamicTest> softmaxIsItsComposition() {
        long[][] shapes = {{1, 1}, {3, 5}, {17, 64}, {2, 65}, {300, 70}};
        return Stream.of(DType.FLOAT32, DType.FLOAT64).flatMap(dtype -> Stream.of(0, 1)
                .map(axis -> dynamicTest(dtype + " axis " + axis, () -> {
                    for (long[] shape : shapes) {
                        try (var arena = TensorArena.ofConfined()) {
                            List<Tensor> x = List.of(Tensor.randn(dtype, shape).multiply(3));
                            requireSame(x, in -> in.getFirst().softmax(axis), in -> {
                                Tensor powers = in.getFirst().exp();
                                return powers.divide(powers.sum(axis, true));
                            });
                            requireSame(x, in -> in.getFirst().logSoftmax(axis), in -> {
                                Tensor t = in.getFirst();
                                return t.subtract(t.exp().sum(axis, true).log());
                            });
                        }
                    }
                })));
    }

    @TestFactory
    Stream<DynamicTest> crossEntropyIsItsComposition() {
        long[][] shapes = {{1, 2}, {4, 10}, {33, 17}, {700, 40}};
        return Stream.of(DType.FLOAT32, DType.FLOAT64).flatMap(dtype -> Stream.of(DType.INT32, DType.INT64)
                .map(labels -> dynamicTest(dtype + " " + labels, () -> {
                    for (long[] shape : shapes) {
                        try (var arena = TensorArena.ofConfined()) {
                            Tensor x = Tensor.randn(dtype, shape).multiply(3);
                            Tensor target = Tensor.zeros(labels, shape[0]);
                            target.setAll(i -> (i * 7) % shape[1]);
                            requireSame(List.of(x), in -> in.getFirst().crossEntropy(target), in -> in.getFirst()
                                    .logSoftmax(1)
                                    .gather(1, target.reshape(shape[0], 1))
                                    .reshape(shape[0])
                                    .negative());
                        }
                    }
                })));
    }

    @Test
    void largeLogitsDoNotOverflow() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(new float[][] {{1e30f, -1e30f, 0}, {-3e38f, 3e38f, 3e38f}});
            assertArrayEquals(new double[] {1, 0, 0, 0, 0.5, 0.5}, x.softmax(1).toDoubleArray());
            Tensor loss = x.crossEntropy(Tensor.of(new int[] {0, 2}));
            assertArrayEquals(new double[] {0, (float) Math.log(2)}, loss.toDoubleArray(), 1e-7);
        }
    }

    @Test
    void gradientsOfFusedOpsCanBeDifferentiated() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor.manualSeed(3);
            Tensor x = Tensor.randn(DType.FLOAT64, 3, 4);
            Tensor w = Tensor.randn(DType.FLOAT64, 5, 4);
            Tensor b = Tensor.randn(DType.FLOAT64, 5);
            Tensor labels = Tensor.of(new int[] {3, 0, 2});
            for (Activation activation : Activation.values()) {
                Function<List<Tensor>, Tensor> layer = in -> in.get(0).linear(in.get(1), in.get(2), activation);
                GradientCheck.check(layer, x, w, b);
                GradientCheck.check(in -> secondOrder(in, layer), x, w, b);
            }
            Function<List<Tensor>, Tensor> loss = in -> in.getFirst().crossEntropy(labels);
            GradientCheck.check(t -> t.crossEntropy(labels), x);
            GradientCheck.check(t -> secondOrder(List.of(t), loss), x);
            for (int ignored : new int[] {0, 3, -100}) {
                Tensor some = Tensor.of(new int[] {3, ignored, 2});
                Function<List<Tensor>, Tensor> ignoring = in -> in.getFirst().crossEntropy(some, ignored);
                GradientCheck.check(t -> secondOrder(List.of(t), ignoring), x);
            }
            for (int axis : new int[] {0, 1}) {
                GradientCheck.check(
                        in -> secondOrder(List.of(in), t -> t.getFirst().softmax(axis)), x);
                GradientCheck.check(
                        in -> secondOrder(List.of(in), t -> t.getFirst().logSoftmax(axis)), x);
            }
        }
    }

    private static Tensor secondOrder(List<Tensor> in, Function<List<Tensor>, Tensor> f) {
        List<Tensor> leaves = in.stream()
                .map(t -> t.tracksGradient() ? t : t.detach().trackGradient())
                .toList();
        return Oracles.recorded(() -> {
            Tensor y = f.apply(leaves);
            Tensor cubes = y.multiply(y).multiply(y).sum();
            return Autograd.gradients(cubes, List.of(leaves.getFirst()), true).getFirst();
        });
    }

    // Gradients put over values.

    private static Tensor deepLoss(Tensor x, List<Tensor> weights) {
        Tensor y = x;
        for (Tensor w : weights) {
            y = y.linear(w, null, Activation.RELU);
        }
        return y.mean();
    }

    @Test
    void anActivationsGradientTakesNoBlockOfItsOwn() {
        try (var model = TensorArena.ofConfined()) {
            List<Tensor> weights = List.of(
                    Tensor.randn(64, 64).trackGradient(),
                    Tensor.randn(64, 64).trackGradient(),
                    Tensor.randn(64, 64).trackGradient());
            weights.forEach(w -> {
                w.sum().backward();
                w.zeroGradient();
            });
            try (var step = TensorArena.ofConfined()) {
                Tensor x = Tensor.randn(512, 64);
                Tensor loss = deepLoss(x, weights);
                long activations = 3L * 512 * 64 * Float.BYTES;
                long before = step.liveBytes();
                assertTrue(before >= activations);
                ReleaseSchedule predicted = loss.releaseSchedule();
                ReleaseSchedule measured = ScheduleTest.measure(loss);
                assertEquals(predicted, measured);
                // What comes from the mean is a broadcast view of one number; relu makes its gradient from it.
                long gradient = 512L * 64 * Float.BYTES;
                assertTrue(
                        step.peakBytes() <= before + gradient + 4096,
                        step.peakBytes() - before + " B beyond the activations");
            }
        }
    }

    @Test
    void aValueUnderItsGradientIsGone() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.randn(8, 16).trackGradient();
            Tensor w = Tensor.randn(16, 16).trackGradient();
            Tensor hidden = x.linear(w, null, Activation.RELU);
            hidden.linear(w, null).sum().backward(Release.EAGER);
            var failure = assertThrows(IllegalStateException.class, hidden::toFloatArray);
            assertTrue(failure.getMessage().contains("retain()"), failure.getMessage());
        }
    }

    @Test
    void whatIsRetainedOrReadAgainIsNotOverwritten() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.randn(8, 16).trackGradient();
            Tensor w = Tensor.randn(16, 16).trackGradient();
            Tensor hidden = x.linear(w, null, Activation.TANH).retain();
            float[] before = hidden.toFloatArray();
            hidden.linear(w, null).sum().backward(Release.EAGER);
            assertArrayEquals(before, hidden.toFloatArray());
            assertTrue(hidden.hasGradient());
        }
        requireReuse(in -> {
            Tensor h = in.get(0).linear(in.get(1), null, Activation.RELU);
            return h.linear(in.get(1), null).add(h);
        });
        requireReuse(in -> {
            Tensor h = in.get(0).linear(in.get(1), null, Activation.SIGMOID);
            return h.linear(in.get(1), null).multiply(h.exp());
        });
        requireReuse(in -> {
            Tensor h = in.get(0).linear(in.get(1), null, Activation.TANH);
            return h.matmul(h.transpose());
        });
    }

    /// Both releases give the same gradients, though one reuses blocks.
    private static void requireReuse(Function<List<Tensor>, Tensor> f) {
        try (var arena = TensorArena.ofConfined()) {
            List<Tensor> inputs = List.of(Tensor.randn(DType.FLOAT64, 6, 6), Tensor.randn(DType.FLOAT64, 6, 6));
            Run kept = run(Release.AT_CLOSE, inputs, f);
            Run eager = run(Release.EAGER, inputs, f);
            for (int i = 0; i < inputs.size(); i++) {
                requireClose(kept.gradients.get(i), eager.gradients.get(i), 1e-12, "gradient " + i);
            }
        }
    }

    // Optimizer steps.

    @Test
    void updatesFollowTheirFormulas() {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            for (int n : new int[] {0, 1, 15, 16, 17, 1021, 70_000}) {
                try (var arena = TensorArena.ofConfined()) {
                    Tensor p = Tensor.randn(dtype, n);
                    Tensor g = Tensor.randn(dtype, n);
                    Tensor m = Tensor.randn(dtype, n);
                    Tensor v = Tensor.rand(dtype, n);
                    requireUpdates(p, g, m, v, dtype == DType.FLOAT32 ? 1e-6 : 1e-14);
                }
            }
        }
    }

    private static void requireUpdates(Tensor p, Tensor g, Tensor m, Tensor v, double tolerance) {
        double[] expected = p.toDoubleArray();
        double[] gradient = g.toDoubleArray();
        double[] first = m.toDoubleArray();
        double[] second = v.toDoubleArray();
        Updates.sgd(p, g, 0.1, 0);
        for (int i = 0; i < expected.length; i++) {
            expected[i] -= 0.1 * gradient[i];
        }
        requireClose(expected, p.toDoubleArray(), tolerance, "sgd");
        Updates.sgd(p, g, m, 0.1, 1, 0.9, false, 0);
        for (int i = 0; i < expected.length; i++) {
            first[i] = 0.9 * first[i] + gradient[i];
            expected[i] -= 0.1 * first[i];
        }
        requireClose(first, m.toDoubleArray(), tolerance, "velocity");
        requireClose(expected, p.toDoubleArray(), tolerance * 2, "sgd with momentum");
        Updates.adam(p, g, m, v, 3, 0.01, 0.9, 0.999, 1e-8, 0, 1);
        for (int i = 0; i < expected.length; i++) {
            first[i] = 0.9 * first[i] + 0.1 * gradient[i];
            second[i] = 0.999 * second[i] + 0.001 * gradient[i] * gradient[i];
            double root = Math.sqrt(second[i] / (1 - Math.pow(0.999, 3)));
            expected[i] -= 0.01 / (1 - Math.pow(0.9, 3)) * first[i] / (root + 1e-8);
        }
        requireClose(expected, p.toDoubleArray(), tolerance * 20, "adam");
    }

    @Test
    void updatesSayWhatDoesNotFit() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor p = Tensor.ones(2, 3);
            var shape = assertThrows(IllegalArgumentException.class, () -> Updates.sgd(p, Tensor.ones(3, 2), 1, 0));
            assertEquals(
                    "sgd: [2, 3] and [3, 2] differ; state and gradient have the shape of their parameter",
                    shape.getMessage());
            var view = assertThrows(
                    IllegalArgumentException.class,
                    () -> Updates.sgd(Tensor.ones(3, 2).transpose(), Tensor.ones(2, 3), 1, 0));
            assertEquals("sgd: [2, 3] is not contiguous; use copyTo(arena) for one that is", view.getMessage());
            assertThrows(IllegalArgumentException.class, () -> Updates.sgd(p, Tensor.ones(DType.FLOAT64, 2, 3), 1, 0));
        }
    }

    // The step that the benchmarks time.

    private static float input(long i, long factor, long offset) {
        return (float) ((i * factor + offset & 0xFFFFFFFFL) / 0x1p32);
    }

    @TestFactory
    Stream<DynamicTest> theBenchmarkedStepHasPyTorchsLosses() throws Exception {
        String file = Child.read(Path.of(System.getProperty("toydiff.test.basedir"), "bench", "losses.json"));
        return Pattern.compile("\"(sgd|adam) (\\d+)\": \\[([^\\]]*)\\]")
                .matcher(file)
                .results()
                .filter(row -> Integer.parseInt(row.group(2)) <= 1024)
                .map(row -> dynamicTest(row.group(1) + " " + row.group(2), () -> {
                    double[] losses = Arrays.stream(row.group(3).split(","))
                            .mapToDouble(Double::parseDouble)
                            .toArray();
                    requireLosses(row.group(1), Integer.parseInt(row.group(2)), losses);
                }));
    }

    private static void requireLosses(String optimizer, int batch, double[] losses) {
        int[] widths = {784, 512, 256, 10};
        try (var model = TensorArena.ofShared()) {
            var layers = new ArrayList<org.toydiff.nn.Layer>();
            for (int layer = 0; layer + 1 < widths.length; layer++) {
                if (layer > 0) {
                    layers.add(new ReLU());
                }
                layers.add(linear(layer, widths[layer], widths[layer + 1]));
            }
            var net = new Sequential(layers.toArray(org.toydiff.nn.Layer[]::new));
            Optimizer steps =
                    optimizer.equals("sgd") ? new SGD(net.parameters(), 0.01, 0.9) : new Adam(net.parameters(), 1e-3);
            Tensor x = Tensor.empty(batch, widths[0]).setAll(i -> input(i, 2246822519L, 0));
            Tensor labels = Tensor.empty(DType.INT32, batch).setAll(i -> i * 7 % 10);
            for (double expected : losses) {
                try (var step = TensorArena.ofConfined()) {
                    Tensor loss = Functional.crossEntropyLoss(net.forward(x), labels);
                    loss.backward(Release.EAGER);
                    steps.step();
                    steps.zeroGradients();
                    assertEquals(expected, loss.item(), 1e-4 * expected);
                }
            }
        }
    }

    private static Linear linear(int layer, int in, int out) {
        var linear = new Linear(in, out);
        double scale = 2 / Math.sqrt(in);
        linear.namedParameters()
                .get("weight")
                .setAll(i -> (((i * 2654435761L + layer * 40503L) & 0xFFFFFFFFL) / 0x1p32 - 0.5) * scale);
        linear.namedParameters().get("bias").fill(0);
        return linear;
    }
}
