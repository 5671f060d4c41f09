package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;

/// The signatures that kernels share. Starts, strides and counts are in elements.
///
/// Elementwise kernels run over a grid of `n1` rows by `n2` columns: element (i, j) of operand x lies at `x0 + i·xi
/// + j·xj`. So one call covers a contiguous run (one row), a row or a column that is repeated (stride 0), a scalar
/// (both 0), and a transposed operand.
public final class Kernel {
    private Kernel() {}

    /// `y = f(x)` over a grid.
    @FunctionalInterface
    public interface Unary {
        /// Modifies y alone; x may be y when they are read and written at the same places.
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
        /// Modifies y alone; a or b may be y when they are read and written at the same places.
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

    /// One pass over contiguous runs of up to four operands, some of which it writes, and what it sums up.
    @FunctionalInterface
    public interface Pass {
        /// Operands that the pass does not have may be null.
        ///
        /// @return the sum, the largest or the smallest of the pass's values, if it has such; else 0
        double run(
                MemorySegment a,
                long a0,
                MemorySegment b,
                long b0,
                MemorySegment c,
                long c0,
                MemorySegment d,
                long d0,
                long n,
                double[] parameters);
    }

    /// Sums of columns.
    @FunctionalInterface
    public interface Columns {
        /// `y[j] = Σᵢ x[i][j] / divisor` for n columns of at least one row, the rows of x being `xi` apart; summed
        /// row by row in double, and rounded once.
        void run(MemorySegment x, long x0, long xi, long rows, MemorySegment y, long y0, long n, double divisor);
    }
}
