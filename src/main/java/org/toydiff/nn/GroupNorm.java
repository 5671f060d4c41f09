package org.toydiff.nn;

import org.toydiff.DType;
import org.toydiff.Tensor;

/// Normalises groups of channels of each example, `(x − mean) / √(variance + ε)·weight + bias`: Y. Wu, K. He, "Group
/// normalization", 2018.
///
/// **Shapes** `[n, channels, …]`; the output has the shape of the input, `weight` and `bias` are `[channels]`.
/// **Initial values** `weight` ones, `bias` zeros.
public final class GroupNorm extends Layer {
    private final long groups;
    private final Tensor weight;
    private final Tensor bias;
    private double epsilon = 1e-5;

    /// Creates a FLOAT32 layer with ε = 1e-5.
    ///
    /// @param groups the number of groups, a divisor of the channels
    /// @param channels the size of the second axis, positive
    /// @throws IllegalArgumentException if a number is not positive, or the groups do not divide the channels
    public GroupNorm(long groups, long channels) {
        this(DType.FLOAT32, groups, channels);
    }

    /// Creates a layer with ε = 1e-5.
    ///
    /// @param dtype the floating dtype of input, output and parameters
    /// @param groups the number of groups, a divisor of the channels
    /// @param channels the size of the second axis, positive
    /// @throws IllegalArgumentException if a number is not positive, the groups do not divide the channels, or the
    ///     dtype is not floating
    public GroupNorm(DType dtype, long groups, long channels) {
        requireFloating(dtype);
        Functional.requirePositive("GroupNorm", "groups", groups);
        Functional.requirePositive("GroupNorm", "channels", channels);
        if (channels % groups != 0) {
            throw new IllegalArgumentException(
                    "GroupNorm: " + groups + " groups do not divide " + channels + " channels; give a divisor");
        }
        this.groups = groups;
        this.weight = parameter("weight", Tensor.ones(dtype, channels));
        this.bias = parameter("bias", Tensor.zeros(dtype, channels));
    }

    /// Sets ε, which keeps the divisor from 0.
    ///
    /// @param epsilon ε, 0 or more; 1e-5 by default
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public GroupNorm epsilon(double epsilon) {
        this.epsilon = Functional.requireEpsilon("GroupNorm", epsilon);
        settingChanged();
        return this;
    }

    @Override
    protected Tensor compute(Tensor x) {
        return Functional.groupNorm(x, groups, weight, bias, epsilon);
    }

    @Override
    public String toString() {
        return "GroupNorm(" + groups + ", " + weight.size() + ", epsilon=" + epsilon + ")";
    }
}
