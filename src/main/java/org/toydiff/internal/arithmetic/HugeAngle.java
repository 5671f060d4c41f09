package org.toydiff.internal.arithmetic;

/// Sine, cosine and tangent of one angle that is too large for [Trigonometry]'s reduction: for elements that occur
/// rarely, one at a time. Within 1.5 ulp.
///
/// The angle is multiplied by the bits of 2/π that matter: not by those whose product is a multiple of four
/// quadrants, and by 192 bits from there on. (M. Payne, R. Hanek, "Radian reduction for trigonometric functions",
/// SIGNUM Newsletter 18, 1983.) No double comes nearer to a multiple of π/2 than 2⁻⁶¹ (J.-M. Muller, "Elementary
/// Functions", table of worst cases), so some 66 bits of the remainder are correct.
public final class HugeAngle {
    /// 64 zeros, then the first 1,280 bits of 2/π after the binary point.
    private static final long[] TWO_BY_PI = {
        0,
        0xa2f9836e4e441529L,
        0xfc2757d1f534ddc0L,
        0xdb6295993c439041L,
        0xfe5163abdebbc561L,
        0xb7246e3a424dd2e0L,
        0x06492eea09d1921cL,
        0xfe1deb1cb129a73eL,
        0xe88235f52ebb4484L,
        0xe99c7026b45f7e41L,
        0x3991d639835339f4L,
        0x9c845f8bbdf9283bL,
        0x1ff897ffde05980fL,
        0xef2f118b5a0a6d1fL,
        0x6d367ecf27cb09b7L,
        0x4f463f669e5fea2dL,
        0x7527bac7ebe5f17bL,
        0x3d0739f78a5292eaL,
        0x6bfb5fb11f8d5d08L,
        0x56033046fc7b6babL,
        0xf0cfbc209af4361dL
    };

    private static final double HALF_PI = 1.5707963267948966;
    private static final double HALF_PI_LOW = 6.123233995736766e-17;

    private HugeAngle() {}

    public static float sin(float x) {
        return (float) sin((double) x);
    }

    public static float cos(float x) {
        return (float) cos((double) x);
    }

    public static float tan(float x) {
        return (float) tan((double) x);
    }

    public static double sin(double x) {
        return Math.copySign(1, x) * of(x, 0, false);
    }

    public static double cos(double x) {
        return of(x, 1, false);
    }

    public static double tan(double x) {
        return Math.copySign(1, x) * of(x, 0, true);
    }

    /// {@return the sine or tangent of `|x| + shift·π/2`}
    private static double of(double x, int shift, boolean tangent) {
        if (!Double.isFinite(x)) {
            return Double.NaN;
        }
        int exponent = Math.getExponent(x) - 52;
        long mantissa = Double.doubleToRawLongBits(x) & (1L << 52) - 1 | 1L << 52;
        // Products with bits of weight 2 to the power 2 − exponent or more are multiples of four quadrants.
        int start = 64 + exponent - 2;
        long low = mantissa * word(start + 128);
        long carry = Math.unsignedMultiplyHigh(mantissa, word(start + 128));
        long middle = mantissa * word(start + 64) + carry;
        long high = mantissa * word(start)
                + Math.unsignedMultiplyHigh(mantissa, word(start + 64))
                + (Long.compareUnsigned(middle, carry) < 0 ? 1 : 0);
        // The first two bits are the quadrant; the rest is a fraction of π/2, taken as one of ±½.
        long quadrant = (high >>> 62) + (high >>> 61 & 1) + shift;
        return of(quadrant, high << 2 | middle >>> 62, middle << 2 | low >>> 62, tangent);
    }

    /// {@return the 64 bits of the table from `bit` on}
    private static long word(int bit) {
        int i = bit >> 6;
        int shift = bit & 63;
        return TWO_BY_PI[i] << shift | TWO_BY_PI[i + 1] >>> 1 >>> 63 - shift;
    }

    /// {@return the sine or tangent of `(quadrant + high:low/2¹²⁸)·π/2`}
    private static double of(long quadrant, long high, long low, boolean tangent) {
        long sign = high >> 63;
        // The magnitude of the fraction, one less if it is negative: negligible in 128 bits.
        long a = high ^ sign;
        long b = low ^ sign;
        int zeros = Long.numberOfLeadingZeros(a);
        a = a << zeros | b >>> 1 >>> 63 - zeros;
        b <<= zeros;
        double first = Math.scalb((double) (a >>> 11), -53 - zeros);
        double second = Math.scalb((double) ((a & 0x7FF) << 52 | b >>> 12), -116 - zeros);
        double r = first * HALF_PI;
        double rest = Math.fma(first, HALF_PI, -r) + Math.fma(first, HALF_PI_LOW, second * HALF_PI);
        boolean even = (quadrant & 1) == 0;
        boolean negative = tangent ? even == (sign < 0) : (quadrant & 2) != 0 ^ (even && sign < 0);
        double y = tangent ? tan(r, rest, even) : even ? r + sinRest(r, rest) : 1 + cosRest(r, rest);
        return negative ? -y : y;
    }

    /// The sine or, for an odd quadrant, the cosine of `r + rest` divided by the other; both sums keep their
    /// rounding errors.
    private static double tan(double r, double rest, boolean even) {
        double sinRest = sinRest(r, rest);
        double sin = r + sinRest;
        double sinLow = r - sin + sinRest;
        double cosRest = cosRest(r, rest);
        double cos = 1 + cosRest;
        double cosLow = 1 - cos + cosRest;
        return even ? quotient(sin, sinLow, cos, cosLow) : quotient(cos, cosLow, sin, sinLow);
    }

    private static double quotient(double a, double aLow, double b, double bLow) {
        double quotient = a / b;
        return quotient + (Math.fma(-quotient, b, a) + Math.fma(-quotient, bLow, aLow)) / b;
    }

    /// `sin(r + rest) − r`.
    private static double sinRest(double r, double rest) {
        double square = r * r;
        return Math.fma(r * square, polynomial(Trigonometry.SIN64, square), rest);
    }

    /// `cos(r + rest) − 1`.
    private static double cosRest(double r, double rest) {
        double square = r * r;
        double p = Math.fma(square, polynomial(Trigonometry.COS64, square), -0.5);
        return Math.fma(p, square, -r * rest);
    }

    private static double polynomial(double[] coefficients, double x) {
        double sum = 0;
        for (int i = coefficients.length - 1; i >= 0; i--) {
            sum = Math.fma(sum, x, coefficients[i]);
        }
        return sum;
    }
}
