package org.toydiff.data;

import java.lang.foreign.Arena;
import org.toydiff.Tensor;

/// Examples of a data set, stacked along the first axis.
///
/// @param x the inputs, `[n, …]`
/// @param y the targets, `[n]` or `[n, …]`
public record Batch(Tensor x, Tensor y) {
    /// {@return the number of examples, the size of the first axis}
    public long size() {
        return x.shape()[0];
    }

    /// Copies the batch, to keep one that a [DataLoader] would overwrite.
    ///
    /// @param arena the arena of the copies
    /// @return a batch of new tensors, which live as long as the arena
    public Batch copyTo(Arena arena) {
        return new Batch(x.copyTo(arena), y.copyTo(arena));
    }
}
