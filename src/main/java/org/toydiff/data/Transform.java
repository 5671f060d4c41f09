package org.toydiff.data;

import java.util.random.RandomGenerator;

/// A change to every batch of a [DataLoader]: scaling, augmentation.
@FunctionalInterface
public interface Transform {
    /// Makes a batch of another.
    ///
    /// Runs on the loader's background thread when it prefetches. What it makes is temporary, in the innermost
    /// arena.
    ///
    /// @param batch the examples; not to be changed
    /// @param random a generator that depends on the loader's seed, the epoch and the position in it alone, so
    ///     that the result is the same on whatever thread and however often it is made
    /// @return the changed examples; the same batch if nothing changes
    Batch apply(Batch batch, RandomGenerator random);
}
