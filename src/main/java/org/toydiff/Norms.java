package org.toydiff;

import java.util.function.Supplier;
import org.toydiff.internal.launch.Reduction;
import org.toydiff.internal.launch.Shape;

/// Reductions that are made of others, each with one rule, so that nothing of what they are made of is kept.
final class Norms {
    private Norms() {}

    static Tensor logSumExp(Tensor x, boolean[] reduced, boolean keepDims) {
        return reduction("logSumExp", x, reduced, keepDims, () -> shiftedLogSumExp(x, reduced), LOG_SUM_EXP);
    }

    private static final Rule LOG_SUM_EXP = Rule.readsInputAndOutput((g, x, y) -> {
        // Where all elements are −∞ none of them has a share.
        Tensor nothing = y.equalTo(Double.NEGATIVE_INFINITY);
        return g.multiply(x.subtract(Selection.where(nothing, y.zero(), y)).exp());
    });

    private static Tensor shiftedLogSumExp(Tensor x, boolean[] reduced) {
        if (x.size() == 0) {
            return x.sum(reduced, true).log();
        }
        Tensor largest = x.max(reduced, true);
        // An infinite shift would make NaN of ∞ − ∞.
        Tensor infinite = largest.abs().equalTo(Double.POSITIVE_INFINITY);
        Tensor shift = Selection.where(infinite, largest.zero(), largest);
        return x.subtract(shift).exp().sum(reduced, true).log().add(shift);
    }

    static Tensor norm(Tensor x, double p, boolean[] reduced, boolean keepDims) {
        x.requireFloating("norm");
        if (!(p > 0)) {
            throw new IllegalArgumentException(
                    "norm: p " + p + " is out of range; give p > 0, 2 for the Euclidean norm");
        }
        if (p == 1) {
            return x.abs().sum(reduced, keepDims);
        }
        if (p == Double.POSITIVE_INFINITY) {
            return x.abs().max(reduced, keepDims);
        }
        if (p == 2) {
            return Families.reduction(x, "norm", reduced, keepDims, Reduction.NORM, 0, EUCLIDEAN);
        }
        return reduction(
                "norm",
                x,
                reduced,
                keepDims,
                () -> x.abs().power(p).sum(reduced, true).power(1 / p),
                Rule.readsInputAndOutput((g, in, y) -> gradient(p, g, in, y)));
    }

    /// `g·sign(x)·(|x| / y)ᵖ⁻¹`, 0 where x or y is 0. Where x is 0 the power is of 1: that of 0 is infinite for p < 1,
    /// and so are its gradients for p < 2.
    private static Tensor gradient(double p, Tensor g, Tensor x, Tensor y) {
        Tensor nothing = y.equalTo(0);
        Tensor part = x.abs().divide(y.oneWhere(nothing)).oneWhere(x.equalTo(0));
        return g.zeroWhere(nothing).multiply(x.sign().multiply(part.power(p - 1)));
    }

    private static final Rule EUCLIDEAN = Rule.readsInputAndOutput((g, x, y) -> {
        Tensor nothing = y.equalTo(0);
        return g.zeroWhere(nothing).multiply(x.divide(y.oneWhere(nothing)));
    });

    /// `kept` computes the result with the reduced axes at size 1.
    private static Tensor reduction(
            String op, Tensor x, boolean[] reduced, boolean keepDims, Supplier<Tensor> kept, Rule rule) {
        x.requireFloating(op);
        long[] keptShape = Shape.kept(x.shape, reduced);
        long[] shape = keepDims ? keptShape : Shape.dropped(x.shape, reduced);
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make(op, x.dtype, shape, recorded);
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            Launch.unary(Families.copy(x.dtype), kept.get(), y.view(y.offset, keptShape, Shape.strides(keptShape)));
        }
        long[] ruleShape = keepDims || shape.length == 0 ? null : keptShape;
        return recorded ? y.record(op, ruleShape, rule, x) : y;
    }
}
