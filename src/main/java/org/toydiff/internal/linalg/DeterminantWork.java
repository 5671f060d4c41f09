package org.toydiff.internal.linalg;

import java.lang.foreign.MemorySegment;

/// Computes the determinant of each matrix from the factors that [LuWork] made of it, or the sign of it. The product
/// is rounded once.
public final class DeterminantWork extends MatrixWork {
    private final int n;
    private final boolean signOnly;
    private MemorySegment lu;
    private long lu0;
    private MemorySegment pivots;
    private long pivots0;
    private MemorySegment y;
    private long y0;

    /// @param n the number of rows, more than 0
    /// @param signOnly whether to compute −1, 0 or 1
    public DeterminantWork(boolean wide, int n, boolean signOnly) {
        super(wide, n);
        this.n = n;
        this.signOnly = signOnly;
    }

    /// Sets one element of y for each matrix.
    public void run(
            MemorySegment lu, long lu0, MemorySegment pivots, long pivots0, MemorySegment y, long y0, long batch) {
        this.lu = lu;
        this.lu0 = lu0;
        this.pivots = pivots;
        this.pivots0 = pivots0;
        this.y = y;
        this.y0 = y0;
        run(batch);
    }

    @Override
    int compute(long index, MemorySegment scratch) {
        double product = Lu.sign(n, pivots, (pivots0 + index * n) * Integer.BYTES);
        for (int i = 0; i < n; i++) {
            double pivot = get(lu, lu0 + (index * n + i) * n + i);
            product *= signOnly ? Math.signum(pivot) : pivot;
        }
        // Never −0.
        set(y, y0 + index, product + 0.0);
        return 0;
    }
}
