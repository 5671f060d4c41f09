package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;

/// Computes the elements of a launch's first operand, a matrix, when the launch needs them: then they exist in a few
/// pieces of [Scratch] only. Parts of a launch ask at the same time.
@FunctionalInterface
public interface ElementSource {
    /// Elements that are computed together and then read, if a row is not longer: they stay in a first-level cache.
    long TOGETHER = 1 << 12;

    /// {@return a piece of [Scratch], to be given back by the caller, with elements from row i and column j on, row by
    /// row}
    MemorySegment compute(long i, long j, long rows, long columns);

    /// {@return whether that many elements fit into a piece}
    static boolean fits(long elements, boolean wide) {
        return elements <= Scratch.BYTES / (wide ? Double.BYTES : Float.BYTES);
    }

    /// {@return the number of rows that are computed together}
    static long rowsTogether(long columns) {
        return Math.max(1, TOGETHER / columns);
    }
}
