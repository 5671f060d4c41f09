package org.toydiff.nn;

import org.toydiff.Activation;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// One step of an [RNN]: for a loop of the caller's.
///
/// **Parameters** `weight_ih` `[H, in]`, `weight_hh` `[H, H]`, `bias_ih` and `bias_hh` `[H]`, as PyTorch's.
/// **Initial values** all uniform on ±1/√H.
/// `forward` returns h after a step from a state of zeros.
public final class RNNCell extends Layer {
    private final RecurrentWeights weights;
    private final Activation activation;

    /// Creates a FLOAT32 cell with biases and tanh.
    ///
    /// @param in the number of elements of an input
    /// @param hidden the number of hidden units, H
    /// @throws IllegalArgumentException if a size is not positive
    public RNNCell(long in, long hidden) {
        this(DType.FLOAT32, in, hidden, true, Activation.TANH);
    }

    /// Creates a cell.
    ///
    /// @param dtype the dtype of input, output and parameters, FLOAT32 or FLOAT64
    /// @param in the number of elements of an input
    /// @param hidden the number of hidden units, H
    /// @param bias whether there are biases
    /// @param activation TANH or RELU
    /// @throws IllegalArgumentException if a size is not positive, the activation is another or the dtype is
    ///     neither of the two
    public RNNCell(DType dtype, long in, long hidden, boolean bias, Activation activation) {
        RecurrentWeights.require(this, dtype, 1, in, hidden);
        this.activation = required("RNNCell", activation);
        this.weights = RecurrentWeights.of(this, dtype, 1, in, hidden, 0, bias, "");
    }

    static Activation required(String layer, Activation activation) {
        if (activation != Activation.TANH && activation != Activation.RELU) {
            throw new IllegalArgumentException(layer + ": the activation is TANH or RELU, not " + activation);
        }
        return activation;
    }

    /// Computes one step.
    ///
    /// @param x inputs `[B, in]`, or one `[in]`
    /// @param hidden h before the step, `[B, H]` or `[H]`; null for zeros
    /// @return h after the step
    /// @throws IllegalArgumentException if the shapes do not fit, naming the layer
    public Tensor run(Tensor x, Tensor hidden) {
        try {
            return step(x, hidden);
        } catch (IllegalArgumentException e) {
            throw failure(e);
        }
    }

    private Tensor step(Tensor x, Tensor hidden) {
        weights.requireStep(this, x, hidden);
        if (x.rank() == 1) {
            return step(x.unsqueeze(0), RecurrentWeights.row(hidden)).squeeze(0);
        }
        Tensor h = weights.stateOrZeros(hidden, x);
        return x.unsqueeze(0)
                .rnn(
                        h,
                        weights.weightIh(),
                        weights.weightHh(),
                        weights.biasIh(),
                        weights.biasHh(),
                        null,
                        false,
                        activation)
                .get(1);
    }

    @Override
    protected Tensor compute(Tensor x) {
        return step(x, null);
    }

    @Override
    public String toString() {
        return weights.text(this)
                .when(activation == Activation.RELU, "activation", () -> activation)
                .toString();
    }
}
