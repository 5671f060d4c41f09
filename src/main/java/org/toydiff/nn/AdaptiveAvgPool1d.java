package org.toydiff.nn;

import org.toydiff.Tensor;

/// Returns the means of windows that divide the last axis into so many parts: [Tensor#adaptiveAvgPool(long...)].
///
/// **Shapes** `[n, c, l] → [n, c, size]` or `[c, l] → [c, size]`.
public final class AdaptiveAvgPool1d extends Layer {
    private final long size;

    /// Creates a layer.
    ///
    /// @param size the number of windows, positive
    /// @throws IllegalArgumentException if it is not positive
    public AdaptiveAvgPool1d(long size) {
        this.size = Functional.requirePositive("AdaptiveAvgPool1d", "size", size);
    }

    @Override
    protected Tensor compute(Tensor x) {
        return x.adaptiveAvgPool(size);
    }

    @Override
    public String toString() {
        return "AdaptiveAvgPool1d(" + size + ")";
    }
}
