package org.toydiff.nn;

import org.toydiff.Activation;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// `y = x·Wᵀ + b`.
///
/// **Shapes** `[…, in] → […, out]`; a vector `[in]` is one example. `weight` is `[out, in]` and `bias` is `[out]`,
/// both of the layer's dtype.
/// **Initial values** both uniform on ±1/√in, as PyTorch's Linear.
public final class Linear extends Layer {
    private final Tensor weight;
    private final Tensor bias;

    /// Creates a FLOAT32 layer with a bias.
    ///
    /// @param in the size of the last axis of the input
    /// @param out the size of the last axis of the output
    /// @throws IllegalArgumentException if a size is not positive
    public Linear(long in, long out) {
        this(in, out, true);
    }

    /// Creates a FLOAT32 layer with or without a bias.
    ///
    /// @param in the size of the last axis of the input
    /// @param out the size of the last axis of the output
    /// @param bias whether there is one
    /// @throws IllegalArgumentException if a size is not positive
    public Linear(long in, long out, boolean bias) {
        this(DType.FLOAT32, in, out, bias);
    }

    /// Creates a layer with a bias.
    ///
    /// @param dtype the floating dtype of input, output and parameters
    /// @param in the size of the last axis of the input
    /// @param out the size of the last axis of the output
    /// @throws IllegalArgumentException if a size is not positive or the dtype is not floating
    public Linear(DType dtype, long in, long out) {
        this(dtype, in, out, true);
    }

    /// Creates a layer with or without a bias.
    ///
    /// @param dtype the floating dtype of input, output and parameters
    /// @param in the size of the last axis of the input
    /// @param out the size of the last axis of the output
    /// @param bias whether there is one
    /// @throws IllegalArgumentException if a size is not positive or the dtype is not floating
    public Linear(DType dtype, long in, long out, boolean bias) {
        requireFloating(dtype);
        if (in <= 0 || out <= 0) {
            throw new IllegalArgumentException("Linear: sizes " + in + " and " + out + " must be positive");
        }
        double bound = 1 / Math.sqrt(in);
        this.weight = parameter("weight", Initializers.kaimingUniform(Tensor.empty(dtype, out, in), Math.sqrt(5)));
        this.bias = bias ? parameter("bias", Initializers.uniform(Tensor.empty(dtype, out), -bound, bound)) : null;
    }

    @Override
    protected Tensor compute(Tensor x) {
        return x.linear(weight, bias);
    }

    /// Computes the output and applies an activation to it in one pass.
    Tensor forward(Tensor x, Activation activation) {
        try {
            return x.linear(weight, bias, activation);
        } catch (IllegalArgumentException e) {
            throw failure(e);
        }
    }

    @Override
    public String toString() {
        long[] shape = weight.shape();
        return "Linear(in=" + shape[1] + ", out=" + shape[0] + ", bias=" + (bias != null) + ")";
    }
}
