package org.toydiff.internal.launch;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/// The distinct elements of a sorted, contiguous vector. NaN differs from every element, NaN too, and −0 equals 0.
public final class DistinctElements {
    private DistinctElements() {}

    private static boolean isNew(ElementKind kind, MemorySegment x, long x0, long i) {
        if (i == 0) {
            return true;
        }
        long key = kind.key(x, x0 + i);
        boolean nan = kind.isFloating() && key == ElementKind.LARGEST_KEY;
        return nan || key != kind.key(x, x0 + i - 1);
    }

    /// {@return the number of distinct ones among n}
    public static long count(ElementKind kind, MemorySegment x, long x0, long n) {
        long count = 0;
        for (long i = 0; i < n; i++) {
            count += isNew(kind, x, x0, i) ? 1 : 0;
        }
        return count;
    }

    /// Writes the distinct ones among n and the number of times that each occurs, and for each element of the vector
    /// as it was before sorting the position of its value among them. All but x and values are INT64.
    ///
    /// @param order the position before sorting of each element
    public static void find(
            ElementKind kind,
            MemorySegment x,
            long x0,
            long n,
            MemorySegment order,
            long order0,
            MemorySegment values,
            long values0,
            MemorySegment inverse,
            long inverse0,
            MemorySegment counts,
            long counts0) {
        long last = -1;
        for (long i = 0; i < n; i++) {
            if (isNew(kind, x, x0, i)) {
                last++;
                kind.copy(x, x0 + i, values, values0 + last);
                counts.setAtIndex(JAVA_LONG, counts0 + last, 0);
            }
            long count = counts.getAtIndex(JAVA_LONG, counts0 + last);
            counts.setAtIndex(JAVA_LONG, counts0 + last, count + 1);
            inverse.setAtIndex(JAVA_LONG, inverse0 + order.getAtIndex(JAVA_LONG, order0 + i), last);
        }
    }
}
