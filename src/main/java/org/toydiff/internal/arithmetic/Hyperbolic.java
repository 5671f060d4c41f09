package org.toydiff.internal.arithmetic;

/// The hyperbolic functions, computed of |x|; the sign bit of x is then copied, so that zeros keep their sign.
/// Errors are the largest found among all floats, and among three million doubles.
public final class Hyperbolic {
    /// `sinh x = x + x³·p(x²)` below 1: minimax polynomials, to 2⁻³¹ and 2⁻⁶¹.
    private static final double[] P32 = {0.16666667f, 0.0083333105f, 0.00019842887f, 2.7823212e-06f};

    private static final double[] P64 = {
        0.16666666666666669,
        0.008333333333332912,
        0.0001984126984159341,
        2.755731910672173e-06,
        2.5052131014927054e-08,
        1.6056656806836012e-10,
        7.776710003363341e-13
    };

    /// `tanh x = x + x³·p(x²)/q(x²)` below [#TANH_NEAR], to 2⁻²⁷ and 2⁻⁵⁶·⁷. The form is that of S. Moshier's
    /// Cephes library (https://www.netlib.org/cephes/).
    private static final double[] TANH_P32 = {-0.33333308f, -0.0015412696f};

    private static final double[] TANH_Q32 = {1, 0.4046112f};
    private static final double[] TANH_P64 = {-0.33333333333333326, -0.02049678311130917, -0.00019908877723022591};
    private static final double[] TANH_Q64 = {1, 0.4614903493339124, 0.023288644160753002, 0.00020643814044589307};
    private static final double TANH_NEAR = 0.625;

    private Hyperbolic() {}

    /// `(eˣ − e⁻ˣ)/2`, within 1.62 ulp (FLOAT32) and 1.59 (FLOAT64).
    public static Real sinh(Real x) {
        Precision precision = x.precision();
        Real size = x.abs();
        Real square = x.multiply(x);
        Real near = size.multiply(square).fma(Polynomial.of(square, precision.choose(P32, P64)), size);
        Real half = Exponential.halfExp(size);
        Real far = half.subtract(precision.constant(0.25).divide(half));
        return size.less(precision.constant(1)).select(near, far).copySign(x);
    }

    /// `(eˣ + e⁻ˣ)/2`, within 1.36 ulp (FLOAT32) and 1.30 (FLOAT64).
    public static Real cosh(Real x) {
        Real half = Exponential.halfExp(x.abs());
        return half.add(x.precision().constant(0.25).divide(half));
    }

    /// {@return the hyperbolic tangent, within 1.44 ulp (FLOAT32) and 1.42 (FLOAT64)} `1 − 2e⁻²ˣ/(1 + e⁻²ˣ)` except
    /// near 0.
    public static Real tanh(Real x) {
        Precision precision = x.precision();
        Real one = precision.constant(1);
        // Beyond this the result is 1.
        Real highest = precision.constant(precision.choose(10.0, 20.0));
        Real size = x.abs();
        Real square = x.multiply(x);
        Real bounded = size.greater(highest).select(highest, size);
        Real power = Exponential.normalExpOfNegative(bounded.multiply(precision.constant(-2)));
        Condition near = size.less(precision.constant(TANH_NEAR));
        // One division serves both.
        Real nearNumerator = square.multiply(Polynomial.of(square, precision.choose(TANH_P32, TANH_P64)));
        Real quotient = near.select(nearNumerator, power.multiply(precision.constant(-2)))
                .divide(near.select(Polynomial.of(square, precision.choose(TANH_Q32, TANH_Q64)), power.add(one)));
        Real whole = near.select(size, one);
        return whole.fma(quotient, whole).copySign(x);
    }
}
