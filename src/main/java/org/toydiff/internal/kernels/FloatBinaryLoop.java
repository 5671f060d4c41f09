package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;

/// The loop of a binary op over floats; see [FloatUnaryLoop].
final class FloatBinaryLoop implements Kernel.Binary {
    private static final MethodHandle OP = Specializer.op(MethodHandles.lookup());

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
            for (long j = 0; j < n2; j++) {
                float u = a.getAtIndex(JAVA_FLOAT, a0 + i * ai + j * aj);
                float v = b.getAtIndex(JAVA_FLOAT, b0 + i * bi + j * bj);
                y.setAtIndex(JAVA_FLOAT, y0 + i * yi + j * yj, apply(u, v));
            }
        }
    }

    private static float apply(float a, float b) {
        try {
            return (float) OP.invokeExact(a, b);
        } catch (Throwable e) {
            throw Specializer.impossible(e);
        }
    }
}
