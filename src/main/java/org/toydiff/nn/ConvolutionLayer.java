package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// The parameters and settings that all convolution layers share. Methods named after the settings change those; each
/// takes one number for each spatial axis, or one for all of them, and takes effect with the next forward:
/// ```java
/// var layer = new Conv2d(64, 128, 3).stride(2).padding(1);
/// ```
///
/// **Initial values** weight and bias are uniform on `±1/√fan_in`, where fan_in is the size of a filter, as PyTorch's.
///
/// @param <L> the layer
public abstract sealed class ConvolutionLayer<L extends ConvolutionLayer<L>> extends Layer
        permits PaddedConvolution, ConvTranspose2d {
    final Tensor weight;
    final Tensor bias;
    final long groups;
    long[] stride;
    long[] padding;
    long[] dilation;

    /// Creates the parameters: a weight of `first` by `second / groups` channels and a bias for each of `out`.
    ConvolutionLayer(DType dtype, long first, long second, long out, long[] kernel, long groups, boolean bias) {
        requireFloating(dtype);
        boolean positive =
                first > 0 && second > 0 && groups > 0 && Arrays.stream(kernel).allMatch(size -> size > 0);
        if (!positive || first % groups != 0 || second % groups != 0) {
            throw new IllegalArgumentException(className() + ": channels " + first + " and " + second + ", kernel "
                    + Arrays.toString(kernel) + " and " + groups
                    + " groups must be positive, and the channels divide into the groups");
        }
        this.groups = groups;
        long[] shape = new long[2 + kernel.length];
        shape[0] = first;
        shape[1] = second / groups;
        System.arraycopy(kernel, 0, shape, 2, kernel.length);
        this.weight = parameter("weight", Initializers.kaimingUniform(Tensor.empty(dtype, shape), Math.sqrt(5)));
        double bound = Math.sqrt((double) first / weight.size());
        this.bias = bias ? parameter("bias", Initializers.uniform(Tensor.empty(dtype, out), -bound, bound)) : null;
        this.stride = each(1);
        this.padding = each(0);
        this.dilation = each(1);
    }

    /// Sets the stride: the distance in the input between the windows of neighbouring output positions; of a transposed
    /// convolution, the distance in the output between the kernels of neighbouring input positions.
    ///
    /// @param stride one number, or one for each axis, positive; 1 by default
    /// @return this
    /// @throws IllegalArgumentException if one is not positive or exceeds 2³¹ − 1, or there are neither one nor one for
    ///     each axis
    public L stride(long... stride) {
        this.stride = perAxis("stride", axes(), 1, stride);
        return self();
    }

    /// Sets the number of positions added at either end of each axis of the input; of a transposed convolution, the
    /// number left out at either end of each axis of the output.
    ///
    /// @param padding one number, or one for each axis, 0 or more; 0 by default
    /// @return this
    /// @throws IllegalArgumentException if one is negative or exceeds 2³¹ − 1, or there are neither one nor one for
    ///     each axis
    public L padding(long... padding) {
        this.padding = perAxis("padding", axes(), 0, padding);
        return self();
    }

    /// Sets the dilation: the distance in the input, or in the output of a transposed convolution, between neighbouring
    /// positions of the kernel.
    ///
    /// @param dilation one number, or one for each axis, positive; 1 by default
    /// @return this
    /// @throws IllegalArgumentException if one is not positive or exceeds 2³¹ − 1, or there are neither one nor one for
    ///     each axis
    public L dilation(long... dilation) {
        this.dilation = perAxis("dilation", axes(), 1, dilation);
        return self();
    }

    /// Returns the sizes of a kernel with two axes.
    static long[] plane(String layer, long[] kernel) {
        if (kernel.length != 2) {
            throw new IllegalArgumentException(layer + ": kernel " + Arrays.toString(kernel)
                    + " does not have two sizes; give its height and width");
        }
        return kernel;
    }

    final long[] each(long value) {
        long[] values = new long[axes()];
        Arrays.fill(values, value);
        return values;
    }

    /// Returns the number of spatial axes.
    final int axes() {
        return weight.rank() - 2;
    }

    @SuppressWarnings("unchecked")
    final L self() {
        return (L) this;
    }

    /// Returns the settings that all layers have, for [#toString()].
    final SettingText text(long in, long out) {
        return new SettingText(this)
                .add("in", in)
                .add("out", out)
                .add("kernel", Arrays.copyOfRange(weight.shape(), 2, weight.rank()))
                .unless(1, "stride", stride)
                .unless(0, "padding", padding)
                .unless(1, "dilation", dilation)
                .unless(1, "groups", groups)
                .when(bias == null, "bias", () -> false);
    }
}
