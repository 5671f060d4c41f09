package org.toydiff.internal.launch;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/// The elements of a contiguous array at which a contiguous mask is set, or which are not zero, in row-major order.
/// Offsets and counts are in elements.
public final class MaskedElements {
    private MaskedElements() {}

    /// {@return how many of n elements are not zero; all of a mask that are set, and NaN too}
    public static long count(ElementKind kind, MemorySegment x, long x0, long n) {
        long count = 0;
        for (long i = 0; i < n; i++) {
            count += isSet(kind, x, x0 + i) ? 1 : 0;
        }
        return count;
    }

    private static boolean isSet(ElementKind kind, MemorySegment x, long at) {
        return kind.isFloating() ? kind.real(x, at) != 0 : kind.integer(x, at) != 0;
    }

    /// Copies those of n elements whose mask is set, to one after another.
    public static void select(
            ElementKind kind,
            MemorySegment x,
            long x0,
            MemorySegment mask,
            long mask0,
            long n,
            MemorySegment y,
            long y0) {
        long to = y0;
        for (long i = 0; i < n; i++) {
            if (mask.get(JAVA_BYTE, mask0 + i) != 0) {
                kind.copy(x, x0 + i, y, to++);
            }
        }
    }

    /// Copies elements that lie one after another, to those of n places whose mask is set.
    public static void scatter(
            ElementKind kind,
            MemorySegment x,
            long x0,
            MemorySegment mask,
            long mask0,
            long n,
            MemorySegment y,
            long y0) {
        long from = x0;
        for (long i = 0; i < n; i++) {
            if (mask.get(JAVA_BYTE, mask0 + i) != 0) {
                kind.copy(x, from++, y, y0 + i);
            }
        }
    }

    /// Writes the index of each element that is not zero, one row of INT64 positions along the axes.
    public static void nonzero(ElementKind kind, MemorySegment x, long x0, long[] shape, MemorySegment y, long y0) {
        long n = Shape.size(shape);
        long row = y0;
        for (long i = 0; i < n; i++) {
            if (isSet(kind, x, x0 + i)) {
                long rest = i;
                for (int axis = shape.length - 1; axis >= 0; axis--) {
                    y.setAtIndex(JAVA_LONG, row + axis, rest % shape[axis]);
                    rest /= shape[axis];
                }
                row += shape.length;
            }
        }
    }
}
