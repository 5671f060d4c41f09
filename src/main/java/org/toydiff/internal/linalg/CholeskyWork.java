package org.toydiff.internal.linalg;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.Lapack;

/// Turns the lower triangle of each symmetric matrix into its Cholesky factor, and the elements above it into zeros. A
/// matrix fails at the first row whose leading minor is not positive.
public final class CholeskyWork extends SquareWork {
    /// @param n the number of rows, more than 0
    public CholeskyWork(boolean wide, int n) {
        super(wide, n);
    }

    @Override
    int compute(long index, MemorySegment scratch) {
        long at = y0 + index * n * n;
        int info = Lapack.potrf(wide, n, y, bytes(at));
        for (long i = 0; i < n; i++) {
            fill(y, at + i * n + i + 1, n - i - 1, 0);
        }
        return info >= 0 ? info : rowOfNan(at);
    }

    /// The first row at or below the diagonal that has a NaN.
    private int rowOfNan(long at) {
        for (int i = 0; i < n; i++) {
            if (!isFinite(y, at + (long) i * n, i + 1)) {
                return i + 1;
            }
        }
        return n;
    }
}
