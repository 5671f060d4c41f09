package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;

/// Products `y = a·b` that read their operands where they lie.
///
/// A BLAS library packs its operands first, which pays from some hundred rows on; below, packing a weight costs as
/// much as multiplying it. Starts, strides and sizes are in elements.
///
/// Rejected for `a·bᵀ`: dot products. They were a sixth faster than the library at 32 rows, but only by
/// `reduceLanes`, which adds in no fixed order; in a fixed one they were slower.
public interface SmallProduct {
    /// The kernels for FLOAT32 or FLOAT64 (`wide`), or null where there is no Vector API: scalar loops would be
    /// slower than any library.
    static SmallProduct of(boolean wide) {
        return wide ? Holder.FLOAT64 : Holder.FLOAT32;
    }

    /// The chosen ones, made once.
    final class Holder {
        private static final SmallProduct FLOAT32 = Kernels.smallProduct(false);
        private static final SmallProduct FLOAT64 = Kernels.smallProduct(true);

        private Holder() {}
    }

    /// Whether [#multiply] takes such sizes: whole blocks, without rests.
    boolean fits(int m, int n);

    /// b's rows are contiguous and `bk` apart; a's rows are contiguous and `ai` apart.
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
