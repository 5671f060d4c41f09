package org.toydiff.internal.arithmetic;

/// `xʸ = 2^(y·log₂ x)`, with the logarithm as a sum of two numbers.
///
/// As in fdlibm's e_pow.c (Sun Microsystems, 2004, https://www.netlib.org/fdlibm/e_pow.c), but with products split
/// by fused multiply-adds (T. Dekker, "A floating-point technique for extending the available precision", 1971).
public final class Power {
    // log₂((1 + s)/(1 − s)) = s·(C + C/3·s² + s⁴·p(s²)) with C = 2/ln 2: the first two coefficients in two parts
    // each.
    private static final double[] C32 = {2.885390043258667, 3.851926067000022e-08};
    private static final double[] C64 = {2.8853900817779268, 4.0710547481862066e-17};
    private static final double[] THIRD32 = {0.9617967009544373, -7.028461812552678e-09};
    private static final double[] THIRD64 = {0.9617966939259756, 5.0577616648125907e-17};

    /// To 2⁻³⁶ or 2⁻⁶⁵ of the whole.
    private static final double[] P32 = {0.5770802f, 0.41184977f, 0.337827f};

    private static final double[] P64 = {
        0.577078016355591,
        0.41219858310304625,
        0.32059890052154016,
        0.2623078392047724,
        0.22197819000815527,
        0.19137992429314618,
        0.1893084976235026
    };

    private Power() {}

    /// {@return x to the power y, within 0.93 ulp (FLOAT32, 20 million pairs) and 1.07 (FLOAT64, 7 million)} Special
    /// cases are those of [Math#pow].
    public static Real power(Real x, Real y) {
        Precision precision = x.precision();
        Real zero = precision.constant(0);
        Real one = precision.constant(1);
        Real magnitude = Exponential.exp2(times(log2(x.abs()), y));
        var parity = Parity.of(y);
        Bits sign = parity.odd.select(parity.shifted.and(x.bits()), precision.bits(0));
        Real signed = magnitude.bits().or(sign).real();
        Condition undefined = x.less(zero)
                .and(x.greater(precision.constant(Double.NEGATIVE_INFINITY)))
                .and(parity.whole.not());
        Real nan = precision.constant(Double.NaN);
        return y.equalTo(zero).select(one, undefined.select(nan, signed));
    }

    /// {@return the binary logarithm of a non-negative x; −∞, ∞ and NaN for 0, ∞ and NaN}
    private static Pair log2(Real x) {
        Precision precision = x.precision();
        var split = Logarithm.Split.of(x);
        Real one = precision.constant(1);
        // s = (m − 1)/(m + 1), with the remainders of the sum and the quotient.
        Real f = split.mantissa().subtract(one);
        Pair denominator = Pair.sum(precision.constant(2), f);
        Real reciprocal = one.divide(denominator.high());
        Real high = f.multiply(reciprocal);
        Real minus = high.negative();
        Real rest = minus.fma(denominator.low(), minus.fma(denominator.high(), f));
        Pair s = new Pair(high, rest.multiply(reciprocal));
        Pair square = s.times(s);
        Pair third = Pair.constant(precision, precision.choose(THIRD32, THIRD64));
        Pair tail = Pair.sum(
                        third.high(), square.high().multiply(Polynomial.of(square.high(), precision.choose(P32, P64))))
                .plusLow(third.low());
        Pair terms = square.times(tail);
        Pair c = Pair.constant(precision, precision.choose(C32, C64));
        Pair series = Pair.sum(c.high(), terms.high()).plusLow(c.low().add(terms.low()));
        Pair fraction = s.times(series);
        Pair sum = Pair.sum(split.exponent(), fraction.high()).plusLow(fraction.low());
        Real infinity = precision.constant(Double.POSITIVE_INFINITY);
        Real special = x.less(infinity).select(sum.high(), x);
        return new Pair(x.equalTo(precision.constant(0)).select(infinity.negative(), special), sum.low());
    }

    private static Pair times(Pair logarithm, Real y) {
        Pair product = Pair.product(y, logarithm.high());
        return new Pair(product.high(), y.fma(logarithm.low(), product.low()));
    }

    /// Whether a number is an integer, and whether it is odd.
    ///
    /// @param shifted has the sign bit set for odd numbers and clear for even ones; all other bits are 0
    private record Parity(Condition whole, Condition odd, Bits shifted) {
        static Parity of(Real y) {
            Precision precision = y.precision();
            Real size = y.abs();
            // From 2^fraction on all numbers are integers; below, adding it rounds a number to an integer.
            Real first = precision.constant(Math.scalb(1.0, precision.fractionSize));
            Real rounder = size.less(first).select(first, precision.constant(0));
            Real rounded = size.add(rounder);
            Condition whole = rounded.subtract(rounder).equalTo(size);
            Condition hasOnes = size.less(precision.constant(Math.scalb(2.0, precision.fractionSize)));
            return new Parity(whole, whole.and(hasOnes), rounded.bits().shiftLeft(precision.size - 1));
        }
    }
}
