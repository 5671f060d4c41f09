package org.toydiff.nn;

import org.toydiff.Tensor;

/// Sets whole channels of each example to 0 at random and scales up the others while training; returns its input when
/// evaluating: [Functional#dropout2d(Tensor, double)].
///
/// **Shapes** `[n, c, h, w]` or `[c, h, w]`.
public final class Dropout2d extends Layer {
    private final double p;

    /// Creates a layer with probability ½.
    public Dropout2d() {
        this(0.5);
    }

    /// Creates a layer with the given probability.
    ///
    /// @param p the probability of setting a channel to 0, in [0, 1]
    /// @throws IllegalArgumentException if it is out of range
    public Dropout2d(double p) {
        this.p = Functional.requireProbability("Dropout2d", p);
    }

    @Override
    protected Tensor compute(Tensor x) {
        return isTraining() && p > 0 ? Functional.dropout2d(x, p) : x;
    }

    @Override
    public String toString() {
        return "Dropout2d(p=" + p + ")";
    }
}
