package org.toydiff.data;

import org.toydiff.Tensor;

/// Some examples of a data set, stacked along the first axis.
///
/// @param x the inputs, `[n, …]`
/// @param y the targets, `[n]` or `[n, …]`
public record Batch(Tensor x, Tensor y) {
    /// How many examples it has.
    ///
    /// @return the size of the first axis
    public long size() {
        return x.shape()[0];
    }
}
