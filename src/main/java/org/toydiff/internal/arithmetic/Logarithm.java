package org.toydiff.internal.arithmetic;

/// Logarithms: for `2ᵏ·(1 + f)` with f in −0.293…0.414 the logarithm is `k·ln 2 + ln(1 + f)`, divided by that of the
/// base. Errors, unless said otherwise, are the largest found among all floats, and among three million doubles.
public final class Logarithm {
    /// `ln(1 + f) = f + f²·p(f)`: a minimax polynomial, to 2⁻²⁷.
    private static final double[] P32 = {
        -0.5, 0.3333333f, -0.2500082f, 0.2000124f, -0.16623408f, 0.14201616f, -0.13159657f, 0.1276199f, -0.07636057f
    };

    /// `ln(1 + f) = 2s + s³·r(s²)` with `s = f/(2 + f)`, to 2⁻⁵⁷. The form is that of fdlibm's e_log.c (Sun
    /// Microsystems, 1993, https://www.netlib.org/fdlibm/e_log.c), the polynomial a Remez fit made for this library.
    private static final double[] R64 = {
        0.666666666666671,
        0.39999999999540903,
        0.28571428729906656,
        0.2222219829923046,
        0.1818364975171604,
        0.15310299496883562,
        0.1484687460957936
    };

    /// `1/ln 2`, `1/ln 10` and `ln 2/ln 10` in two parts each.
    private static final double[] LOG2_E32 = {1.4426950216293335, 1.925963033500011e-08};

    private static final double[] LOG2_E64 = {1.4426950408889634, 2.0355273740931033e-17};
    private static final double[] LOG10_E32 = {0.4342944920063019, -1.0103049952192578e-08};
    private static final double[] LOG10_E64 = {0.4342944819032518, 1.098319650216765e-17};
    private static final double[] LOG10_2_32 = {0.3010300099849701, -1.432098883924482e-08};
    private static final double[] LOG10_2_64 = {0.3010299956639812, -2.8037281277851704e-18};

    private Logarithm() {}

    /// {@return the natural logarithm, within 0.94 ulp (FLOAT32) and 0.79 (FLOAT64)}
    public static Real log(Real x) {
        Precision precision = x.precision();
        var split = Split.of(x);
        return wherePositive(x, of(split.exponent, split.mantissa.subtract(precision.constant(1))));
    }

    /// {@return the logarithm to base 2, within 1.51 ulp (FLOAT32, all floats in ¼…4) and 1.50 (FLOAT64, 250,000
    /// doubles); exact for powers of 2}
    public static Real log2(Real x) {
        Precision precision = x.precision();
        var split = Split.of(x);
        Real near = ofFraction(split.mantissa.subtract(precision.constant(1)));
        Pair factor = Pair.constant(precision, precision.choose(LOG2_E32, LOG2_E64));
        return wherePositive(x, near.fma(factor.high(), near.fma(factor.low(), split.exponent)));
    }

    /// {@return the logarithm to base 10, within 1.58 ulp (FLOAT32, all floats in ¼…4) and 1.46 (FLOAT64, 250,000
    /// doubles); exact for powers of 10}
    public static Real log10(Real x) {
        Precision precision = x.precision();
        var split = Split.of(x);
        Real near = ofFraction(split.mantissa.subtract(precision.constant(1)));
        Pair factor = Pair.constant(precision, precision.choose(LOG10_E32, LOG10_E64));
        Pair perExponent = Pair.constant(precision, precision.choose(LOG10_2_32, LOG10_2_64));
        Real low = near.fma(factor.low(), split.exponent.multiply(perExponent.low()));
        Real y = split.exponent.fma(perExponent.high(), near.fma(factor.high(), low));
        return wherePositive(x, y);
    }

    /// {@return the logarithm y of x where x is positive and finite; elsewhere ∞, −∞ or NaN}
    private static Real wherePositive(Real x, Real y) {
        Precision precision = x.precision();
        Real zero = precision.constant(0);
        Real infinity = precision.constant(Double.POSITIVE_INFINITY);
        Real notPositive = x.equalTo(zero).select(infinity.negative(), precision.constant(Double.NaN));
        return x.greater(zero).select(x.less(infinity).select(y, x), notPositive);
    }

    /// `ln(1 + x)`, within 1.48 ulp (FLOAT32) and 1.38 (FLOAT64), even where x is small. With `1 + x ≈ 2ᵏ·(1 + f)`
    /// it needs no remainder of the sum: `f = 2⁻ᵏ·x + (2⁻ᵏ − 1)`. (N. Juffa, "Faster and more accurate
    /// implementation of log1pf()",
    /// https://forums.developer.nvidia.com/t/faster-and-more-accurate-implementation-of-log1pf/40575)
    public static Real log1p(Real x) {
        Precision precision = x.precision();
        Real one = precision.constant(1);
        Real zero = precision.constant(0);
        Real infinity = precision.constant(Double.POSITIVE_INFINITY);
        var split = Split.ofNormal(x.add(one));
        // 2⁻ᵏ is derived from 4·2⁻ᵏ, which is normal for all k. Subtracting k from the exponent of x does nothing
        // where x is too small for it, because k is 0 there.
        Real scale = precision.bitsOf(4).subtract(split.scale).real();
        Real f = x.bits().subtract(split.scale).real().add(scale.fma(precision.constant(0.25), one.negative()));
        Real y = of(split.exponent, f);
        Real end = x.equalTo(one.negative()).select(infinity.negative(), precision.constant(Double.NaN));
        Condition itself = x.equalTo(zero).or(x.equalTo(infinity));
        return x.greater(one.negative()).select(itself.select(x, y), end);
    }

    /// `k·ln 2 + ln(1 + f)`.
    private static Real of(Real k, Real f) {
        return k.precision() == Precision.FLOAT32 ? of32(k, f) : of64(k, f);
    }

    private static Real of32(Real k, Real f) {
        return k.fma(f.precision().constant(Exponential.LN2_32[0]), ofFraction32(f));
    }

    private static Real of64(Real k, Real f) {
        Precision precision = f.precision();
        Real rest = k.multiply(precision.constant(Exponential.LN2_64[1]));
        return k.fma(precision.constant(Exponential.LN2_64[0]), ofFraction64(f, rest));
    }

    /// `ln(1 + f)`.
    private static Real ofFraction(Real f) {
        Precision precision = f.precision();
        return precision == Precision.FLOAT32 ? ofFraction32(f) : ofFraction64(f, precision.constant(0));
    }

    private static Real ofFraction32(Real f) {
        return f.multiply(f).fma(Polynomial.of(f, P32), f);
    }

    /// `ln(1 + f) + rest` for a small rest.
    private static Real ofFraction64(Real f, Real rest) {
        Precision precision = f.precision();
        Real s = f.divide(f.add(precision.constant(2)));
        Real square = s.multiply(s);
        Real halfSquare = f.multiply(f).multiply(precision.constant(0.5));
        Real tail = square.fma(Polynomial.of(square, R64), halfSquare);
        return f.subtract(halfSquare.subtract(s.fma(tail, rest)));
    }

    /// A positive number as `2ᵏ·m` with m in √½…√2.
    ///
    /// @param mantissa m
    /// @param exponent k, an integer
    /// @param scale `k << fractionSize`: subtracted from the bits of a number, it divides the number by 2ᵏ
    record Split(Real mantissa, Real exponent, Bits scale) {
        /// Meaningless for zero, negative numbers, ∞ and NaN.
        static Split of(Real x) {
            Precision precision = x.precision();
            int fraction = precision.fractionSize;
            Condition subnormal =
                    x.less(precision.constant(precision.choose((double) Float.MIN_NORMAL, Double.MIN_NORMAL)));
            Real normal = subnormal.select(x.multiply(precision.constant(Math.scalb(1.0, fraction))), x);
            return of(normal, subnormal.select(base(precision, fraction), base(precision, 0)));
        }

        static Split ofNormal(Real x) {
            return of(x, base(x.precision(), 0));
        }

        /// Subtracted from a number with a biased exponent in its lowest bits, it leaves that exponent without its
        /// bias, less `exponent`.
        private static Real base(Precision precision, int exponent) {
            return precision.constant(Math.scalb(1.0, precision.fractionSize) + precision.exponentBias() + exponent);
        }

        private static Split of(Real x, Real base) {
            Precision precision = x.precision();
            int fraction = precision.fractionSize;
            Bits lowest = precision.bitsOf(Math.sqrt(0.5));
            Bits one = precision.bitsOf(1);
            // Numbers from √½ on get the exponent bits of 1 or more.
            Bits moved = x.bits().add(precision.bits(one.number - lowest.number));
            Bits biased = moved.shiftRightUnsigned(fraction);
            Bits whole = precision.bitsOf(Math.scalb(1.0, fraction));
            Bits mask = precision.bits(-1L << fraction);
            Bits mantissa = moved.and(mask.not()).add(lowest);
            return new Split(
                    mantissa.real(),
                    biased.or(whole).real().subtract(base),
                    moved.and(mask).subtract(one));
        }
    }
}
