package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;

/// Products `y = a·b` that read their operands in place.
///
/// A BLAS library packs its operands first, which pays off from some hundred rows on; below, packing a weight costs
/// as much as multiplying it. Starts, strides and sizes are in elements.
///
/// Rejected for `a·bᵀ`: dot products. They were a sixth faster than the library at 32 rows, but only with
/// `reduceLanes`, which adds in no fixed order; in a fixed order they were slower.
public interface SmallProduct {
    /// {@return the kernels for FLOAT32 or FLOAT64 (`wide`), or null where there is no Vector API: scalar loops
    /// would be slower than any library}
    static SmallProduct of(boolean wide) {
        return wide ? Holder.FLOAT64 : Holder.FLOAT32;
    }

    /// The chosen kernels, created once.
    final class Holder {
        private static final SmallProduct FLOAT32 = Kernels.smallProduct(false);
        private static final SmallProduct FLOAT64 = Kernels.smallProduct(true);

        private Holder() {}
    }

    /// {@return whether [#multiply] takes these sizes: whole blocks, with no remainder}
    boolean fits(int m, int n);

    /// Computes `y = a·b`. The rows of b are contiguous and `bk` apart; the rows of a are contiguous and `ai` apart.
    void multiply(
            MemorySegment a,
            long a0,
            long ai,
            MemorySegment b,
            long b0,
            long bk,
            MemorySegment y,
            long y0,
            long yi,
            int m,
            int n,
            int k);
}
