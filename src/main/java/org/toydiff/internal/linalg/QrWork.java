package org.toydiff.internal.linalg;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.Lapack;

/// Computes the thin factors of each matrix a of m×n, `a = q·r`. With k the smaller of m and n, row i of y, one of k,
/// has column i of q in m elements and row i of r in n. Factors of a matrix with a NaN are NaN.
public final class QrWork extends ThinFactorWork {
    private final long row;

    /// Takes the transposed matrices.
    ///
    /// @param m the rows of a matrix, more than 0
    /// @param n the columns of a matrix, more than 0
    public QrWork(boolean wide, int m, int n) {
        super(wide, m, n);
        row = (long) m + n;
    }

    @Override
    int compute(long index, MemorySegment scratch) {
        long from = a0 + index * m * n;
        long to = y0 + index * k * row;
        if (Lapack.geqrf(wide, m, n, a, bytes(from), scratch) != 0) {
            fill(y, to, k * row, Double.NaN);
            return 0;
        }
        storeR(from, to);
        Lapack.orgqr(wide, m, k, a, bytes(from), scratch);
        storeQ(from, to);
        return 0;
    }

    // Loops of their own: with them, compute would be compiled before the JVM knows that it can inline its calls.

    private void storeR(long from, long to) {
        for (int i = 0; i < k; i++) {
            for (int j = 0; j < n; j++) {
                set(y, to + i * row + m + j, j < i ? 0 : get(a, from + (long) j * m + i));
            }
        }
    }

    private void storeQ(long from, long to) {
        for (int i = 0; i < k; i++) {
            MemorySegment.copy(a, bytes(from + (long) i * m), y, bytes(to + i * row), bytes(m));
        }
    }
}
