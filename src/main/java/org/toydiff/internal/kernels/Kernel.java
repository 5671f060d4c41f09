package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;

/// Signatures shared by kernels. Starts, strides and counts are in elements.
///
/// Elementwise kernels run over a grid of `n1` rows by `n2` columns: element (i, j) of operand x lies at
/// `x0 + i·xi + j·xj`. One call thus covers a contiguous run (one row), a repeated row or column (stride 0), a
/// scalar (both strides 0), and a transposed operand.
public final class Kernel {
    private Kernel() {}

    /// `y = f(x)` over a grid.
    @FunctionalInterface
    public interface Unary {
        /// Modifies only y; x may be y if each element is read and written at the same place.
        void run(
                MemorySegment x,
                long x0,
                long xi,
                long xj,
                MemorySegment y,
                long y0,
                long yi,
                long yj,
                long n1,
                long n2);
    }

    /// `y = f(a, b)` over a grid.
    @FunctionalInterface
    public interface Binary {
        /// Modifies only y; a or b may be y if each element is read and written at the same place.
        void run(
                MemorySegment a,
                long a0,
                long ai,
                long aj,
                MemorySegment b,
                long b0,
                long bi,
                long bj,
                MemorySegment y,
                long y0,
                long yi,
                long yj,
                long n1,
                long n2);
    }

    /// Several results of several operands over part of a grid, in one loop.
    @FunctionalInterface
    public interface Fused {
        /// Computes `n1` rows and `n2` columns of a grid from element (i0, j0) on. The arrays describe the operands:
        /// first those that are read, then those that are written; the latter alone are modified. Element (i, j) of
        /// operand k lies at `starts[k] + i·rowSteps[k] + j·steps[k]`. An operand that is read may be one that is
        /// written if each element is read and written at the same place.
        void run(
                MemorySegment[] operands,
                long[] starts,
                long[] rowSteps,
                long[] steps,
                long i0,
                long j0,
                long n1,
                long n2);
    }

    /// One pass over contiguous runs of up to five operands, some of which it writes, with an optional fold.
    public interface Pass {
        /// Operands that the pass does not have may be null.
        ///
        /// @param totals receives the sum, maximum or minimum of each value that the pass folds; may be null for
        ///     fewer than two
        /// @return the first of them, or 0 if the pass folds none
        double run(
                MemorySegment a,
                long a0,
                MemorySegment b,
                long b0,
                MemorySegment c,
                long c0,
                MemorySegment d,
                long d0,
                MemorySegment e,
                long e0,
                long n,
                double[] parameters,
                double[] totals);

        /// Runs the pass over each of several rows. Row i of an operand begins at `a0 + i·ai`. Its parameters are the
        /// doubles at `numbers0 + i`, `numbers0 + rows + i` …; its total, if the pass folds, goes to the first of these
        /// places afterwards.
        ///
        /// @param count the number of parameters of a row
        /// @param parameters receives the parameters of one row after another
        void rows(
                MemorySegment a,
                long a0,
                MemorySegment b,
                long b0,
                MemorySegment c,
                long c0,
                long ai,
                long bi,
                long ci,
                long rows,
                long n,
                MemorySegment numbers,
                long numbers0,
                int count,
                double[] parameters);
    }

    /// Sums of columns.
    @FunctionalInterface
    public interface Columns {
        /// `y[j] = Σᵢ x[i][j] / divisor` for n columns of at least one row, where the rows of x are `xi` apart;
        /// summed row by row in double, and rounded once.
        void run(MemorySegment x, long x0, long xi, long rows, MemorySegment y, long y0, long n, double divisor);
    }
}
