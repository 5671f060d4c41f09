package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Scales each example by the root of its mean square over its last axes, `x / √(mean(x²) + ε)·weight`: B. Zhang, R.
/// Sennrich, "Root mean square layer normalization", 2019.
///
/// **Shapes** `[…, normalized] → […, normalized]`; `weight` is `[normalized]`.
/// **Initial values** `weight` ones.
public final class RMSNorm extends Layer {
    private final long[] normalized;
    private final Tensor weight;
    private double epsilon;

    /// Creates a FLOAT32 layer over axes of the given sizes.
    ///
    /// @param normalized the sizes of the last axes of the input, at least one, all positive
    /// @throws IllegalArgumentException if there is no size, or one is not positive
    public RMSNorm(long... normalized) {
        this(DType.FLOAT32, normalized);
    }

    /// Creates a layer over axes of the given sizes.
    ///
    /// @param dtype the floating dtype of input, output and weight
    /// @param normalized the sizes of the last axes of the input, at least one, all positive
    /// @throws IllegalArgumentException if there is no size, one is not positive, or the dtype is not floating
    public RMSNorm(DType dtype, long... normalized) {
        requireFloating(dtype);
        if (normalized.length == 0 || Arrays.stream(normalized).anyMatch(size -> size <= 0)) {
            throw new IllegalArgumentException("RMSNorm: sizes " + Arrays.toString(normalized)
                    + " are out of range; give one positive size or more");
        }
        this.normalized = normalized.clone();
        epsilon = dtype == DType.FLOAT64 ? Math.ulp(1.0) : Math.ulp(1f);
        weight = parameter("weight", Tensor.ones(dtype, normalized));
    }

    /// Sets ε, which keeps the divisor from 0.
    ///
    /// @param epsilon ε, 0 or more; by default the distance from 1 to the next number, of FLOAT64 or of FLOAT32
    /// @return this
    /// @throws IllegalArgumentException if it is negative or NaN
    public RMSNorm epsilon(double epsilon) {
        this.epsilon = Functional.requireEpsilon("RMSNorm", epsilon);
        settingChanged();
        return this;
    }

    @Override
    protected Tensor compute(Tensor x) {
        return Functional.rmsNorm(x, weight, epsilon);
    }

    @Override
    public String toString() {
        return "RMSNorm(" + Arrays.toString(normalized) + ", epsilon=" + epsilon + ")";
    }
}
