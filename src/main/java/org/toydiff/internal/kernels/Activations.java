package org.toydiff.internal.kernels;

import org.toydiff.internal.arithmetic.Real;

/// Activations shared by kernels, and their gradients in terms of the output y.
final class Activations {
    private Activations() {}

    /// `max(x, 0)`; NaN stays NaN.
    static Real relu(Real x) {
        Real zero = x.precision().constant(0);
        return x.less(zero).select(zero, x);
    }

    /// g where relu's output y is not 0, else 0.
    static Real reluGradient(Real g, Real y) {
        Real zero = g.precision().constant(0);
        return y.lessOrEqual(zero).select(zero, g);
    }

    /// g·(1 − y²) for tanh's output y.
    static Real tanhGradient(Real g, Real y) {
        return g.multiply(g.precision().constant(1).subtract(y.multiply(y)));
    }

    /// g·y·(1 − y) for the logistic function's output y.
    static Real sigmoidGradient(Real g, Real y) {
        return g.multiply(y.subtract(y.multiply(y)));
    }
}
