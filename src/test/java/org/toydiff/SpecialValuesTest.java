package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Reduction;

/// Values, gradients and gradients of gradients at 0, ±∞ and NaN, as golden_special.py wrote them. An infinity in a
/// branch that is not taken must not come back as NaN.
class SpecialValuesTest {
    private static final Map<String, UnaryOperator<Tensor>> EACH = new HashMap<>();
    private static final Map<String, UnaryOperator<Tensor>> WHOLE = new HashMap<>();
    private static final Map<String, BinaryOperator<Tensor>> PAIRS = new HashMap<>();

    static {
        EACH.put("log", Tensor::log);
        EACH.put("log1p", Tensor::log1p);
        EACH.put("erf", Tensor::erf);
        EACH.put("negative", Tensor::negative);
        EACH.put("sigmoid", Tensor::sigmoid);
        EACH.put("sin", Tensor::sin);
        EACH.put("cos", Tensor::cos);
        EACH.put("sinh", Tensor::sinh);
        EACH.put("cosh", Tensor::cosh);
        EACH.put("tanh", Tensor::tanh);
        EACH.put("exp", Tensor::exp);
        EACH.put("sign", Tensor::sign);
        EACH.put("abs", Tensor::abs);
        EACH.put("sqrt", Tensor::sqrt);
        EACH.put("relu", Tensor::relu);
        EACH.put("clamp", x -> x.clamp(-1, 1));
        for (String p : List.of("2", "0.5", "0", "1", "-1", "3", "1.5")) {
            EACH.put("power" + p, x -> x.power(Double.parseDouble(p)));
        }
        EACH.put("powerOf2", x -> Tensor.scalar(x.dtype, 2).power(x));
        EACH.put("powerOf0", x -> Tensor.scalar(x.dtype, 0).power(x));
        EACH.put("reciprocal", x -> Tensor.scalar(x.dtype, 1).divide(x));
        EACH.put("maximum", x -> x.maximum(0));
        EACH.put("minimum", x -> x.minimum(0));
        EACH.put("sqrtOfMaximum", x -> x.maximum(0).sqrt());
        EACH.put("sqrtBelow1", x -> x.minimum(1).negative().add(1).sqrt());
        EACH.put("sqrtOfClamp", x -> x.clamp(0, 4).sqrt());
        EACH.put("logOfRelu", x -> x.relu().log());
        EACH.put("silu", Functional::silu);
        EACH.put("gelu", Functional::gelu);
        EACH.put("geluTanh", Functional::geluTanh);
        EACH.put("elu", x -> Functional.elu(x, 0.7));
        EACH.put("hardswish", Functional::hardswish);
        EACH.put("mish", Functional::mish);
        EACH.put("leakyRelu", x -> Functional.leakyRelu(x, 0.01));
        EACH.put("softplus", x -> Functional.softplus(x, 1, 20));
        EACH.put("softplus2", x -> Functional.softplus(x, 2, 5));
        EACH.put("mse", x -> Functional.mseLoss(x, Tensor.zerosLike(x), Reduction.NONE));
        EACH.put("mae", x -> Functional.maeLoss(x, Tensor.zerosLike(x), Reduction.NONE));
        EACH.put("huber", x -> Functional.huberLoss(x, Tensor.zerosLike(x), 2, Reduction.NONE));
        for (String target : List.of("0", "0.3", "1")) {
            EACH.put("bce" + target, x -> bce(x, Double.parseDouble(target)));
        }
        EACH.put("rsqrt", Tensor::rsqrt);
        EACH.put("expm1", Tensor::expm1);
        EACH.put("exp2", Tensor::exp2);
        EACH.put("log2", Tensor::log2);
        EACH.put("log10", Tensor::log10);
        EACH.put("asin", Tensor::asin);
        EACH.put("acos", Tensor::acos);
        EACH.put("atan", Tensor::atan);
        EACH.put("floor", Tensor::floor);
        EACH.put("ceil", Tensor::ceil);
        EACH.put("round", Tensor::round);
        EACH.put("trunc", Tensor::trunc);
        EACH.put("nanToNum", x -> x.nanToNum(1, Double.NEGATIVE_INFINITY, 3));
        EACH.put("remainder", x -> x.remainder(3));
        EACH.put("fmod", x -> x.fmod(3));
        PAIRS.put("atan2OfPairs", Tensor::atan2);
        PAIRS.put("hypotOfPairs", Tensor::hypot);
        PAIRS.put("remainderOfPairs", Tensor::remainder);
        PAIRS.put("fmodOfPairs", Tensor::fmod);
        WHOLE.put("sum", Tensor::sum);
        WHOLE.put("mean", Tensor::mean);
        WHOLE.put("max", x -> x.max(0));
        WHOLE.put("min", x -> x.min(0));
        WHOLE.put("logSumExp", x -> x.logSumExp(0));
        WHOLE.put("softmax", x -> x.softmax(0));
        WHOLE.put("logSoftmax", x -> x.logSoftmax(0));
        WHOLE.put("crossEntropy", x -> x.reshape(1, x.size()).crossEntropy(first()));
        WHOLE.put("nll", x -> Functional.nllLoss(x.reshape(1, x.size()), first(), Reduction.NONE));
        WHOLE.put("layerNorm", x -> Functional.layerNorm(x, Tensor.onesLike(x), Tensor.zerosLike(x), 1e-5));
        for (int ddof : new int[] {0, 1, 3, 5}) {
            WHOLE.put("var" + ddof, x -> x.var(0, false, ddof));
            WHOLE.put("std" + ddof, x -> x.std(0, false, ddof));
        }
        for (String p : List.of("0.5", "1", "1.5", "2", "3", "inf")) {
            WHOLE.put("norm" + p, x -> x.norm(Double.parseDouble(p.replace("inf", "Infinity")), 0, false));
        }
    }

    private static Tensor bce(Tensor x, double target) {
        return Functional.binaryCrossEntropyWithLogits(x, Tensor.full(x.dtype, target, x.shape), Reduction.NONE);
    }

    private static Tensor first() {
        return Tensor.of(new int[] {0});
    }

    @TestFactory
    List<DynamicTest> valueGradientAndItsGradientAreRight() throws Exception {
        List<DynamicTest> tests = new ArrayList<>();
        for (Golden.Case golden : Golden.cases("golden_special.txt")) {
            for (DType dtype : new DType[] {DType.FLOAT64, DType.FLOAT32}) {
                Golden.Array in = golden.all("in").getFirst();
                String name = golden.name() + " " + dtype + " of " + Arrays.toString(in.values());
                tests.add(DynamicTest.dynamicTest(name, () -> check(golden, dtype)));
            }
        }
        return tests;
    }

    private static void check(Golden.Case golden, DType dtype) {
        if (PAIRS.containsKey(golden.name())) {
            checkPairs(golden, dtype);
            return;
        }
        try (var arena = TensorArena.ofConfined()) {
            boolean weighted = WHOLE.containsKey(golden.name());
            double[] values = golden.all("in").getFirst().values();
            Tensor x = Tensor.of(dtype, values, values.length).trackGradient();
            Tensor y = (weighted ? WHOLE : EACH).get(golden.name()).apply(x);
            Tensor g = Autograd.gradients(total(y, weighted), List.of(x), true).getFirst();
            Tensor h = g.tracksGradient()
                    ? Autograd.gradients(total(g, weighted), List.of(x)).getFirst()
                    : Tensor.zerosLike(x);
            same(golden, "out", values, y);
            same(golden, "grad", values, g);
            same(golden, "second", values, h);
        }
    }

    private static void checkPairs(Golden.Case golden, DType dtype) {
        try (var arena = TensorArena.ofConfined()) {
            List<Tensor> in = golden.all("in").stream()
                    .map(array -> Tensor.of(dtype, array.values()).trackGradient())
                    .toList();
            Tensor y = PAIRS.get(golden.name()).apply(in.get(0), in.get(1));
            List<Tensor> gradients = Autograd.gradients(y.sum(), in);
            String name = golden.name();
            same(golden.all("out").getFirst(), y, i -> name + " " + i + " of " + pair(golden, i));
            for (int k = 0; k < 2; k++) {
                String operand = name + ": gradient to " + k;
                same(golden.all("grad").get(k), gradients.get(k), i -> operand + " at " + pair(golden, i));
            }
        }
    }

    private static String pair(Golden.Case golden, int i) {
        return golden.all("in").get(0).values()[i] + ", "
                + golden.all("in").get(1).values()[i];
    }

    private static Tensor total(Tensor y, boolean weighted) {
        return weighted
                ? y.multiply(Tensor.arange(y.dtype, 1, y.size() + 1, 1).reshape(y.shape))
                        .sum()
                : y.sum();
    }

    private static void same(Golden.Case golden, String kind, double[] in, Tensor found) {
        same(
                golden.all(kind).getFirst(),
                found,
                i -> golden.name() + " of " + Arrays.toString(in) + ": " + kind + " " + i);
    }

    private static void same(Golden.Array golden, Tensor found, IntFunction<String> message) {
        double[] expected = golden.values();
        double[] values = found.toDoubleArray();
        double tolerance = found.isWide() ? 1e-9 : 2e-5;
        for (int i = 0; i < expected.length; i++) {
            double scale = Double.isFinite(expected[i]) ? Math.max(1, Math.abs(expected[i])) : 1;
            assertEquals(expected[i], values[i], tolerance * scale, message.apply(i));
        }
    }

    @Test
    void lossesNear0KeepTheirDigits() {
        try (var arena = TensorArena.ofConfined()) {
            for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
                double expected = Math.log1p(Math.exp(-20));
                assertEquals(expected, bce(Tensor.scalar(dtype, 20), 1).item(), 1e-6 * expected);
                assertEquals(expected, bce(Tensor.scalar(dtype, -20), 0).item(), 1e-6 * expected);
            }
        }
    }

    @Test
    void anInfiniteErrorMovesAsFarAsALargeOne() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(Float.POSITIVE_INFINITY, 1e30f, -1e30f, Float.NEGATIVE_INFINITY)
                    .trackGradient();
            Functional.huberLoss(x, Tensor.zerosLike(x), 1, Reduction.SUM).backward();
            assertArrayEquals(new float[] {1, 1, -1, -1}, x.gradient().toFloatArray());
        }
    }
}
