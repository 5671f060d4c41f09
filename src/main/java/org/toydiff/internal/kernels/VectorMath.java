package org.toydiff.internal.kernels;

import static jdk.incubator.vector.VectorOperators.EXP;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.TANH;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// Elementary functions over vectors.
///
/// Those of floats are the polynomials of S. Moshier's Cephes library (single/expf.c and tanhf.c,
/// https://www.netlib.org/cephes/), computed with fused multiply-adds: within 2 ulp, and faster here than the calls
/// into the JDK's vector library (exp of 4,096 floats 1.3 µs as a whole op, that library's loop alone 1.6). Those
/// of doubles are that library's.
final class VectorMath {
    // ln 2 in two parts: the first has few enough bits that k·LN2_HIGH is exact.
    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;
    private static final float LOG2_E = 1.44269504088896341f;

    /// 1.5·2²³: a float added to it is rounded to a whole number, which then stands in the lowest bits.
    private static final float ROUNDER = 12582912f;

    // Beyond these eˣ is ∞ or 0 as a float.
    private static final float EXP_HIGHEST = 89f;
    private static final float EXP_LOWEST = -104f;

    /// The logarithm of the smallest normal float, rounded towards 0.
    private static final float EXP_LOWEST_NORMAL = -87.33654f;

    private VectorMath() {}

    /// `eˣ`: `2ᵏ·eʳ` with `r = x − k·ln 2` in ±½ ln 2.
    static FloatVector exp(FloatVector x) {
        var bounded = x.blend(EXP_HIGHEST, x.compare(GT, EXP_HIGHEST)).blend(EXP_LOWEST, x.compare(LT, EXP_LOWEST));
        var rounded = bounded.fma(x.broadcast(LOG2_E), x.broadcast(ROUNDER));
        var k = rounded.sub(ROUNDER);
        var r = k.fma(x.broadcast(-LN2_LOW), k.fma(x.broadcast(-LN2_HIGH), bounded));
        // 2ᵏ in two factors, each a normal float even where eˣ is ∞ or subnormal.
        var whole = rounded.reinterpretAsInts().sub(Float.floatToRawIntBits(ROUNDER));
        var half = whole.lanewise(VectorOperators.ASHR, 1);
        var first = half.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        var second = whole.sub(half).add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        return polynomial(r).mul(first).mul(second);
    }

    /// `eˣ` for x of at most 0, as softmax and [#erf] have it; below the smallest normal float it is 0. Fewer
    /// instructions than [#exp]: with more, the compiler does not inline what follows in a loop over short rows,
    /// and boxes the vector.
    static FloatVector expOfNegative(FloatVector x) {
        var tiny = x.compare(LT, EXP_LOWEST_NORMAL);
        var bounded = x.blend(EXP_LOWEST_NORMAL, tiny);
        var rounded = bounded.fma(x.broadcast(LOG2_E), x.broadcast(ROUNDER));
        var k = rounded.sub(ROUNDER);
        var r = k.fma(x.broadcast(-LN2_LOW), k.fma(x.broadcast(-LN2_HIGH), bounded));
        var power = rounded.reinterpretAsInts()
                .sub(Float.floatToRawIntBits(ROUNDER) - 127)
                .lanewise(VectorOperators.LSHL, 23)
                .reinterpretAsFloats();
        return polynomial(r).mul(power).blend(0f, tiny);
    }

    /// `eʳ` for r in ±½ ln 2.
    private static FloatVector polynomial(FloatVector r) {
        return r.broadcast(1.9875691500e-4f)
                .fma(r, r.broadcast(1.3981999507e-3f))
                .fma(r, r.broadcast(8.3334519073e-3f))
                .fma(r, r.broadcast(4.1665795894e-2f))
                .fma(r, r.broadcast(1.6666665459e-1f))
                .fma(r, r.broadcast(5.0000001201e-1f))
                .fma(r.mul(r), r.add(1f));
    }

    static DoubleVector expOfNegative(DoubleVector x) {
        return x.lanewise(EXP);
    }

    /// `tanh x`: `1 − 2/(e²ˣ + 1)`, or a polynomial where that would cancel.
    static FloatVector tanh(FloatVector x) {
        var size = x.abs();
        var far = size.broadcast(1f)
                .sub(size.broadcast(2f).div(exp(size.add(size)).add(1f)));
        var square = x.mul(x);
        var p = square.broadcast(-5.70498872745e-3f)
                .fma(square, square.broadcast(2.06390887954e-2f))
                .fma(square, square.broadcast(-5.37397155531e-2f))
                .fma(square, square.broadcast(1.33314422036e-1f))
                .fma(square, square.broadcast(-3.33332819422e-1f));
        var near = p.mul(square).fma(x, x);
        return far.lanewise(VectorOperators.NEG, x.compare(LT, 0f)).blend(near, size.compare(LT, 0.625f));
    }

    /// `1 / (1 + e⁻ˣ)`, as `eˣ / (eˣ + 1)` below 0, so that small results are not lost to an overflow.
    static FloatVector sigmoid(FloatVector x) {
        var power = exp(x.abs().neg());
        return power.broadcast(1f).blend(power, x.compare(LT, 0f)).div(power.add(1f));
    }

    /// The error function, within 2 ulp: `x + x·p(x²)` near 0, else `±(1 − e^q(|x|))`. Source of the coefficients:
    /// N. Juffa, https://stackoverflow.com/a/35148199.
    static FloatVector erf(FloatVector x) {
        var t = x.abs();
        var s = x.mul(x);
        var far = t.broadcast(-1.72853470e-5f)
                .fma(t, t.broadcast(3.83197126e-4f))
                .fma(s, t.broadcast(-3.88396438e-3f).fma(t, t.broadcast(2.42546219e-2f)))
                .fma(t, t.broadcast(-1.06777877e-1f))
                .fma(t, t.broadcast(-6.34846687e-1f))
                .fma(t, t.broadcast(-1.28717512e-1f))
                .fma(t, t.neg());
        var near = s.broadcast(-5.96761703e-4f)
                .fma(s, s.broadcast(4.99119423e-3f))
                .fma(s, s.broadcast(-2.67681349e-2f))
                .fma(s, s.broadcast(1.12819925e-1f))
                .fma(s, s.broadcast(-3.76125336e-1f))
                .fma(s, s.broadcast(1.28379166e-1f))
                .fma(x, x);
        // From here on erf rounds to 1, and the polynomial would turn back.
        var size = t.broadcast(1f).sub(expOfNegative(far)).blend(1f, t.compare(GT, 4f));
        return size.lanewise(VectorOperators.NEG, x.compare(LT, 0f)).blend(near, t.compare(LT, 0.927734375f));
    }

    static DoubleVector exp(DoubleVector x) {
        return x.lanewise(EXP);
    }

    static DoubleVector tanh(DoubleVector x) {
        return x.lanewise(TANH);
    }

    static DoubleVector sigmoid(DoubleVector x) {
        var power = exp(x.abs().neg());
        return power.broadcast(1f).blend(power, x.compare(LT, 0f)).div(power.add(1f));
    }

    // The sum of a vector's lanes, halves first. Not [FloatVector#reduceLanes]: it leaves the order open, and the
    // interpreter's differs from the compiler's, so that a result would depend on when the compiler was done.

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorShuffle<Float> FLOAT_1 = VectorShuffle.iota(FLOATS, 1, 1, true);
    private static final VectorShuffle<Float> FLOAT_2 = VectorShuffle.iota(FLOATS, 2 % FLOATS.length(), 1, true);
    private static final VectorShuffle<Float> FLOAT_4 = VectorShuffle.iota(FLOATS, 4 % FLOATS.length(), 1, true);
    private static final VectorShuffle<Float> FLOAT_8 = VectorShuffle.iota(FLOATS, 8 % FLOATS.length(), 1, true);

    private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_PREFERRED;
    private static final VectorShuffle<Double> DOUBLE_1 = VectorShuffle.iota(DOUBLES, 1, 1, true);
    private static final VectorShuffle<Double> DOUBLE_2 = VectorShuffle.iota(DOUBLES, 2 % DOUBLES.length(), 1, true);
    private static final VectorShuffle<Double> DOUBLE_4 = VectorShuffle.iota(DOUBLES, 4 % DOUBLES.length(), 1, true);

    static float total(FloatVector x) {
        var sum = x;
        if (FLOATS.length() > 8) {
            sum = sum.add(sum.rearrange(FLOAT_8));
        }
        if (FLOATS.length() > 4) {
            sum = sum.add(sum.rearrange(FLOAT_4));
        }
        if (FLOATS.length() > 2) {
            sum = sum.add(sum.rearrange(FLOAT_2));
        }
        return sum.add(sum.rearrange(FLOAT_1)).lane(0);
    }

    static double total(DoubleVector x) {
        var sum = x;
        if (DOUBLES.length() > 4) {
            sum = sum.add(sum.rearrange(DOUBLE_4));
        }
        if (DOUBLES.length() > 2) {
            sum = sum.add(sum.rearrange(DOUBLE_2));
        }
        return sum.add(sum.rearrange(DOUBLE_1)).lane(0);
    }
}
