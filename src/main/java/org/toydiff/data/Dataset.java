package org.toydiff.data;

/// Examples that can be read in any order: inputs with their targets.
///
/// May be read on several threads at once.
public interface Dataset {
    /// How many examples it has.
    ///
    /// @return the number, 0 or more
    long size();

    /// Reads some examples.
    ///
    /// **Memory** both tensors are new, in the innermost arena.
    ///
    /// @param indices their positions, from 0 on, in any order
    /// @return the examples in that order
    /// @throws IndexOutOfBoundsException if a position is not one of this set's
    Batch batch(long... indices);
}
