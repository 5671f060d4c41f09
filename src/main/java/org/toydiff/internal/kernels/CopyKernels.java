package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/// Copies elements of any dtype, with one method per element size; the signature is that of [Kernel.Unary].
public final class CopyKernels {
    private CopyKernels() {}

    /// `y = x` for elements of 1 byte.
    public static void copy1(
            MemorySegment x, long x0, long xi, long xj, MemorySegment y, long y0, long yi, long yj, long n1, long n2) {
        if (xj == 1 && yj == 1) {
            copyRows(x, x0, xi, y, y0, yi, n1, n2, 1);
            return;
        }
        for (long i = 0; i < n1; i++) {
            for (long j = 0; j < n2; j++) {
                y.set(JAVA_BYTE, y0 + i * yi + j * yj, x.get(JAVA_BYTE, x0 + i * xi + j * xj));
            }
        }
    }

    /// `y = x` for elements of 4 bytes.
    public static void copy4(
            MemorySegment x, long x0, long xi, long xj, MemorySegment y, long y0, long yi, long yj, long n1, long n2) {
        if (xj == 1 && yj == 1) {
            copyRows(x, x0, xi, y, y0, yi, n1, n2, Integer.BYTES);
            return;
        }
        for (long i = 0; i < n1; i++) {
            for (long j = 0; j < n2; j++) {
                y.setAtIndex(JAVA_INT, y0 + i * yi + j * yj, x.getAtIndex(JAVA_INT, x0 + i * xi + j * xj));
            }
        }
    }

    /// `y = x` for elements of 8 bytes.
    public static void copy8(
            MemorySegment x, long x0, long xi, long xj, MemorySegment y, long y0, long yi, long yj, long n1, long n2) {
        if (xj == 1 && yj == 1) {
            copyRows(x, x0, xi, y, y0, yi, n1, n2, Long.BYTES);
            return;
        }
        for (long i = 0; i < n1; i++) {
            for (long j = 0; j < n2; j++) {
                y.setAtIndex(JAVA_LONG, y0 + i * yi + j * yj, x.getAtIndex(JAVA_LONG, x0 + i * xi + j * xj));
            }
        }
    }

    /// `y = a` where the mask b is set, for elements of 1 byte; other elements of y are unchanged. The signature is
    /// that of [Kernel.Binary].
    public static void put1(
            MemorySegment a,
            long a0,
            long ai,
            long aj,
            MemorySegment b,
            long b0,
            long bi,
            long bj,
            MemorySegment y,
            long y0,
            long yi,
            long yj,
            long n1,
            long n2) {
        for (long i = 0; i < n1; i++) {
            for (long j = 0; j < n2; j++) {
                if (b.get(JAVA_BYTE, b0 + i * bi + j * bj) != 0) {
                    y.set(JAVA_BYTE, y0 + i * yi + j * yj, a.get(JAVA_BYTE, a0 + i * ai + j * aj));
                }
            }
        }
    }

    /// `y = a` where the mask b is set, for elements of 4 bytes; other elements of y are unchanged. The signature is
    /// that of [Kernel.Binary].
    public static void put4(
            MemorySegment a,
            long a0,
            long ai,
            long aj,
            MemorySegment b,
            long b0,
            long bi,
            long bj,
            MemorySegment y,
            long y0,
            long yi,
            long yj,
            long n1,
            long n2) {
        for (long i = 0; i < n1; i++) {
            for (long j = 0; j < n2; j++) {
                if (b.get(JAVA_BYTE, b0 + i * bi + j * bj) != 0) {
                    y.setAtIndex(JAVA_INT, y0 + i * yi + j * yj, a.getAtIndex(JAVA_INT, a0 + i * ai + j * aj));
                }
            }
        }
    }

    /// `y = a` where the mask b is set, for elements of 8 bytes; other elements of y are unchanged. The signature is
    /// that of [Kernel.Binary].
    public static void put8(
            MemorySegment a,
            long a0,
            long ai,
            long aj,
            MemorySegment b,
            long b0,
            long bi,
            long bj,
            MemorySegment y,
            long y0,
            long yi,
            long yj,
            long n1,
            long n2) {
        for (long i = 0; i < n1; i++) {
            for (long j = 0; j < n2; j++) {
                if (b.get(JAVA_BYTE, b0 + i * bi + j * bj) != 0) {
                    y.setAtIndex(JAVA_LONG, y0 + i * yi + j * yj, a.getAtIndex(JAVA_LONG, a0 + i * ai + j * aj));
                }
            }
        }
    }

    private static void copyRows(
            MemorySegment x, long x0, long xi, MemorySegment y, long y0, long yi, long n1, long n2, long bytes) {
        for (long i = 0; i < n1; i++) {
            MemorySegment.copy(x, (x0 + i * xi) * bytes, y, (y0 + i * yi) * bytes, n2 * bytes);
        }
    }
}
