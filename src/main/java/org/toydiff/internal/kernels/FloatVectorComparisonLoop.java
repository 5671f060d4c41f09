package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/// The loop of a comparison over vectors of floats; see [FloatVectorUnaryLoop]. Eight bits of a mask become eight
/// bytes in one step; what is left of a row, and vectors too short for that, go one by one.
final class FloatVectorComparisonLoop implements Kernel.Binary {
    private static final MethodHandle OP = Specializer.op(MethodHandles.lookup());
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final long LOWEST_BIT_OF_EACH_BYTE = 0x0101010101010101L;

    private final Kernel.Binary strided;

    FloatVectorComparisonLoop(Kernel.Binary strided) {
        this.strided = strided;
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
        boolean vectors = yj == 1 && aj == 1 && (bj | 1) == 1 && SPECIES.length() >= Long.BYTES;
        long whole = vectors ? SPECIES.loopBound(n2) : 0;
        for (long i = 0; i < n1 && whole > 0; i++) {
            row(a, a0 + i * ai, b, b0 + i * bi, bj, y, y0 + i * yi, whole);
        }
        long rest = n2 - whole;
        strided.run(a, a0 + whole * aj, ai, aj, b, b0 + whole * bj, bi, bj, y, y0 + whole * yj, yi, yj, n1, rest);
    }

    private static void row(
            MemorySegment a, long a0, MemorySegment b, long b0, long bj, MemorySegment y, long y0, long n) {
        Bounds.within(a, a0, b, b0, y, y0);
        var repeated = FloatVector.broadcast(SPECIES, b.getAtIndex(JAVA_FLOAT, b0));
        for (long j = 0; j < n; j += SPECIES.length()) {
            var u = FloatVector.fromMemorySegment(SPECIES, a, (a0 + j) * Float.BYTES, ORDER);
            var v = bj == 0 ? repeated : FloatVector.fromMemorySegment(SPECIES, b, (b0 + j) * Float.BYTES, ORDER);
            long bits = apply(u, v).toLong();
            for (int k = 0; k < SPECIES.length(); k += Long.BYTES) {
                y.set(JAVA_LONG_UNALIGNED, y0 + j + k, Long.expand(bits >>> k, LOWEST_BIT_OF_EACH_BYTE));
            }
        }
    }

    @SuppressWarnings("unchecked")
    private static VectorMask<Float> apply(FloatVector a, FloatVector b) {
        try {
            return (VectorMask<Float>) OP.invokeExact(a, b);
        } catch (Throwable e) {
            throw Specializer.impossible(e);
        }
    }
}
