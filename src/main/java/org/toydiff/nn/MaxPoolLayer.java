package org.toydiff.nn;

import org.toydiff.Tensor;

/// The base of layers that return the largest element of each window.
///
/// @param <S> the layer itself, which the settings return
abstract sealed class MaxPoolLayer<S extends MaxPoolLayer<S>> extends PoolingLayer<S> permits MaxPool1d, MaxPool2d {
    private long[] dilation;

    MaxPoolLayer(int axes, long... kernel) {
        super(axes, kernel);
        dilation = perAxis("dilation", axes, 1, 1);
    }

    /// Sets the distances between the elements of a window.
    ///
    /// @param dilation one number, or one for each axis, positive; 1 by default
    /// @return this
    /// @throws IllegalArgumentException if one is not positive or exceeds 2³¹ − 1, or there are neither one nor one for
    ///     each axis
    public S dilation(long... dilation) {
        this.dilation = perAxis("dilation", kernel.length, 1, dilation);
        return self();
    }

    @Override
    protected Tensor compute(Tensor x) {
        return x.maxPool(kernel, stride, padding, dilation, ceilMode);
    }

    @Override
    public String toString() {
        return text().unless(1, "dilation", dilation).toString();
    }
}
