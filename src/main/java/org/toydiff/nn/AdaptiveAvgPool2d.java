package org.toydiff.nn;

import org.toydiff.Tensor;

/// Returns the means of windows that divide the last two axes into so many parts:
/// [Tensor#adaptiveAvgPool(long...)].
///
/// **Shapes** `[n, c, h, w] → [n, c, height, width]` or `[c, h, w] → [c, height, width]`.
public final class AdaptiveAvgPool2d extends Layer {
    private final long height;
    private final long width;

    /// Creates a layer for square outputs.
    ///
    /// @param size the number of windows along either axis, positive
    /// @throws IllegalArgumentException if it is not positive
    public AdaptiveAvgPool2d(long size) {
        this(size, size);
    }

    /// Creates a layer.
    ///
    /// @param height the number of windows along the second to last axis, positive
    /// @param width the number of windows along the last axis, positive
    /// @throws IllegalArgumentException if one is not positive
    public AdaptiveAvgPool2d(long height, long width) {
        this.height = Functional.requirePositive("AdaptiveAvgPool2d", "height", height);
        this.width = Functional.requirePositive("AdaptiveAvgPool2d", "width", width);
    }

    @Override
    protected Tensor compute(Tensor x) {
        return x.adaptiveAvgPool(height, width);
    }

    @Override
    public String toString() {
        return "AdaptiveAvgPool2d(" + height + ", " + width + ")";
    }
}
