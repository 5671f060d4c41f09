package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.nn.BatchNorm2d;
import org.toydiff.nn.Dropout1d;
import org.toydiff.nn.Dropout2d;
import org.toydiff.nn.Functional;
import org.toydiff.nn.GroupNorm;
import org.toydiff.nn.Layer;
import org.toydiff.nn.PReLU;
import org.toydiff.nn.RMSNorm;

/// Normalisations: their values against a double oracle, gradients against differences, memory, and edges. Those of
/// PyTorch are in `GoldenLayersTest`.
class NormalizationTest {
    private static final double EPSILON = 0.1;

    /// An op of x, weight and bias.
    private record Row(long[] shape, long weights, Function<List<Tensor>, Tensor> op) {}

    private static final Map<String, Row> ROWS = new LinkedHashMap<>();

    static {
        ROWS.put("layerNorm", new Row(new long[] {3, 5}, 5, xs -> layerNorm(xs)));
        ROWS.put("layerNorm of parts", new Row(new long[] {70, 4}, 4, xs -> layerNorm(xs)));
        ROWS.put("rmsNorm", new Row(new long[] {3, 5}, 5, xs -> rmsNorm(xs)));
        ROWS.put("rmsNorm of parts", new Row(new long[] {2, 20, 3}, 3, xs -> rmsNorm(xs)));
        ROWS.put("groupNorm of short runs", new Row(new long[] {2, 4, 3}, 4, xs -> groupNorm(xs)));
        ROWS.put("groupNorm", new Row(new long[] {2, 4, 3, 6}, 4, xs -> groupNorm(xs)));
        ROWS.put("batchNorm of short runs", new Row(new long[] {4, 3}, 3, xs -> batchNorm(xs)));
        ROWS.put("batchNorm", new Row(new long[] {3, 2, 17}, 2, xs -> batchNorm(xs)));
    }

    private static Tensor layerNorm(List<Tensor> xs) {
        return xs.get(0).layerNorm(xs.get(1), xs.get(2), EPSILON);
    }

    private static Tensor rmsNorm(List<Tensor> xs) {
        return xs.get(0).rmsNorm(xs.get(1), EPSILON);
    }

    private static Tensor groupNorm(List<Tensor> xs) {
        return xs.get(0).groupNorm(2, xs.get(1), xs.get(2), EPSILON);
    }

    private static Tensor batchNorm(List<Tensor> xs) {
        return xs.get(0).batchNorm(xs.get(1), xs.get(2), EPSILON).values();
    }

    private static Tensor[] operands(DType dtype, Row row) {
        var random = new Random(1);
        return new Tensor[] {
            Tensor.randn(dtype, random, row.shape).multiply(2).add(1),
            Tensor.randn(dtype, random, row.weights),
            Tensor.randn(dtype, random, row.weights)
        };
    }

    @TestFactory
    Stream<DynamicTest> gradientsAreThoseOfDifferences() {
        return ROWS.entrySet().stream()
                .map(each -> dynamicTest(each.getKey(), () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        Row row = each.getValue();
                        GradientCheck.check(xs -> row.op.apply(xs).sin(), operands(DType.FLOAT64, row));
                    }
                }));
    }

    /// Of the gradient to each input, by each input.
    @TestFactory
    Stream<DynamicTest> secondGradientsAreThoseOfDifferences() {
        return ROWS.entrySet().stream()
                .map(each -> dynamicTest(each.getKey(), () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        Row row = each.getValue();
                        Tensor[] operands = operands(DType.FLOAT64, row);
                        int inputs = each.getKey().startsWith("rmsNorm") ? 2 : 3;
                        for (int i = 0; i < inputs; i++) {
                            int by = i;
                            GradientCheck.check(xs -> gradient(row, xs, by), operands);
                        }
                    }
                }));
    }

    private static Tensor gradient(Row row, List<Tensor> xs, int by) {
        return Oracles.recorded(() -> {
            List<Tensor> leaves = xs.stream()
                    .map(x -> x.tracksGradient() ? x : x.detach().trackGradient())
                    .toList();
            Tensor y = row.op.apply(leaves);
            return Autograd.gradients(y.multiply(y).sin(), leaves, true).get(by);
        });
    }

    /// Also of rows too long for two sums in scratch memory, of more rows than a block has, of views, and of both
    /// dtypes.
    @Test
    void valuesAndGradientsAreThoseOfTheFormula() {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            for (long[] shape : new long[][] {
                {1, 1}, {3, 1}, {2, 16}, {50, 33}, {37, 257}, {3, 5000}, {40, 4099}, {1100, 3}, {2, 131_100}
            }) {
                try (var arena = TensorArena.ofConfined()) {
                    Tensor x = Tensor.randn(dtype, new Random(shape[1]), shape[1], shape[0]);
                    Tensor weight = Tensor.randn(dtype, new Random(2), shape[1]);
                    Tensor bias = Tensor.randn(dtype, new Random(3), shape[1]);
                    Tensor g = Tensor.randn(dtype, new Random(4), shape);
                    requireAsFormula(x.transpose(), weight, bias, g, true);
                    requireAsFormula(x.transpose(), weight, bias, g, false);
                }
            }
        }
    }

    /// Mean and variance are sums of differences from a row's first element.
    @Test
    void rowsWhoseFirstElementIsFarFromTheOthersHaveAccurateStatistics() {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            try (var arena = TensorArena.ofConfined()) {
                Tensor x = Tensor.randn(dtype, new Random(1), 5, 700).add(50);
                x.slice(1, 0, 1).copyFrom(Tensor.full(dtype, -300, 5, 1));
                Tensor g = Tensor.randn(dtype, new Random(2), 5, 700);
                Tensor weight = Tensor.randn(dtype, new Random(3), 700);
                requireAsFormula(x, weight, Tensor.zeros(dtype, 700), g, true);
            }
        }
    }

    private static void requireAsFormula(Tensor x, Tensor weight, Tensor bias, Tensor g, boolean centered) {
        List<Tensor> leaves = leaves(DType.FLOAT64, x, weight, bias);
        Tensor rows = leaves.get(0);
        Tensor deviation = centered ? rows.subtract(rows.mean(1, true)) : rows;
        Tensor variance = deviation.multiply(deviation).mean(1, true);
        Tensor scaled = deviation.divide(variance.add(EPSILON).sqrt()).multiply(leaves.get(1));
        Tensor expected = centered ? scaled.add(leaves.get(2)) : scaled;
        expected.backward(g.cast(DType.FLOAT64));
        List<Tensor> actual = leaves(x.dtype(), x, weight, bias);
        Tensor y = centered ? layerNorm(actual) : rmsNorm(actual);
        y.backward(g, Release.EAGER);
        double tolerance = x.dtype() == DType.FLOAT64 ? 1e-11 : 2e-5;
        Oracles.requireClose(expected.toDoubleArray(), y.toDoubleArray(), tolerance, "value");
        for (int i = 0; i < (centered ? 3 : 2); i++) {
            Oracles.requireClose(
                    leaves.get(i).gradient().toDoubleArray(),
                    actual.get(i).gradient().toDoubleArray(),
                    tolerance,
                    "gradient " + i + " of " + Arrays.toString(x.shape()));
        }
    }

    private static List<Tensor> leaves(DType dtype, Tensor... values) {
        return Arrays.stream(values)
                .map(value -> Tensor.zeros(dtype, value.shape()).copyFrom(value.cast(dtype)))
                .map(Tensor::trackGradient)
                .toList();
    }

    @Test
    void forwardKeepsTheInputAlone() {
        for (String name : List.of("layerNorm", "rmsNorm", "groupNorm")) {
            Row row = ROWS.get(name);
            try (var arena = TensorArena.ofConfined()) {
                Tensor[] operands = operands(DType.FLOAT32, row);
                Tensor x = operands[0].trackGradient();
                long before = arena.liveBytes();
                Tensor y = row.op.apply(List.of(x, operands[1].trackGradient(), operands[2].trackGradient()));
                assertEquals(roundedUp(y.size() * Float.BYTES), arena.liveBytes() - before, name);
            }
        }
    }

    /// To the size of a block.
    private static long roundedUp(long bytes) {
        return (bytes + 63) / 64 * 64;
    }

    @Test
    void backwardIsWhatWasPredicted() {
        for (Row row : ROWS.values()) {
            for (int tracked = 1; tracked < 8; tracked++) {
                try (var arena = TensorArena.ofConfined()) {
                    Tensor[] operands = operands(DType.FLOAT32, row);
                    for (int i = 0; i < 3; i++) {
                        operands[i].trackGradient((tracked >> i & 1) == 1);
                    }
                    Tensor y = row.op
                            .apply(List.of(operands[0].multiply(1), operands[1], operands[2]))
                            .exp()
                            .sum();
                    if (y.tracksGradient()) {
                        ReleaseSchedule schedule = y.releaseSchedule();
                        y.backward(Release.EAGER);
                        assertEquals(schedule.peakBytes(), arena.peakBytes());
                    }
                }
            }
        }
    }

    @Test
    void anyNumberOfThreadsGivesTheSameBits() {
        int threads = Threads.count();
        try {
            Threads.set(1);
            double[] one = bits();
            Threads.set(3);
            assertArrayEquals(one, bits());
        } finally {
            Threads.set(threads);
        }
    }

    private static double[] bits() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor all = Tensor.zeros(1);
            for (Row row : ROWS.values()) {
                long[] shape = row.shape.clone();
                shape[0] *= 300;
                Tensor[] operands = operands(DType.FLOAT32, new Row(shape, row.weights, row.op));
                List<Tensor> leaves = leaves(DType.FLOAT32, operands);
                Tensor y = row.op.apply(leaves);
                y.multiply(y).sum().backward();
                all = Tensor.concat(0, all, y.flatten(0, -1).detach());
                for (Tensor leaf : leaves) {
                    all = leaf.hasGradient()
                            ? Tensor.concat(0, all, leaf.gradient().flatten(0, -1))
                            : all;
                }
            }
            return all.toDoubleArray();
        }
    }

    @Test
    void emptyBatchesHaveEmptyResultsAndGradientsOfZero() {
        try (var arena = TensorArena.ofConfined()) {
            for (String name : List.of("layerNorm", "rmsNorm", "groupNorm of short runs", "groupNorm")) {
                Row row = ROWS.get(name);
                long[] shape = row.shape.clone();
                shape[0] = 0;
                Tensor x = Tensor.zeros(shape).trackGradient();
                Tensor weight = Tensor.ones(row.weights).trackGradient();
                Tensor bias = Tensor.ones(row.weights).trackGradient();
                Tensor y = row.op.apply(List.of(x, weight, bias));
                assertArrayEquals(shape, y.shape());
                y.sum().backward(Release.EAGER);
                assertArrayEquals(shape, x.gradient().shape());
                assertArrayEquals(
                        new double[(int) row.weights], weight.gradient().toDoubleArray(), name);
            }
        }
    }

    @Test
    void bfloat16IsWidenedForTheCall() {
        try (var arena = TensorArena.ofConfined()) {
            for (Row row : ROWS.values()) {
                Tensor[] operands = operands(DType.FLOAT32, row);
                List<Tensor> half =
                        Arrays.stream(operands).map(x -> x.cast(DType.BFLOAT16)).toList();
                List<Tensor> wide =
                        half.stream().map(x -> x.cast(DType.FLOAT32)).toList();
                Tensor y = row.op.apply(half);
                assertEquals(DType.BFLOAT16, y.dtype());
                assertArrayEquals(row.op.apply(wide).cast(DType.BFLOAT16).toDoubleArray(), y.toDoubleArray());
            }
        }
    }

    @Test
    void rowsOfConstantsAreTheBiasAndNanStaysInItsRow() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(new float[][] {{3, 3, 3}, {1, Float.NaN, 2}, {1, 2, 3}});
            double[] y = x.layerNorm(Tensor.ones(3), Tensor.of(1f, 2, 3), 1e-5).toDoubleArray();
            assertArrayEquals(new double[] {1, 2, 3}, Arrays.copyOf(y, 3));
            assertTrue(Arrays.stream(y, 3, 6).allMatch(Double::isNaN));
            assertTrue(Arrays.stream(y, 6, 9).allMatch(Double::isFinite));
        }
    }

    @Test
    void stateDictsHavePyTorchsNames() {
        try (var arena = TensorArena.ofConfined()) {
            requireNames(new BatchNorm2d(2), "weight", "bias", "running_mean", "running_var", "num_batches_tracked");
            requireNames(new GroupNorm(2, 4), "weight", "bias");
            requireNames(new RMSNorm(4), "weight");
            requireNames(new PReLU(), "weight");
        }
    }

    private static void requireNames(Layer layer, String... names) {
        assertEquals(List.of(names), List.copyOf(layer.stateDict().keySet()));
    }

    @Test
    void dropoutOfChannelsSetsWholeChannelsTo0() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor.manualSeed(3);
            for (Layer layer : List.of(new Dropout1d(0.25), new Dropout2d(0.25))) {
                Tensor x = layer instanceof Dropout1d ? Tensor.ones(40, 25, 6) : Tensor.ones(40, 25, 2, 3);
                Tensor channels = layer.forward(x).reshape(1000, 6);
                Tensor first = channels.slice(1, 0, 1);
                assertTrue(channels.equalTo(first).all().item() == 1);
                assertTrue(first.equalTo(0)
                                .logicalOr(first.equalTo((float) (1 / 0.75)))
                                .all()
                                .item()
                        == 1);
                assertEquals(750, first.greater(0).sum().item(), 60);
                layer.eval();
                assertEquals(x, layer.forward(x));
            }
            requireMessage("dropout2d: [3] is neither", () -> Functional.dropout2d(Tensor.ones(3), 0.5));
        }
    }

    private static void requireMessage(String expected, Runnable call) {
        String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(message.contains(expected), message);
    }

    @Test
    void whatDoesNotFitIsRefused() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(2, 4);
            Tensor four = Tensor.ones(4);
            Tensor three = Tensor.ones(3);
            requireMessage("layerNorm: the last axes of [2, 4] are not [3]", () -> x.layerNorm(three, three, 0));
            requireMessage("weight [4] and bias [3] differ", () -> x.layerNorm(four, three, 0));
            requireMessage("cast", () -> x.rmsNorm(four.cast(DType.FLOAT64), 0));
            requireMessage("3 groups do not divide the 4 channels", () -> x.groupNorm(3, four, four, 0));
            requireMessage("[2, 4] is not [n, channels, …]", () -> x.groupNorm(1, three, three, 0));
            requireMessage("have no elements", () -> Tensor.ones(0, 4).batchNorm(four, four, 0));
            requireMessage("BatchNorm2d: [2, 4] is not [n, 4, h, w]", () -> new BatchNorm2d(4).forward(x));
            requireMessage("1 value for each channel", () -> new BatchNorm2d(4).forward(Tensor.ones(1, 4, 1, 1)));
            requireMessage("prelu: [2, 4] does not have [3] channels", () -> Functional.prelu(x, three));
            requireMessage("GroupNorm: 3 groups", () -> new GroupNorm(3, 4));
            requireMessage("RMSNorm: sizes []", () -> new RMSNorm());
        }
    }

    /// Whose sums do not fit into scratch memory, after rows whose sums do.
    @Test
    void gradientsOfLongRowsDoNotDependOnTheRowsBefore() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor shortRow = Tensor.rand(3).trackGradient();
            Tensor x = Tensor.randn(2, 140_000);
            Tensor bias = Tensor.zeros(140_000).trackGradient();
            Tensor weight = Tensor.ones(140_000).trackGradient();
            Tensor.randn(2, 3).layerNorm(shortRow, shortRow, 1e-5).sum().backward();
            x.layerNorm(weight, bias, 1e-5).sum().backward();
            double[] twos = new double[140_000];
            Arrays.fill(twos, 2);
            assertArrayEquals(twos, bias.gradient().toDoubleArray());
        }
    }

    @Test
    void anEpsilonBelow0IsRefused() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(2, 3, 4);
            Tensor ofRows = Tensor.ones(4);
            Tensor ofChannels = Tensor.ones(3);
            for (double epsilon : new double[] {-1e-9, Double.NaN}) {
                String reason = ": epsilon " + epsilon + " must be 0 or more";
                Checks.rejected("layerNorm" + reason, () -> Functional.layerNorm(x, ofRows, ofRows, epsilon));
                Checks.rejected("rmsNorm" + reason, () -> Functional.rmsNorm(x, ofRows, epsilon));
                Checks.rejected(
                        "groupNorm" + reason, () -> Functional.groupNorm(x, 1, ofChannels, ofChannels, epsilon));
                Checks.rejected("batchNorm" + reason, () -> x.batchNorm(ofChannels, ofChannels, epsilon));
            }
        }
    }
}
