package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The loops of a binary op over vectors of floats, one for each way in which a row of an operand is read: from
/// memory, or one element repeated. See [FloatVectorUnaryLoop].
final class FloatVectorBinaryLoop implements Kernel.Binary {
    private static final MethodHandle OP = Specializer.op(MethodHandles.lookup());
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private final Kernel.Binary strided;

    FloatVectorBinaryLoop(Kernel.Binary strided) {
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
        if (n2 > 1 && (yj != 1 || (aj | bj) >>> 1 != 0 || (aj | bj) == 0)) {
            strided.run(a, a0, ai, aj, b, b0, bi, bj, y, y0, yi, yj, n1, n2);
            return;
        }
        for (long i = 0; i < n1; i++) {
            long aAt = (a0 + i * ai) * Float.BYTES;
            long bAt = (b0 + i * bi) * Float.BYTES;
            long yAt = (y0 + i * yi) * Float.BYTES;
            if (aj == 0) {
                repeatedA(a, aAt, b, bAt, y, yAt, n2);
            } else if (bj == 0) {
                repeatedB(a, aAt, b, bAt, y, yAt, n2);
            } else {
                row(a, aAt, b, bAt, y, yAt, n2);
            }
        }
    }

    private static void row(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y, long yAt, long n) {
        Bounds.within(a, aAt, b, bAt, y, yAt);
        long j = 0;
        for (long end = SPECIES.loopBound(n); j < end; j += SPECIES.length()) {
            long at = j * Float.BYTES;
            apply(
                            FloatVector.fromMemorySegment(SPECIES, a, aAt + at, ORDER),
                            FloatVector.fromMemorySegment(SPECIES, b, bAt + at, ORDER))
                    .intoMemorySegment(y, yAt + at, ORDER);
        }
        if (j < n) {
            long at = j * Float.BYTES;
            var mask = SPECIES.indexInRange(j, n);
            apply(
                            FloatVector.fromMemorySegment(SPECIES, a, aAt + at, ORDER, mask),
                            FloatVector.fromMemorySegment(SPECIES, b, bAt + at, ORDER, mask))
                    .intoMemorySegment(y, yAt + at, ORDER, mask);
        }
    }

    private static void repeatedA(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y, long yAt, long n) {
        Bounds.within(a, aAt, b, bAt, y, yAt);
        var u = FloatVector.broadcast(SPECIES, a.get(JAVA_FLOAT, aAt));
        long j = 0;
        for (long end = SPECIES.loopBound(n); j < end; j += SPECIES.length()) {
            long at = j * Float.BYTES;
            apply(u, FloatVector.fromMemorySegment(SPECIES, b, bAt + at, ORDER)).intoMemorySegment(y, yAt + at, ORDER);
        }
        if (j < n) {
            long at = j * Float.BYTES;
            var mask = SPECIES.indexInRange(j, n);
            apply(u, FloatVector.fromMemorySegment(SPECIES, b, bAt + at, ORDER, mask))
                    .intoMemorySegment(y, yAt + at, ORDER, mask);
        }
    }

    private static void repeatedB(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y, long yAt, long n) {
        Bounds.within(a, aAt, b, bAt, y, yAt);
        var v = FloatVector.broadcast(SPECIES, b.get(JAVA_FLOAT, bAt));
        long j = 0;
        for (long end = SPECIES.loopBound(n); j < end; j += SPECIES.length()) {
            long at = j * Float.BYTES;
            apply(FloatVector.fromMemorySegment(SPECIES, a, aAt + at, ORDER), v).intoMemorySegment(y, yAt + at, ORDER);
        }
        if (j < n) {
            long at = j * Float.BYTES;
            var mask = SPECIES.indexInRange(j, n);
            apply(FloatVector.fromMemorySegment(SPECIES, a, aAt + at, ORDER, mask), v)
                    .intoMemorySegment(y, yAt + at, ORDER, mask);
        }
    }

    private static FloatVector apply(FloatVector a, FloatVector b) {
        try {
            return (FloatVector) OP.invokeExact(a, b);
        } catch (Throwable e) {
            throw Specializer.impossible(e);
        }
    }
}
