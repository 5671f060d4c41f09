package org.toydiff;

import java.math.BigDecimal;

/// BFLOAT16 by search: the nearest of all its numbers, by exact decimals.
public final class Bfloat16Oracle {
    private static final int INFINITY = 0x7f80;
    private static final int NAN = 0x7fc0;

    private Bfloat16Oracle() {}

    /// The value of 16 bits: their sign, 8 bits of exponent and 7 of fraction.
    public static double value(int bits) {
        int exponent = bits >> 7 & 0xff;
        int fraction = bits & 0x7f;
        double magnitude = exponent == 0xff
                ? fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN
                : exponent == 0 ? Math.scalb(fraction, -133) : Math.scalb(0x80 + fraction, exponent - 134);
        return (bits & 0x8000) == 0 ? magnitude : -magnitude;
    }

    /// The bits of the number nearest to x, an exact number of any type; ties to even.
    public static short nearest(Number x) {
        double number = x.doubleValue();
        if (Double.isNaN(number)) {
            return NAN;
        }
        int sign = Double.doubleToRawLongBits(number) < 0 ? 0x8000 : 0;
        if (Double.isInfinite(number)) {
            return (short) (sign | INFINITY);
        }
        BigDecimal magnitude = (x instanceof Long whole ? BigDecimal.valueOf(whole) : new BigDecimal(number)).abs();
        int low = 0;
        int high = INFINITY;
        while (high - low > 1) {
            int middle = (low + high) / 2;
            if (magnitude.compareTo(new BigDecimal(value(middle))) >= 0) {
                low = middle;
            } else {
                high = middle;
            }
        }
        // Infinity begins where the number after the largest one would be.
        double above = high == INFINITY ? 0x1p128 : value(high);
        int side = magnitude.compareTo(new BigDecimal((value(low) + above) / 2));
        return (short) (sign | (side < 0 || side == 0 && low % 2 == 0 ? low : high));
    }

    /// The value nearest to x.
    public static double rounded(Number x) {
        return value(nearest(x));
    }
}
