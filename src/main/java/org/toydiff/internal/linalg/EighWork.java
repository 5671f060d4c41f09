package org.toydiff.internal.linalg;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.Lapack;

/// Computes the eigenvalues of each symmetric matrix of n×n, in the first row of y, and its eigenvectors, in the n rows
/// below, where the matrix stood. Its lower triangle alone is read.
public final class EighWork extends SquareWork {
    /// @param n the number of rows, more than 0
    public EighWork(boolean wide, int n) {
        super(wide, n);
    }

    @Override
    int compute(long index, MemorySegment scratch) {
        long values = y0 + index * (n + 1L) * n;
        long at = values + n;
        for (int i = 0; i < n; i++) {
            if (!isFinite(y, at + (long) i * n, i + 1)) {
                return NOT_FINITE;
            }
            // LAPACKE searches the other triangle for NaN too, but LAPACK does not read it.
            fill(y, at + (long) i * n + i + 1, n - i - 1L, 0);
        }
        return Lapack.syevd(wide, n, y, bytes(at), y, bytes(values));
    }
}
