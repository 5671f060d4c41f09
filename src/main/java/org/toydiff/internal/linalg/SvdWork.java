package org.toydiff.internal.linalg;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.Lapack;

/// Computes the thin singular value decomposition of each matrix a of m×n, `a = u·diag(s)·vᵗ`. With k the smaller of m
/// and n, y has u in m·k elements, s in k, and vᵗ in k·n. A matrix fails if an element is not finite
/// ([#NOT_FINITE]) or the values do not converge.
public final class SvdWork extends ThinFactorWork {
    /// @param m the rows of a matrix, more than 0
    /// @param n the columns of a matrix, more than 0
    public SvdWork(boolean wide, int m, int n) {
        super(wide, m, n);
    }

    // The matrix in column-major order is aᵀ = v·diag(s)·uᵗ, and so are the factors: v is vᵗ in row-major order.
    @Override
    int compute(long index, MemorySegment scratch) {
        long from = a0 + index * m * n;
        if (!isFinite(a, from, (long) m * n)) {
            return NOT_FINITE;
        }
        long u = y0 + index * k * (m + 1L + n);
        long s = u + (long) m * k;
        return Lapack.gesdd(wide, n, m, a, bytes(from), y, bytes(s), bytes(s + k), bytes(u));
    }
}
