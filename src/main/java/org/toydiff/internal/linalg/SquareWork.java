package org.toydiff.internal.linalg;

import java.lang.foreign.MemorySegment;

/// Work in place on each n×n matrix of a batch.
public abstract sealed class SquareWork extends MatrixWork permits CholeskyWork, CofactorWork, EighWork, InverseWork {
    final int n;
    MemorySegment y;
    long y0;

    /// @param n the number of rows, more than 0
    SquareWork(boolean wide, int n) {
        super(wide, (long) n * n);
        this.n = n;
    }

    /// Works in place.
    ///
    /// @return as [MatrixWork#run(long)]
    public final long run(MemorySegment y, long y0, long batch) {
        this.y = y;
        this.y0 = y0;
        return run(batch);
    }
}
