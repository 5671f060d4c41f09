package org.toydiff.nn;

import java.util.List;
import org.toydiff.Activation;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Layers of J. Elman's network: `h ← tanh(W_ih·x + b_ih + W_hh·h + b_hh)`, or relu in place of tanh. Shapes,
/// parameters and initial values as [RNNBase] says, with one gate.
///
/// Source: J. Elman, "Finding structure in time", 1990.
public final class RNN extends RNNBase {
    private final Activation activation;

    /// Creates a FLOAT32 layer of one direction with tanh, for sequences `[T, B, in]`.
    ///
    /// @param in the number of elements of a step of the input
    /// @param hidden the number of hidden units, H
    /// @throws IllegalArgumentException if a size is not positive
    public RNN(long in, long hidden) {
        this(in, hidden, RecurrentOptions.DEFAULT);
    }

    /// Creates FLOAT32 layers with tanh.
    ///
    /// @param in the number of elements of a step of the input
    /// @param hidden the number of hidden units of each layer and direction, H
    /// @param options the number of layers, and the rest
    /// @throws IllegalArgumentException if a size is not positive, or the options have a projection
    public RNN(long in, long hidden, RecurrentOptions options) {
        this(DType.FLOAT32, in, hidden, options, Activation.TANH);
    }

    /// Creates layers.
    ///
    /// @param dtype the dtype of input, output and parameters, FLOAT32 or FLOAT64
    /// @param in the number of elements of a step of the input
    /// @param hidden the number of hidden units of each layer and direction, H
    /// @param options the number of layers, and the rest
    /// @param activation TANH or RELU
    /// @throws IllegalArgumentException if a size is not positive, the options have a projection, the activation is
    ///     another, or the dtype is neither of the two
    public RNN(DType dtype, long in, long hidden, RecurrentOptions options, Activation activation) {
        this.activation = RNNCell.required("RNN", activation);
        super(dtype, 1, in, hidden, options);
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
        return x.rnn(
                hidden,
                weights.weightIh(),
                weights.weightHh(),
                weights.biasIh(),
                weights.biasHh(),
                lengths,
                reverse,
                activation);
    }

    @Override
    public String toString() {
        return text().when(activation == Activation.RELU, "activation", () -> activation)
                .toString();
    }
}
