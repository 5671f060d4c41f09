package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/// Loops over elements of any dtype: copies by an element's size, comparisons of whole numbers. Starts,
/// strides and counts are in elements; outputs are contiguous.
public final class AnyKernels {
    private AnyKernels() {}

    /// `y = x` for elements of 1 byte.
    public static void copy1(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        if (xs == 1) {
            MemorySegment.copy(x, x0, y, y0, n);
            return;
        }
        for (long i = 0; i < n; i++) {
            y.set(JAVA_BYTE, y0 + i, x.get(JAVA_BYTE, x0 + i * xs));
        }
    }

    /// `y = x` for elements of 4 bytes.
    public static void copy4(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        if (xs == 1) {
            MemorySegment.copy(x, x0 * 4, y, y0 * 4, n * 4);
            return;
        }
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_INT, y0 + i, x.getAtIndex(JAVA_INT, x0 + i * xs));
        }
    }

    /// `y = x` for elements of 8 bytes.
    public static void copy8(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        if (xs == 1) {
            MemorySegment.copy(x, x0 * 8, y, y0 * 8, n * 8);
            return;
        }
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_LONG, y0 + i, x.getAtIndex(JAVA_LONG, x0 + i * xs));
        }
    }

    /// `y = a > b` for whole numbers of 1 byte, in bytes of 0 or 1.
    public static void greater1(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.get(JAVA_BYTE, a0 + i * as) > b.get(JAVA_BYTE, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a >= b` for whole numbers of 1 byte, in bytes of 0 or 1.
    public static void greaterOrEqual1(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.get(JAVA_BYTE, a0 + i * as) >= b.get(JAVA_BYTE, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a < b` for whole numbers of 1 byte, in bytes of 0 or 1.
    public static void less1(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.get(JAVA_BYTE, a0 + i * as) < b.get(JAVA_BYTE, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a <= b` for whole numbers of 1 byte, in bytes of 0 or 1.
    public static void lessOrEqual1(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.get(JAVA_BYTE, a0 + i * as) <= b.get(JAVA_BYTE, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a == b` for whole numbers of 1 byte, in bytes of 0 or 1.
    public static void equalTo1(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.get(JAVA_BYTE, a0 + i * as) == b.get(JAVA_BYTE, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a > b` for whole numbers of 4 bytes, in bytes of 0 or 1.
    public static void greater4(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_INT, a0 + i * as) > b.getAtIndex(JAVA_INT, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a >= b` for whole numbers of 4 bytes, in bytes of 0 or 1.
    public static void greaterOrEqual4(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_INT, a0 + i * as) >= b.getAtIndex(JAVA_INT, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a < b` for whole numbers of 4 bytes, in bytes of 0 or 1.
    public static void less4(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_INT, a0 + i * as) < b.getAtIndex(JAVA_INT, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a <= b` for whole numbers of 4 bytes, in bytes of 0 or 1.
    public static void lessOrEqual4(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_INT, a0 + i * as) <= b.getAtIndex(JAVA_INT, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a == b` for whole numbers of 4 bytes, in bytes of 0 or 1.
    public static void equalTo4(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_INT, a0 + i * as) == b.getAtIndex(JAVA_INT, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a > b` for whole numbers of 8 bytes, in bytes of 0 or 1.
    public static void greater8(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_LONG, a0 + i * as) > b.getAtIndex(JAVA_LONG, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a >= b` for whole numbers of 8 bytes, in bytes of 0 or 1.
    public static void greaterOrEqual8(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_LONG, a0 + i * as) >= b.getAtIndex(JAVA_LONG, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a < b` for whole numbers of 8 bytes, in bytes of 0 or 1.
    public static void less8(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_LONG, a0 + i * as) < b.getAtIndex(JAVA_LONG, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a <= b` for whole numbers of 8 bytes, in bytes of 0 or 1.
    public static void lessOrEqual8(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_LONG, a0 + i * as) <= b.getAtIndex(JAVA_LONG, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a == b` for whole numbers of 8 bytes, in bytes of 0 or 1.
    public static void equalTo8(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_LONG, a0 + i * as) == b.getAtIndex(JAVA_LONG, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }
}
