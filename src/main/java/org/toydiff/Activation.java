package org.toydiff;

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

    /// The rule of an activation. It reads the output alone, so that a producer of `g` can apply it in the same pass.
    record Gradient(Activation activation) implements Rule.ReadsOutput, Rule.Fusible {
        @Override
        public Tensor of(Tensor g, Tensor y) {
            return switch (activation) {
                case RELU -> g.dying().reluGradient(y);
                case TANH -> g.dying().tanhGradient(y);
                case SIGMOID -> g.dying().sigmoidGradient(y);
            };
        }
    }
}
