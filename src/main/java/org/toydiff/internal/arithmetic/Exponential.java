package org.toydiff.internal.arithmetic;

/// `eˣ`, `2ˣ` and the logistic function. Errors, unless said otherwise, are the largest found among all floats, and
/// among three million doubles.
///
/// `eˣ = 2ᵏ·eʳ` with `k` the integer nearest to `x/ln 2`, and `r = x − k·ln 2` in ±½ ln 2. Of the two parts of ln 2,
/// the first has full precision: a fused multiply-add subtracts its product exactly. (W. Cody, W. Waite, "Software
/// Manual for the Elementary Functions", 1980, chapter 6.) `eʳ = 1 + r + r²·q(r)`, with q a minimax polynomial
/// (Remez) of degree 4 or 9: its relative error is 2⁻²⁸ or 2⁻⁵⁷·⁷.
public final class Exponential {
    private static final double[] Q32 = {0.49999994f, 0.16666517f, 0.04166839f, 0.008369128f, 0.0013804954f};
    private static final double[] Q64 = {
        0.5000000000000011,
        0.16666666666666688,
        0.04166666666653547,
        0.008333333333369494,
        0.001388888894136382,
        0.00019841269709040883,
        2.4801495786443772e-05,
        2.7557446170313975e-06,
        2.7629250720505263e-07,
        2.5035319298897533e-08
    };

    /// `2ʳ = 1 + r·q(r)` in ±½: minimax polynomials, to 2⁻²⁷·⁵ and 2⁻⁵⁵·⁵.
    private static final double[] EXP2_32 = {
        0.69314724f, 0.24022655f, 0.055502728f, 0.009617065f, 0.0013417522f, 0.00015821488f
    };

    private static final double[] EXP2_64 = {
        0.6931471805599457,
        0.240226506959101,
        0.05550410866478799,
        0.009618129107605978,
        0.0013333558153877975,
        0.00015403530442616604,
        1.5252727042288975e-05,
        1.3215442322727113e-06,
        1.018077231133013e-07,
        7.07260489913576e-09,
        4.060845640163435e-10
    };

    private static final double LOG2_E = 1.4426950408889634;
    static final double[] LN2_32 = {0.6931471824645996, -1.9046542121259336e-09};
    static final double[] LN2_64 = {0.6931471805599453, 2.3190468138462996e-17};

    /// Results below the smallest normal number come from a final multiplication by this power of two, which rounds
    /// once.
    private static final int SMALL = 64;

    private Exponential() {}

    /// `eˣ`, within 0.90 ulp (FLOAT32) and 0.86 (FLOAT64).
    public static Real exp(Real x) {
        Precision precision = x.precision();
        // Below this the result is 0.
        Real lowest = precision.constant(precision.choose(-104.0, -746.0));
        return scaled(x.less(lowest).select(lowest, x), 0);
    }

    /// `½eˣ` for `x ≥ 0`; finite even where eˣ is not.
    static Real halfExp(Real x) {
        return scaled(x, -1);
    }

    /// `2ⁿ·eˣ`, for x not far below the smallest one whose result is above 0.
    private static Real scaled(Real x, int n) {
        Precision precision = x.precision();
        // Above this the result is ∞.
        Real highest = precision.constant(precision.choose(90.0, 710.6));
        var reduced = new Reduction(x.greater(highest).select(highest, x), 2 * precision.exponentBias() + n);
        return timesPowerOf2(reduced.power(), reduced.shifted);
    }

    /// `eˣ − 1`, within 1.53 ulp (FLOAT32, 200 million floats) and 1.90 (FLOAT64, a million doubles), even where x is
    /// small: `2·(2ᵏ⁻¹·(eʳ − 1) + (2ᵏ⁻¹ − ½))`.
    public static Real expm1(Real x) {
        Precision precision = x.precision();
        // Beyond these the result is −1 or ∞.
        Real lowest = precision.constant(precision.choose(-20.0, -40.0));
        Real highest = precision.constant(precision.choose(89.0, 710.0));
        Real bounded = x.less(lowest).select(lowest, x.greater(highest).select(highest, x));
        var reduced = new Reduction(bounded, precision.exponentBias() - 1);
        Real near = reduced.powerMinus1();
        Real scale = reduced.shifted.shiftLeft(precision.fractionSize).real();
        Real half = scale.fma(near, scale.subtract(precision.constant(0.5)));
        return reduced.k
                .equalTo(precision.constant(0))
                .select(near, half.add(half))
                .copySign(x);
    }

    /// `2ˣ`, within 0.90 ulp (FLOAT32, 200 million floats) and 0.85 (FLOAT64, 250,000 doubles); exact for integers.
    public static Real exp2(Real x) {
        return exp2(new Pair(x, x.precision().constant(0)));
    }

    /// 2 to the power of x.
    static Real exp2(Pair x) {
        Precision precision = x.high().precision();
        // Beyond these the result is ∞ or 0.
        Real highest = precision.constant(precision.choose(130.0, 1026.0));
        Real lowest = precision.constant(precision.choose(-152.0, -1077.0));
        Condition above = x.high().greater(highest);
        Condition below = x.high().less(lowest);
        Real bounded = above.select(highest, below.select(lowest, x.high()));
        Real low = above.or(below).select(precision.constant(0), x.low());
        Real rounder = precision.constant(precision.rounder() + 2 * precision.exponentBias());
        Real rounded = bounded.add(rounder);
        Real r = bounded.subtract(rounded.subtract(rounder)).add(low);
        Real power = Polynomial.of(r, precision.choose(EXP2_32, EXP2_64)).fma(r, precision.constant(1));
        return timesPowerOf2(power, rounded.bits());
    }

    /// `2ᵏ·x` for x near 1, rounded once.
    ///
    /// @param shifted an integer whose lowest bits are those of k plus twice the exponent's bias; k may be as
    /// large or as small as any for which the result is neither 0 nor ∞
    static Real timesPowerOf2(Real x, Bits shifted) {
        Precision precision = x.precision();
        int fraction = precision.fractionSize;
        // Two factors, each a normal number even where the result is subnormal or 2ᵏ overflows.
        Bits sum = shifted.shiftLeft(fraction);
        Bits first = shifted.shiftLeft(fraction - 1).and(precision.bits(-1L << fraction));
        return x.multiply(first.real()).multiply(sum.subtract(first).real());
    }

    /// `eˣ` for `x ≤ 0`: the same bits as [#exp], with fewer operations.
    ///
    /// Where the result is 0, nothing is computed that underflows: an element that a mask leaves out has −∞, and on
    /// some processors an underflow takes a hundred times as long as a product.
    public static Real expOfNegative(Real x) {
        Precision precision = x.precision();
        Real zero = precision.constant(0);
        Condition underflows = x.less(precision.constant(precision.choose(-104.0, -746.0)));
        Real power = normal(underflows.select(zero, x), SMALL).multiply(precision.constant(Math.scalb(1.0, -SMALL)));
        return underflows.select(zero, power);
    }

    /// `eˣ` for `x ≤ 0` large enough for the result to be a normal number: the same bits as [#exp].
    static Real normalExpOfNegative(Real x) {
        return normal(x, 0);
    }

    /// `2ⁿ·eˣ`, for results neither too small nor too large for a normal number.
    private static Real normal(Real x, int n) {
        Precision precision = x.precision();
        var reduced = new Reduction(x, precision.exponentBias() + n);
        return reduced.power()
                .multiply(reduced.shifted.shiftLeft(precision.fractionSize).real());
    }

    /// `1/(1 + e⁻ˣ)`, within 1.65 ulp (FLOAT32) and 1.62 (FLOAT64): `1 − q` with `q = e⁻ˣ/(1 + e⁻ˣ)`; below 0, where
    /// small results must keep their precision, `eˣ − eˣ·q(−x)`.
    public static Real sigmoid(Real x) {
        Precision precision = x.precision();
        Real one = precision.constant(1);
        Real power = expOfNegative(x.abs().negative());
        Real minusQuotient = power.divide(precision.constant(-1).subtract(power));
        Real whole = x.less(precision.constant(0)).select(power, one);
        return whole.fma(minusQuotient, whole);
    }

    /// `x = k·ln 2 + r`.
    private static final class Reduction {
        /// An integer whose lowest bits are those of `k + offset`.
        private final Bits shifted;

        private final Real k;
        private final Real r;

        Reduction(Real x, int offset) {
            Precision precision = x.precision();
            Real rounder = precision.constant(precision.rounder() + offset);
            Real rounded = x.fma(precision.constant(LOG2_E), rounder);
            k = rounded.subtract(rounder);
            double[] ln2 = precision.choose(LN2_32, LN2_64);
            shifted = rounded.bits();
            r = k.fma(precision.constant(-ln2[1]), k.fma(precision.constant(-ln2[0]), x));
        }

        /// `eʳ`.
        Real power() {
            Precision precision = r.precision();
            Real one = precision.constant(1);
            return Polynomial.of(r, precision.choose(Q32, Q64)).fma(r, one).fma(r, one);
        }

        /// `eʳ − 1`.
        Real powerMinus1() {
            Real tail = Polynomial.of(r, r.precision().choose(Q32, Q64)).multiply(r);
            return tail.fma(r, r);
        }
    }
}
