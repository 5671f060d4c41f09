package org.toydiff.internal.arithmetic;

/// The power `βᵗ` of an optimizer's decay rate, with the bits of [StrictMath#pow(double, double)], which makes
/// arrays on the heap at each call.
///
/// Source: fdlibm's e_pow.c (Sun Microsystems, 2004, https://www.netlib.org/fdlibm/e_pow.c), without the cases
/// that do not occur here. `log₂ β` is computed in two parts and multiplied by t in two parts, and `2ᶻ` taken of
/// their sum.
public final class DecayPower {
    private static final double LOWEST = Double.MIN_NORMAL;
    private static final long MOST_STEPS = 1L << 31;

    private static final int MANTISSA = 0x000fffff;
    private static final int EXPONENT_OF_ONE = 0x3ff00000;
    private static final int BIAS = 0x3ff;

    // 2/(3·ln 2), and in two parts.
    private static final double CP = 0x1.ec709dc3a03fdp-1;
    private static final double CP_HIGH = 0x1.ec709ep-1;
    private static final double CP_LOW = -0x1.e2fe0145b01f5p-28;

    // log₂ 1.5 in two parts.
    private static final double LOG_HIGH = 0x1.2b8034p-1;
    private static final double LOG_LOW = 0x1.cfdeb43cfd006p-27;

    // ln 2, and in two parts.
    private static final double LN2 = 0x1.62e42fefa39efp-1;
    private static final double LN2_HIGH = 0x1.62e43p-1;
    private static final double LN2_LOW = -0x1.05c610ca86c39p-29;

    private DecayPower() {}

    /// {@return `rate` to the power of `step`}
    ///
    /// @param rate in [0, 1)
    /// @param step 1 or more
    public static double of(double rate, long step) {
        // StrictMath has shortcuts for these, which make no arrays.
        boolean plain = step > 2 && step < MOST_STEPS && rate >= LOWEST && rate < 1;
        return plain ? power(rate, step) : StrictMath.pow(rate, step);
    }

    private static double power(double rate, double t) {
        int bits = high(rate);
        int n = (bits >> 20) - BIAS;
        int fraction = bits & MANTISSA;
        boolean nearerToThreeHalves = fraction > 0x3988E && fraction < 0xBB67A;
        int scaled = fraction | EXPONENT_OF_ONE;
        if (fraction >= 0xBB67A) {
            n++;
            scaled -= 0x00100000;
        }
        double x = withHigh(rate, scaled);
        double near = nearerToThreeHalves ? 1.5 : 1;
        double logHigh = nearerToThreeHalves ? LOG_HIGH : 0;
        double logLow = nearerToThreeHalves ? LOG_LOW : 0;

        // s = (x − near)/(x + near), in two parts.
        double difference = x - near;
        double inverse = 1 / (x + near);
        double s = difference * inverse;
        double sHigh = truncated(s);
        int sumBits = ((scaled >> 1) | 0x20000000) + 0x00080000 + (nearerToThreeHalves ? 1 << 18 : 0);
        double sumHigh = withHigh(0, sumBits);
        double sumLow = x - (sumHigh - near);
        double sLow = inverse * ((difference - sHigh * sumHigh) - sHigh * sumLow);

        // log₂ rate = n + log₂ near + 2/(3·ln 2)·(high + low).
        double r = logarithmTail(s) + sLow * (sHigh + s);
        double square = sHigh * sHigh;
        double seriesHigh = truncated(3 + square + r);
        double seriesLow = r - ((seriesHigh - 3) - square);
        double u = sHigh * seriesHigh;
        double v = sLow * seriesHigh + seriesLow * s;
        double high = truncated(u + v);
        double low = v - (high - u);
        double productHigh = CP_HIGH * high;
        double productLow = CP_LOW * high + low * CP + logLow;
        double log = truncated(((productHigh + productLow) + logHigh) + n);
        double logRest = productLow - (((log - n) - logHigh) - productHigh);

        double tHigh = truncated(t);
        return exponential((t - tHigh) * log + t * logRest, tHigh * log);
    }

    private static double logarithmTail(double s) {
        double s2 = s * s;
        return s2
                * s2
                * (0x1.3333333333303p-1
                        + s2
                                * (0x1.b6db6db6fabffp-2
                                        + s2
                                                * (0x1.55555518f264dp-2
                                                        + s2
                                                                * (0x1.17460a91d4101p-2
                                                                        + s2
                                                                                * (0x1.d864a93c9db65p-3
                                                                                        + s2
                                                                                                * 0x1.a7e284a454eefp-3)))));
    }

    /// `2^(high + low)` for an exponent that is not positive.
    private static double exponential(double low, double high) {
        double z = low + high;
        int bits = high(z);
        // The exponent is −1075 or less: half of the least number, or less.
        if ((bits & 0x7fffffff) >= 0x4090cc00 && (z < -1075 || low <= z - high)) {
            return 0;
        }
        int magnitude = bits & 0x7fffffff;
        int n = 0;
        double rest = high;
        if (magnitude > 0x3fe00000) {
            n = bits + (0x00100000 >> ((magnitude >> 20) - BIAS + 1));
            int shift = ((n & 0x7fffffff) >> 20) - BIAS;
            rest -= withHigh(0, n & ~(MANTISSA >> shift));
            n = -(((n & MANTISSA) | 0x00100000) >> (20 - shift));
        }
        double t = truncated(low + rest);
        double u = t * LN2_HIGH;
        double v = (low - (t - rest)) * LN2 + t * LN2_LOW;
        double x = u + v;
        double w = v - (x - u);
        double x2 = x * x;
        double y = x
                - x2
                        * (0x1.555555555553ep-3
                                + x2
                                        * (-0x1.6c16c16bebd93p-9
                                                + x2
                                                        * (0x1.1566aaf25de2cp-14
                                                                + x2
                                                                        * (-0x1.bbd41c5d26bf1p-20
                                                                                + x2 * 0x1.6376972bea4d0p-25))));
        double power = 1 - (((x * y) / (y - 2) - (w + x * w)) - x);
        int scaled = high(power) + (n << 20);
        return scaled >> 20 <= 0 ? Math.scalb(power, n) : withHigh(power, scaled);
    }

    private static int high(double x) {
        return (int) (Double.doubleToRawLongBits(x) >> 32);
    }

    /// x with other bits in its high half.
    private static double withHigh(double x, int high) {
        return Double.longBitsToDouble(Double.doubleToRawLongBits(x) & 0xffffffffL | (long) high << 32);
    }

    /// x with zeros in its low half.
    private static double truncated(double x) {
        return Double.longBitsToDouble(Double.doubleToRawLongBits(x) & 0xffffffff00000000L);
    }
}
