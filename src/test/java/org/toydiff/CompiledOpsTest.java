package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Every op either gives, recorded once and replayed over other elements, the bits of the value and the gradient
/// that it gives uncompiled, or refuses to be recorded.
@Tag("kernels")
class CompiledOpsTest {
    /// Ops of an input `[3, 4]`, by their names in [OpTableTest].
    static final Map<String, UnaryOperator<Tensor>> OPS = new LinkedHashMap<>();

    private static final long[] ONE = {1};

    /// Those whose launches depend on elements, and which refuse.
    private static final Map<String, UnaryOperator<Tensor>> REFUSED = Map.of(
            "nonzero", x -> x.nonzero(),
            "unique", x -> x.unique().values(),
            "select", x -> x.select(x.greater(0)),
            "put", x -> x.put(x.greater(0), x.flatten(0, -1)),
            "bincount", x -> x.cast(DType.INT64).flatten(0, -1).bincount(),
            "histogram of an unknown range", x -> x.histogram(3).counts());

    static {
        UnaryRow.ALL.forEach(row -> OPS.put(row.name(), row.op()));
        OpTableTest.BINARY.forEach(row -> {
            OPS.put(row.name(), x -> row.op().apply(x, x.slice(0, 1, 2)));
            OPS.put(row.name() + " of a column", x -> row.op().apply(x.slice(1, 0, 1), x));
        });
        OpTableTest.MASKS.forEach(row -> OPS.put(row.name(), x -> row.op().apply(x, x.get(1))));
        OpTableTest.LANES.forEach(row -> {
            OPS.put(row.name(), row.all());
            OPS.put(row.name() + " along 0", x -> row.one().apply(x, 0, false));
            OPS.put(row.name() + " along 1", x -> row.one().apply(x, 1, true));
            OPS.put(row.name() + " of a transpose", x -> row.one().apply(x.transpose(), 1, true));
        });
        MoveRow.ALL.stream()
                .filter(row -> !row.op().equals("select") && !row.op().equals("put"))
                .forEach(row -> OPS.put(row.name(), row.apply()));
        OPS.put("put a number", x -> x.put(x.greater(0), 3));
        OPS.put("matmul", x -> x.matmul(x.transpose()));
        OPS.put("matmul of a vector", x -> x.matmul(x.get(0)));
        OPS.put("matmul of vectors", x -> x.get(0).matmul(x.get(1)));
        OPS.put("matmul of a batch", x -> x.reshape(3, 2, 2)
                .matmul(x.slice(0, 0, 1).reshape(2, 2)));
        OPS.put("matmul of strided operands", x -> x.slice(1, 0, 4, 2)
                .matmul(x.slice(1, 1, 3).transpose()));
        OPS.put("fma", x -> x.fma(x.transpose(), x.get(0).slice(0, 0, 3)));
        OPS.put("linear", x -> x.linear(x, x.slice(1, 0, 1).flatten(0, -1)));
        OPS.put("linear with an activation", x -> x.linear(x, null, Activation.RELU)
                .linear(x.transpose(), null));
        OPS.put("linear after an activation", x -> x.linear(x, x.get(0).slice(0, 0, 3), Activation.TANH)
                .linear(x.transpose(), x.get(1)));
        OPS.put("convolution", x -> convolved(x.reshape(1, 1, 3, 4), x.slice(1, 0, 1), 1));
        OPS.put("convolution of a batch", x -> convolved(x.reshape(3, 2, 2, 1), x.get(0), 1));
        OPS.put(
                "convolution in groups",
                x -> convolved(x.reshape(1, 4, 3, 1), x.get(0).flip(0), 4));
        OPS.put("convolution with an activation", x -> x.reshape(1, 3, 4)
                .convolution(x.reshape(4, 3, 1), x.get(0), ONE, ONE, ONE, 1, Activation.TANH));
        OPS.put("transposedConvolution", x -> x.reshape(1, 3, 4)
                .transposedConvolution(
                        x.reshape(3, 2, 2), x.get(0).slice(0, 0, 2), new long[] {2}, ONE, ONE, new long[] {1}, 1));
        OPS.put("unfold", x -> x.reshape(1, 1, 3, 4).unfold(new long[] {2}, ONE, ONE, ONE));
        OPS.put("fold", x -> x.reshape(1, 4, 3).fold(new long[] {2, 4}, new long[] {2}, ONE, new long[] {0}, ONE));
        OPS.put("scaledDotProductAttention", x -> x.scaledDotProductAttention(x.exp(), x, null, true));
        OPS.put("scaledDotProductAttention of heads inside of rows", x -> heads(x).scaledDotProductAttention(
                        heads(x.exp()), heads(x), x.matmul(x.transpose()), false));
        OPS.put("scaledDotProductAttention of groups", x -> x.reshape(3, 2, 2)
                .transpose(1, 0, 2)
                .scaledDotProductAttention(
                        x.unsqueeze(0).slice(2, 0, 2),
                        x.unsqueeze(0),
                        x.slice(1, 0, 3).greater(0.5),
                        0.3,
                        Tensor.CausalVariant.NONE,
                        2,
                        true));
        OPS.put("layerNorm", x -> x.layerNorm(x.get(0), x.get(1), 0.1));
        OPS.put("rmsNorm", x -> x.rmsNorm(x.get(0), 0.1));
        OPS.put("groupNorm", x -> x.unsqueeze(-1).tile(1, 1, 20).groupNorm(2, x.get(0), x.get(1), 0.1));
        OPS.put("batchNorm", x -> x.unsqueeze(-1)
                .multiply(Tensor.arange(x.dtype(), 0, 20, 1))
                .batchNorm(x.get(0), x.get(1), 0.1)
                .values());
        OPS.put("batchNorm of short runs", x -> x.batchNorm(x.get(0), x.get(1), 0.1)
                .values());
        OPS.put("maxPool", x -> x.unsqueeze(0)
                .maxPool(new long[] {2, 2}, new long[] {1, 2}, new long[] {1, 0}, new long[] {1, 1}, true));
        OPS.put("avgPool", x -> x.avgPool(new long[] {3}, new long[] {2}, new long[] {1}, false, true));
        OPS.put("adaptiveAvgPool", x -> x.unsqueeze(0).adaptiveAvgPool(2, 3));
        OPS.put("upsampleNearest", x -> x.unsqueeze(0).upsampleNearest(new double[] {2, 1.5}));
        OPS.put("upsampleLinear", x -> x.unsqueeze(0).upsampleLinear(true, new long[] {5, 3}));
        OPS.put("rnn", x -> recurrent(x, 1));
        OPS.put("gru", x -> recurrent(x, 3));
        OPS.put("lstm", x -> recurrent(x, 4));
        OPS.put("einsum", x -> Tensor.einsum("ij,kj,il->kl", x, x, x));
        OPS.put("einsum of a diagonal", x -> Tensor.einsum("ii,ij->j", x.slice(1, 0, 3), x));
        LinalgTest.FUNCTIONS.forEach((name, op) -> OPS.put("linalg " + name, op));
        OPS.put("pad", x -> x.pad(1, 1, 2, 3));
        OPS.put("triu", x -> x.triu(0));
        OPS.put("tril", x -> x.tril(0));
        OPS.put("diag", x -> x.diag(0));
        OPS.put("outer", x -> x.get(0).outer(x.get(1)));
        OPS.put("kron", x -> x.kron(x));
        OPS.put("meshgrid", x -> Tensor.meshgrid(x.get(0), x.get(1)).get(1));
        OPS.put("argmax", x -> x.argmax(1));
        OPS.put("argmin", x -> x.argmin(0));
        OPS.put("norm", x -> x.norm());
        OPS.put("isNan", x -> x.isNan());
        OPS.put("isFinite", x -> x.isFinite());
        OPS.put("isInf", x -> x.isInf());
        OPS.put("nanToNum", x -> x.divide(x.subtract(x.get(0))).nanToNum());
        OPS.put("quantile", x -> x.quantile(0.3, 1));
        OPS.put("nanSum", x -> x.nanSum(0));
        OPS.put("nanMean", x -> x.nanMean(1));
        OPS.put("nanMedian", x -> x.nanMedian(1));
        OPS.put("nanQuantile", x -> x.nanQuantile(0.3, 0));
        OPS.put("histogram", x -> x.histogram(3, 0, 2).counts());
        OPS.put("cumsum", x -> x.cumsum(1));
        OPS.put("cumprod", x -> x.cumprod(0));
        OPS.put("prod", x -> x.prod(1));
        OPS.put("diff", x -> x.diff(0));
        OPS.put("sort", x -> x.sort(1).values());
        OPS.put("argsort", x -> x.argsort(0, true));
        OPS.put("softmax", x -> x.softmax(1));
        OPS.put("softmax along 0", x -> x.softmax(0));
        OPS.put("logSoftmax", x -> x.logSoftmax(1));
        OPS.put("crossEntropy", x -> x.crossEntropy(x.argmin(1)));
        OPS.put("logSumExp", x -> x.logSumExp(1));
        OPS.put("floorDivide", x -> x.cast(DType.INT64)
                .floorDivide(x.cast(DType.INT64).add(7)));
        OPS.put("logicalAnd", x -> x.greater(0.5).logicalAnd(x.less(0.7)));
        OPS.put("logicalOr", x -> x.greater(0.5).logicalOr(x.less(0.7)));
        OPS.put("logicalXor", x -> x.greater(0.5).logicalXor(x.less(0.7)));
        OPS.put("logicalNot", x -> x.greater(0.5).logicalNot());
        OPS.put("any", x -> x.greater(0.5).any(1));
        OPS.put("all", x -> x.greater(0.5).all(0));
        OPS.put("countNonzero", x -> x.greater(0.5).countNonzero(1));
        OPS.put("topk of some", x -> x.topk(2, 1).values());
        OPS.put("gather of positions", x -> x.gather(1, x.argmax(1).unsqueeze(1)));
        OPS.put("indexSelect of positions", x -> x.indexSelect(0, x.argmin(0)));
        OPS.put("bernoulli", x -> x.sigmoid().bernoulli());
        OPS.put("multinomial", x -> x.sigmoid().multinomial(2, false));
        OPS.put("dropout", x -> x.dropout(0.4));
        OPS.put("dropout of a view", x -> x.transpose().dropout(0.4));
        OPS.put("dropout after a loop", x -> x.exp().relu().dropout(0.4).tanh());
        OPS.put("custom", x -> Tensor.custom(new Scaled(3), x));
        OPS.put("rand", x -> x.multiply(Tensor.rand(x.dtype(), 4)));
        OPS.put("randn", x -> x.multiply(Tensor.randn(x.dtype(), 3, 4)));
        OPS.put("randint", x -> x.multiply(Tensor.randint(0, 5, 4).cast(x.dtype())));
        OPS.put("randperm", x -> x.indexSelect(1, Tensor.randperm(4)));
        OPS.put("constants", x -> x.multiply(Tensor.arange(x.dtype(), 0, 4, 1))
                .add(Tensor.of(x.dtype(), new double[] {1, 2, 3, 4}))
                .matmul(Tensor.eye(x.dtype(), 4)));
        OPS.put("copyFrom", x -> Tensor.emptyLike(x).copyFrom(x.get(0)).multiply(x));
        OPS.put("copyTo", x -> x.copyTo(TensorArena.innermost()));
        OPS.put("retain", x -> x.exp().retain().log());
        OPS.put("checkpoint", x -> Autograd.checkpoint(v -> v.exp().sin(), x, List.of()));
        OPS.put("checkpoint of random draws", CompiledOpsTest::drawing);
        OPS.put(
                "checkpoint of a checkpoint of random draws",
                x -> Autograd.checkpoint(
                        v -> drawing(v.multiply(Tensor.rand(v.dtype(), 4))).dropout(0.3), x, List.of()));
    }

    private static Tensor drawing(Tensor x) {
        return Autograd.checkpoint(
                v -> v.dropout(0.4)
                        .multiply(Tensor.randn(v.dtype(), 3, 4))
                        .add(v.sigmoid().bernoulli())
                        .sin(),
                x,
                List.of());
    }

    /// A convolution of an image with a kernel of its own elements.
    private static Tensor convolved(Tensor image, Tensor weight, long groups) {
        long in = image.shape[1] / groups;
        long out = weight.size() / in;
        return image.convolution(weight.reshape(out, in, 1, 1), null, ONE, ONE, ONE, groups);
    }

    private static Tensor heads(Tensor x) {
        return x.reshape(3, 2, 2).transpose(1, 0, 2);
    }

    /// A layer of two units over three steps of two sequences.
    private static Tensor recurrent(Tensor x, int gates) {
        Tensor input = x.reshape(3, 2, 2);
        Tensor state = x.slice(1, 0, 2).slice(0, 0, 2);
        Tensor weight = Tensor.concat(0, x, x).reshape(12, 2).slice(0, 0, 2 * gates);
        Tensor lengths = Tensor.of(new int[] {3, 2});
        List<Tensor> results =
                switch (gates) {
                    case 1 -> input.rnn(state, weight, weight, null, null, lengths, true, Activation.TANH);
                    case 3 -> input.gru(state, weight, weight, null, null, lengths, true);
                    default -> input.lstm(state, state, weight, weight, null, null, null, lengths, true);
                };
        return Tensor.concat(0, results.get(0).flatten(0, 1), results.get(1), results.getLast());
    }

    /// `y = factor·x`
    private record Scaled(double factor) implements CustomOp {
        @Override
        public void compute(Tensor[] inputs, Tensor y) {
            y.copyFrom(inputs[0].multiply(factor));
        }

        @Override
        public Tensor gradient(int input, Tensor g, Tensor[] inputs, Tensor y) {
            return g.multiply(factor);
        }
    }

    @Test
    void everyOpOfTheTableIsHere() {
        var names = new TreeSet<>(OpTableTest.rows());
        OPS.keySet().forEach(names::remove);
        REFUSED.keySet().forEach(names::remove);
        OPS.keySet().forEach(name -> names.remove(name.split(" ")[0]));
        assertEquals(new TreeSet<String>(), names);
    }

    @TestFactory
    Stream<DynamicTest> opsReplayToTheBit() {
        return OPS.entrySet().stream().flatMap(op -> Stream.of(DType.FLOAT32, DType.FLOAT64)
                .map(dtype -> dynamicTest(op.getKey() + " " + dtype, () -> requireSameBits(dtype, op.getValue()))));
    }

    private static void requireSameBits(DType dtype, UnaryOperator<Tensor> op) {
        try (var arena = TensorArena.ofConfined()) {
            assertEquals(run(dtype, op, false), run(dtype, op, true));
        }
    }

    private static List<String> run(DType dtype, UnaryOperator<Tensor> op, boolean compile) {
        UnaryOperator<Tensor> values = op;
        try (var forward = CompiledFunction.of(values);
                var backward = CompiledFunction.ofList(inputs -> backward(op, inputs.getFirst()))) {
            List<String> bits = new ArrayList<>();
            Tensor.manualSeed(5);
            for (int i = 0; i < 4; i++) {
                try (var step = TensorArena.ofConfined()) {
                    Tensor x = Tensor.rand(dtype, new java.util.Random(i), 3, 4)
                            .multiply(0.8)
                            .add(0.1);
                    bits.add(bits(compile ? forward.run(x) : op.apply(x)));
                    List<Tensor> results = compile ? backward.run(List.of(x)) : backward(op, x);
                    results.forEach(result -> bits.add(bits(result)));
                }
            }
            if (compile) {
                assertEquals(1, forward.recordings());
                assertEquals(1, backward.recordings());
            }
            return bits;
        }
    }

    private static List<Tensor> backward(UnaryOperator<Tensor> op, Tensor x) {
        Tensor leaf = x.detach().trackGradient();
        Tensor y = op.apply(leaf);
        if (!y.tracksGradient()) {
            return List.of(y);
        }
        y.retain();
        y.multiply(y).sum().backward(Release.EAGER);
        return List.of(y, leaf.gradient());
    }

    /// The bits of all elements. Of a NaN they are always the same here: which of its bits an operation sets is left to
    /// the processor and to the compiler, which may exchange operands (JVMS 2.8).
    private static String bits(Tensor t) {
        var text = new StringBuilder(t.dtype().toString());
        if (t.dtype().isFloating()) {
            for (double value : t.toDoubleArray()) {
                text.append(' ').append(Double.doubleToLongBits(value));
            }
        } else {
            for (long value : t.toLongArray()) {
                text.append(' ').append(value);
            }
        }
        return text.toString();
    }

    @TestFactory
    Stream<DynamicTest> opsWhoseLaunchesDependOnElementsRefuse() {
        return REFUSED.entrySet().stream()
                .map(op -> dynamicTest(op.getKey(), () -> {
                    try (var arena = TensorArena.ofConfined();
                            var compiled = CompiledFunction.of(op.getValue())) {
                        Tensor x = Tensor.rand(3, 4);
                        String message = assertThrows(IllegalStateException.class, () -> compiled.run(x))
                                .getMessage();
                        String name = op.getKey().split(" ")[0];
                        assertTrue(message.startsWith(name + ": a CompiledFunction is being recorded"), message);
                        assertTrue(message.contains("move it out of the function"), message);
                        // Nothing is left of the recording.
                        op.getValue().apply(x);
                    }
                }));
    }
}
