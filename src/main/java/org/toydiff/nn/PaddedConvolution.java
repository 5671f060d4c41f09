package org.toydiff.nn;

import java.util.Arrays;
import java.util.Objects;
import org.toydiff.Activation;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// The settings of [Conv1d] and [Conv2d] besides those of all convolution layers: the kind of padding.
///
/// @param <L> the layer
public abstract sealed class PaddedConvolution<L extends PaddedConvolution<L>> extends ConvolutionLayer<L>
        permits Conv1d, Conv2d {
    private boolean same;

    /// Null for zeros.
    private Tensor.Padding mode;

    PaddedConvolution(DType dtype, long in, long out, long[] kernel, long groups, boolean bias) {
        super(dtype, out, in, out, kernel, groups, bias);
    }

    /// Pads so that the output has the size of the input, PyTorch's "same": by half of `dilation·(kernel − 1)` at
    /// either end of each axis, and by one more at its end if that is odd. Forward throws unless the stride is 1.
    ///
    /// @return this
    public L samePadding() {
        L layer = super.padding(0);
        same = true;
        return layer;
    }

    @Override
    public L padding(long... padding) {
        L layer = super.padding(padding);
        same = false;
        return layer;
    }

    /// Pads with elements of the input instead of zeros. **Memory** the padded input, a new tensor.
    ///
    /// @param mode the elements: reflected, replicated or circular
    /// @return this
    public L paddingMode(Tensor.Padding mode) {
        this.mode = Objects.requireNonNull(mode, "mode");
        settingChanged();
        return self();
    }

    @Override
    protected final Tensor compute(Tensor x) {
        return convolve(x, null);
    }

    /// Computes the output and applies an activation to it in one pass.
    final Tensor forward(Tensor x, Activation activation) {
        try {
            return convolve(x, activation);
        } catch (IllegalArgumentException e) {
            throw failure(e);
        }
    }

    private Tensor convolve(Tensor x, Activation activation) {
        Tensor y = x;
        long[] zeros = each(0);
        for (int axis = 0; axis < axes(); axis++) {
            long all = same ? span(axis) : 2 * padding[axis];
            long before = all / 2;
            long after = all - before;
            int fromBack = axis - axes();
            if (mode != null) {
                y = all == 0 ? y : y.pad(fromBack, before, after, mode);
            } else {
                zeros[axis] = before;
                y = after == before ? y : y.pad(fromBack, 0, 1, 0);
            }
        }
        return activation == null
                ? y.convolution(weight, bias, stride, zeros, dilation, groups)
                : y.convolution(weight, bias, stride, zeros, dilation, groups, activation);
    }

    /// Returns by how much the kernel shortens an axis.
    private long span(int axis) {
        if (stride[axis] != 1) {
            throw new IllegalArgumentException(className() + ": samePadding() with a stride of "
                    + Arrays.toString(stride) + "; set a stride of 1, or give padding(…) a number");
        }
        return dilation[axis] * (weight.size(2 + axis) - 1);
    }

    @Override
    public String toString() {
        return text(weight.size(1) * groups, weight.size(0))
                .when(same, "padding", () -> "same")
                .when(mode != null, "paddingMode", () -> mode)
                .toString();
    }
}
