package org.toydiff.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.Activation;
import org.toydiff.CompiledFunction;
import org.toydiff.DType;
import org.toydiff.Golden;
import org.toydiff.Memory;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.io.SafeTensors;

/// Recurrent layers and cells against PyTorch 2.13: the values that golden_recurrence.py wrote.
class RecurrentLayersTest {
    private static final RecurrentOptions DEEP =
            RecurrentOptions.DEFAULT.withLayers(2).withBidirectional(true);
    private static final RecurrentOptions BATCH_FIRST = RecurrentOptions.DEFAULT.withBatchFirst(true);

    private static final Map<String, Function<DType, Layer>> LAYERS = Map.ofEntries(
            Map.entry("rnn", dtype -> new RNN(dtype, 2, 3, RecurrentOptions.DEFAULT, Activation.TANH)),
            Map.entry(
                    "rnnRelu",
                    dtype -> new RNN(dtype, 2, 3, RecurrentOptions.DEFAULT.withBias(false), Activation.RELU)),
            Map.entry("rnnPacked", dtype -> new RNN(dtype, 2, 3, DEEP, Activation.TANH)),
            Map.entry("lstm", dtype -> new LSTM(dtype, 2, 3, RecurrentOptions.DEFAULT)),
            Map.entry("lstmPacked", dtype -> new LSTM(dtype, 2, 3, BATCH_FIRST)),
            Map.entry("lstmDeep", dtype -> new LSTM(dtype, 2, 3, DEEP)),
            Map.entry("lstmOne", dtype -> new LSTM(dtype, 2, 3, RecurrentOptions.DEFAULT)),
            Map.entry("lstmProjected", dtype -> new LSTM(dtype, 2, 4, RecurrentOptions.DEFAULT.withProjSize(3))),
            Map.entry(
                    "lstmProjectedPacked",
                    dtype -> new LSTM(dtype, 2, 3, BATCH_FIRST.withBias(false).withProjSize(1))),
            Map.entry("lstmProjectedDeep", dtype -> new LSTM(dtype, 2, 3, DEEP.withProjSize(2))),
            Map.entry(
                    "lstmProjectedOne",
                    dtype -> new LSTM(
                            dtype, 2, 3, RecurrentOptions.DEFAULT.withLayers(2).withProjSize(2))),
            Map.entry("gru", dtype -> new GRU(dtype, 2, 3, RecurrentOptions.DEFAULT)),
            Map.entry(
                    "gruPacked",
                    dtype -> new GRU(dtype, 2, 3, DEEP.withBias(false).withBatchFirst(true))),
            Map.entry("rnnCell", dtype -> new RNNCell(dtype, 2, 3, true, Activation.TANH)),
            Map.entry("lstmCell", dtype -> new LSTMCell(dtype, 2, 3, true)),
            Map.entry("lstmCellOne", dtype -> new LSTMCell(dtype, 2, 3, true)),
            Map.entry("gruCell", dtype -> new GRUCell(dtype, 2, 3, true)));

    /// Calls a layer with its input, initial states and lengths, and returns all results.
    private static List<Tensor> run(Layer layer, List<Tensor> in, Tensor lengths) {
        Tensor x = in.get(0);
        Tensor hidden = in.size() > 1 ? in.get(1) : null;
        Tensor cell = in.size() > 2 ? in.get(2) : null;
        return switch (layer) {
            case LSTM lstm -> results(lstm.run(x, hidden, cell, lengths));
            case GRU gru -> results(gru.run(x, hidden, lengths));
            case RNN rnn -> results(rnn.run(x, hidden, lengths));
            case LSTMCell step -> {
                LSTMCell.State state = step.run(x, hidden, cell);
                yield List.of(state.hidden(), state.cell());
            }
            case GRUCell step -> List.of(step.run(x, hidden));
            case RNNCell step -> List.of(step.run(x, hidden));
            default -> throw new AssertionError(layer);
        };
    }

    private static List<Tensor> results(RecurrentOutput all) {
        return all.cell() == null
                ? List.of(all.output(), all.hidden())
                : List.of(all.output(), all.hidden(), all.cell());
    }

    @TestFactory
    Stream<DynamicTest> everyCaseIsAsPyTorchHasIt() throws IOException {
        List<Golden.Case> cases = Golden.cases("golden_recurrence.txt");
        assertEquals(LAYERS.size(), cases.size());
        return cases.stream().flatMap(golden -> Stream.of(DType.FLOAT32, DType.FLOAT64)
                .map(dtype -> dynamicTest(golden.name() + " " + dtype, () -> {
                    for (Release release : Release.values()) {
                        long before = Memory.liveBytes();
                        try (var arena = TensorArena.ofConfined()) {
                            requireCase(golden, dtype, release);
                        }
                        assertEquals(before, Memory.liveBytes());
                    }
                })));
    }

    private static void requireCase(Golden.Case golden, DType dtype, Release release) {
        Layer layer = LAYERS.get(golden.name()).apply(dtype);
        List<Tensor> in = new ArrayList<>();
        golden.all("in").forEach(array -> in.add(array.tensor().cast(dtype)));
        List<Tensor> parameters = layer.parameters();
        for (Tensor parameter : parameters.reversed()) {
            parameter.copyFrom(in.removeLast());
        }
        boolean padded = golden.name().endsWith("Packed") || golden.name().endsWith("Deep");
        Tensor lengths = padded ? in.removeLast().cast(DType.INT64) : null;
        in.forEach(Tensor::trackGradient);
        List<Tensor> results = run(layer, in, lengths);
        Tensor loss = Tensor.scalar(dtype, 0);
        for (int i = 0; i < results.size(); i++) {
            golden.all("out").get(i).requireEqual(results.get(i), "result " + i);
            Tensor g = golden.all("g").get(i).tensor().cast(dtype);
            loss = loss.add(results.get(i).multiply(g).sum());
        }
        loss.backward(release);
        in.addAll(parameters);
        for (int i = 0; i < in.size(); i++) {
            golden.all("grad").get(i).requireEqual(in.get(i).gradient(), release + " gradient " + i);
        }
    }

    @Test
    void aStateDictOfPyTorchLoadsAsItIs() throws IOException {
        requireLoads("lstmDeep", "lstm.safetensors", DEEP);
        requireLoads("lstmProjectedDeep", "lstm_projected.safetensors", DEEP.withProjSize(2));
    }

    private static void requireLoads(String name, String saved, RecurrentOptions options) throws IOException {
        Golden.Case golden = Golden.cases("golden_recurrence.txt").stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow();
        Path folder = Path.of(System.getProperty("toydiff.test.basedir"), "src/test/resources/org/toydiff/io");
        try (var arena = TensorArena.ofConfined()) {
            var lstm = new LSTM(2, 3, options);
            try (var file = SafeTensors.open(folder.resolve(saved))) {
                lstm.loadStateDict(file.toMap());
            }
            List<Tensor> in = new ArrayList<>();
            golden.all("in").forEach(array -> in.add(array.tensor()));
            in.subList(in.size() - lstm.parameters().size(), in.size()).clear();
            Tensor lengths = in.removeLast().cast(DType.INT32);
            golden.all("out").getFirst().requireEqual(run(lstm, in, lengths).getFirst(), "output");
        }
    }

    @Test
    void forwardReturnsTheOutput() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.rand(5, 2, 4);
            var lstm = new LSTM(4, 3, DEEP.withDropout(0.5));
            lstm.eval();
            assertArrayEquals(
                    lstm.run(x, null, null, null).output().toFloatArray(),
                    lstm.forward(x).toFloatArray());
            assertArrayEquals(new long[] {5, 2, 6}, lstm.forward(x).shape());
            assertArrayEquals(
                    new long[] {4, 2, 3}, lstm.run(x, null, null, null).cell().shape());
            var cell = new GRUCell(4, 3);
            assertArrayEquals(
                    cell.run(x.get(0), null).toFloatArray(),
                    cell.forward(x.get(0)).toFloatArray());
        }
    }

    @Test
    void dropoutIsBetweenLayersWhileTraining() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.rand(3, 2, 4);
            var all = new GRU(
                    4, 3, RecurrentOptions.DEFAULT.withLayers(2).withBias(false).withDropout(1));
            assertEquals(0, all.forward(x).abs().sum().item());
            all.eval();
            assertTrue(all.forward(x).abs().sum().item() > 0);
            var one = new GRU(4, 3, RecurrentOptions.DEFAULT.withDropout(1));
            assertTrue(one.forward(x).abs().sum().item() > 0);
        }
    }

    @Test
    void aCompiledFunctionNoticesTheMode() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.rand(3, 2, 4);
            var gru = new GRU(
                    4, 3, RecurrentOptions.DEFAULT.withLayers(2).withBias(false).withDropout(1));
            try (var f =
                    CompiledFunction.of(in -> gru.run(in, null, null).hidden().get(1))) {
                assertEquals(0, f.run(x).abs().sum().item());
                gru.eval();
                assertTrue(f.run(x).abs().sum().item() > 0);
            }
        }
    }

    @Test
    void parametersLieWithinTheBound() {
        try (var arena = TensorArena.ofConfined()) {
            for (Tensor parameter : new LSTM(40, 100, RecurrentOptions.DEFAULT).parameters()) {
                double largest = parameter.abs().max().item();
                assertTrue(largest <= 0.1 && largest > 0.09, "largest " + largest);
            }
        }
    }

    @Test
    void errorsNameTheLayer() {
        try (var arena = TensorArena.ofConfined()) {
            var lstm = new LSTM(4, 3);
            requireRefused("[2, 2, 3] and must be [1, 2, 3]", () -> {
                Tensor states = Tensor.ones(2, 2, 3);
                lstm.run(Tensor.ones(5, 2, 4), states, states, null);
            });
            requireRefused(
                    "LSTM(in=4, hidden=3) at \"0\": LSTM: [5, 2, 7] must be [T, B, 4], or [T, 4] of one sequence",
                    () -> new Sequential(lstm).forward(Tensor.ones(5, 2, 7)));
            requireRefused("LSTM: [4] must be [T, B, 4]", () -> lstm.forward(Tensor.ones(4)));
            requireRefused(
                    "LSTM: the initial cell state is [1, 1, 3] and must be [1, 3]: layers times directions, and hidden",
                    () -> lstm.run(Tensor.ones(5, 4), null, Tensor.ones(1, 1, 3), null));
            var batchFirst = new GRU(4, 3, RecurrentOptions.DEFAULT.withBatchFirst(true));
            requireRefused(
                    "GRU: the initial hidden state is [1, 5, 3] and must be [1, 2, 3]: layers times directions,"
                            + " sequences and hidden",
                    () -> batchFirst.run(Tensor.ones(2, 5, 4), Tensor.ones(1, 5, 3), null));
            var projected = new LSTM(4, 3, RecurrentOptions.DEFAULT.withProjSize(2));
            requireRefused(
                    "LSTM: the initial hidden state is [1, 2, 3] and must be [1, 2, 2]: layers times directions,"
                            + " sequences and projSize",
                    () -> projected.run(Tensor.ones(5, 2, 4), Tensor.ones(1, 2, 3), null, null));
            requireRefused(
                    "LSTM: the initial cell state is [1, 2, 2] and must be [1, 2, 3]",
                    () -> projected.run(Tensor.ones(5, 2, 4), null, Tensor.ones(1, 2, 2), null));
            requireRefused("has no steps", () -> lstm.forward(Tensor.ones(0, 2, 4)));
            requireRefused("GRU: sizes 0 and 3 must be positive", () -> new GRU(0, 3));
            requireRefused(
                    "LSTMCell: 4 gates of 4611686018427387904 hidden units are more rows than a long can count",
                    () -> new LSTMCell(1, 1L << 62));
            requireRefused("LSTM: 4 gates of 2305843009213693952", () -> new LSTM(1, 1L << 61));
            requireRefused("TANH or RELU", () -> new RNNCell(DType.FLOAT32, 1, 1, true, Activation.SIGMOID));
            requireRefused(
                    "LSTM: projSize 3 must be less than the 3 hidden units",
                    () -> new LSTM(4, 3, RecurrentOptions.DEFAULT.withProjSize(3)));
            requireRefused(
                    "GRU: projSize 2 does not apply; LSTM alone",
                    () -> new GRU(4, 3, RecurrentOptions.DEFAULT.withProjSize(2)));
            requireRefused("projSize -1 is negative", () -> RecurrentOptions.DEFAULT.withProjSize(-1));
            requireRefused("0 layers", () -> RecurrentOptions.DEFAULT.withLayers(0));
            requireRefused("FLOAT32 or FLOAT64", () -> new LSTMCell(DType.BFLOAT16, 1, 1, true));
        }
    }

    @Test
    void cellsNameAnInputOrStateThatDoesNotFit() {
        try (var arena = TensorArena.ofConfined()) {
            var lstm = new LSTMCell(4, 3);
            String input = "LSTMCell: [2, 5] must be [B, 4], or [4] of one sequence";
            requireRefused(input, () -> lstm.forward(Tensor.ones(2, 5)));
            requireRefused("RNNCell: [] must be [B, 4]", () -> new RNNCell(4, 3).forward(Tensor.scalar(1)));
            requireRefused("GRUCell: [1, 2, 4] must be", () -> new GRUCell(4, 3).forward(Tensor.ones(1, 2, 4)));
            requireRefused(
                    "LSTMCell: the state [1, 3] must be [3] for an input [4]",
                    () -> lstm.run(Tensor.ones(4), Tensor.ones(3), Tensor.ones(1, 3)));
            requireRefused("GRUCell: the state [3, 3] must be [2, 3] for an input [2, 4]", () -> new GRUCell(4, 3)
                    .run(Tensor.ones(2, 4), Tensor.ones(3, 3)));
        }
    }

    @Test
    void anActivationThatIsNoneOfTheTwoIsRefusedBeforeParametersAreMade() {
        try (var arena = TensorArena.ofConfined()) {
            requireRefused(
                    "RNN: the activation is TANH or RELU, not SIGMOID",
                    () -> new RNN(DType.FLOAT32, 1, 1, RecurrentOptions.DEFAULT, Activation.SIGMOID));
            assertEquals(0, arena.liveBytes());
        }
    }

    @Test
    void aLayerPrintsTheSettingsThatDifferFromTheUsualOnes() {
        try (var arena = TensorArena.ofConfined()) {
            assertEquals("GRU(in=4, hidden=3)", new GRU(4, 3).toString());
            assertEquals(
                    "LSTM(in=4, hidden=3, layers=2, bias=false, batchFirst=true, dropout=0.5, bidirectional=true)",
                    new LSTM(4, 3, new RecurrentOptions(2, false, true, 0.5, true, 0)).toString());
            assertEquals(
                    "LSTM(in=4, hidden=3, projSize=2)",
                    new LSTM(4, 3, RecurrentOptions.DEFAULT.withProjSize(2)).toString());
            assertEquals(
                    "RNN(in=4, hidden=3, activation=RELU)",
                    new RNN(DType.FLOAT32, 4, 3, RecurrentOptions.DEFAULT, Activation.RELU).toString());
            assertEquals("LSTMCell(in=4, hidden=3)", new LSTMCell(4, 3).toString());
            assertEquals(
                    "RNNCell(in=4, hidden=3, bias=false, activation=RELU)",
                    new RNNCell(DType.FLOAT32, 4, 3, false, Activation.RELU).toString());
        }
    }

    private static void requireRefused(String part, Runnable call) {
        String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(message.contains(part), message);
    }
}
