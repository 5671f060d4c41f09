package org.toydiff.nn;

import org.toydiff.DType;
import org.toydiff.Tensor;

/// Transposed convolution over two axes, [Tensor#transposedConvolution]: the gradient of a [Conv2d] to its input, as a
/// layer.
///
/// **Shapes** `[n, in, h, w] → [n, out, H, W]` with
/// `H = (h − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1`, W likewise; without the axis n it is
/// one example. `weight` is `[in, out/groups, kernel, kernel]` and `bias` is `[out]`, both of the layer's dtype.
public final class ConvTranspose2d extends ConvolutionLayer<ConvTranspose2d> {
    private long[] outputPadding = each(0);

    /// Creates a FLOAT32 layer with a square kernel and a bias.
    ///
    /// @param in the channels of the input
    /// @param out the channels of the output
    /// @param kernel the height and width of the kernel
    /// @throws IllegalArgumentException if a number is not positive
    public ConvTranspose2d(long in, long out, long kernel) {
        this(DType.FLOAT32, in, out, new long[] {kernel, kernel}, 1, true);
    }

    /// Creates a layer.
    ///
    /// @param dtype the floating dtype of input, output and parameters
    /// @param in the channels of the input
    /// @param out the channels of the output
    /// @param kernel the height and the width of the kernel
    /// @param groups the number of groups: each group of input channels contributes to one of output channels
    /// @param bias whether there is a bias
    /// @throws IllegalArgumentException if a number is not positive, the channels do not divide into the groups, the
    ///     kernel does not have two sizes, or the dtype is not floating
    public ConvTranspose2d(DType dtype, long in, long out, long[] kernel, long groups, boolean bias) {
        super(dtype, in, out, out, plane("ConvTranspose2d", kernel), groups, bias);
    }

    /// Sets the number of positions added at the end of each axis of the output. With a stride, a convolution has
    /// the same output size for several input sizes; this chooses one of them.
    ///
    /// @param outputPadding one number, or one for each axis, 0 or more, less than the stride or the dilation; 0 by
    ///     default
    /// @return this
    /// @throws IllegalArgumentException if one is negative or exceeds 2³¹ − 1, or there are neither one nor one for
    ///     each axis
    public ConvTranspose2d outputPadding(long... outputPadding) {
        this.outputPadding = perAxis("outputPadding", axes(), 0, outputPadding);
        return this;
    }

    @Override
    protected Tensor compute(Tensor x) {
        return x.transposedConvolution(weight, bias, stride, padding, dilation, outputPadding, groups);
    }

    @Override
    public String toString() {
        return text(weight.size(0), weight.size(1) * groups)
                .unless(0, "outputPadding", outputPadding)
                .toString();
    }
}
