package org.toydiff.internal.linalg;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.Lapack;

/// Turns each square matrix into its inverse. A matrix fails at the first pivot that is 0; one with a NaN becomes NaN.
public final class InverseWork extends SquareWork {
    /// @param n the number of rows, more than 0
    public InverseWork(boolean wide, int n) {
        super(wide, n);
    }

    // The inverse of the transpose, column-major, is that of the matrix, row-major.
    @Override
    int compute(long index, MemorySegment scratch) {
        long at = y0 + index * n * n;
        int info = Lapack.getrf(wide, n, y, bytes(at), scratch, 0);
        if (info == 0) {
            info = Lapack.getri(wide, n, y, bytes(at), scratch, 0);
        }
        if (info < 0) {
            fill(y, at, (long) n * n, Double.NaN);
            return 0;
        }
        return info;
    }
}
