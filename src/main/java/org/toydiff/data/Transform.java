package org.toydiff.data;

import java.util.random.RandomGenerator;

/// A transform of every batch of a [DataLoader]: scaling, augmentation.
@FunctionalInterface
public interface Transform {
    /// Transforms a batch.
    ///
    /// Runs on the background thread of a loader that prefetches. New tensors are temporary, in the innermost arena.
    ///
    /// @param batch the examples; must not be modified
    /// @param random a generator that depends only on the seed of the loader, the epoch and the position in it, so
    ///     that the result is the same on every thread and every time
    /// @return the transformed examples, or the same batch if nothing changes
    Batch apply(Batch batch, RandomGenerator random);
}
