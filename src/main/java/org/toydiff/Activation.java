package org.toydiff;

import static org.toydiff.Families.binary;
import static org.toydiff.Rule.readsInputs;
import static org.toydiff.Rule.readsOther;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.UnaryKernel;

/// An activation that [Tensor#linear(Tensor, Tensor, Activation)] applies to its result in the same pass.
///
/// Its gradient reads its output alone, so that its input need not be kept.
public enum Activation {
    /// [Tensor#relu()].
    RELU("relu", UnaryKernel.RELU, BinaryKernel.ADD_RELU, BinaryKernel.RELU_GRADIENT),
    /// [Tensor#tanh()].
    TANH("tanh", UnaryKernel.TANH, BinaryKernel.ADD_TANH, BinaryKernel.TANH_GRADIENT),
    /// [Tensor#sigmoid()].
    SIGMOID("sigmoid", UnaryKernel.SIGMOID, BinaryKernel.ADD_SIGMOID, BinaryKernel.SIGMOID_GRADIENT);

    final String op;
    final String gradientOp;
    final UnaryKernel kernel;
    final BinaryKernel afterBias;
    final BinaryKernel gradient;

    /// The gradient rule: an op of two operands, which may write over a gradient that nobody else needs.
    final Rule rule = new Gradient(this);

    /// The rules of its node.
    final Rule[] rules = {rule};

    Activation(String op, UnaryKernel kernel, BinaryKernel afterBias, BinaryKernel gradient) {
        this.op = op;
        this.gradientOp = op + "Gradient";
        this.kernel = kernel;
        this.afterBias = afterBias;
        this.gradient = gradient;
    }

    /// The rule of an activation. It reads the output alone, so that a producer of `g` can apply it in the same
    /// pass.
    record Gradient(Activation activation) implements Rule.ReadsOutput, Rule.Fusible {
        @Override
        public Tensor of(Tensor g, Tensor y) {
            return switch (activation) {
                case RELU -> reluGradient(g.dying(), y);
                case TANH -> tanhGradient(g.dying(), y);
                case SIGMOID -> sigmoidGradient(g.dying(), y);
            };
        }
    }

    // Each gradient is an op with rules of its own, so that it can be differentiated again.

    /// relu's gradient: `g` where relu's output `y` is not 0, else 0.
    private static Tensor reluGradient(Tensor g, Tensor y) {
        return binary(
                g,
                y,
                "reluGradient",
                BinaryKernel.RELU_GRADIENT,
                readsOther((h, other) -> reluGradient(h, other)),
                Tensor.ZERO);
    }

    /// tanh's gradient `g·(1 − y²)` from its output `y`.
    private static Tensor tanhGradient(Tensor g, Tensor y) {
        return binary(
                g,
                y,
                "tanhGradient",
                BinaryKernel.TANH_GRADIENT,
                readsOther((h, other) -> tanhGradient(h, other)),
                readsInputs((h, own, other) -> h.multiply(other).multiply(own).multiply(-2)));
    }

    /// The logistic function's gradient `g·y·(1 − y)` from its output `y`.
    private static Tensor sigmoidGradient(Tensor g, Tensor y) {
        return binary(
                g,
                y,
                "sigmoidGradient",
                BinaryKernel.SIGMOID_GRADIENT,
                readsOther((h, other) -> sigmoidGradient(h, other)),
                readsInputs((h, own, other) ->
                        h.multiply(other).multiply(own.multiply(-2).add(1))));
    }
}
