package org.toydiff.nn;

import org.toydiff.Tensor;

/// Sets elements to 0 at random while training, and scales the others up; gives its input when evaluating:
/// [Functional#dropout(Tensor, double)].
public final class Dropout extends Layer {
    private final double p;

    /// With probability ½.
    public Dropout() {
        this(0.5);
    }

    /// With a probability of one's own.
    ///
    /// @param p the probability of being set to 0, in [0, 1]
    /// @throws IllegalArgumentException if it is out of range
    public Dropout(double p) {
        this.p = Functional.requireProbability("Dropout", p);
    }

    @Override
    protected Tensor compute(Tensor x) {
        return isTraining() && p > 0 ? Functional.dropout(x, p) : x;
    }

    @Override
    public String toString() {
        return "Dropout(p=" + p + ")";
    }
}
