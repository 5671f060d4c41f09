package org.toydiff.internal.kernels;

import org.toydiff.internal.arithmetic.Exponential;
import org.toydiff.internal.arithmetic.Hyperbolic;
import org.toydiff.internal.arithmetic.NormalDistribution;
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
        return x.multiply(NormalDistribution.distribution(x));
    }

    /// `g·(Φ(x) + x·φ(x))`, where φ is the density of the standard normal.
    static Real geluGradient(Real g, Real x) {
        return g.multiply(NormalDistribution.density(x).fma(x, NormalDistribution.distribution(x)));
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

    /// x where it is positive, else `α·(eˣ − 1)`.
    static Real elu(Real x, Real alpha) {
        return x.greater(x.precision().constant(0)).select(x, alpha.multiply(Exponential.expm1(x)));
    }

    /// elu's derivative: 1 where x is positive, else `α·eˣ`.
    static Real eluSlope(Real x, Real alpha) {
        Precision p = x.precision();
        Real zero = p.constant(0);
        return x.lessOrEqual(zero).select(alpha.multiply(Exponential.expOfNegative(x.min(zero))), p.constant(1));
    }

    /// `x·min(max(x + 3, 0), 6)/6`
    static Real hardswish(Real x) {
        Precision p = x.precision();
        Real ramp = x.add(p.constant(3)).max(p.constant(0)).min(p.constant(6));
        return x.multiply(ramp.divide(p.constant(6)));
    }

    /// g where `x ≥ 3`, 0 where `x ≤ −3`, else `g·(x/3 + ½)`.
    static Real hardswishGradient(Real g, Real x) {
        Precision p = x.precision();
        Real between = g.multiply(x.divide(p.constant(3)).add(p.constant(0.5)));
        Real upward = x.less(p.constant(3)).select(between, g);
        return x.lessOrEqual(p.constant(-3)).select(p.constant(0), upward);
    }

    // With `e = eˣ`, `tanh(ln(1 + e)) = n/(n + 2)` where `n = e·(e + 2)`, which loses no digits where e is small.

    /// `x·tanh(ln(1 + eˣ))`
    static Real mish(Real x) {
        return x.multiply(new Softplus(x).tanh());
    }

    /// `g·(t + x·t′)` with `t = tanh(ln(1 + e))` and `t′ = 4·e·(e + 1)/(n + 2)²`.
    static Real mishGradient(Real g, Real x) {
        var softplus = new Softplus(x);
        return g.multiply(softplus.x.fma(softplus.slope(), softplus.tanh()));
    }

    /// The hyperbolic tangent of `ln(1 + eˣ)` and its derivative, of an x up to which the tangent has reached 1.
    private static final class Softplus {
        private final Real x;
        private final Real e;
        private final Real n;
        private final Real divisor;

        Softplus(Real given) {
            Precision p = given.precision();
            Real highest = p.constant(20);
            x = given.greater(highest).select(highest, given);
            e = Exponential.exp(x);
            n = e.multiply(e.add(p.constant(2)));
            divisor = n.add(p.constant(2));
        }

        Real tanh() {
            return n.divide(divisor);
        }

        Real slope() {
            Precision p = x.precision();
            Real numerator = e.multiply(e.add(p.constant(1))).multiply(p.constant(4));
            return numerator.divide(divisor).divide(divisor);
        }
    }
}
