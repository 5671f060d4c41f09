package org.toydiff.internal.launch;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/// Counts of the elements of a contiguous array, of which each is one integer or lies in one bin. Offsets and counts
/// are in elements.
public final class Counting {
    private Counting() {}

    /// Adds 1 to the INT64 counter at each of n integers.
    public static void integers(
            ElementKind kind, MemorySegment x, long x0, long n, MemorySegment counts, long counts0) {
        for (long i = 0; i < n; i++) {
            increment(counts, counts0 + kind.integer(x, x0 + i));
        }
    }

    private static void increment(MemorySegment counts, long at) {
        counts.setAtIndex(JAVA_LONG, at, counts.getAtIndex(JAVA_LONG, at) + 1);
    }

    /// {@return the smallest of n elements, NaN if any is}
    public static double smallest(ElementKind kind, MemorySegment x, long x0, long n) {
        double smallest = Double.POSITIVE_INFINITY;
        for (long i = 0; i < n; i++) {
            smallest = Math.min(smallest, kind.real(x, x0 + i));
        }
        return smallest;
    }

    /// {@return the largest of n elements, NaN if any is}
    public static double largest(ElementKind kind, MemorySegment x, long x0, long n) {
        double largest = Double.NEGATIVE_INFINITY;
        for (long i = 0; i < n; i++) {
            largest = Math.max(largest, kind.real(x, x0 + i));
        }
        return largest;
    }

    /// Adds 1 to the INT64 counter of the bin in which each of n elements lies, as `numpy.histogram` does: from its
    /// left edge on and below its right one, which the last bin includes. Others, NaN among them, are not counted.
    ///
    /// @param bins the number of bins, of almost equal widths
    /// @param edges their ascending edges, one more than bins, of a floating type
    public static void bins(
            ElementKind kind,
            MemorySegment x,
            long x0,
            long n,
            long bins,
            ElementKind edgeKind,
            MemorySegment edges,
            long edges0,
            MemorySegment counts,
            long counts0) {
        double first = edgeKind.real(edges, edges0);
        double last = edgeKind.real(edges, edges0 + bins);
        for (long i = 0; i < n; i++) {
            double value = kind.real(x, x0 + i);
            if (value >= first && value <= last) {
                long bin = Math.min((long) ((value - first) / (last - first) * bins), bins - 1);
                // The quotient is rounded, and so are the edges.
                while (bin > 0 && value < edgeKind.real(edges, edges0 + bin)) {
                    bin--;
                }
                while (bin < bins - 1 && value >= edgeKind.real(edges, edges0 + bin + 1)) {
                    bin++;
                }
                increment(counts, counts0 + bin);
            }
        }
    }
}
