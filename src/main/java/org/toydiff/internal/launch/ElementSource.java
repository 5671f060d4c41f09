package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;

/// Computes the elements of a launch's first operand, a matrix, when the launch needs them: then they exist in a few
/// pieces of [Scratch] only. Parts of a launch ask at the same time.
@FunctionalInterface
public interface ElementSource {
    /// {@return a piece of [Scratch], to be given back by the caller, with elements from row i and column j on, row by
    /// row}
    MemorySegment compute(long i, long j, long rows, long columns);

    /// {@return as the other, with elements in row-major order from an index on}
    default MemorySegment compute(long from, long count) {
        return compute(0, from, 1, count);
    }
}
