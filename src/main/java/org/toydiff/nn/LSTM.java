package org.toydiff.nn;

import java.util.List;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Layers of long short-term memory: `i, f, g, o = W_ih·x + b_ih + W_hh·h + b_hh`, `c ← σ(f)·c + σ(i)·tanh(g)`,
/// `h ← σ(o)·tanh(c)`. Shapes, parameters and initial values as [RNNBase] says, with 4 gates in this order. With
/// `withProjSize(P)` h is projected, `h ← W_hr·(σ(o)·tanh(c))`: then h, and the output, have P elements and not H.
///
/// ```java
/// var lstm = new LSTM(28, 128, RecurrentOptions.DEFAULT.withBatchFirst(true));
/// Tensor logits = head.forward(lstm.run(x, null, null, lengths).hidden().get(-1));
/// ```
///
/// Source: S. Hochreiter, J. Schmidhuber, "Long short-term memory", 1997, with the forget gate of F. Gers, 2000; the
/// projection of H. Sak, A. Senior, F. Beaufays, "Long short-term memory based recurrent neural network architectures
/// for large vocabulary speech recognition", 2014.
public final class LSTM extends RNNBase {
    /// Creates a FLOAT32 layer of one direction, for sequences `[T, B, in]`.
    ///
    /// @param in the number of elements of a step of the input
    /// @param hidden the number of hidden units, H
    /// @throws IllegalArgumentException if a size is not positive
    public LSTM(long in, long hidden) {
        this(in, hidden, RecurrentOptions.DEFAULT);
    }

    /// Creates FLOAT32 layers.
    ///
    /// @param in the number of elements of a step of the input
    /// @param hidden the number of hidden units of each layer and direction, H
    /// @param options the number of layers, and the rest
    /// @throws IllegalArgumentException if a size is not positive, or h is projected to H elements or more
    public LSTM(long in, long hidden, RecurrentOptions options) {
        this(DType.FLOAT32, in, hidden, options);
    }

    /// Creates layers.
    ///
    /// @param dtype the dtype of input, output and parameters, FLOAT32 or FLOAT64
    /// @param in the number of elements of a step of the input
    /// @param hidden the number of hidden units of each layer and direction, H
    /// @param options the number of layers, and the rest
    /// @throws IllegalArgumentException if a size is not positive, h is projected to H elements or more, or the
    ///     dtype is neither of the two
    public LSTM(DType dtype, long in, long hidden, RecurrentOptions options) {
        super(dtype, 4, in, hidden, options);
    }

    /// Computes all steps from initial states.
    ///
    /// @param x sequences `[T, B, in]`, or `[B, T, in]` if the batch is first, or one sequence `[T, in]`
    /// @param hidden h before the first step, `[layers·directions, B, H]`, or P in place of H; without B for one
    ///     sequence; null for zeros
    /// @param cell c before the first step, `[layers·directions, B, H]`, likewise
    /// @param lengths the number of steps of each sequence, `[B]`, INT32 or INT64, from 1 to T; null if all have T
    /// @return h after each step, and the last states
    /// @throws IllegalArgumentException if the shapes do not fit, T is 0 or a length is out of range, naming the layer
    public RecurrentOutput run(Tensor x, Tensor hidden, Tensor cell, Tensor lengths) {
        return named(x, hidden, cell, lengths);
    }

    @Override
    List<Tensor> run(Tensor x, RecurrentWeights weights, Tensor hidden, Tensor cell, Tensor lengths, boolean reverse) {
        return x.lstm(
                hidden,
                cell,
                weights.weightIh(),
                weights.weightHh(),
                weights.biasIh(),
                weights.biasHh(),
                weights.weightHr(),
                lengths,
                reverse);
    }
}
