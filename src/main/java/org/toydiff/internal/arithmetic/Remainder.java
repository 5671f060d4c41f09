package org.toydiff.internal.arithmetic;

/// Remainders of divisions, by the quotient rounded towards zero or down.
public final class Remainder {
    private static final ScalarFunction FMOD = new ScalarFunction(Remainder.class, "fmod");

    private Remainder() {}

    /// {@return `a − n·b` for the integer n next to `a/b` towards 0: C's `fmod`, Java's `%`} Exact, with the sign of a.
    ///
    /// The quotient q, rounded to an integer, may be 1 too large, which shows in a negative remainder. One fused
    /// multiply-add computes `|a| − q·|b|` without rounding: it is no larger than |b|, and a multiple of the unit in
    /// the last place of b. Quotients that are too large for that occur rarely.
    public static Real fmod(Real a, Real b) {
        Precision precision = a.precision();
        Real zero = precision.constant(0);
        Real limit = Rounding.firstOfIntegers(precision);
        Real size = a.abs();
        Real divisor = b.abs();
        Real quotient = size.divide(divisor);
        Real whole = quotient.add(limit).subtract(limit);
        Real rest = whole.negative().fma(divisor, size);
        Real positive = rest.less(zero).select(rest.add(divisor), rest);
        // Nothing is subtracted, not even 0·∞.
        Real y = whole.equalTo(zero).select(size, positive);
        return a.rarely(quotient.greaterOrEqual(limit), FMOD, b, y.copySign(a));
    }

    /// {@return `a − n·b` for the largest integer n not above `a/b`: Python's `%`} The remainder of [#fmod] or, if
    /// that has not the sign of b, its sum with b, rounded once.
    public static Real remainder(Real a, Real b) {
        Real y = fmod(a, b);
        return isAcross(y, b).select(y.add(b), y);
    }

    /// {@return the largest integer not above `a/b`: Python's `//`} The quotient itself may be rounded up to an
    /// integer; that of `a − fmod(a, b)` is rounded to the right one. `a/b` where b is 0.
    public static Real floorDivide(Real a, Real b) {
        Precision precision = a.precision();
        Real rest = fmod(a, b);
        Real whole = Rounding.round(a.subtract(rest).divide(b));
        Real y = isAcross(rest, b).select(whole.subtract(precision.constant(1)), whole);
        return b.equalTo(precision.constant(0)).select(a.divide(b), y);
    }

    /// Whether a remainder of [#fmod] is not 0 and has not the sign of b.
    private static Condition isAcross(Real rest, Real b) {
        Precision precision = rest.precision();
        Condition signsDiffer = rest.bits().xor(b.bits()).less(precision.bits(0));
        return signsDiffer.and(rest.notEqualTo(precision.constant(0)));
    }

    public static float fmod(float a, float b) {
        return a % b;
    }

    public static double fmod(double a, double b) {
        return a % b;
    }
}
