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

    /// Computes rows `from` to `to` of the matrix, n elements each, some rows together, and lets them be read in order.
    default void rows(long from, long to, long n, RowReader reader) {
        long together = Math.max(1, TOGETHER / n);
        for (long first = from; first < to; first += together) {
            long count = Math.min(together, to - first);
            MemorySegment elements = compute(first, 0, count, n);
            try {
                for (long i = 0; i < count; i++) {
                    reader.row(first + i, elements, i * n);
                }
            } finally {
                Scratch.give(elements);
            }
        }
    }

    /// Reads rows.
    @FunctionalInterface
    interface RowReader {
        /// Reads row i, whose elements lie in a piece of memory from `at` on.
        void row(long i, MemorySegment x, long at);
    }
}
