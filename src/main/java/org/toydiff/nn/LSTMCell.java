package org.toydiff.nn;

import java.util.List;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// One step of an [LSTM]: for a loop of the caller's, such as one that feeds an output back as the next input.
///
/// **Parameters** `weight_ih` `[4·H, in]`, `weight_hh` `[4·H, H]`, `bias_ih` and `bias_hh` `[4·H]`, as PyTorch's.
/// **Initial values** all uniform on ±1/√H.
/// `forward` returns h after a step from states of zeros.
public final class LSTMCell extends Layer {
    private final RecurrentWeights weights;

    /// The states of a cell, `[B, H]` each, without B for one sequence.
    ///
    /// @param hidden h, which is the output too
    /// @param cell c
    public record State(Tensor hidden, Tensor cell) {}

    /// Creates a FLOAT32 cell with biases.
    ///
    /// @param in the number of elements of an input
    /// @param hidden the number of hidden units, H
    /// @throws IllegalArgumentException if a size is not positive
    public LSTMCell(long in, long hidden) {
        this(DType.FLOAT32, in, hidden, true);
    }

    /// Creates a cell.
    ///
    /// @param dtype the dtype of input, output and parameters, FLOAT32 or FLOAT64
    /// @param in the number of elements of an input
    /// @param hidden the number of hidden units, H
    /// @param bias whether there are biases
    /// @throws IllegalArgumentException if a size is not positive or the dtype is neither of the two
    public LSTMCell(DType dtype, long in, long hidden, boolean bias) {
        RecurrentWeights.require(this, dtype, 4, in, hidden);
        this.weights = RecurrentWeights.of(this, dtype, 4, in, hidden, 0, bias, "");
    }

    /// Computes one step.
    ///
    /// @param x inputs `[B, in]`, or one `[in]`
    /// @param hidden h before the step, `[B, H]` or `[H]`; null for zeros
    /// @param cell c before the step, likewise
    /// @return the states after the step
    /// @throws IllegalArgumentException if the shapes do not fit, naming the layer
    public State run(Tensor x, Tensor hidden, Tensor cell) {
        try {
            return step(x, hidden, cell);
        } catch (IllegalArgumentException e) {
            throw failure(e);
        }
    }

    private State step(Tensor x, Tensor hidden, Tensor cell) {
        weights.requireStep(this, x, hidden, cell);
        if (x.rank() == 1) {
            State batch = step(x.unsqueeze(0), RecurrentWeights.row(hidden), RecurrentWeights.row(cell));
            return new State(batch.hidden.squeeze(0), batch.cell.squeeze(0));
        }
        Tensor h = weights.stateOrZeros(hidden, x);
        Tensor c = weights.stateOrZeros(cell, x);
        List<Tensor> results = x.unsqueeze(0)
                .lstm(
                        h,
                        c,
                        weights.weightIh(),
                        weights.weightHh(),
                        weights.biasIh(),
                        weights.biasHh(),
                        null,
                        null,
                        false);
        return new State(results.get(1), results.get(2));
    }

    @Override
    protected Tensor compute(Tensor x) {
        return step(x, null, null).hidden;
    }

    @Override
    public String toString() {
        return weights.text(this).toString();
    }
}
