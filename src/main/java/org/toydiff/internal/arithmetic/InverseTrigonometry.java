package org.toydiff.internal.arithmetic;

/// The inverses of sine, cosine and tangent, in radians. Errors are the largest found among all floats from 2⁻¹² on,
/// and among 250,000 doubles.
///
/// The reductions are those of fdlibm's e_asin.c and e_acos.c (Sun Microsystems, 1993, https://www.netlib.org/fdlibm/)
/// and of atanf.c in S. Moshier's Cephes library (https://www.netlib.org/cephes/). The remainders of roots, quotients
/// and sums are carried along, so that precision is lost only once. The polynomials are Remez fits made for this
/// library.
public final class InverseTrigonometry {
    /// `arcsin s = s + s³·p(s²)` up to ½, to 2⁻²⁷·⁶ and 2⁻⁵⁵·⁹.
    private static final double[] ASIN32 = {0.16666752f, 0.074953094f, 0.045469146f, 0.024184817f, 0.042158213f};

    private static final double[] ASIN64 = {
        0.16666666666665408,
        0.0750000000033715,
        0.04464285682820467,
        0.03038195914246228,
        0.02237175791120376,
        0.01735970695476425,
        0.013885213049708339,
        0.012169363318938484,
        0.0065273012538725325,
        0.019530156647594898,
        -0.0162272916199038,
        0.03191439958481035
    };

    /// `arctan t = t + t³·p(t²)` up to `tan π/8`, to 2⁻³⁰·⁴ and 2⁻⁵⁹·⁴.
    private static final double[] ATAN32 = {-0.33333316f, 0.19998528f, -0.14244388f, 0.105991215f, -0.060898714f};

    private static final double[] ATAN64 = {
        -0.333333333333332,
        0.1999999999995368,
        -0.14285714280200848,
        0.11111110783580108,
        -0.09090897760522634,
        0.07692060270299504,
        -0.06663104835769365,
        0.058478964623603726,
        -0.05039343973219939,
        0.03806574224946162,
        -0.017908705145573047
    };

    private static final double TAN_OF_EIGHTH_PI = 0.41421356237309503;

    private InverseTrigonometry() {}

    /// {@return the arcsine, within 0.70 ulp (FLOAT32) and 0.71 (FLOAT64); NaN beyond ±1} From ½ on
    /// `π/2 − 2·arcsin √((1 − x)/2)`.
    public static Real asin(Real x) {
        Precision precision = x.precision();
        Real size = x.abs();
        Condition near = isNear(size);
        Real quarters = near.select(precision.constant(0), precision.constant(2));
        Bits sign = near.select(precision.bits(0), signBit(precision));
        return new Angle(quarters, arc(size, near), sign).value().copySign(x);
    }

    /// {@return the arccosine, within 0.67 ulp (FLOAT32) and 0.69 (FLOAT64); NaN beyond ±1} `π/2 − arcsin x`, from ½ on
    /// `2·arcsin √((1 − x)/2)`, up to −½ `π − 2·arcsin √((1 + x)/2)`.
    public static Real acos(Real x) {
        Precision precision = x.precision();
        Real size = x.abs();
        Condition near = isNear(size);
        Real zero = precision.constant(0);
        Real far = x.less(zero).select(precision.constant(4), zero);
        Real quarters = near.select(precision.constant(2), far);
        return new Angle(quarters, arc(size, near), near.select(x.bits().not(), x.bits())).value();
    }

    private static Condition isNear(Real size) {
        return size.lessOrEqual(size.precision().constant(0.5));
    }

    private static Bits signBit(Precision precision) {
        return precision.bits(1L << precision.size - 1);
    }

    /// {@return the arcsine of a size that is near 0, else the arccosine}
    private static Pair arc(Real size, Condition near) {
        Precision precision = size.precision();
        Real one = precision.constant(1);
        Real square = near.select(size.multiply(size), one.subtract(size).multiply(precision.constant(0.5)));
        Real root = square.sqrt();
        Real s = near.select(size, root);
        // The remainder of the root, which may be 0.
        Real divisor = root.add(root).max(precision.constant(1e-10));
        Real rest = near.select(
                precision.constant(0), root.negative().fma(root, square).divide(divisor));
        Real factor = near.select(one, precision.constant(2));
        Real low = s.multiply(square).fma(Polynomial.of(square, precision.choose(ASIN32, ASIN64)), rest);
        return new Pair(s.multiply(factor), low.multiply(factor));
    }

    /// {@return the arctangent, within 0.91 ulp (FLOAT32) and 0.81 (FLOAT64)}
    public static Real atan(Real x) {
        Precision precision = x.precision();
        // Beyond this the result is π/2.
        Real highest = precision.constant(precision.choose(1e10, 1e20));
        Real size = x.abs();
        Real bounded = size.greater(highest).select(highest, size);
        return Angle.of(bounded, precision.constant(1)).value().copySign(x);
    }

    /// {@return the angle of the vector (x, y), within 0.91 ulp (FLOAT32, 8 million pairs) and 0.71 (FLOAT64, 100,000)}
    /// Special cases are those of [Math#atan2].
    public static Real atan2(Real y, Real x) {
        Precision precision = x.precision();
        Real infinity = precision.constant(Double.POSITIVE_INFINITY);
        Real zero = precision.constant(0);
        Real one = precision.constant(1);
        Real a = y.abs();
        Real b = x.abs();
        // Beside an infinite number any other is 0, except for NaN.
        Condition infiniteA = a.equalTo(infinity);
        Condition infiniteB = b.equalTo(infinity);
        Real above = infiniteA.select(one, infiniteB.select(a.multiply(zero), a));
        Real ahead = infiniteB.select(one, infiniteA.select(b.multiply(zero), b));
        Real scale = scale(above.max(ahead));
        Real divisor = above.add(ahead).equalTo(zero).select(one, ahead.multiply(scale));
        Condition left = x.bits().less(precision.bits(0));
        return Angle.of(above.multiply(scale), divisor).reflected(left).value().copySign(y);
    }

    /// {@return a power of two that brings a size into a range where its sum and its reciprocal are normal}
    private static Real scale(Real size) {
        Precision precision = size.precision();
        int far = precision.choose(100, 1000);
        Condition large = size.greater(precision.constant(Math.scalb(1.0, far)));
        Condition small = size.less(precision.constant(Math.scalb(1.0, -far)));
        Real up = precision.constant(Math.scalb(1.0, precision.choose(48, 200)));
        return large.select(precision.constant(0x1p-8), small.select(up, precision.constant(1)));
    }

    /// `n·π/4 + x` for n of 0 to 4 or, if the sign bit is set, `n·π/4 − x`; x is not above `n·π/4` unless n is 0.
    private record Angle(Real n, Pair x, Bits sign) {
        /// {@return the angle of the vector (b, a) in the first quadrant, which is not 0 and whose sum and reciprocals
        /// are normal numbers}
        static Angle of(Real a, Real b) {
            Precision precision = a.precision();
            Real zero = precision.constant(0);
            Real one = precision.constant(1);
            Condition steep = a.greater(b);
            Real high = steep.select(a, b);
            Real low = steep.select(b, a);
            // arctan t = π/4 − arctan((1 − t)/(1 + t))
            Condition diagonal = low.greater(high.multiply(precision.constant(TAN_OF_EIGHTH_PI)));
            Pair numerator = Pair.sum(high, low.negative()).where(diagonal, new Pair(low, zero));
            Pair denominator = Pair.sum(high, low).where(diagonal, new Pair(high, zero));
            Real quarters = diagonal.select(one, zero);
            Real n = steep.select(precision.constant(2).subtract(quarters), quarters);
            Bits sign = bit(diagonal, precision).xor(bit(steep, precision));
            return new Angle(n, arctangent(numerator, denominator), sign);
        }

        private static Bits bit(Condition condition, Precision precision) {
            return condition.select(signBit(precision), precision.bits(0));
        }

        /// {@return the angle whose tangent is `a/b`, up to `π/8`}
        private static Pair arctangent(Pair a, Pair b) {
            Precision precision = a.high().precision();
            Real reciprocal = precision.constant(1).divide(b.high());
            Real t = a.high().multiply(reciprocal);
            Real minus = t.negative();
            Real rest = minus.fma(b.high(), a.high()).add(minus.fma(b.low(), a.low()));
            Real square = t.multiply(t);
            Real cubic = t.multiply(square).multiply(Polynomial.of(square, precision.choose(ATAN32, ATAN64)));
            return new Pair(t, rest.fma(reciprocal, cubic));
        }

        /// {@return this or, where `left` holds, its reflection at the vertical axis}
        Angle reflected(Condition left) {
            Precision precision = n.precision();
            Real turned = precision.constant(4).subtract(n);
            return new Angle(left.select(turned, n), x, sign.xor(bit(left, precision)));
        }

        Real value() {
            Precision precision = n.precision();
            Pair halfPi = Pair.constant(precision, precision.choose(Trigonometry.HALF_PI32, Trigonometry.HALF_PI64));
            Real half = precision.constant(0.5);
            Pair base = Pair.product(n, halfPi.high().multiply(half))
                    .plusLow(n.multiply(halfPi.low().multiply(half)));
            Pair sum = Pair.sum(base.high(), Trigonometry.withSign(x.high(), sign));
            Real low = base.low().add(Trigonometry.withSign(x.low(), sign));
            return sum.high().add(sum.low().add(low));
        }
    }
}
