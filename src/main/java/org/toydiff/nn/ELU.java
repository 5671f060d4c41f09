package org.toydiff.nn;

import org.toydiff.Tensor;

/// x where it is positive, else `α·(eˣ − 1)`: [Functional#elu(Tensor, double)].
public final class ELU extends Layer {
    private final double alpha;

    /// Creates a layer with α = 1.
    public ELU() {
        this(1);
    }

    /// Creates a layer with the given α.
    ///
    /// @param alpha α, minus the limit at −∞
    public ELU(double alpha) {
        this.alpha = alpha;
    }

    @Override
    protected Tensor compute(Tensor x) {
        return Functional.elu(x, alpha);
    }

    @Override
    public String toString() {
        return "ELU(alpha=" + alpha + ")";
    }
}
