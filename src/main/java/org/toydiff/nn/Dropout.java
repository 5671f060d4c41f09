package org.toydiff.nn;

import org.toydiff.Tensor;

/// Sets elements to 0 at random and scales up the others while training; returns its input when evaluating:
/// [Functional#dropout(Tensor, double)].
public final class Dropout extends Layer {
    private final double p;

    /// Creates a layer with probability ½.
    public Dropout() {
        this(0.5);
    }

    /// Creates a layer with the given probability.
    ///
    /// @param p the probability of setting an element to 0, in [0, 1]
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
