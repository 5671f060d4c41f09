package org.toydiff.nn;

import java.util.List;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Layers of gated recurrent units: `r = σ(W_ir·x + b_ir + W_hr·h + b_hr)`, `z = σ(W_iz·x + b_iz + W_hz·h + b_hz)`,
/// `n = tanh(W_in·x + b_in + r·(W_hn·h + b_hn))`, `h ← (1 − z)·n + z·h`. Shapes, parameters and initial values as
/// [RNNBase] says, with the 3 gates r, z and n.
///
/// Source: K. Cho et al., "Learning phrase representations using RNN encoder–decoder", 2014, with r applied after the
/// product, as in PyTorch and cuDNN.
public final class GRU extends RNNBase {
    /// Creates a FLOAT32 layer of one direction, for sequences `[T, B, in]`.
    ///
    /// @param in the number of elements of a step of the input
    /// @param hidden the number of hidden units, H
    /// @throws IllegalArgumentException if a size is not positive
    public GRU(long in, long hidden) {
        this(in, hidden, RecurrentOptions.DEFAULT);
    }

    /// Creates FLOAT32 layers.
    ///
    /// @param in the number of elements of a step of the input
    /// @param hidden the number of hidden units of each layer and direction, H
    /// @param options the number of layers, and the rest
    /// @throws IllegalArgumentException if a size is not positive, or the options have a projection
    public GRU(long in, long hidden, RecurrentOptions options) {
        this(DType.FLOAT32, in, hidden, options);
    }

    /// Creates layers.
    ///
    /// @param dtype the dtype of input, output and parameters, FLOAT32 or FLOAT64
    /// @param in the number of elements of a step of the input
    /// @param hidden the number of hidden units of each layer and direction, H
    /// @param options the number of layers, and the rest
    /// @throws IllegalArgumentException if a size is not positive, the options have a projection, or the dtype is
    ///     neither of the two
    public GRU(DType dtype, long in, long hidden, RecurrentOptions options) {
        super(dtype, 3, in, hidden, options);
    }

    /// Computes all steps from initial states.
    ///
    /// @param x sequences `[T, B, in]`, or `[B, T, in]` if the batch is first, or one sequence `[T, in]`
    /// @param hidden h before the first step, `[layers·directions, B, H]`, without B for one sequence; null for zeros
    /// @param lengths the number of steps of each sequence, `[B]`, INT32 or INT64, from 1 to T; null if all have T
    /// @return h after each step, and the last state
    /// @throws IllegalArgumentException if the shapes do not fit, T is 0 or a length is out of range, naming the layer
    public RecurrentOutput run(Tensor x, Tensor hidden, Tensor lengths) {
        return named(x, hidden, null, lengths);
    }

    @Override
    List<Tensor> run(Tensor x, RecurrentWeights weights, Tensor hidden, Tensor cell, Tensor lengths, boolean reverse) {
        return x.gru(
                hidden, weights.weightIh(), weights.weightHh(), weights.biasIh(), weights.biasHh(), lengths, reverse);
    }
}
