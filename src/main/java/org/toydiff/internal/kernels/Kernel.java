package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;

/// The signatures that kernels share. Starts, strides and counts are in elements.
public final class Kernel {
    private Kernel() {}

    /// `y[y0 + i] = f(x[x0 + i·xs])` for `n` elements.
    @FunctionalInterface
    public interface Unary {
        /// Modifies y alone; x may be y when they are read and written at the same places.
        void run(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n);
    }

    /// `y[y0 + i] = f(a[a0 + i·as], b[b0 + i·bs])` for `n` elements; a stride of 0 repeats an element.
    @FunctionalInterface
    public interface Binary {
        /// Modifies y alone; a or b may be y when they are read and written at the same places.
        void run(
                MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n);
    }

    /// `y[y0] = f(x[x0 + i·s1 + j·s2])` over `n1 × n2` elements.
    @FunctionalInterface
    public interface Reduction {
        /// Modifies one element of y.
        void run(MemorySegment x, long x0, long n1, long s1, long n2, long s2, MemorySegment y, long y0);
    }
}
