package org.toydiff.nn;

import org.toydiff.Tensor;

/// `ln(1 + e^βx) / β`, a smooth relu: [Functional#softplus(Tensor, double, double)].
public final class Softplus extends Layer {
    private double beta = 1;
    private double threshold = 20;

    /// Creates a layer with β = 1 and a threshold of 20. Methods named after the settings change those;
    /// each takes effect with the next forward.
    public Softplus() {}

    /// Sets β, the sharpness.
    ///
    /// @param beta β, positive; 1 by default
    /// @return this
    /// @throws IllegalArgumentException if it is not positive
    public Softplus beta(double beta) {
        if (!(beta > 0)) {
            throw new IllegalArgumentException("Softplus: beta " + beta + " must be positive");
        }
        this.beta = beta;
        settingChanged();
        return this;
    }

    /// Sets the threshold, above which the output is the input.
    ///
    /// @param threshold the largest `β·x` that the formula is used for; 20 by default
    /// @return this
    public Softplus threshold(double threshold) {
        this.threshold = threshold;
        settingChanged();
        return this;
    }

    @Override
    protected Tensor compute(Tensor x) {
        return Functional.softplus(x, beta, threshold);
    }

    @Override
    public String toString() {
        return "Softplus(beta=" + beta + ", threshold=" + threshold + ")";
    }
}
