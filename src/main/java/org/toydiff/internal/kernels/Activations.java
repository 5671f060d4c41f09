package org.toydiff.internal.kernels;

import org.toydiff.internal.arithmetic.ErrorFunction;
import org.toydiff.internal.arithmetic.Exponential;
import org.toydiff.internal.arithmetic.Hyperbolic;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;

/// Activations shared by kernels, and their gradients: in terms of the output y, or of the input x where no formula in
/// y exists.
public final class Activations {
    private Activations() {}

    /// `max(x, 0)`; NaN stays NaN.
    public static Real relu(Real x) {
        Real zero = x.precision().constant(0);
        return x.less(zero).select(zero, x);
    }

    /// g where relu's output y is not 0, else 0.
    public static Real reluGradient(Real g, Real y) {
        Real zero = g.precision().constant(0);
        return y.lessOrEqual(zero).select(zero, g);
    }

    /// g·(1 − y²) for tanh's output y.
    public static Real tanhGradient(Real g, Real y) {
        return g.multiply(g.precision().constant(1).subtract(y.multiply(y)));
    }

    /// g·y·(1 − y) for the logistic function's output y.
    public static Real sigmoidGradient(Real g, Real y) {
        return g.multiply(y.subtract(y.multiply(y)));
    }

    /// `x·Φ(x)`, where Φ is the distribution function of the standard normal.
    static Real gelu(Real x) {
        return x.multiply(normalDistribution(x));
    }

    /// `g·(Φ(x) + x·φ(x))`, where φ is the density of the standard normal.
    static Real geluGradient(Real g, Real x) {
        Precision p = x.precision();
        Real density = Exponential.expOfNegative(x.multiply(x).multiply(p.constant(-0.5)))
                .multiply(p.constant(1 / Math.sqrt(2 * Math.PI)));
        return g.multiply(normalDistribution(x).add(x.multiply(density)));
    }

    /// `½·(1 + erf(x/√2))`
    private static Real normalDistribution(Real x) {
        Precision p = x.precision();
        return ErrorFunction.erf(x.multiply(p.constant(Math.sqrt(0.5))))
                .add(p.constant(1))
                .multiply(p.constant(0.5));
    }

    // The form with tanh, `½·x·(1 + tanh u)` with `u = √(2/π)·(x + 0.044715·x³)`.

    private static final double GELU_SLOPE = Math.sqrt(2 / Math.PI);
    private static final double GELU_CUBIC = 0.044715;

    static Real geluTanh(Real x) {
        Precision p = x.precision();
        return x.multiply(tanhOfCubic(x).add(p.constant(1)).multiply(p.constant(0.5)));
    }

    /// `g·½·((1 + t) + x·(1 − t²)·u′)` with `t = tanh u`.
    static Real geluTanhGradient(Real g, Real x) {
        Precision p = x.precision();
        Real one = p.constant(1);
        Real t = tanhOfCubic(x);
        Real slope = x.multiply(x).multiply(p.constant(3 * GELU_CUBIC)).add(one).multiply(p.constant(GELU_SLOPE));
        Real second = x.multiply(one.subtract(t.multiply(t))).multiply(slope);
        return g.multiply(t.add(one).add(second).multiply(p.constant(0.5)));
    }

    /// `tanh u`
    private static Real tanhOfCubic(Real x) {
        Precision p = x.precision();
        Real cubic = x.multiply(x)
                .multiply(p.constant(GELU_CUBIC))
                .add(p.constant(1))
                .multiply(x);
        return Hyperbolic.tanh(cubic.multiply(p.constant(GELU_SLOPE)));
    }
}
