package org.toydiff.nn;

import org.toydiff.DType;
import org.toydiff.Tensor;

/// x where it is positive, `weight·x` elsewhere, with a learned weight:
/// [Functional#prelu(Tensor, Tensor)].
///
/// **Shapes** `[n, channels, …]`, or any with one weight for all channels.
/// **Initial values** `weight` 0.25.
public final class PReLU extends Layer {
    private final Tensor weight;

    /// Creates a FLOAT32 layer with one weight.
    public PReLU() {
        this(1);
    }

    /// Creates a FLOAT32 layer.
    ///
    /// @param channels the number of weights: 1, or the size of the second axis
    /// @throws IllegalArgumentException if it is not positive
    public PReLU(long channels) {
        this(DType.FLOAT32, channels);
    }

    /// Creates a layer.
    ///
    /// @param dtype the floating dtype of input, output and weight
    /// @param channels the number of weights: 1, or the size of the second axis
    /// @throws IllegalArgumentException if it is not positive or the dtype is not floating
    public PReLU(DType dtype, long channels) {
        requireFloating(dtype);
        Functional.requirePositive("PReLU", "channels", channels);
        weight = parameter("weight", Tensor.full(dtype, 0.25, channels));
    }

    @Override
    protected Tensor compute(Tensor x) {
        return Functional.prelu(x, weight);
    }

    @Override
    public String toString() {
        return "PReLU(" + weight.size() + ")";
    }
}
