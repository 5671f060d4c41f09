package org.toydiff;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.UnaryKernel;

/// What [Tensor#linear(Tensor, Tensor, Activation)] applies to its result in the same pass.
///
/// Each has a gradient that reads its output alone, so its input need not be kept.
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

    /// Its gradient rule: an op of two operands that may write over a gradient nobody else needs.
    final Rule rule = new Through(this);

    /// As a node of one input keeps it.
    final Rule[] rules = {rule};

    Activation(String op, UnaryKernel kernel, BinaryKernel afterBias, BinaryKernel gradient) {
        this.op = op;
        this.gradientOp = op + "Gradient";
        this.kernel = kernel;
        this.afterBias = afterBias;
        this.gradient = gradient;
    }

    /// The rule of an activation. The engine knows it, because a product that makes the gradient `g` can put each
    /// part of it through the activation at once, over the output y.
    record Through(Activation activation) implements Rule.ReadsOutput {
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
