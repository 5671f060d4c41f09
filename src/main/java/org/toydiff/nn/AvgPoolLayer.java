package org.toydiff.nn;

import org.toydiff.Tensor;

/// The base of layers that return the mean of each window.
///
/// @param <S> the layer itself, which the settings return
abstract sealed class AvgPoolLayer<S extends AvgPoolLayer<S>> extends PoolingLayer<S> permits AvgPool1d, AvgPool2d {
    private boolean countIncludePad = true;

    AvgPoolLayer(int axes, long... kernel) {
        super(axes, kernel);
    }

    /// Sets whether the divisor counts the elements of the border.
    ///
    /// @param countIncludePad whether it does; true by default
    /// @return this
    public S countIncludePad(boolean countIncludePad) {
        this.countIncludePad = countIncludePad;
        settingChanged();
        return self();
    }

    @Override
    protected Tensor compute(Tensor x) {
        return x.avgPool(kernel, stride, padding, ceilMode, countIncludePad);
    }

    @Override
    public String toString() {
        return text().when(!countIncludePad, "countIncludePad", () -> false).toString();
    }
}
