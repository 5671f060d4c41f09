package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/// What a mask of bytes does to floats; the signature is that of [Kernel.Binary].
public final class FloatMask {
    private FloatMask() {}

    /// `y = 0` where the mask b is set, else a.
    public static void zeroWhere(
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
                float kept = a.getAtIndex(JAVA_FLOAT, a0 + i * ai + j * aj);
                boolean masked = b.get(JAVA_BYTE, b0 + i * bi + j * bj) != 0;
                y.setAtIndex(JAVA_FLOAT, y0 + i * yi + j * yj, masked ? 0 : kept);
            }
        }
    }
}
