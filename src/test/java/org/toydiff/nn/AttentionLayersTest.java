package org.toydiff.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.ArenaTest;
import org.toydiff.Autograd;
import org.toydiff.CompiledFunction;
import org.toydiff.DType;
import org.toydiff.Golden;
import org.toydiff.Memory;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Layers of attention: against PyTorch 2.13, whose values golden_attention.py wrote, and step by step.
class AttentionLayersTest extends ArenaTest {
    private record Row(Function<DType, Layer> layer, BiFunction<Layer, List<Tensor>, Tensor> call) {}

    private static Tensor padding() {
        return Tensor.of(new int[] {0, 1, 0, 1, 0, 0}, 2, 3).greater(0);
    }

    private static Tensor later() {
        return Tensor.ones(3, 3).triu(1).greater(0);
    }

    private static MultiheadAttention multihead(DType dtype, boolean batchFirst, boolean bias) {
        return new MultiheadAttention(dtype, 4, 2, 0, batchFirst, bias);
    }

    private static Tensor flat(MultiheadAttention.Weighted weighted) {
        return Tensor.concat(
                0, weighted.output().flatten(0, -1), weighted.weights().flatten(0, -1));
    }

    private static Tensor withWeights(Layer layer, Tensor x, Tensor padding, Tensor mask, boolean averaged) {
        var attention = (MultiheadAttention) layer;
        return flat(attention.forwardWithWeights(x, x, x, padding, mask, mask == null, averaged));
    }

    private static final Map<String, Row> ROWS = Map.of(
            "multihead",
            new Row(dtype -> multihead(dtype, false, true), (layer, x) -> layer.forward(x.getFirst())),
            "multiheadOfBatches",
            new Row(dtype -> multihead(dtype, true, true), (layer, x) -> ((MultiheadAttention) layer)
                    .forward(x.get(0), x.get(1), x.get(2), padding(), null, false)),
            "multiheadOfSizes",
            new Row(
                    dtype -> new MultiheadAttention(dtype, 4, 2, 0, true, true, 3, 5),
                    (layer, x) -> ((MultiheadAttention) layer).forward(x.get(0), x.get(1), x.get(2))),
            "multiheadWithoutBias",
            new Row(dtype -> multihead(dtype, true, false), (layer, x) -> ((MultiheadAttention) layer)
                    .forward(x.get(0), x.get(0), x.get(0), null, later(), false)),
            "weights",
            new Row(dtype -> multihead(dtype, true, true), (layer, x) -> {
                DType dtype = x.getFirst().dtype();
                Tensor terms = Tensor.arange(dtype, 0, 9, 1).reshape(3, 3);
                return withWeights(layer, x.getFirst(), padding().cast(dtype), terms, true);
            }),
            "weightsOfHeads",
            new Row(
                    dtype -> multihead(dtype, false, true),
                    (layer, x) -> withWeights(layer, x.getFirst(), null, null, false)),
            "encoder",
            new Row(
                    dtype -> new TransformerEncoderLayer(dtype, 4, 2, 5, 0, null, 1e-5, false, false),
                    (layer, x) -> layer.forward(x.getFirst())),
            "encoderOfBatches",
            new Row(
                    dtype -> new TransformerEncoderLayer(dtype, 4, 2, 5, 0, Functional::gelu, 1e-5, true, true),
                    (layer, x) -> ((TransformerEncoderLayer) layer).forward(x.getFirst(), null, null, true)));

    private static Stream<Golden.Case> cases() throws IOException {
        return Golden.cases("golden_attention.txt").stream().filter(golden -> ROWS.containsKey(golden.name()));
    }

    @TestFactory
    Stream<DynamicTest> everyCaseIsAsPyTorchHasIt() throws IOException {
        return cases().map(golden -> dynamicTest(golden.name(), () -> {
            for (Release release : Release.values()) {
                long before = Memory.liveBytes();
                try (var arena = TensorArena.ofConfined()) {
                    requireGolden(golden, release, DType.FLOAT32);
                    requireGolden(golden, release, DType.FLOAT64);
                }
                assertEquals(before, Memory.liveBytes());
            }
        }));
    }

    private static void requireGolden(Golden.Case golden, Release release, DType dtype) {
        Row row = ROWS.get(golden.name());
        Layer layer = row.layer.apply(dtype);
        List<Golden.Array> in = golden.all("in");
        List<Tensor> parameters = layer.parameters();
        int inputs = in.size() - parameters.size();
        List<Tensor> leaves = new ArrayList<>();
        for (int i = 0; i < inputs; i++) {
            leaves.add(in.get(i).tensor().cast(dtype).trackGradient());
        }
        for (int i = inputs; i < in.size(); i++) {
            leaves.add(parameters.get(i - inputs).copyFrom(in.get(i).tensor().cast(dtype)));
        }
        Tensor y = row.call.apply(layer, leaves);
        golden.all("out").getFirst().requireEqual(y, "output");
        y.backward(golden.all("g").getFirst().tensor().cast(dtype), release);
        for (int i = 0; i < leaves.size(); i++) {
            golden.all("grad").get(i).requireEqual(leaves.get(i).gradient(), release + " gradient " + i);
        }
    }

    @Test
    void everyRowHasACase() throws IOException {
        assertEquals(
                new TreeSet<>(ROWS.keySet()),
                new TreeSet<>(cases().map(Golden.Case::name).toList()));
    }

    @Test
    void masksOfBothKindsSayTheSame() {
        Tensor.manualSeed(4);
        var layer = new MultiheadAttention(8, 2, 0, true);
        Tensor x = Tensor.randn(2, 3, 8);
        Tensor lowest = Tensor.full(Double.NEGATIVE_INFINITY);
        Tensor terms = Tensor.where(later(), lowest, Tensor.zeros());
        Tensor paddingTerms = Tensor.where(padding(), lowest, Tensor.zeros());
        Tensor ofHeads = later().unsqueeze(0).broadcastTo(4, 3, 3);
        Tensor expected = layer.forward(x, x, x, padding(), later(), false);
        for (Tensor y : List.of(
                layer.forward(x, x, x, padding(), null, true),
                layer.forward(x, x, x, padding(), terms, false),
                layer.forward(x, x, x, paddingTerms, later(), false),
                layer.forward(x, x, x, padding(), ofHeads, false))) {
            assertArrayEquals(expected.toFloatArray(), y.toFloatArray(), 1e-6f);
        }
        // The first query of the second example sees no key, and its output is the bias, which is 0.
        assertArrayEquals(new float[8], expected.get(1).get(0).toFloatArray());
    }

    @Test
    void dropoutActsInTrainingAlone() {
        var layer = new TransformerEncoderLayer(8, 2, 16, 0.5, true, true);
        Tensor x = Tensor.randn(2, 3, 8);
        assertFalse(sameBits(layer.forward(x), layer.forward(x)));
        layer.eval();
        assertTrue(sameBits(layer.forward(x), layer.forward(x)));
    }

    private static boolean sameBits(Tensor a, Tensor b) {
        return java.util.Arrays.equals(a.toFloatArray(), b.toFloatArray());
    }

    /// Of the three projections, the heads' output and its projection, and a number for each row and head.
    @Test
    void attentionToItselfCopiesNothing() {
        long n = 2;
        long length = 64;
        long size = 32;
        for (boolean batchFirst : new boolean[] {true, false}) {
            var layer = new MultiheadAttention(size, 4, 0, batchFirst);
            Tensor x = batchFirst ? Tensor.randn(n, length, size) : Tensor.randn(length, n, size);
            try (var step = TensorArena.ofConfined()) {
                Tensor y = layer.forward(x);
                assertEquals(Float.BYTES * n * length * (5 * size + 4), step.peakBytes());
                Tensor loss = y.multiply(y).sum();
                long predicted = loss.releaseSchedule().peakBytes();
                loss.backward(Release.EAGER);
                assertEquals(predicted, step.peakBytes());
            }
        }
    }

    @Test
    void generationStepByStepIsTheWholeSequence() {
        Tensor.manualSeed(8);
        for (boolean batchFirst : new boolean[] {true, false}) {
            var layer = new MultiheadAttention(8, 2, 0, batchFirst);
            var cache = new KeyValueCache(3, 2, 6, 4);
            int axis = batchFirst ? 1 : 0;
            Tensor x = batchFirst ? Tensor.randn(3, 6, 8) : Tensor.randn(6, 3, 8);
            Tensor expected = layer.forward(x, x, x, null, null, true);
            try (var inference = Autograd.noGradient()) {
                for (int round = 0; round < 2; round++) {
                    List<Tensor> parts = new ArrayList<>();
                    for (long[] part : new long[][] {{0, 3}, {3, 4}, {4, 6}}) {
                        parts.add(layer.forward(x.slice(axis, part[0], part[1]), cache));
                        assertEquals(part[1], cache.length());
                    }
                    Tensor y = Tensor.concat(axis, parts.toArray(Tensor[]::new));
                    assertArrayEquals(expected.toFloatArray(), y.toFloatArray(), 1e-6f);
                    cache.clear();
                }
            }
        }
    }

    @Test
    void aTokenTakesMemoryForItselfAlone() {
        var cache = new KeyValueCache(1, 2, 100, 16);
        cache.append(Tensor.randn(1, 2, 90, 16), Tensor.randn(1, 2, 90, 16));
        Tensor token = Tensor.randn(2, 1, 16);
        Tensor queries = Tensor.randn(4, 1, 16);
        try (var step = TensorArena.ofConfined()) {
            cache.append(token, token);
            Tensor y = cache.attend(queries);
            assertArrayEquals(new long[] {4, 1, 16}, y.shape());
            assertEquals(4 * 16 * Float.BYTES, step.peakBytes());
        }
    }

    @Test
    void aFullCacheRefusesMore() {
        var cache = new KeyValueCache(1, 2, 4, 8);
        Tensor three = Tensor.ones(1, 2, 3, 8);
        cache.append(three, three);
        assertEquals(
                "KeyValueCache: 3 positions after 3 do not fit into 4; make a longer cache, or clear it",
                assertThrows(IllegalStateException.class, () -> cache.append(three, three))
                        .getMessage());
        assertEquals(3, cache.length());
        Tensor other = Tensor.ones(1, 1, 3, 8);
        assertEquals(
                "KeyValueCache: keys float32 [1, 1, 3, 8] and values float32 [1, 2, 3, 8] do not follow those of float32"
                        + " [1, 2, 4, 8] and [1, 2, 4, 8] along axis 2",
                assertThrows(IllegalArgumentException.class, () -> cache.append(other, three))
                        .getMessage());
        Tensor wide = Tensor.ones(DType.FLOAT64, 1, 2, 1, 8);
        assertThrows(IllegalArgumentException.class, () -> cache.append(wide, wide));
        assertArrayEquals(new long[] {1, 2, 3, 8}, cache.keys().shape());
        assertEquals("KeyValueCache(length=3, keys=[1, 2, 4, 8], values=[1, 2, 4, 8])", cache.toString());
    }

    @Test
    void keysAndValuesOfSizesOfTheirOwnHaveWeightsOfTheirOwn() {
        var layer = new MultiheadAttention(DType.FLOAT32, 4, 2, 0, false, true, 3, 4);
        assertEquals(
                List.of(
                        "q_proj_weight",
                        "k_proj_weight",
                        "v_proj_weight",
                        "in_proj_bias",
                        "out_proj.weight",
                        "out_proj.bias"),
                List.copyOf(layer.stateDict().keySet()));
        assertEquals("MultiheadAttention(4, heads=2, dropout=0.0, batchFirst=false, kdim=3, vdim=4)", layer.toString());
        requireRefused(
                "MultiheadAttention: inputs [2, 4], [2, 4] and [2, 4] must be [L, N, 4], [S, N, 3] and [S, N, 4], or [L, 4],"
                        + " [S, 3] and [S, 4] of one example",
                () -> layer.forward(Tensor.ones(2, 4)));
        requireRefused(
                "MultiheadAttention: vdim 0 must be positive",
                () -> new MultiheadAttention(DType.FLOAT32, 4, 2, 0, false, true, 3, 0));
    }

    @Test
    void queriesThatDoNotFitACacheAreRefused() {
        var cache = new KeyValueCache(2, 2, 4, 8);
        Tensor two = Tensor.ones(2, 4, 2, 8);
        assertEquals(
                "KeyValueCache: there are 2 queries and 0 positions; append the keys and values of the queries before"
                        + " attending to them",
                assertThrows(IllegalStateException.class, () -> cache.attend(two))
                        .getMessage());
        cache.append(Tensor.ones(2, 2, 2, 8), Tensor.ones(2, 2, 2, 8));
        assertArrayEquals(new long[] {2, 4, 2, 8}, cache.attend(two).shape());
        long live = arena.liveBytes();
        for (Tensor query : List.of(
                two.slice(0, 0, 1),
                two.slice(1, 0, 3),
                two.slice(3, 0, 7),
                two.get(0).get(0))) {
            String message = assertThrows(IllegalArgumentException.class, () -> cache.attend(query))
                    .getMessage();
            assertTrue(message.startsWith("KeyValueCache: queries "), message);
        }
        assertEquals(live, arena.liveBytes());
    }

    @Test
    void aRecordingOfACacheIsNotReplayedAtAnotherLength() {
        var layer = new MultiheadAttention(4, 1, 0, true);
        var cache = new KeyValueCache(1, 1, 3, 4);
        var again = new KeyValueCache(1, 1, 3, 4);
        Tensor x = Tensor.randn(1, 3, 4);
        try (var inference = Autograd.noGradient();
                var compiled = CompiledFunction.of(token -> layer.forward(token, cache))) {
            for (int i = 0; i < 3; i++) {
                Tensor token = x.slice(1, i, i + 1);
                assertArrayEquals(
                        layer.forward(token, again).toFloatArray(),
                        compiled.run(token).toFloatArray());
                assertEquals(i + 1, cache.length());
            }
        }
    }

    @Test
    void positionsAreSinesAndCosines() {
        var layer = new PositionalEncoding(DType.FLOAT64, 6, 50);
        double[] y = layer.forward(Tensor.zeros(DType.FLOAT64, 50, 6)).toDoubleArray();
        for (int p = 0; p < 50; p++) {
            for (int i = 0; i < 6; i++) {
                double angle = p / Math.pow(10_000, (i - i % 2) / 6.0);
                assertEquals(i % 2 == 0 ? Math.sin(angle) : Math.cos(angle), y[6 * p + i], 1e-13);
            }
        }
        assertEquals(
                "PositionalEncoding: [51, 6] must be [..., L, 6] with L up to 50",
                assertThrows(IllegalArgumentException.class, () -> layer.forward(Tensor.zeros(DType.FLOAT64, 51, 6)))
                        .getMessage());
    }

    /// Pairs of columns are complex numbers, multiplied by `e^(i·angle)`.
    @Test
    void rotationsTurnPairsByTheAngleOfThePosition() {
        for (boolean halves : new boolean[] {false, true}) {
            var layer = new RotaryEmbedding(DType.FLOAT64, 6, 50, 100, halves);
            Tensor x = Tensor.randn(DType.FLOAT64, 2, 9, 6);
            double[] y = layer.forward(x, 41).toDoubleArray();
            double[] in = x.toDoubleArray();
            for (int row = 0; row < 18; row++) {
                for (int i = 0; i < 3; i++) {
                    int first = 6 * row + (halves ? i : 2 * i);
                    int second = first + (halves ? 3 : 1);
                    double angle = (41 + row % 9) * Math.pow(100, -i / 3.0);
                    double a = in[first];
                    double b = in[second];
                    assertEquals(a * Math.cos(angle) - b * Math.sin(angle), y[first], 1e-12);
                    assertEquals(a * Math.sin(angle) + b * Math.cos(angle), y[second], 1e-12);
                }
            }
        }
    }

    @Test
    void productsOfRotatedRowsDependOnTheirDistanceAlone() {
        var layer = new RotaryEmbedding(DType.FLOAT64, 8, 100, 10_000, false);
        Tensor q = Tensor.randn(DType.FLOAT64, 1, 8);
        Tensor k = Tensor.randn(DType.FLOAT64, 1, 8);
        double near = layer.forward(q, 7).multiply(layer.forward(k, 2)).sum().item();
        double far = layer.forward(q, 98).multiply(layer.forward(k, 93)).sum().item();
        assertEquals(near, far, 1e-12);
        Tensor x = Tensor.randn(DType.FLOAT64, 3, 8).trackGradient();
        layer.forward(x).multiply(layer.forward(x)).sum().backward(Release.EAGER);
        // Rotations keep the length, whose square has the gradient 2x.
        assertArrayEquals(x.multiply(2).toDoubleArray(), x.gradient().toDoubleArray(), 1e-12);
    }

    private static void requireRefused(String message, Runnable call) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }

    @Test
    void settingsAndInputsOutOfRangeAreRefused() {
        requireRefused(
                "MultiheadAttention: an embedding of 6 does not divide into 4 heads; give positive sizes, one a multiple"
                        + " of the other",
                () -> new MultiheadAttention(6, 4));
        requireRefused(
                "MultiheadAttention: 1.5 is no probability; give 0 to 1",
                () -> new MultiheadAttention(6, 3, 1.5, true));
        requireRefused(
                "RotaryEmbedding: 4 positions and 3 columns must be positive, and the columns even",
                () -> new RotaryEmbedding(3, 4));
        var layer = new MultiheadAttention(4, 2, 0, true);
        Tensor x = Tensor.ones(2, 3, 4);
        requireRefused(
                "MultiheadAttention: inputs [2, 3, 4], [2, 3, 4] and [2, 3, 5] must be [N, L, 4], [N, S, 4] and [N, S, 4], or"
                        + " [L, 4], [S, 4] and [S, 4] of one example",
                () -> layer.forward(x, x, Tensor.ones(2, 3, 5)));
        for (Tensor other : List.of(Tensor.ones(1, 3, 4), Tensor.ones(3, 3, 4), Tensor.ones(3, 4))) {
            assertThrows(IllegalArgumentException.class, () -> layer.forward(x, other, other));
            assertThrows(IllegalArgumentException.class, () -> layer.forward(other, x, x));
        }
        assertThrows(IllegalArgumentException.class, () -> layer.forward(x, x, Tensor.ones(2, 5, 4)));
        var positionsFirst = new MultiheadAttention(4, 2);
        assertThrows(IllegalArgumentException.class, () -> positionsFirst.forward(x, x, Tensor.ones(1, 3, 4)));
        assertArrayEquals(
                new long[] {2, 3, 4},
                positionsFirst
                        .forward(x, Tensor.ones(1, 3, 4), Tensor.ones(1, 3, 4))
                        .shape());
        requireRefused(
                "MultiheadAttention: keyPaddingMask [2, 3] is int64; cast it to BOOL, or to float32 if it has terms of the"
                        + " scores",
                () -> layer.forward(x, x, x, Tensor.ones(DType.INT64, 2, 3), null, false));
        requireRefused(
                "MultiheadAttention: mask [3, 3] is float64; cast it to BOOL, or to float32 if it has terms of the scores",
                () -> layer.forwardWithWeights(x, x, x, null, Tensor.ones(DType.FLOAT64, 3, 3), false, true));
        requireRefused(
                "MultiheadAttention: three projections to an embedding of 4611686018427387904 have more rows than a long"
                        + " can count; give a smaller one",
                () -> new MultiheadAttention(1L << 62, 1));
        requireRefused(
                "RotaryEmbedding: [2, 4] from position 9223372036854775807 must be [..., L, 4] with positions up to 5",
                () -> new RotaryEmbedding(4, 5).forward(Tensor.ones(2, 4), Long.MAX_VALUE));
        long live = arena.liveBytes();
        requireRefused(
                "TransformerEncoderLayer: units 0 must be positive",
                () -> new TransformerEncoderLayer(4, 2, 0, 0.1, true, false));
        requireRefused(
                "TransformerEncoderLayer: epsilon -1.0 must be 0 or more",
                () -> new TransformerEncoderLayer(DType.FLOAT32, 4, 2, 3, 0.1, null, -1, true, false));
        assertEquals(live, arena.liveBytes());
        requireRefused(
                "MultiheadAttention: keyPaddingMask [3, 2] must be [2, 3]",
                () -> layer.forward(x, x, x, Tensor.ones(3, 2), null, false));
        requireRefused(
                "MultiheadAttention: mask [3, 2] must be [3, 3] or [4, 3, 3]",
                () -> layer.forward(x, x, x, null, Tensor.ones(3, 2), false));
        String path = assertThrows(
                        IllegalArgumentException.class,
                        () -> new Sequential(new TransformerEncoderLayer(4, 2)).forward(Tensor.ones(2, 5)))
                .getMessage();
        assertTrue(
                path.startsWith("MultiheadAttention(4, heads=2, dropout=0.1, batchFirst=false) at \"0.self_attn\": "),
                path);
    }

    @Test
    void aSummaryHasTheParametersOfAttention() {
        Summary summary = new TransformerEncoderLayer(4, 2, 5, 0.1, true, false).summary(2, 3, 4);
        Summary.Row attention = summary.layers().stream()
                .filter(row -> row.path().equals("self_attn"))
                .findFirst()
                .orElseThrow();
        // Beside the 20 of out_proj.
        assertEquals(12 * 4 + 12, attention.parameters());
        assertEquals(
                summary.parameters(),
                summary.layers().stream().mapToLong(Summary.Row::parameters).sum());
    }
}
