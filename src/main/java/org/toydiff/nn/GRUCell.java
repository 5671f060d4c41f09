package org.toydiff.nn;

import org.toydiff.DType;
import org.toydiff.Tensor;

/// One step of a [GRU]: for a loop of the caller's.
///
/// **Parameters** `weight_ih` `[3·H, in]`, `weight_hh` `[3·H, H]`, `bias_ih` and `bias_hh` `[3·H]`, as PyTorch's.
/// **Initial values** all uniform on ±1/√H.
/// `forward` returns h after a step from a state of zeros.
public final class GRUCell extends Layer {
    private final RecurrentWeights weights;

    /// Creates a FLOAT32 cell with biases.
    ///
    /// @param in the number of elements of an input
    /// @param hidden the number of hidden units, H
    /// @throws IllegalArgumentException if a size is not positive
    public GRUCell(long in, long hidden) {
        this(DType.FLOAT32, in, hidden, true);
    }

    /// Creates a cell.
    ///
    /// @param dtype the dtype of input, output and parameters, FLOAT32 or FLOAT64
    /// @param in the number of elements of an input
    /// @param hidden the number of hidden units, H
    /// @param bias whether there are biases
    /// @throws IllegalArgumentException if a size is not positive or the dtype is neither of the two
    public GRUCell(DType dtype, long in, long hidden, boolean bias) {
        RecurrentWeights.require(this, dtype, 3, in, hidden);
        this.weights = RecurrentWeights.of(this, dtype, 3, in, hidden, 0, bias, "");
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
                .gru(h, weights.weightIh(), weights.weightHh(), weights.biasIh(), weights.biasHh(), null, false)
                .get(1);
    }

    @Override
    protected Tensor compute(Tensor x) {
        return step(x, null);
    }

    @Override
    public String toString() {
        return weights.text(this).toString();
    }
}
