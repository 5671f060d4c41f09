package org.toydiff.internal.linalg;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.Lapack;

/// Turns each square matrix a into the factors of its transpose, `aᵀ = p·l·u`, and notes the pivots. A matrix fails at
/// the first pivot that is 0; one with a NaN becomes NaN.
public final class LuWork extends MatrixWork {
    private final int n;
    private MemorySegment lu;
    private long lu0;
    private MemorySegment pivots;
    private long pivots0;

    /// @param n the number of rows, more than 0
    public LuWork(boolean wide, int n) {
        super(wide, (long) n * n);
        this.n = n;
    }

    /// Works in place; the pivots are n INT32 for each matrix.
    ///
    /// @return as [MatrixWork#run(long)]
    public long run(MemorySegment lu, long lu0, MemorySegment pivots, long pivots0, long batch) {
        this.lu = lu;
        this.lu0 = lu0;
        this.pivots = pivots;
        this.pivots0 = pivots0;
        return run(batch);
    }

    @Override
    int compute(long index, MemorySegment scratch) {
        long at = lu0 + index * n * n;
        long pivot = (pivots0 + index * n) * Integer.BYTES;
        int info = Lapack.getrf(wide, n, lu, bytes(at), pivots, pivot);
        if (info < 0) {
            fill(lu, at, (long) n * n, Double.NaN);
            Lu.pivotsInPlace(n, pivots, pivot);
            return 0;
        }
        return info;
    }
}
