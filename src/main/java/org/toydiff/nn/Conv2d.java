package org.toydiff.nn;

import org.toydiff.DType;

/// Convolution over two axes, [org.toydiff.Tensor#convolution].
///
/// **Shapes** `[n, in, h, w] → [n, out, H, W]` with
/// `H = ⌊(h + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1`, W likewise; without the axis n it is one example.
/// `weight` is `[out, in/groups, kernel, kernel]` and `bias` is `[out]`, both of the layer's dtype.
public final class Conv2d extends PaddedConvolution<Conv2d> {
    /// Creates a FLOAT32 layer with a square kernel and a bias.
    ///
    /// @param in the channels of the input
    /// @param out the channels of the output
    /// @param kernel the height and width of the kernel
    /// @throws IllegalArgumentException if a number is not positive
    public Conv2d(long in, long out, long kernel) {
        this(in, out, kernel, true);
    }

    /// Creates a FLOAT32 layer with a square kernel, with or without a bias.
    ///
    /// @param in the channels of the input
    /// @param out the channels of the output
    /// @param kernel the height and width of the kernel
    /// @param bias whether there is a bias
    /// @throws IllegalArgumentException if a number is not positive
    public Conv2d(long in, long out, long kernel, boolean bias) {
        this(DType.FLOAT32, in, out, new long[] {kernel, kernel}, 1, bias);
    }

    /// Creates a layer.
    ///
    /// @param dtype the floating dtype of input, output and parameters
    /// @param in the channels of the input
    /// @param out the channels of the output
    /// @param kernel the height and the width of the kernel
    /// @param groups the number of groups: each group of output channels reads one of input channels
    /// @param bias whether there is a bias
    /// @throws IllegalArgumentException if a number is not positive, the channels do not divide into the groups, the
    ///     kernel does not have two sizes, or the dtype is not floating
    public Conv2d(DType dtype, long in, long out, long[] kernel, long groups, boolean bias) {
        super(dtype, in, out, plane("Conv2d", kernel), groups, bias);
    }
}
