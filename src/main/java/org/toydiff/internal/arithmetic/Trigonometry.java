package org.toydiff.internal.arithmetic;

/// Sine, cosine and tangent of radians. Errors are the largest found among all floats, and among three million
/// doubles.
///
/// An angle is reduced by multiples of π/2 in three parts (W. Cody, W. Waite, "Software Manual for the Elementary
/// Functions", 1980, chapter 8), the first of full precision: a fused multiply-add subtracts its product exactly.
/// Angles too large for that are left to [HugeAngle].
public final class Trigonometry {
    /// π/2 in three parts.
    static final double[] HALF_PI32 = {1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15};

    static final double[] HALF_PI64 = {1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33};

    /// `sin r = r + r³·p(r²)` in ±π/4: minimax polynomials, to 2⁻²⁷·⁹ and 2⁻⁵⁷·⁹.
    private static final double[] SIN32 = {-0.16666655f, 0.008332187f, -0.00019517897f};

    static final double[] SIN64 = {
        -0.1666666666666663,
        0.00833333333332184,
        -0.00019841269829373983,
        2.755731355153249e-06,
        -2.505073766150825e-08,
        1.5895689141329346e-10
    };

    /// `cos r = 1 − ½r² + r⁴·p(r²)` in ±π/4: to 2⁻³³ and 2⁻⁶³·⁶.
    private static final double[] COS32 = {0.041666646f, -0.001388731f, 2.4432327e-05f};

    static final double[] COS64 = {
        0.041666666666666595,
        -0.0013888888888873307,
        2.480158728892422e-05,
        -2.755731417642292e-07,
        2.0875697496552675e-09,
        -1.1358226655373112e-11
    };

    private Trigonometry() {}

    /// {@return the sine, within 1.54 ulp (FLOAT32) and 1.46 (FLOAT64)}
    public static Real sin(Real x) {
        var reduced = new Reduction(x, 0);
        return whereModerate(x, "sin", reduced.sinOfSum(reduced.quadrant(2).xor(x.bits())));
    }

    /// {@return the cosine, as the sine one quadrant further: within 1.54 ulp (FLOAT32) and 1.48 (FLOAT64)}
    public static Real cos(Real x) {
        var reduced = new Reduction(x, 1);
        return whereModerate(x, "cos", reduced.sinOfSum(reduced.quadrant(2)));
    }

    /// {@return the tangent, within 2.37 ulp (FLOAT32) and 2.11 (FLOAT64)} Sine by cosine, or −cosine by sine. Both,
    /// and their quotient, carry their rounding errors along, so that precision is lost only once.
    public static Real tan(Real x) {
        var reduced = new Reduction(x, 0);
        Condition even = reduced.isEven();
        Sum sin = reduced.sin();
        Sum cos = reduced.cos();
        Real denominator = even.select(cos.high, sin.high);
        Real reciprocal = x.precision().constant(1).divide(denominator);
        Real numerator = even.select(sin.high, cos.high);
        Real quotient = numerator.multiply(reciprocal);
        Real minus = quotient.negative();
        Real rest = minus.fma(even.select(cos.low, sin.low), even.select(sin.low, cos.low))
                .add(minus.fma(denominator, numerator));
        Real y = rest.fma(reciprocal, quotient);
        return whereModerate(x, "tan", withSign(y, reduced.quadrant(1).xor(x.bits())));
    }

    /// `a·b + c`, rounded, and its rounding error.
    private record Sum(Real high, Real low) {
        static Sum of(Real a, Real b, Real c) {
            Real high = a.fma(b, c);
            return new Sum(high, a.fma(b, c.subtract(high)));
        }
    }

    /// `|x| = k·π/2 + r`.
    private static final class Reduction {
        private final Precision precision;
        private final Bits shifted;
        private final Real r;
        private final Real square;

        /// Adds `quadrants` to the number of quadrants returned by [#quadrant], but not to k.
        Reduction(Real x, int quadrants) {
            precision = x.precision();
            Real size = x.abs();
            Real rounder = precision.constant(precision.rounder() + quadrants);
            Real rounded = size.fma(precision.constant(2 / Math.PI), rounder);
            Real k = rounded.subtract(rounder);
            shifted = rounded.bits();
            Real rest = size;
            for (double part : precision.choose(HALF_PI32, HALF_PI64)) {
                rest = k.fma(precision.constant(-part), rest);
            }
            r = rest;
            square = r.multiply(r);
        }

        /// {@return the number of quadrants, shifted until its last bit (1) or the one before it (2) is the sign
        /// bit}
        Bits quadrant(int place) {
            return shifted.shiftLeft(precision.size - place);
        }

        Condition isEven() {
            return quadrant(1).equalTo(precision.bits(0));
        }

        Sum sin() {
            Real p = Polynomial.of(square, precision.choose(SIN32, SIN64));
            return Sum.of(square.multiply(r), p, r);
        }

        Sum cos() {
            Real p = Polynomial.of(square, precision.choose(COS32, COS64)).fma(square, precision.constant(-0.5));
            return Sum.of(p, square, precision.constant(1));
        }

        /// {@return the sine of r in an even quadrant, the cosine in an odd one, negated if the sign bit is set}
        Real sinOfSum(Bits sign) {
            return withSign(isEven().select(sin().high, cos().high), sign);
        }
    }

    /// {@return y, negated if the sign bit is set}
    static Real withSign(Real y, Bits sign) {
        Precision precision = y.precision();
        return y.bits().xor(sign.and(precision.bits(1L << precision.size - 1))).real();
    }

    private static Real whereModerate(Real x, String name, Real usual) {
        Precision precision = x.precision();
        // Up to here three parts of π/2 suffice, even next to its multiples.
        Real limit = precision.constant(precision.choose(131072.0, 1e9));
        Condition huge = x.abs().greater(limit);
        return x.rarely(huge, new ScalarFunction(HugeAngle.class, name), usual);
    }
}
