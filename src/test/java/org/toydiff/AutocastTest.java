package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.DType.BFLOAT16;
import static org.toydiff.DType.FLOAT32;
import static org.toydiff.DType.FLOAT64;
import static org.toydiff.nn.Functional.crossEntropyLoss;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.CrossEntropyLoss;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.LayerNorm;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Residual;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;
import org.toydiff.optim.SGD;

/// Autocast regions: PyTorch's op lists and results, and the memory that they save.
class AutocastTest extends ArenaTest {
    /// Half a step of BFLOAT16 on either side.
    private static final double STEP = 0x1p-7;

    private static Tensor autocast(Supplier<Tensor> ops) {
        try (var region = Autocast.bfloat16()) {
            return ops.get();
        }
    }

    /// `((i·37 + seed) mod 101 − 50) / 100`
    private static Tensor numbers(int seed, long... shape) {
        Tensor x = Tensor.empty(shape);
        return x.setAll(i -> ((i * 37 + seed) % 101 - 50) / 100.0);
    }

    private static void near(double[] expected, Tensor x, double relative, double absolute) {
        double[] actual = x.toDoubleArray();
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], Math.abs(expected[i]) * relative + absolute, "element " + i);
        }
    }

    /// The network and the numbers of PyTorch 2.13:
    /// `with torch.autocast("cpu", torch.bfloat16): y = linear(relu(linear(x, w1, b1)), w2, b2)`, then `cross_entropy`
    /// and `backward`. Sums in another order move a result by one step of BFLOAT16, and gradients, in which several
    /// results are added, by a step of the largest.
    @Test
    void aNetworkHasPyTorchsOutputsAndGradients() {
        Tensor x = numbers(3, 6, 8);
        Tensor w1 = numbers(11, 16, 8).trackGradient();
        Tensor b1 = numbers(5, 16).trackGradient();
        Tensor w2 = numbers(29, 4, 16).trackGradient();
        Tensor b2 = numbers(17, 4).trackGradient();
        Tensor labels = Tensor.of(new long[] {0, 3, 1, 2, 1, 0});
        Tensor[] y = new Tensor[1];
        Tensor loss = autocast(() -> {
            y[0] = x.linear(w1, b1, Activation.RELU).linear(w2, b2);
            return crossEntropyLoss(y[0], labels);
        });
        assertEquals(BFLOAT16, y[0].dtype());
        assertEquals(FLOAT32, loss.dtype());
        double[] outputs = {
            -0.61328125,
            0.427734375,
            0.53125,
            -0.357421875,
            -0.95703125,
            0.5625,
            0.77734375,
            0.0991210938,
            -0.7578125,
            0.515625,
            0.9609375,
            -0.0207519531,
            -0.76171875,
            0.490234375,
            0.9609375,
            -0.0196533203,
            -0.83984375,
            0.390625,
            1.0625,
            0.000904083252,
            -0.83984375,
            0.36328125,
            1.0546875,
            -0.00202941895
        };
        near(outputs, y[0], STEP, 0x1p-11);
        assertEquals(1.6112761497, loss.item(), 2e-3);
        loss.backward(Release.EAGER);
        for (Tensor leaf : List.of(w1, b1, w2, b2)) {
            assertEquals(FLOAT32, leaf.gradient().dtype());
        }
        double[] gradient1 = {
            0.00491333008,
            0.00104522705,
            -0.00280761719,
            0.00384521484,
            0,
            -0.00384521484,
            0.00280761719,
            -0.00104522705,
            0.0311279297,
            -0.00133514404,
            -0.00396728516,
            0.000591278076,
            -0.00205993652,
            -0.00466918945,
            -0.000127792358,
            -0.00277709961
        };
        near(gradient1, w1.gradient(), STEP, 2e-4);
        double[] bias1 = {
            -0.0104370117,
            -0.00720214844,
            0.174804688,
            -0.104492188,
            -0.0397949219,
            0.174804688,
            -0.0590820312,
            -0.0693359375,
            0.216796875,
            0,
            -0.0368652344,
            0,
            0,
            0.0908203125,
            -0.0366210938,
            -0.00695800781
        };
        near(bias1, b1.gradient(), STEP, 1e-3);
        double[] gradient2 = {
            -0.0252685547,
            -0.0825195312,
            -0.0751953125,
            0.00411987305,
            -0.0133666992,
            -0.134765625,
            -0.0588378906,
            -0.0473632812,
            -0.112792969,
            0,
            -0.00750732422,
            0,
            0,
            -0.0727539062,
            -0.0419921875,
            -0.0981445312
        };
        near(gradient2, w2.gradient(), STEP, 1e-3);
        near(new double[] {-0.249023438, -0.0415039062, 0.283203125, 0.00793457031}, b2.gradient(), STEP, 1e-3);
    }

    /// The dtypes of PyTorch 2.13 in `torch.autocast("cpu", torch.bfloat16)`, for an operand h that a product gave.
    @Test
    void everyOpReturnsTheDTypeOfPyTorchs() {
        Tensor x = numbers(1, 4, 5);
        Tensor square = numbers(2, 5, 5);
        Tensor labels = Tensor.of(new long[] {0, 1, 2, 3});
        Map<String, UnaryOperator<Tensor>> low = new LinkedHashMap<>();
        low.put("matmul", h -> h.matmul(square));
        low.put("matmul of a vector", h -> h.matmul(numbers(4, 5)));
        low.put("dot", h -> numbers(4, 5).matmul(numbers(5, 5)));
        low.put("fma", h -> h.fma(square, x));
        low.put("linear", h -> x.linear(square, null));
        low.put("relu", Tensor::relu);
        low.put("exp", Tensor::exp);
        low.put("softmax", h -> h.softmax(1));
        low.put("logSoftmax", h -> h.logSoftmax(1));
        low.put("sum", Tensor::sum);
        low.put("mean", Tensor::mean);
        low.put("std", Tensor::std);
        low.put("norm", Tensor::norm);
        low.put("median", Tensor::median);
        low.put("cumsum", h -> h.cumsum(1));
        low.put("logSumExp", h -> h.logSumExp(1));
        low.put("gelu", Functional::gelu);
        low.put("dropout", h -> Functional.dropout(h, 0.5));
        low.put("layerNorm", h -> new LayerNorm(5).forward(h));
        low.put("batchNorm", h -> new BatchNorm1d(5).forward(h));
        Map<String, UnaryOperator<Tensor>> wide = new LinkedHashMap<>();
        wide.put("crossEntropy", h -> h.crossEntropy(labels));
        wide.put("crossEntropyLoss", h -> crossEntropyLoss(h, h.softmax(1)));
        wide.put(
                "CrossEntropyLoss",
                h -> new CrossEntropyLoss().labelSmoothing(0.1).forward(h, labels));
        wide.put("nllLoss", h -> Functional.nllLoss(h.logSoftmax(1), labels));
        wide.put("mseLoss", h -> Functional.mseLoss(h, x));
        wide.put("maeLoss", h -> Functional.maeLoss(h, h));
        wide.put("huberLoss", h -> Functional.huberLoss(x, h));
        wide.put("binaryCrossEntropyWithLogits", h -> Functional.binaryCrossEntropyWithLogits(h, x.abs()));
        wide.put("prod", Tensor::prod);
        wide.put("prod along axes", h -> h.prod(0, 1));
        wide.put("quantile", h -> h.quantile(0.5));
        wide.put("concat", h -> Tensor.concat(0, h, x));
        wide.put("stack", h -> Tensor.stack(0, x, h));
        wide.put("add", h -> h.add(x));
        wide.put("multiply", h -> x.multiply(h));
        wide.put("where", h -> Tensor.where(h.greater(x), h, x));
        wide.put("sum of FLOAT32", h -> x.sum());
        for (Map.Entry<String, UnaryOperator<Tensor>> op : low.entrySet()) {
            assertEquals(
                    BFLOAT16,
                    autocast(() -> op.getValue().apply(x.matmul(square))).dtype(),
                    op.getKey());
        }
        for (Map.Entry<String, UnaryOperator<Tensor>> op : wide.entrySet()) {
            assertEquals(
                    FLOAT32,
                    autocast(() -> op.getValue().apply(x.matmul(square))).dtype(),
                    op.getKey());
        }
        Tensor doubles = square.cast(FLOAT64);
        assertEquals(FLOAT64, autocast(() -> doubles.matmul(doubles)).dtype());
    }

    @Test
    void regionsNestAndEndWhereTheyBegan() {
        Tensor x = numbers(1, 3, 3);
        assertFalse(Autocast.isEnabled());
        try (var region = Autocast.bfloat16()) {
            assertTrue(Autocast.isEnabled());
            try (var off = Autocast.disabled()) {
                assertFalse(Autocast.isEnabled());
                assertEquals(FLOAT32, x.matmul(x).dtype());
                try (var on = Autocast.bfloat16()) {
                    assertEquals(BFLOAT16, x.matmul(x).dtype());
                }
            }
            try (var inference = Autograd.noGradient()) {
                assertEquals(BFLOAT16, x.matmul(x).dtype());
            }
            try (var inner = TensorArena.ofConfined()) {
                assertEquals(BFLOAT16, x.matmul(x).dtype());
            }
            assertThrows(IllegalStateException.class, arena::close);
        }
        assertEquals(FLOAT32, x.matmul(x).dtype());
        var thread = new Thread(() -> assertFalse(Autocast.isEnabled()));
        try (var region = Autocast.bfloat16()) {
            thread.start();
            assertEquals(
                    BFLOAT16, Autocast.toFloat32(x.matmul(x)).cast(BFLOAT16).dtype());
        }
    }

    @Test
    void outsideARegionDTypesAreRefusedAsEver() {
        Tensor x = Tensor.ones(BFLOAT16, 2, 2);
        assertSame(x, Autocast.toFloat32(x));
        assertThrows(IllegalArgumentException.class, () -> x.matmul(Tensor.ones(2, 2)));
        assertEquals(BFLOAT16, x.crossEntropy(Tensor.of(new long[] {0, 1})).dtype());
    }

    @Test
    void aWeightIsCastOnceUntilItChanges() {
        Tensor w = numbers(1, 3, 3).trackGradient();
        Tensor constant = numbers(1, 3, 3);
        try (var region = Autocast.bfloat16()) {
            Tensor first = Autocast.toBfloat16(w);
            assertSame(first.storage, Autocast.toBfloat16(w).storage);
            try (var nested = Autocast.bfloat16()) {
                assertSame(first.storage, Autocast.toBfloat16(w).storage);
            }
            assertNotSame(Autocast.toBfloat16(constant).storage, Autocast.toBfloat16(constant).storage);
            try (var off = Autograd.noGradient()) {
                w.copyFrom(numbers(2, 3, 3));
                Tensor changed = Autocast.toBfloat16(w);
                assertNotSame(first.storage, changed.storage);
                assertFalse(changed.tracksGradient());
            }
            assertTrue(Autocast.toBfloat16(w).tracksGradient());
            try (var inner = TensorArena.ofConfined()) {
                w.copyFrom(numbers(3, 3, 3));
                Autocast.toBfloat16(w);
            }
            assertEquals(
                    Bfloat16Oracle.rounded(w.at(1, 1)), Autocast.toBfloat16(w).at(1, 1));
        }
        try (var region = Autocast.bfloat16()) {
            w.matmul(w).sum().backward(Release.EAGER);
        }
    }

    /// The cast of a shared weight serves two graphs, whichever backward frees first.
    @Test
    void twoLossesOfOneRegionShareTheCastsOfTheirWeights() {
        for (Release release : Release.values()) {
            Tensor w = numbers(1, 3, 3).trackGradient();
            Tensor x = numbers(2, 2, 3);
            try (var region = Autocast.bfloat16()) {
                Tensor first = x.linear(w, null).cast(FLOAT32).sum();
                Tensor second = x.linear(w, null).cast(FLOAT32).sum();
                first.backward(release);
                double[] once = w.gradient().toDoubleArray();
                second.backward(release);
                x.linear(w, null).cast(FLOAT32).sum().backward(release);
                double[] thrice = w.gradient().toDoubleArray();
                for (int i = 0; i < once.length; i++) {
                    assertEquals(3 * once[i], thrice[i], 1e-6, release + " " + i);
                }
            }
        }
    }

    @Test
    void backwardTakesTheDTypesOfForwardInsideARegionToo() {
        Tensor a = numbers(1, 3, 3).trackGradient();
        Tensor b = numbers(2, 3, 3).trackGradient();
        a.matmul(b).sum().backward();
        double[] expected = a.gradient().toDoubleArray();
        a.zeroGradient();
        Tensor y = a.matmul(b).sum();
        try (var region = Autocast.bfloat16()) {
            y.backward();
        }
        assertArrayEquals(expected, a.gradient().toDoubleArray());
    }

    @Test
    void aCheckpointedFunctionIsComputedAgainAsItWas() {
        Tensor w = numbers(1, 5, 5).trackGradient();
        Tensor x = numbers(2, 7, 5).trackGradient();
        UnaryOperator<Tensor> f = t -> t.linear(w, null).relu().linear(w, null);
        List<Tensor> leaves = List.of(w, x);
        autocast(() -> f.apply(x).cast(FLOAT32)).sum().backward(Release.EAGER);
        List<double[]> expected =
                leaves.stream().map(t -> t.gradient().toDoubleArray()).toList();
        leaves.forEach(Tensor::zeroGradient);
        Tensor y = autocast(() -> Autograd.checkpoint(f, x, List.of(w)));
        assertEquals(BFLOAT16, y.dtype());
        y.cast(FLOAT32).sum().backward(Release.EAGER);
        for (int i = 0; i < 2; i++) {
            assertArrayEquals(expected.get(i), leaves.get(i).gradient().toDoubleArray());
        }
    }

    @Test
    void trainingInARegionLearnsAsInFloat32() {
        Tensor.manualSeed(4);
        var random = new Random(1);
        Tensor x = Tensor.randn(random, 64, 10);
        Tensor labels = x.sum(1).greater(0).cast(DType.INT64);
        Layer net = new Sequential(
                new Linear(10, 32),
                new ReLU(),
                new Residual(new Sequential(new Linear(32, 32), new ReLU())),
                new LayerNorm(32),
                new Linear(32, 2));
        var optimizer = new Adam(net.parameters(), 1e-2);
        double first = 0;
        double last = 0;
        for (int step = 0; step < 40; step++) {
            try (var inner = TensorArena.ofConfined()) {
                Tensor loss = autocast(() -> crossEntropyLoss(net.forward(x), labels));
                loss.backward(Release.EAGER);
                optimizer.step();
                optimizer.zeroGradients();
                last = loss.item();
                first = step == 0 ? last : first;
            }
        }
        assertTrue(last < first / 4, first + " to " + last);
        net.parameters().forEach(p -> assertEquals(FLOAT32, p.dtype()));
    }

    private static Sequential perceptron(int... sizes) {
        return new Sequential(
                new Linear(sizes[0], sizes[1]),
                new ReLU(),
                new Linear(sizes[1], sizes[1]),
                new ReLU(),
                new Linear(sizes[1], sizes[1]),
                new ReLU(),
                new Linear(sizes[1], sizes[2]));
    }

    @Test
    void thePredictedPeakIsTheMeasuredOne() {
        Sequential net = perceptron(78, 100, 10);
        var optimizer = new SGD(net.parameters(), 0.1);
        Tensor x = Tensor.rand(300, 78);
        Tensor labels = Tensor.zeros(DType.INT64, 300);
        Function<List<Tensor>, Tensor> loss = in -> autocast(() -> crossEntropyLoss(net.forward(in.get(0)), in.get(1)));
        for (int i = 0; i < 2; i++) {
            long live = Memory.liveBytes();
            MemoryPlan plan = MemoryPlan.of(loss, List.of(x, labels));
            assertEquals(live, Memory.liveBytes());
            Memory.resetPeak();
            try (var step = TensorArena.ofConfined()) {
                Tensor l = loss.apply(List.of(x, labels));
                assertEquals(plan.schedule().entries(), l.releaseSchedule().entries());
                l.backward(Release.EAGER);
                assertEquals(plan.schedule().peakBytes(), step.peakBytes());
                optimizer.step();
                optimizer.zeroGradients();
            }
            assertEquals(live + plan.peakBytes(), Memory.peakBytes());
        }
    }

    @Test
    void largeBatchesTakeLittleMoreThanHalfTheMemory() {
        long[] wide = peaks(Autocast::disabled);
        long[] low = peaks(Autocast::bfloat16);
        assertTrue(low[0] <= 0.52 * wide[0], "step: " + low[0] + " / " + wide[0]);
        assertTrue(low[1] <= 0.625 * wide[1], "all: " + low[1] + " / " + wide[1]);
    }

    /// The peak of a step of 784-1024³-10 with 32,768 examples, by a dry run: that of its arena, and that of all memory
    /// with the inputs, which are FLOAT32, and the parameters.
    private static long[] peaks(Supplier<Region> region) {
        long[] peaks = new long[2];
        peaks[1] = MemoryPlan.dryRun(() -> {
            Sequential net = perceptron(784, 1024, 10);
            Tensor x = Tensor.empty(32768, 784);
            Tensor labels = Tensor.zeros(DType.INT64, 32768);
            try (var step = TensorArena.ofConfined()) {
                Tensor loss;
                try (var open = region.get()) {
                    loss = crossEntropyLoss(net.forward(x), labels);
                }
                loss.backward(Release.EAGER);
                peaks[0] = step.peakBytes();
            }
        });
        return peaks;
    }
}
