package org.toydiff.nn;

/// The options of [RNN], [LSTM] and [GRU], with PyTorch's defaults:
/// ```java
/// var lstm = new LSTM(28, 128, RecurrentOptions.DEFAULT.withLayers(2).withBatchFirst(true));
/// ```
///
/// @param layers the number of layers, each of which has the output of the one before as its input
/// @param bias whether there are biases
/// @param batchFirst whether sequences are `[B, T, …]` and not `[T, B, …]`; states are `[…, B, H]` either way
/// @param dropout the probability of setting an element of the output of each layer but the last to 0 while training
/// @param bidirectional whether each layer has a second direction, from the last step to the first, whose output
///     follows that of the first along the last axis
/// @param projSize the number of elements to which an LSTM projects h, less than H; 0 for none, and for the others
public record RecurrentOptions(
        int layers, boolean bias, boolean batchFirst, double dropout, boolean bidirectional, long projSize) {
    /// One layer in one direction with biases, sequences `[T, B, …]`.
    public static final RecurrentOptions DEFAULT = new RecurrentOptions(1, true, false, 0, false, 0);

    /// Checks the options.
    ///
    /// @throws IllegalArgumentException if there is no layer, the probability is out of range, or projSize is negative
    public RecurrentOptions {
        if (layers < 1) {
            throw new IllegalArgumentException("RecurrentOptions: " + layers + " layers; give 1 or more");
        }
        Functional.requireProbability("RecurrentOptions", dropout);
        if (projSize < 0) {
            throw new IllegalArgumentException(
                    "RecurrentOptions: projSize " + projSize + " is negative; give 0 for no projection");
        }
    }

    /// {@return these options with another number of layers}
    ///
    /// @param number the number of layers
    public RecurrentOptions withLayers(int number) {
        return new RecurrentOptions(number, bias, batchFirst, dropout, bidirectional, projSize);
    }

    /// {@return these options with or without biases}
    ///
    /// @param exists whether there are biases
    public RecurrentOptions withBias(boolean exists) {
        return new RecurrentOptions(layers, exists, batchFirst, dropout, bidirectional, projSize);
    }

    /// {@return these options for sequences `[B, T, …]` or `[T, B, …]`}
    ///
    /// @param first whether the axis of the batch is the first
    public RecurrentOptions withBatchFirst(boolean first) {
        return new RecurrentOptions(layers, bias, first, dropout, bidirectional, projSize);
    }

    /// {@return these options with another dropout between layers}
    ///
    /// @param p the probability of setting an element to 0
    public RecurrentOptions withDropout(double p) {
        return new RecurrentOptions(layers, bias, batchFirst, p, bidirectional, projSize);
    }

    /// {@return these options with one direction or two}
    ///
    /// @param both whether there are two
    public RecurrentOptions withBidirectional(boolean both) {
        return new RecurrentOptions(layers, bias, batchFirst, dropout, both, projSize);
    }

    /// {@return these options with another size of h}
    ///
    /// @param size the number of elements to which an LSTM projects h, less than H; 0 for no projection
    public RecurrentOptions withProjSize(long size) {
        return new RecurrentOptions(layers, bias, batchFirst, dropout, bidirectional, size);
    }

    int directions() {
        return bidirectional ? 2 : 1;
    }
}
