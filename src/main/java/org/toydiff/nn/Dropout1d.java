package org.toydiff.nn;

import org.toydiff.Tensor;

/// Sets whole channels of each example to 0 at random and scales up the others while training; returns its input when
/// evaluating: [Functional#dropout1d(Tensor, double)].
///
/// **Shapes** `[n, c, l]` or `[c, l]`.
public final class Dropout1d extends Layer {
    private final double p;

    /// Creates a layer with probability ½.
    public Dropout1d() {
        this(0.5);
    }

    /// Creates a layer with the given probability.
    ///
    /// @param p the probability of setting a channel to 0, in [0, 1]
    /// @throws IllegalArgumentException if it is out of range
    public Dropout1d(double p) {
        this.p = Functional.requireProbability("Dropout1d", p);
    }

    @Override
    protected Tensor compute(Tensor x) {
        return isTraining() && p > 0 ? Functional.dropout1d(x, p) : x;
    }

    @Override
    public String toString() {
        return "Dropout1d(p=" + p + ")";
    }
}
