package org.toydiff.internal.linalg;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.Lapack;
import org.toydiff.internal.launch.Shape;

/// Solves `a·x = b` for triangles a. One fails at the first element of its diagonal that is 0.
public final class TriangularSolveWork extends MatrixWork {
    private final int n;
    private final int columns;
    private final boolean upper;
    private final boolean transposed;
    private final int leading;
    private final long[] axes;
    private final long[] strides;
    private MemorySegment a;
    private long a0;
    private MemorySegment x;
    private long x0;

    /// @param n the number of rows, more than 0
    /// @param columns the columns of b, more than 0
    /// @param upper whether a is an upper triangle
    /// @param transposed whether the columns of a are contiguous, and not its rows
    /// @param leading the distance between these
    /// @param axes the sizes of the leading axes of x
    /// @param strides the strides of a along them, 0 where one triangle serves all
    public TriangularSolveWork(
            boolean wide,
            int n,
            int columns,
            boolean upper,
            boolean transposed,
            int leading,
            long[] axes,
            long[] strides) {
        super(wide, (long) n * columns);
        this.n = n;
        this.columns = columns;
        this.upper = upper;
        this.transposed = transposed;
        this.leading = leading;
        this.axes = axes;
        this.strides = strides;
    }

    /// Replaces b, in x, by the solution.
    ///
    /// @return as [MatrixWork#run(long)]
    public long run(MemorySegment a, long a0, MemorySegment x, long x0, long batch) {
        this.a = a;
        this.a0 = a0;
        this.x = x;
        this.x0 = x0;
        return run(batch);
    }

    @Override
    int compute(long index, MemorySegment scratch) {
        long at = a0 + Shape.offset(index, axes, strides);
        for (int i = 0; i < n; i++) {
            if (get(a, at + i * (leading + 1L)) == 0) {
                return i + 1;
            }
        }
        long rows = bytes(x0 + index * n * columns);
        Lapack.trsm(wide, upper != transposed, transposed, false, n, columns, a, bytes(at), leading, x, rows);
        return 0;
    }
}
