package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;

/// Loops that compare integers of 1, 4 or 8 bytes: a template of [Specializer].
final class IntegerComparisonLoop implements Kernel.Binary {
    private static final MethodHandle OP = Specializer.op(MethodHandles.lookup());

    private final int bytes;

    IntegerComparisonLoop(int bytes) {
        this.bytes = bytes;
    }

    @Override
    public void run(
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
            switch (bytes) {
                case 1 -> row1(a, a0 + i * ai, aj, b, b0 + i * bi, bj, y, y0 + i * yi, yj, n2);
                case 4 -> row4(a, a0 + i * ai, aj, b, b0 + i * bi, bj, y, y0 + i * yi, yj, n2);
                default -> row8(a, a0 + i * ai, aj, b, b0 + i * bi, bj, y, y0 + i * yi, yj, n2);
            }
        }
    }

    private static void row1(
            MemorySegment a,
            long a0,
            long aj,
            MemorySegment b,
            long b0,
            long bj,
            MemorySegment y,
            long y0,
            long yj,
            long n) {
        for (long j = 0; j < n; j++) {
            y.set(JAVA_BYTE, y0 + j * yj, apply(a.get(JAVA_BYTE, a0 + j * aj), b.get(JAVA_BYTE, b0 + j * bj)));
        }
    }

    private static void row4(
            MemorySegment a,
            long a0,
            long aj,
            MemorySegment b,
            long b0,
            long bj,
            MemorySegment y,
            long y0,
            long yj,
            long n) {
        for (long j = 0; j < n; j++) {
            byte holds = apply(a.getAtIndex(JAVA_INT, a0 + j * aj), b.getAtIndex(JAVA_INT, b0 + j * bj));
            y.set(JAVA_BYTE, y0 + j * yj, holds);
        }
    }

    private static void row8(
            MemorySegment a,
            long a0,
            long aj,
            MemorySegment b,
            long b0,
            long bj,
            MemorySegment y,
            long y0,
            long yj,
            long n) {
        for (long j = 0; j < n; j++) {
            byte holds = apply(a.getAtIndex(JAVA_LONG, a0 + j * aj), b.getAtIndex(JAVA_LONG, b0 + j * bj));
            y.set(JAVA_BYTE, y0 + j * yj, holds);
        }
    }

    private static byte apply(long a, long b) {
        try {
            return (byte) ((boolean) OP.invokeExact(a, b) ? 1 : 0);
        } catch (Throwable e) {
            throw Specializer.impossible(e);
        }
    }
}
