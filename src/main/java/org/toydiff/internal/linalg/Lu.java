package org.toydiff.internal.linalg;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Pivots of LU factors as LAPACK stores them: step i exchanges row i with row `pivots[i]`, both counted from 1.
final class Lu {
    private Lu() {}

    /// Returns the row that step i exchanges with row i, counted from 0.
    static int pivot(MemorySegment pivots, long offsetBytes, int i) {
        return pivots.get(ValueLayout.JAVA_INT, offsetBytes + (long) i * Integer.BYTES) - 1;
    }

    /// Sets n pivots that exchange nothing.
    static void pivotsInPlace(int n, MemorySegment pivots, long offsetBytes) {
        for (int i = 0; i < n; i++) {
            pivots.set(ValueLayout.JAVA_INT, offsetBytes + (long) i * Integer.BYTES, i + 1);
        }
    }

    /// Returns the determinant of n steps of exchange: 1 or −1.
    static int sign(int n, MemorySegment pivots, long offsetBytes) {
        int sign = 1;
        for (int i = 0; i < n; i++) {
            sign = pivot(pivots, offsetBytes, i) == i ? sign : -sign;
        }
        return sign;
    }
}
