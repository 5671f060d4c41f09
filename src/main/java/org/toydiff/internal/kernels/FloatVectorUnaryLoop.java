package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The loop of a unary op over vectors of floats; see [FloatUnaryLoop]. The end of a row goes through the same op
/// under a mask, so that a result does not depend on its place.
final class FloatVectorUnaryLoop implements Kernel.Unary {
    private static final MethodHandle OP = Specializer.op(MethodHandles.lookup());
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private final Kernel.Unary strided;

    FloatVectorUnaryLoop(Kernel.Unary strided) {
        this.strided = strided;
    }

    @Override
    public void run(
            MemorySegment x, long x0, long xi, long xj, MemorySegment y, long y0, long yi, long yj, long n1, long n2) {
        if ((xj != 1 || yj != 1) && n2 > 1) {
            strided.run(x, x0, xi, xj, y, y0, yi, yj, n1, n2);
            return;
        }
        for (long i = 0; i < n1; i++) {
            row(x, (x0 + i * xi) * Float.BYTES, y, (y0 + i * yi) * Float.BYTES, n2);
        }
    }

    private static void row(MemorySegment x, long xAt, MemorySegment y, long yAt, long n) {
        Bounds.within(x, xAt, y, yAt);
        long j = 0;
        for (long end = SPECIES.loopBound(n); j < end; j += SPECIES.length()) {
            apply(FloatVector.fromMemorySegment(SPECIES, x, xAt + j * Float.BYTES, ORDER))
                    .intoMemorySegment(y, yAt + j * Float.BYTES, ORDER);
        }
        if (j < n) {
            var mask = SPECIES.indexInRange(j, n);
            apply(FloatVector.fromMemorySegment(SPECIES, x, xAt + j * Float.BYTES, ORDER, mask))
                    .intoMemorySegment(y, yAt + j * Float.BYTES, ORDER, mask);
        }
    }

    private static FloatVector apply(FloatVector x) {
        try {
            return (FloatVector) OP.invokeExact(x);
        } catch (Throwable e) {
            throw Specializer.impossible(e);
        }
    }
}
