package org.toydiff.data;

import java.lang.foreign.Arena;
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

    /// A copy that lives as long as an arena: what keeps a batch that a [DataLoader] would overwrite.
    ///
    /// @param arena where the copies live
    /// @return a batch of copies
    public Batch copyTo(Arena arena) {
        return new Batch(x.copyTo(arena), y.copyTo(arena));
    }
}
