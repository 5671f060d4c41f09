package org.toydiff.internal.arithmetic;

/// The distribution function Φ and the density φ of the standard normal.
///
/// `Φ(−t) = e^(−t²/2)·(½ + t·p(t)/q(t))` for `t ≥ 0`, and `Φ(t) = 1 − Φ(−t)`. With one formula for all t, small results
/// keep their precision: `½·(1 + erf(x/√2))` loses it below 0, and all of it at −5.7 in FLOAT32.
public final class NormalDistribution {
    /// Minimax for t up to 13 or 38, to 2⁻²⁸·⁷·(1 + t²/4) and 2⁻⁵⁷·⁴·(1 + t²/4) of `e^(t²/2)·Φ(−t)`; rounding t²
    /// changes the exponential by as much.
    private static final double[] P32 = {-0.3989423f, -0.3899398f, -0.16956708f, -0.037887584f, -0.003749956f};

    private static final double[] Q32 = {1, 1.6040918f, 1.0969205f, 0.4043401f, 0.08176047f, 0.007499888f};
    private static final double[] P64 = {
        -0.3989422804014325,
        -0.6654525970492831,
        -0.534110777574295,
        -0.26756150251923577,
        -0.09172944238776135,
        -0.022289748890670112,
        -0.0038444204545388726,
        -0.00045567193182710023,
        -3.39271183394959e-05,
        -1.2243823045093424e-06
    };

    private static final double[] Q64 = {
        1.0,
        2.2946993638480917,
        2.443473420319714,
        1.5936615975507298,
        0.7069505064973559,
        0.2236028406716278,
        0.05127268605265009,
        0.008458475470757858,
        0.0009670426434841083,
        6.980806815323237e-05,
        2.4487646090203474e-06
    };

    private NormalDistribution() {}

    /// {@return Φ(x), with a relative error of at most 2.2·ε·(1 + x²), where ε is 2⁻²⁴ or 2⁻⁵³} 0 below −12.9 or −37.5.
    public static Real distribution(Real x) {
        Precision precision = x.precision();
        Real size = x.abs();
        Real quotient =
                Polynomial.of(size, precision.choose(P32, P64)).divide(Polynomial.of(size, precision.choose(Q32, Q64)));
        Real tail = nearZero(x, power(x).multiply(quotient.fma(size, precision.constant(0.5))));
        return x.less(precision.constant(0)).select(tail, precision.constant(1).subtract(tail));
    }

    /// {@return φ(x), with a relative error of at most 1.7·ε·(1 + x²)} 0 where |x| is above 12.9 or 37.5.
    public static Real density(Real x) {
        return nearZero(x, power(x).multiply(x.precision().constant(1 / Math.sqrt(2 * Math.PI))));
    }

    /// `e^(−x²/2)`
    private static Real power(Real x) {
        return Exponential.normalExpOfNegative(
                x.multiply(x).multiply(x.precision().constant(-0.5)));
    }

    /// {@return the value, or 0 for x so far from 0 that the value is not a normal number}
    private static Real nearZero(Real x, Real value) {
        Precision precision = x.precision();
        Condition far = x.abs().greater(precision.constant(precision.choose(12.9, 37.5)));
        return far.select(precision.constant(0), value);
    }
}
