package org.toydiff.nn;

import org.toydiff.DType;

/// Convolution over one axis, [org.toydiff.Tensor#convolution].
///
/// **Shapes** `[n, in, length] → [n, out, L]` with
/// `L = ⌊(length + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1`; without the axis n it is one example.
/// `weight` is `[out, in/groups, kernel]` and `bias` is `[out]`, both of the layer's dtype.
public final class Conv1d extends PaddedConvolution<Conv1d> {
    /// Creates a FLOAT32 layer with a bias.
    ///
    /// @param in the channels of the input
    /// @param out the channels of the output
    /// @param kernel the size of the kernel
    /// @throws IllegalArgumentException if a number is not positive
    public Conv1d(long in, long out, long kernel) {
        this(DType.FLOAT32, in, out, kernel, 1, true);
    }

    /// Creates a layer.
    ///
    /// @param dtype the floating dtype of input, output and parameters
    /// @param in the channels of the input
    /// @param out the channels of the output
    /// @param kernel the size of the kernel
    /// @param groups the number of groups: each group of output channels reads one of input channels
    /// @param bias whether there is a bias
    /// @throws IllegalArgumentException if a number is not positive, the channels do not divide into the groups, or the
    ///     dtype is not floating
    public Conv1d(DType dtype, long in, long out, long kernel, long groups, boolean bias) {
        super(dtype, in, out, new long[] {kernel}, groups, bias);
    }
}
