package org.toydiff.nn;

import org.toydiff.Tensor;

/// `ln(1 + e^βx) / β`, a smooth relu: [Functional#softplus(Tensor, double, double)].
public final class Softplus extends Layer {
    private final double beta;
    private final double threshold;

    /// With β = 1 and the identity where x is more than 20.
    public Softplus() {
        this(1, 20);
    }

    /// With settings of one's own.
    ///
    /// @param beta β, positive
    /// @param threshold where `β·x` is more than this, the result is x
    /// @throws IllegalArgumentException if β is not positive
    public Softplus(double beta, double threshold) {
        if (!(beta > 0)) {
            throw new IllegalArgumentException("Softplus: beta " + beta + " must be positive");
        }
        this.beta = beta;
        this.threshold = threshold;
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
