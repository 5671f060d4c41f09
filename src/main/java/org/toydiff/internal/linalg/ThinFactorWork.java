package org.toydiff.internal.linalg;

import java.lang.foreign.MemorySegment;

/// Computes thin factors of each matrix a of m×n in y, with k, the smaller of m and n, columns or rows.
public abstract sealed class ThinFactorWork extends MatrixWork permits QrWork, SvdWork {
    final int m;
    final int n;
    final int k;
    MemorySegment a;
    long a0;
    MemorySegment y;
    long y0;

    /// @param m the rows of a matrix, more than 0
    /// @param n the columns of a matrix, more than 0
    ThinFactorWork(boolean wide, int m, int n) {
        super(wide, (long) m * n);
        this.m = m;
        this.n = n;
        k = Math.min(m, n);
    }

    /// @param a the matrices, as the subclass takes them, which are overwritten
    /// @return as [MatrixWork#run(long)]
    public final long run(MemorySegment a, long a0, MemorySegment y, long y0, long batch) {
        this.a = a;
        this.a0 = a0;
        this.y = y;
        this.y0 = y0;
        return run(batch);
    }
}
