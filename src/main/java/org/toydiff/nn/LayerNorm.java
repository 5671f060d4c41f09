package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Normalises each example over its last axes, `(x − mean) / √(variance + ε)·weight + bias`: J. Ba, J. Kiros, G.
/// Hinton, "Layer normalization", 2016.
///
/// **Shapes** `[…, normalized] → […, normalized]`; `weight` and `bias` are `[normalized]`.
/// **Initial values** `weight` ones, `bias` zeros.
public final class LayerNorm extends Layer {
    private final long[] normalized;
    private final double epsilon;
    private final Tensor weight;
    private final Tensor bias;

    /// Creates a FLOAT32 layer over axes of the given sizes, with ε = 1e-5.
    ///
    /// @param normalized the sizes of the last axes of the input, at least one, all positive
    /// @throws IllegalArgumentException if there is no size, or one is not positive
    public LayerNorm(long... normalized) {
        this(normalized, 1e-5);
    }

    /// Creates a FLOAT32 layer with the given ε.
    ///
    /// @param normalized the sizes of the last axes of the input, at least one, all positive
    /// @param epsilon ε, which keeps the divisor from 0; 0 or more
    /// @throws IllegalArgumentException if a setting is out of range
    public LayerNorm(long[] normalized, double epsilon) {
        this(DType.FLOAT32, normalized, epsilon);
    }

    /// Creates a layer over axes of the given sizes, with ε = 1e-5.
    ///
    /// @param dtype the floating dtype of input, output and parameters
    /// @param normalized the sizes of the last axes of the input, at least one, all positive
    /// @throws IllegalArgumentException if there is no size, one is not positive, or the dtype is not floating
    public LayerNorm(DType dtype, long... normalized) {
        this(dtype, normalized, 1e-5);
    }

    /// Creates a layer with the given ε.
    ///
    /// @param dtype the floating dtype of input, output and parameters
    /// @param normalized the sizes of the last axes of the input, at least one, all positive
    /// @param epsilon ε, which keeps the divisor from 0; 0 or more
    /// @throws IllegalArgumentException if a setting is out of range or the dtype is not floating
    public LayerNorm(DType dtype, long[] normalized, double epsilon) {
        requireFloating(dtype);
        if (normalized.length == 0 || Arrays.stream(normalized).anyMatch(size -> size <= 0) || !(epsilon >= 0)) {
            throw new IllegalArgumentException("LayerNorm: sizes " + Arrays.toString(normalized) + " and epsilon "
                    + epsilon + " are out of range; give one positive size or more, and 0 or more");
        }
        this.normalized = normalized.clone();
        this.epsilon = epsilon;
        this.weight = parameter("weight", Tensor.ones(dtype, normalized));
        this.bias = parameter("bias", Tensor.zeros(dtype, normalized));
    }

    @Override
    protected Tensor compute(Tensor x) {
        return Functional.layerNorm(x, weight, bias, epsilon);
    }

    @Override
    public String toString() {
        return "LayerNorm(" + Arrays.toString(normalized) + ", epsilon=" + epsilon + ")";
    }
}
