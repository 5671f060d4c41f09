package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;

/// The loop of a unary op over floats. [Specializer] loads it once for each op, so that the op is a constant to the
/// compiler and is compiled into it.
final class FloatUnaryLoop implements Kernel.Unary {
    private static final MethodHandle OP = Specializer.op(MethodHandles.lookup());

    @Override
    public void run(
            MemorySegment x, long x0, long xi, long xj, MemorySegment y, long y0, long yi, long yj, long n1, long n2) {
        for (long i = 0; i < n1; i++) {
            for (long j = 0; j < n2; j++) {
                y.setAtIndex(JAVA_FLOAT, y0 + i * yi + j * yj, apply(x.getAtIndex(JAVA_FLOAT, x0 + i * xi + j * xj)));
            }
        }
    }

    private static float apply(float x) {
        try {
            return (float) OP.invokeExact(x);
        } catch (Throwable e) {
            throw Specializer.impossible(e);
        }
    }
}
