package org.toydiff.internal.linalg;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.Lapack;
import org.toydiff.internal.launch.Shape;

/// Solves `a·x = b` or `aᵀ·x = b` with the factors that [LuWork] made of a.
public final class LuSolveWork extends MatrixWork {
    private final int n;
    private final int columns;
    private final boolean transposed;
    private final long[] axes;
    private final long[] strides;
    private MemorySegment lu;
    private long lu0;
    private MemorySegment pivots;
    private long pivots0;
    private MemorySegment x;
    private long x0;

    /// @param n the number of rows, more than 0
    /// @param columns the columns of b, more than 0
    /// @param transposed whether to solve with aᵀ
    /// @param axes the sizes of the leading axes of x
    /// @param strides the strides of the factors along them, in matrices, 0 where one serves all
    public LuSolveWork(boolean wide, int n, int columns, boolean transposed, long[] axes, long[] strides) {
        super(wide, (long) n * columns);
        this.n = n;
        this.columns = columns;
        this.transposed = transposed;
        this.axes = axes;
        this.strides = strides;
    }

    /// Replaces b, in x, by the solution.
    public void run(
            MemorySegment lu, long lu0, MemorySegment pivots, long pivots0, MemorySegment x, long x0, long batch) {
        this.lu = lu;
        this.lu0 = lu0;
        this.pivots = pivots;
        this.pivots0 = pivots0;
        this.x = x;
        this.x0 = x0;
        run(batch);
    }

    // The factors are those of aᵀ = p·l·u, column-major. Read row-major they are uᵀ, with its diagonal, and lᵀ, whose
    // diagonal are ones: a = uᵀ·lᵀ·pᵀ.
    @Override
    int compute(long index, MemorySegment scratch) {
        long matrix = Shape.offset(index, axes, strides);
        long factors = bytes(lu0 + matrix * n * n);
        long pivot = (pivots0 + matrix * n) * Integer.BYTES;
        long rows = bytes(x0 + index * n * columns);
        if (transposed) {
            for (int i = 0; i < n; i++) {
                exchange(i, Lu.pivot(pivots, pivot, i), rows);
            }
            Lapack.trsm(wide, true, true, true, n, columns, lu, factors, n, x, rows);
            Lapack.trsm(wide, false, true, false, n, columns, lu, factors, n, x, rows);
        } else {
            Lapack.trsm(wide, false, false, false, n, columns, lu, factors, n, x, rows);
            Lapack.trsm(wide, true, false, true, n, columns, lu, factors, n, x, rows);
            for (int i = n - 1; i >= 0; i--) {
                exchange(i, Lu.pivot(pivots, pivot, i), rows);
            }
        }
        return 0;
    }

    private void exchange(int i, int j, long rows) {
        if (i != j) {
            Lapack.swap(wide, columns, x, rows + bytes((long) i * columns), x, rows + bytes((long) j * columns));
        }
    }
}
