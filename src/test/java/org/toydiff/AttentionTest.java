package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.nn.Functional;

/// Attention in blocks, against PyTorch, against the formula, and against itself on other threads.
class AttentionTest {
    /// Those of the cases that are of the function, and not of layers.
    private static final Set<String> FUNCTIONS =
            Set.of("plain", "causal", "scaled", "grouped", "groupedCausal", "boolean", "terms", "trackedTerms");

    private static Tensor attend(
            Tensor q, Tensor k, Tensor v, Tensor mask, Tensor.CausalVariant causal, boolean grouped) {
        return q.scaledDotProductAttention(k, v, mask, 0, causal, 1 / Math.sqrt(q.size(-1)), grouped);
    }

    @TestFactory
    Stream<DynamicTest> everyCaseIsAsPyTorchHasIt() throws IOException {
        return Golden.cases("golden_attention.txt").stream()
                .filter(golden -> FUNCTIONS.contains(golden.name()))
                .map(golden -> dynamicTest(golden.name(), () -> {
                    for (Release release : Release.values()) {
                        for (DType dtype : List.of(DType.FLOAT32, DType.FLOAT64)) {
                            long before = Memory.liveBytes();
                            try (var arena = TensorArena.ofConfined()) {
                                requireGolden(golden, release, dtype);
                            }
                            assertEquals(before, Memory.liveBytes());
                        }
                    }
                }));
    }

    private static void requireGolden(Golden.Case golden, Release release, DType dtype) {
        List<Golden.Array> in = golden.all("in");
        List<Tensor> leaves = new ArrayList<>();
        for (int i = 0; i < golden.all("grad").size(); i++) {
            leaves.add(in.get(i).tensor().cast(dtype).trackGradient());
        }
        Tensor q = leaves.get(0);
        Tensor k = leaves.get(1);
        Tensor v = leaves.get(2);
        Tensor mask =
                switch (golden.name()) {
                    case "boolean" -> in.get(3).tensor().cast(DType.BOOL);
                    case "terms" -> in.get(3).tensor().cast(dtype);
                    case "trackedTerms" -> leaves.get(3);
                    default -> null;
                };
        Tensor.CausalVariant causal = golden.name().toLowerCase().endsWith("causal")
                ? Tensor.CausalVariant.UPPER_LEFT
                : Tensor.CausalVariant.NONE;
        Tensor y = golden.name().equals("scaled")
                ? q.scaledDotProductAttention(k, v, null, 0, Tensor.CausalVariant.NONE, 0.3, false)
                : attend(q, k, v, mask, causal, golden.name().startsWith("grouped"));
        golden.all("out").getFirst().requireEqual(y, "output");
        y.backward(golden.all("g").getFirst().tensor().cast(dtype), release);
        for (int i = 0; i < leaves.size(); i++) {
            golden.all("grad").get(i).requireEqual(leaves.get(i).gradient(), release + " gradient " + i);
        }
    }

    /// A call of attention on random operands.
    private record Setting(
            String name, long[] q, long[] k, long columns, Mask mask, Tensor.CausalVariant causal, boolean grouped) {
        enum Mask {
            NONE,
            BOOLEAN,
            TERMS
        }

        long[] v() {
            long[] shape = k.clone();
            shape[shape.length - 1] = columns;
            return shape;
        }

        /// A mask that leaves a row without keys.
        Tensor mask(SplittableRandom random, DType dtype) {
            long rows = q[q.length - 2];
            long keys = k[k.length - 2];
            Tensor seen = Tensor.rand(random, rows, keys).greater(0.3);
            seen = seen.logicalAnd(
                    Tensor.arange(DType.INT64, 0, rows, 1).notEqualTo(rows / 2).unsqueeze(1));
            Tensor lowest = Tensor.full(dtype, Double.NEGATIVE_INFINITY);
            Tensor terms = Tensor.rand(random, rows, keys).cast(dtype);
            return switch (mask) {
                case NONE -> null;
                case BOOLEAN -> seen;
                case TERMS -> Tensor.where(seen, terms, lowest);
            };
        }
    }

    private static Setting setting(
            String name, long[] q, long[] k, long columns, Setting.Mask mask, Tensor.CausalVariant causal) {
        return new Setting(name, q, k, columns, mask, causal, q.length > 2 && q[q.length - 3] != k[k.length - 3]);
    }

    private static List<Setting> settings() {
        List<Setting> settings = new ArrayList<>();
        Setting.Mask none = Setting.Mask.NONE;
        long[] wide = {1, 2, 70_000};
        settings.add(setting("wide queries", wide, wide, 4, none, Tensor.CausalVariant.NONE));
        for (Tensor.CausalVariant causal : Tensor.CausalVariant.values()) {
            settings.add(setting("one block", new long[] {2, 5, 3}, new long[] {2, 7, 3}, 4, none, causal));
            settings.add(setting("several blocks", new long[] {2, 70, 8}, new long[] {2, 600, 8}, 8, none, causal));
            settings.add(setting("more queries", new long[] {1, 600, 4}, new long[] {1, 70, 4}, 3, none, causal));
            settings.add(setting("long", new long[] {1, 1100, 4}, new long[] {1, 1100, 4}, 4, none, causal));
            settings.add(setting("many heads", new long[] {2, 5, 65, 4}, new long[] {2, 5, 530, 4}, 5, none, causal));
            settings.add(setting("groups", new long[] {2, 6, 40, 4}, new long[] {2, 2, 530, 4}, 5, none, causal));
            settings.add(setting("many groups", new long[] {4, 6, 40, 4}, new long[] {4, 2, 33, 4}, 5, none, causal));
            settings.add(setting("one query", new long[] {3, 1, 4}, new long[] {3, 9, 4}, 4, none, causal));
            settings.add(setting("one key", new long[] {3, 9, 1}, new long[] {3, 1, 1}, 1, none, causal));
            settings.add(
                    setting("boolean", new long[] {2, 40, 4}, new long[] {2, 530, 4}, 4, Setting.Mask.BOOLEAN, causal));
            settings.add(
                    setting("terms", new long[] {9, 40, 4}, new long[] {9, 530, 4}, 4, Setting.Mask.TERMS, causal));
        }
        return settings;
    }

    @TestFactory
    Stream<DynamicTest> blocksComputeTheFormula() {
        return settings().stream().flatMap(setting -> Stream.of(DType.FLOAT32, DType.FLOAT64)
                .map(dtype -> dynamicTest(
                        setting.name + " " + setting.causal + " " + dtype, () -> requireFormula(setting, dtype))));
    }

    private static void requireFormula(Setting setting, DType dtype) {
        try (var arena = TensorArena.ofConfined()) {
            var random = new SplittableRandom(5);
            double tolerance = dtype == DType.FLOAT64 ? 1e-12 : 2e-5;
            Tensor[] x = new Tensor[3];
            Tensor[] wide = new Tensor[3];
            long[][] shapes = {setting.q, setting.k, setting.v()};
            for (int i = 0; i < 3; i++) {
                x[i] = Tensor.randn(random, shapes[i]).cast(dtype).trackGradient();
                wide[i] = x[i].detach().cast(DType.FLOAT64).trackGradient();
            }
            Tensor mask = setting.mask(random, dtype);
            Tensor y = attend(x[0], x[1], x[2], mask, setting.causal, setting.grouped);
            Tensor g = Tensor.randn(random, y.shape()).cast(dtype);
            y.backward(g);
            Tensor expected = formula(setting, wide, mask);
            expected.backward(g.cast(DType.FLOAT64));
            assertArrayEquals(expected.toDoubleArray(), y.toDoubleArray(), tolerance);
            for (int i = 0; i < 3; i++) {
                double[] gradient = wide[i].gradient().toDoubleArray();
                double scale =
                        Math.max(1, Arrays.stream(gradient).map(Math::abs).max().orElse(1));
                assertArrayEquals(gradient, x[i].gradient().toDoubleArray(), tolerance * scale, "gradient " + i);
            }
        }
    }

    /// `e^S·v / Σ e^S` by ops of other subjects, in double; scores are small enough for it.
    private static Tensor formula(Setting setting, Tensor[] x, Tensor mask) {
        Tensor k = setting.grouped ? repeated(x[1], setting.q) : x[1];
        Tensor v = setting.grouped ? repeated(x[2], setting.q) : x[2];
        Tensor scores = x[0].matmul(k.movedim(-1, -2)).divide(Math.sqrt(x[0].size(-1)));
        long rows = scores.size(-2);
        long keys = scores.size(-1);
        long diagonal = setting.causal == Tensor.CausalVariant.LOWER_RIGHT ? keys - rows : 0;
        Tensor seen = Tensor.ones(DType.FLOAT64, rows, keys);
        if (setting.causal != Tensor.CausalVariant.NONE) {
            seen = seen.tril((int) diagonal);
        }
        if (mask != null && mask.dtype() == DType.BOOL) {
            seen = seen.multiply(mask.cast(DType.FLOAT64));
        } else if (mask != null) {
            seen = seen.multiply(mask.cast(DType.FLOAT64).exp());
        }
        Tensor weights = scores.exp().multiply(seen);
        Tensor sums = weights.sum(-1, true);
        return weights.matmul(v).divide(sums.add(sums.equalTo(0).cast(DType.FLOAT64)));
    }

    private static Tensor repeated(Tensor x, long[] q) {
        long group = q[q.length - 3] / x.size(-3);
        long[] shape = Arrays.copyOf(x.shape(), x.rank() + 1);
        shape[x.rank()] = x.size(-1);
        shape[x.rank() - 1] = x.size(-2);
        shape[x.rank() - 2] = group;
        long[] merged = x.shape();
        merged = merged.clone();
        merged[x.rank() - 3] *= group;
        return x.unsqueeze(-3).broadcastTo(shape).reshape(merged);
    }

    private static Tensor random(long... shape) {
        return Tensor.randn(DType.FLOAT64, new SplittableRandom(shape.length), shape);
    }

    @Test
    void gradientsAndGradientsOfThemAgreeWithDifferences() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor q = random(2, 4, 3);
            Tensor k = random(2, 5, 3).add(0.1);
            Tensor v = random(2, 5, 2);
            Tensor terms = random(4, 5);
            Tensor seen = terms.greater(0)
                    .logicalAnd(Tensor.of(new int[] {1, 0, 1, 1}, 4, 1).greater(0));
            List<Function<List<Tensor>, Tensor>> calls = List.of(
                    x -> x.get(0).scaledDotProductAttention(x.get(1), x.get(2), null, true),
                    x -> x.get(0).scaledDotProductAttention(x.get(1), x.get(2), seen, false),
                    x -> attend(x.get(0), x.get(1), x.get(2), terms, Tensor.CausalVariant.LOWER_RIGHT, false),
                    x -> dropped(x.get(0), x.get(1), x.get(2), terms, 0.3),
                    x -> attend(
                            x.get(0),
                            x.get(1).slice(0, 0, 1),
                            x.get(2).slice(0, 1, 2),
                            seen,
                            Tensor.CausalVariant.NONE,
                            true),
                    x -> x.get(0)
                            .scaledDotProductAttention(
                                    x.get(1), x.get(2), x.get(0).matmul(terms.slice(0, 1, 4)), true));
            for (Function<List<Tensor>, Tensor> call : calls) {
                GradientCheck.check(call, q, k, v);
                GradientCheck.check(x -> secondOrder(call, x), q, k, v);
            }
        }
    }

    /// The sum of squares of all gradients.
    private static Tensor secondOrder(Function<List<Tensor>, Tensor> call, List<Tensor> x) {
        List<Tensor> leaves = x.stream()
                .map(t -> t.tracksGradient() ? t : t.detach().trackGradient())
                .toList();
        return Oracles.recorded(() -> {
            Tensor y = call.apply(leaves);
            return Autograd.gradients(y.multiply(y).sum(), leaves, true).stream()
                    .map(g -> g.multiply(g).sum())
                    .reduce(Tensor::add)
                    .orElseThrow();
        });
    }

    /// [batch, length, heads, columns] seen as [batch, heads, length, columns], as of a layer's projections.
    @Test
    void headsInsideOfRowsAreReadAndWrittenWhereTheyLie() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.randn(2, 70, 3, 8).trackGradient();
            Tensor heads = x.transpose(0, 2, 1, 3);
            long before = arena.liveBytes();
            Tensor y = heads.scaledDotProductAttention(heads, heads, null, true);
            assertEquals(bytes(2 * 70 * 3 * 8) + bytes(2 * 70 * 3), arena.liveBytes() - before);
            assertTrue(y.transpose(0, 2, 1, 3).isContiguous());
            Tensor copy = heads.detach().copyTo(arena).trackGradient();
            Tensor expected = copy.scaledDotProductAttention(copy, copy, null, true);
            assertTrue(expected.isContiguous());
            assertArrayEquals(expected.toFloatArray(), y.toFloatArray());
            y.sum().backward();
            expected.sum().backward();
            assertArrayEquals(
                    copy.gradient().toFloatArray(),
                    x.gradient().transpose(0, 2, 1, 3).toFloatArray());
        }
    }

    private static long bytes(long floats) {
        return Math.ceilDiv(floats * Float.BYTES, 64) * 64;
    }

    private static Tensor loss(List<Tensor> x) {
        return x.get(0)
                .scaledDotProductAttention(x.get(1), x.get(2), null, true)
                .mean();
    }

    @Test
    void aStepTakesMemoryInProportionToTheLength() {
        try (var arena = TensorArena.ofConfined()) {
            long length = 1024;
            List<Tensor> inputs = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                inputs.add(Tensor.rand(1, 8, length, 64).trackGradient());
            }
            for (Release release : Release.values()) {
                inputs.forEach(Tensor::zeroGradient);
                try (var step = TensorArena.ofConfined()) {
                    Tensor loss = loss(inputs);
                    long predicted = loss.releaseSchedule().peakBytes();
                    loss.backward(release);
                    if (release == Release.EAGER) {
                        assertEquals(predicted, step.peakBytes());
                    }
                    long gradients = 3 * bytes(8 * length * 64);
                    long tensor = bytes(8 * length * 64);
                    long numbers = bytes(8 * length);
                    // The output and its gradient, which are there before those of the operands.
                    assertEquals(2 * tensor + gradients + numbers + bytes(1), step.peakBytes(), 64 * 3.0);
                }
            }
        }
    }

    @Test
    void aStepOfLength4096TakesASmallPartOfWhatTheScoresWould() {
        try (var arena = TensorArena.ofConfined()) {
            List<Tensor> inputs = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                inputs.add(Tensor.rand(1, 8, 4096, 64).trackGradient());
            }
            long attention = MemoryPlan.of(AttentionTest::loss, inputs).peakBytes();
            long scores = MemoryPlan.of(
                            x -> x.get(0)
                                    .matmul(x.get(1).movedim(-1, -2))
                                    .softmax(-1)
                                    .matmul(x.get(2))
                                    .mean(),
                            inputs)
                    .peakBytes();
            assertTrue(attention < 0.15 * scores, attention + " of " + scores);
        }
    }

    @Test
    void aReplayReadsNewOperands() {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.ofList(x -> {
                    Tensor q = x.get(0).detach().trackGradient();
                    Tensor y = q.scaledDotProductAttention(x.get(1), x.get(2), null, false);
                    y.multiply(y).sum().backward(Release.EAGER);
                    return List.of(q.gradient());
                })) {
            for (int i = 0; i < 3; i++) {
                List<Tensor> x = List.of(Tensor.randn(2, 40, 4), Tensor.randn(2, 600, 4), Tensor.randn(2, 600, 4));
                Tensor q = x.get(0).detach().trackGradient();
                Tensor y = q.scaledDotProductAttention(x.get(1), x.get(2), null, false);
                y.multiply(y).sum().backward();
                assertArrayEquals(
                        q.gradient().toFloatArray(), compiled.run(x).getFirst().toFloatArray());
            }
            assertEquals(1, compiled.recordings());
        }
    }

    @Test
    void bfloat16IsComputedInFloat32AndRoundedOnce() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.randn(2, 9, 4);
            Tensor half = x.cast(DType.BFLOAT16).trackGradient();
            Tensor wide = half.detach().cast(DType.FLOAT32).trackGradient();
            Tensor y = half.scaledDotProductAttention(half, half, null, true);
            Tensor expected = wide.scaledDotProductAttention(wide, wide, null, true);
            assertEquals(DType.BFLOAT16, y.dtype());
            assertArrayEquals(expected.cast(DType.BFLOAT16).toFloatArray(), y.toFloatArray());
            y.backward(Tensor.ones(DType.BFLOAT16, 2, 9, 4), Release.EAGER);
            expected.backward(Tensor.ones(2, 9, 4));
            assertEquals(DType.BFLOAT16, half.gradient().dtype());
            assertArrayEquals(wide.gradient().toFloatArray(), half.gradient().toFloatArray(), 0.05f);
            try (var region = Autocast.bfloat16()) {
                assertEquals(
                        DType.BFLOAT16,
                        x.scaledDotProductAttention(x, x, Tensor.zeros(9, 9), true)
                                .dtype());
                assertEquals(
                        DType.BFLOAT16,
                        x.scaledDotProductAttention(x, x, null, true).dtype());
            }
        }
    }

    @Test
    void nothingIsAttendedToWhereThereIsNothing() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor q = Tensor.ones(2, 3, 4).trackGradient();
            Tensor k = Tensor.ones(2, 0, 4).trackGradient();
            Tensor v = Tensor.ones(2, 0, 5).trackGradient();
            Tensor y = q.scaledDotProductAttention(k, v, null, false);
            assertArrayEquals(new float[2 * 3 * 5], y.toFloatArray());
            y.sum().backward();
            assertArrayEquals(new float[2 * 3 * 4], q.gradient().toFloatArray());
            assertEquals(0, k.gradient().size());
            Tensor none = Tensor.ones(2, 0, 4).trackGradient();
            Tensor keys = Tensor.ones(2, 3, 4).trackGradient();
            none.scaledDotProductAttention(keys, keys, null, true).sum().backward();
            assertArrayEquals(new float[2 * 3 * 4], keys.gradient().toFloatArray());
            assertEquals(
                    0,
                    Tensor.ones(0, 3, 4)
                            .scaledDotProductAttention(k.slice(0, 0, 0), v.slice(0, 0, 0), null, false)
                            .size());
        }
    }

    @Test
    void aNaNSpreadsAlongItsRowAlone() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor q = Tensor.of(new float[][] {{1, 2}, {Float.NaN, 0}, {3, 4}});
            Tensor k = Tensor.ones(3, 2);
            float[] y = q.scaledDotProductAttention(k, Tensor.ones(3, 1), null, false)
                    .toFloatArray();
            assertArrayEquals(new float[] {1, Float.NaN, 1}, y, 1e-6f);
        }
    }

    private static void requireRefused(String message, Runnable call) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }

    @Test
    void operandsThatDoNotFitAreRefused() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor q = Tensor.ones(4, 3, 2);
            String fit = " do not fit, [..., L, E], [..., S, E] and [..., S, V]: ";
            requireRefused(
                    "scaledDotProductAttention: queries [4, 3, 2], keys [4, 3, 3] and values [4, 3, 2]" + fit
                            + "queries and keys differ in the last axis",
                    () -> q.scaledDotProductAttention(Tensor.ones(4, 3, 3), q, null, false));
            requireRefused(
                    "scaledDotProductAttention: queries [4, 3, 2], keys [4, 3, 2] and values [4, 5, 2]" + fit
                            + "there is not one value for each key",
                    () -> q.scaledDotProductAttention(q, Tensor.ones(4, 5, 2), null, false));
            requireRefused(
                    "scaledDotProductAttention: queries [4, 3, 2], keys [2, 3, 2] and values [2, 3, 2]" + fit
                            + "the leading axes do not broadcast",
                    () -> q.scaledDotProductAttention(Tensor.ones(2, 3, 2), Tensor.ones(2, 3, 2), null, false));
            requireRefused(
                    "scaledDotProductAttention: queries [4, 3, 2], keys [3, 3, 2] and values [3, 3, 2]" + fit
                            + "the heads of queries are not a multiple of those of keys and values",
                    () -> attend(q, Tensor.ones(3, 3, 2), Tensor.ones(3, 3, 2), null, Tensor.CausalVariant.NONE, true));
            requireRefused(
                    "scaledDotProductAttention: queries [2], keys [4, 3, 2] and values [4, 3, 2]" + fit
                            + "all have at least 2 axes",
                    () -> Tensor.ones(2).scaledDotProductAttention(q, q, null, false));
            requireRefused(
                    "scaledDotProductAttention: queries [3, 0], keys [3, 0] and values [4, 3, 2]" + fit
                            + "queries have no columns",
                    () -> Tensor.ones(3, 0).scaledDotProductAttention(Tensor.ones(3, 0), q, null, false));
            requireRefused(
                    "scaledDotProductAttention: the mask [3, 4] does not broadcast to the scores [4, 3, 3]",
                    () -> q.scaledDotProductAttention(q, q, Tensor.ones(3, 4), false));
            requireRefused(
                    "scaledDotProductAttention: the mask [3, 3] is float64; cast it to BOOL, or to float32, the dtype of"
                            + " the scores",
                    () -> q.scaledDotProductAttention(q, q, Tensor.ones(DType.FLOAT64, 3, 3), false));
            requireRefused(
                    "scaledDotProductAttention: queries [0, 3, 2], keys [4, 3, 2] and values [4, 3, 2]" + fit
                            + "the heads of queries are not a multiple of those of keys and values",
                    () -> attend(Tensor.ones(0, 3, 2), q, q, null, Tensor.CausalVariant.NONE, true));
        }
    }

    @Test
    void aFunctionHasAllSettings() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor q = Tensor.randn(4, 3, 2);
            Tensor k = Tensor.randn(2, 5, 2);
            Tensor v = Tensor.randn(2, 5, 3);
            Tensor mask = Tensor.randn(3, 5);
            Tensor state = Tensor.randomState();
            Tensor.CausalVariant causal = Tensor.CausalVariant.LOWER_RIGHT;
            Tensor expected = q.scaledDotProductAttention(k, v, mask, 0.4, causal, 0.3, true);
            Tensor.setRandomState(state);
            Tensor y = Functional.scaledDotProductAttention(q, k, v, mask, 0.4, causal, 0.3, true);
            assertArrayEquals(expected.toFloatArray(), y.toFloatArray());
        }
    }

    private static Tensor dropped(Tensor q, Tensor k, Tensor v, Tensor mask, double p) {
        Tensor.manualSeed(3);
        return q.scaledDotProductAttention(k, v, mask, p, Tensor.CausalVariant.LOWER_RIGHT, 0.4, false);
    }

    /// With few heads and many, for which backward takes different ways, and with the scores formed.
    @Test
    void aDropoutDropsTheSameProbabilitiesOnEveryWay() {
        try (var arena = TensorArena.ofConfined()) {
            for (long heads : new long[] {1, 9}) {
                Tensor q = random(heads, 70, 3).trackGradient();
                Tensor k = random(heads, 533, 3).trackGradient();
                Tensor v = random(heads, 533, 2).trackGradient();
                List<Tensor> x = List.of(q, k, v);
                Tensor zeros = Tensor.zeros(DType.FLOAT64, 1).trackGradient();
                Tensor y = dropped(q, k, v, null, 0.3);
                Tensor expected = dropped(q, k, v, zeros, 0.3);
                assertArrayEquals(expected.toDoubleArray(), y.toDoubleArray(), 1e-12);
                List<Tensor> gradients = Autograd.gradients(y.multiply(y).sum(), x);
                List<Tensor> composed =
                        Autograd.gradients(expected.multiply(expected).sum(), x);
                for (int i = 0; i < 3; i++) {
                    double[] gradient = composed.get(i).toDoubleArray();
                    assertArrayEquals(gradient, gradients.get(i).toDoubleArray(), 1e-11);
                }
            }
        }
    }

    @Test
    void aDropoutKeepsTheShareItIsToKeepAndScalesIt() {
        try (var arena = TensorArena.ofConfined()) {
            // Scores of 0: each of the values, which are those of one matrix, counts as much as the others.
            Tensor q = Tensor.zeros(1, 64, 1);
            Tensor k = Tensor.zeros(1, 64, 1);
            Tensor v = Tensor.eye(64).unsqueeze(0);
            Tensor y = q.scaledDotProductAttention(k, v, null, 0.25, Tensor.CausalVariant.NONE, 1, false);
            double kept = y.greater(0).cast(DType.FLOAT32).mean().item();
            assertEquals(0.75, kept, 0.03);
            assertEquals(kept / 0.75, y.sum(-1).mean().item(), 1e-5);
            Tensor none = q.scaledDotProductAttention(k, v, null, 1, Tensor.CausalVariant.NONE, 1, false);
            assertArrayEquals(new float[64 * 64], none.toFloatArray());
            requireRefused(
                    "scaledDotProductAttention: -0.1 is no probability; give 0 to 1",
                    () -> q.scaledDotProductAttention(k, v, null, -0.1, Tensor.CausalVariant.NONE, 1, false));
        }
    }

    /// Backward leaves out the products for gradients that nobody wants.
    @Test
    void eachGradientAloneHasTheBitsOfAllTogether() {
        try (var arena = TensorArena.ofConfined()) {
            for (long heads : new long[] {2, 9}) {
                List<Tensor> x = List.of(random(heads, 40, 3), random(heads, 600, 3), random(heads, 600, 2));
                List<Tensor> tracked =
                        x.stream().map(t -> t.detach().trackGradient()).toList();
                attendOf(tracked).sum().backward();
                for (int i = 0; i < 3; i++) {
                    List<Tensor> one = new ArrayList<>(x);
                    one.set(i, x.get(i).detach().trackGradient());
                    attendOf(one).sum().backward();
                    double[] expected = tracked.get(i).gradient().toDoubleArray();
                    assertArrayEquals(expected, one.get(i).gradient().toDoubleArray());
                }
            }
        }
    }

    private static Tensor attendOf(List<Tensor> x) {
        return x.get(0).scaledDotProductAttention(x.get(1), x.get(2), null, false);
    }
}
