package org.toydiff.nn;

/// Averages the elements of each window, as PyTorch's layer:
/// [org.toydiff.Tensor#avgPool(long\[\], long\[\], long\[\], boolean, boolean)].
///
/// **Shapes** `[n, c, h, w]` or `[c, h, w]`; of the output,
/// along each of the last two axes `(size + 2·padding − extent) / stride + 1` windows, rounded down, or up in
/// ceilMode; the extent is the kernel.
public final class AvgPool2d extends AvgPoolLayer<AvgPool2d> {
    /// Creates a layer without padding whose windows follow each other.
    ///
    /// @param kernel the size of a window, along either axis, positive
    /// @throws IllegalArgumentException if it is not positive
    public AvgPool2d(long kernel) {
        this(new long[] {kernel});
    }

    /// Creates a layer without padding.
    ///
    /// @param kernel the size of a window, along either axis, positive
    /// @param stride the distance between windows, positive
    /// @throws IllegalArgumentException if one is not positive
    public AvgPool2d(long kernel, long stride) {
        this(kernel);
        stride(stride);
    }

    /// Creates a layer.
    ///
    /// @param kernel the size of a window, along either axis, positive
    /// @param stride the distance between windows, positive
    /// @param padding the width of a border on either side, 0 to half of the kernel
    /// @throws IllegalArgumentException if a setting is out of range
    public AvgPool2d(long kernel, long stride, long padding) {
        this(kernel, stride);
        padding(padding);
    }

    /// Creates a layer without padding whose windows follow each other.
    ///
    /// @param kernel the sizes of a window, positive: one number, or one for each axis
    /// @throws IllegalArgumentException if one is not positive or exceeds 2³¹ − 1, or there are neither one nor one for
    ///     each axis
    public AvgPool2d(long[] kernel) {
        super(2, kernel);
    }

    @Override
    AvgPool2d self() {
        return this;
    }
}
