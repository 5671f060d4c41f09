package org.toydiff.internal.arithmetic;

/// Rounding to an integer, exact for all numbers: zeros keep their sign, and so do numbers that become 0; infinities
/// and NaN stay as they are.
///
/// Numbers from 2²³ (FLOAT32) or 2⁵² (FLOAT64) on are integers. Adding that to a smaller number leaves no room for a
/// fraction, so that the sum is rounded as IEEE 754 rounds, to the nearest integer and to an even one from halfway.
public final class Rounding {
    private Rounding() {}

    /// {@return the nearest integer, the even one of two: [Math#rint(double)]}
    public static Real round(Real x) {
        Real first = firstOfIntegers(x.precision());
        Real size = x.abs();
        Real rounded = size.add(first).subtract(first);
        return size.less(first).select(rounded, size).copySign(x);
    }

    /// {@return the largest integer that is not above x: [Math#floor(double)]}
    public static Real floor(Real x) {
        Real rounded = round(x);
        Real below = rounded.subtract(x.precision().constant(1));
        return rounded.greater(x).select(below, rounded);
    }

    /// {@return the smallest integer that is not below x: [Math#ceil(double)]}
    public static Real ceil(Real x) {
        return floor(x.negative()).negative();
    }

    /// {@return x without its fraction}
    public static Real trunc(Real x) {
        return floor(x.abs()).copySign(x);
    }

    /// The number from which on all are integers.
    static Real firstOfIntegers(Precision precision) {
        return precision.constant(Math.scalb(1.0, precision.fractionSize));
    }
}
