package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;
import static org.toydiff.nn.Functional.crossEntropyLoss;
import static org.toydiff.nn.Functional.logSoftmax;
import static org.toydiff.nn.Functional.maeLoss;
import static org.toydiff.nn.Functional.mseLoss;
import static org.toydiff.nn.Functional.softmax;
import static org.toydiff.nn.Functional.softmin;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.nn.Reduction;
import org.toydiff.optim.Adam;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.SGD;

/// Everything against PyTorch 2.13: values, gradients and trajectories that golden.py wrote.
@Tag("kernels")
class GoldenTest {
    private static final Map<String, Function<List<Tensor>, Tensor>> OPS = new HashMap<>();
    private static final Map<String, Function<List<Tensor>, Optimizer>> OPTIMIZERS = Map.of(
            "sgd", parameters -> new SGD(parameters, 0.1),
            "sgdMomentum", parameters -> new SGD(parameters, 0.1, 0.9),
            "adam", parameters -> new Adam(parameters, 0.01));

    private static void one(String name, Function<Tensor, Tensor> f) {
        OPS.put(name, xs -> f.apply(xs.getFirst()));
    }

    private static void two(String name, java.util.function.BinaryOperator<Tensor> f) {
        OPS.put(name, xs -> f.apply(xs.get(0), xs.get(1)));
    }

    private static Tensor mask() {
        return Tensor.of(DType.BOOL, new int[] {1, 0, 1, 0, 1, 1}, 2, 3);
    }

    static {
        one("negative", Tensor::negative);
        one("sigmoid", Tensor::sigmoid);
        one("sin", Tensor::sin);
        one("cos", Tensor::cos);
        one("tan", Tensor::tan);
        one("sinh", Tensor::sinh);
        one("cosh", Tensor::cosh);
        one("tanh", Tensor::tanh);
        one("exp", Tensor::exp);
        one("reciprocal", Tensor::reciprocal);
        one("sign", Tensor::sign);
        one("abs", Tensor::abs);
        one("relu", Tensor::relu);
        one("log", Tensor::log);
        one("log1p", Tensor::log1p);
        one("erf", Tensor::erf);
        one("clamp", x -> x.clamp(-1, 0.5));
        one("sqrt", Tensor::sqrt);
        two("add", Tensor::add);
        two("subtract", Tensor::subtract);
        two("multiply", Tensor::multiply);
        two("divide", Tensor::divide);
        two("power", Tensor::power);
        two("maximum", Tensor::maximum);
        two("minimum", Tensor::minimum);
        two("matmul", Tensor::matmul);
        OPS.put("fma", xs -> xs.get(0).fma(xs.get(1), xs.get(2)));
        one("sort1", x -> x.sort(1).values());
        one("sort0Descending", x -> x.sort(0, true).values());
        one("cumsum1", x -> x.cumsum(1));
        one("cumprod0", x -> x.cumprod(0));
        one("cumprod1", x -> x.cumprod(1));
        one("prod", Tensor::prod);
        one("prod1", x -> x.prod(1));
        one("median", Tensor::median);
        one("median0", x -> x.median(0));
        one("quantile", x -> x.quantile(0.35));
        one("quantile1Kept", x -> x.quantile(0.8, 1, true));
        one("diff1", x -> x.diff(1));
        one("select", x -> x.select(mask()));
        two("put", (x, values) -> x.put(mask(), values));
        one("putNumber", x -> x.put(mask(), 7));
        one("sum02", x -> x.sum(0, 2));
        one("mean02", x -> x.mean(0, 2));
        one("max02", x -> x.max(0, 2));
        one("min02", x -> x.min(0, 2));
        one("logSumExp02", x -> x.logSumExp(0, 2));
        one("norm02", x -> x.norm(2, new int[] {0, 2}, false));
        one("var02Unbiased", x -> x.var(new int[] {0, 2}, false, 1));
        one("sum", Tensor::sum);
        one("sum0", x -> x.sum(0));
        one("sum1", x -> x.sum(1));
        one("sumLast", x -> x.sum(-1));
        one("sum1Kept", x -> x.sum(1, true));
        one("mean", Tensor::mean);
        one("mean0", x -> x.mean(0));
        one("mean1", x -> x.mean(1));
        one("meanLast", x -> x.mean(-1));
        one("mean1Kept", x -> x.mean(1, true));
        one("max", Tensor::max);
        one("max0", x -> x.max(0));
        one("max1", x -> x.max(1));
        one("maxLast", x -> x.max(-1));
        one("max1Kept", x -> x.max(1, true));
        one("min", Tensor::min);
        one("min0", x -> x.min(0));
        one("min1", x -> x.min(1));
        one("minLast", x -> x.min(-1));
        one("min1Kept", x -> x.min(1, true));
        one("std", Tensor::std);
        one("std0", x -> x.std(0));
        one("std1", x -> x.std(1));
        one("stdLast", x -> x.std(-1));
        one("std1Kept", x -> x.std(1, true));
        one("std1Unbiased", x -> x.std(1, false, 1));
        one("var", Tensor::var);
        one("var1", x -> x.var(1));
        one("var0UnbiasedKept", x -> x.var(0, true, 1));
        one("logSumExp1", x -> x.logSumExp(1));
        one("logSumExp0Kept", x -> x.logSumExp(0, true));
        one("norm", Tensor::norm);
        one("norm1", x -> x.norm(1, 1, true));
        one("norm2", x -> x.norm(2, 1, true));
        one("norm3", x -> x.norm(3, 1, true));
        one("norminf", x -> x.norm(Double.POSITIVE_INFINITY, 1, true));
        one("topk", x -> x.topk(2, 1).values());
        one("indexSelect", x -> x.indexSelect(1, Tensor.of(new int[] {2, 0, 2})));
        two("concat", (a, b) -> Tensor.concat(1, a, b, a));
        two("stack", (a, b) -> Tensor.stack(1, a, b));
        two("where", (a, b) -> Tensor.where(Tensor.of(DType.BOOL, new int[] {1, 0}, 2, 1), a, b));
        one("reshape", x -> x.reshape(4, 6));
        one("transpose", Tensor::transpose);
        one("transpose201", x -> x.transpose(2, 0, 1));
        one("slice", x -> x.slice(1, 1, 3));
        one("get", x -> x.get(1));
        one("broadcastTo", x -> x.broadcastTo(2, 3, 4));
        one("gather", x -> x.gather(1, Tensor.of(new int[] {0, 2, 2}, 3, 1)));
        one("softmax", x -> softmax(x, 1));
        one("softmax0", x -> softmax(x, 0));
        one("softmin", x -> softmin(x, 1));
        one("logSoftmax", x -> logSoftmax(x, 1));
        for (Reduction reduction : Reduction.values()) {
            String suffix =
                    switch (reduction) {
                        case MEAN -> "";
                        case SUM -> "Sum";
                        case NONE -> "None";
                    };
            two("mseLoss" + suffix, (a, b) -> mseLoss(a, b, reduction));
            two("maeLoss" + suffix, (a, b) -> maeLoss(a, b, reduction));
            two("crossEntropyProbabilities" + suffix, (a, b) -> crossEntropyLoss(a, b, reduction));
            one(
                    "crossEntropyLoss" + suffix,
                    x -> crossEntropyLoss(x, Tensor.of(DType.INT64, new int[] {1, 0, 2}), reduction));
        }
        one("secondOfTanh", x -> Autograd.gradients(x.tanh(), List.of(x), true).getFirst());
        one("secondOfPower", x -> Autograd.gradients(x.power(3), List.of(x), true)
                .getFirst());
    }

    @TestFactory
    Stream<DynamicTest> everyCaseIsAsPyTorchHasIt() throws IOException {
        return Golden.cases("golden.txt").stream()
                .map(golden -> dynamicTest(
                        golden.name() + " "
                                + Arrays.toString(golden.all("in").getFirst().shape()),
                        () -> {
                            try (var arena = TensorArena.ofConfined()) {
                                if (OPTIMIZERS.containsKey(golden.name())) {
                                    requireTrajectory(golden);
                                } else {
                                    requireValueAndGradients(golden);
                                }
                            }
                        }));
    }

    private static void requireValueAndGradients(Golden.Case golden) {
        for (Release release : Release.values()) {
            List<Tensor> inputs = golden.all("in").stream()
                    .map(array -> array.tensor().trackGradient())
                    .toList();
            Tensor out = OPS.get(golden.name()).apply(inputs);
            golden.all("out").getFirst().requireEqual(out, "output");
            out.backward(golden.all("g").getFirst().tensor(), release);
            for (int i = 0; i < inputs.size(); i++) {
                golden.all("grad").get(i).requireEqual(inputs.get(i).gradient(), release + " gradient " + i);
            }
        }
    }

    private static void requireTrajectory(Golden.Case golden) {
        List<Tensor> in = golden.all("in").stream().map(Golden.Array::tensor).toList();
        List<Tensor> parameters = List.of(in.get(2).trackGradient(), in.get(3).trackGradient());
        Optimizer optimizer = OPTIMIZERS.get(golden.name()).apply(parameters);
        Golden.Array losses = golden.all("out").getFirst();
        double[] got = new double[losses.values().length];
        for (int step = 0; step < got.length; step++) {
            try (var inner = TensorArena.ofConfined()) {
                Tensor loss =
                        mseLoss(in.get(0).fma(in.get(2).transpose(), in.get(3)).tanh(), in.get(1));
                got[step] = loss.item();
                optimizer.zeroGradients();
                loss.backward(Release.EAGER);
                optimizer.step();
            }
        }
        losses.requireEqual(Tensor.of(DType.FLOAT64, got), "losses");
        for (int i = 0; i < 2; i++) {
            golden.all("grad").get(i).requireEqual(parameters.get(i), "parameter " + i);
        }
    }

    @Test
    void everyOpHasACase() throws IOException {
        var named = new TreeSet<>(OPS.keySet());
        named.addAll(OPTIMIZERS.keySet());
        var found = new TreeSet<String>();
        Golden.cases("golden.txt").forEach(golden -> found.add(golden.name()));
        assertEquals(found, named);
    }
}
