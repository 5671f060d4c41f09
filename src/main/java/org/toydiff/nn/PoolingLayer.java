package org.toydiff.nn;

/// The base of layers that pool windows of the last axis, or the last two: their kernel, stride, padding and
/// ceilMode.
///
/// Settings are one number for all axes, or one for each. Methods named after them change them, with effect from the
/// next forward.
///
/// @param <S> the layer itself, which the settings return
abstract sealed class PoolingLayer<S extends PoolingLayer<S>> extends Layer permits AvgPoolLayer, MaxPoolLayer {
    final long[] kernel;
    long[] stride;
    long[] padding;
    boolean ceilMode;

    /// Creates a layer without padding whose windows follow each other.
    PoolingLayer(int axes, long... kernel) {
        this.kernel = perAxis("kernel", axes, 1, kernel);
        stride = this.kernel;
        padding = new long[axes];
    }

    abstract S self();

    /// Sets the distances between windows.
    ///
    /// @param stride one number, or one for each axis, positive; the kernel by default
    /// @return this
    /// @throws IllegalArgumentException if one is not positive or exceeds 2³¹ − 1, or there are neither one nor one for
    ///     each axis
    public S stride(long... stride) {
        this.stride = perAxis("stride", kernel.length, 1, stride);
        return self();
    }

    /// Sets the widths of a border on either side.
    ///
    /// @param padding one number, or one for each axis, 0 to half of the kernel; 0 by default
    /// @return this
    /// @throws IllegalArgumentException if one is negative or exceeds 2³¹ − 1, or there are neither one nor one for
    ///     each axis
    public S padding(long... padding) {
        this.padding = perAxis("padding", kernel.length, 0, padding);
        return self();
    }

    /// Sets whether a last window that begins inside the input or its left border, and ends outside of it, counts.
    ///
    /// @param ceilMode whether it counts; false by default
    /// @return this
    public S ceilMode(boolean ceilMode) {
        this.ceilMode = ceilMode;
        settingChanged();
        return self();
    }

    /// {@return the settings of all pooling layers, for `toString`}
    final SettingText text() {
        return new SettingText(this)
                .add("kernel", kernel)
                .unless(kernel, "stride", stride)
                .unless(0, "padding", padding)
                .when(ceilMode, "ceilMode", () -> true);
    }
}
