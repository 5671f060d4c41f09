package org.toydiff.internal.kernels;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

/// A number of some 100 bits, as the unevaluated sum of two doubles, and the elementary functions of doubles to at
/// least 70 bits: the oracle of the float64 functions. It uses only power series and Newton's method, so that it
/// shares nothing with the functions under test. (T. Dekker, "A floating-point technique for extending the available
/// precision", 1971.)
record DoubleDouble(double high, double low) {
    private static final MathContext DIGITS = new MathContext(400, RoundingMode.HALF_EVEN);
    private static final BigDecimal PI = pi();
    private static final BigDecimal HALF_PI = PI.divide(BigDecimal.TWO, DIGITS);
    private static final DoubleDouble ONE = of(1);

    /// The natural logarithm of 2, by `Σ 1/(n·2ⁿ)`.
    private static final BigDecimal LN_2 = ln2();

    static DoubleDouble of(double x) {
        return new DoubleDouble(x, 0);
    }

    static DoubleDouble of(BigDecimal x) {
        double high = x.doubleValue();
        return new DoubleDouble(high, x.subtract(new BigDecimal(high)).doubleValue());
    }

    private static DoubleDouble sum(double a, double b) {
        double high = a + b;
        double part = high - a;
        return new DoubleDouble(high, a - (high - part) + (b - part));
    }

    DoubleDouble plus(DoubleDouble b) {
        DoubleDouble sum = sum(high, b.high);
        return sum(sum.high, sum.low + (low + b.low));
    }

    DoubleDouble minus(DoubleDouble b) {
        return plus(b.negative());
    }

    DoubleDouble negative() {
        return new DoubleDouble(-high, -low);
    }

    DoubleDouble times(DoubleDouble b) {
        double product = high * b.high;
        return sum(product, Math.fma(high, b.high, -product) + (high * b.low + low * b.high));
    }

    DoubleDouble times(double b) {
        return times(of(b));
    }

    DoubleDouble by(DoubleDouble b) {
        DoubleDouble quotient = of(high / b.high);
        DoubleDouble rest = minus(quotient.times(b));
        return quotient.plus(of(rest.high / b.high));
    }

    private DoubleDouble by(double b) {
        return by(of(b));
    }

    private DoubleDouble scalb(int exponent) {
        return new DoubleDouble(Math.scalb(high, exponent), Math.scalb(low, exponent));
    }

    /// {@return `|y − this|` in units in this number's last place as a double}
    double error(double y) {
        return Math.abs(y - high - low) / Math.ulp(high);
    }

    /// `eˣ` times a power of two, whose exponent is returned separately: it may be out of a double's range.
    private record Scaled(DoubleDouble value, int exponent) {
        DoubleDouble unscaled() {
            return value.scalb(exponent);
        }
    }

    private static Scaled scaledExp(DoubleDouble exponent) {
        // Beyond these bounds the power is as far out of a double's range as at them.
        DoubleDouble x = Math.abs(exponent.high) > 2_000 ? of(Math.copySign(2_000, exponent.high)) : exponent;
        int k = (int) Math.rint(x.high / Math.log(2));
        DoubleDouble ln2 = of(LN_2);
        DoubleDouble lost = of(LN_2.subtract(new BigDecimal(ln2.high)).subtract(new BigDecimal(ln2.low)));
        DoubleDouble r = x.minus(ln2.times(k)).minus(lost.times(k)).scalb(-6);
        DoubleDouble term = ONE;
        DoubleDouble sum = of(0);
        for (int n = 1; n <= 16; n++) {
            term = term.times(r).by(n);
            sum = sum.plus(term);
        }
        // (1 + s)² − 1 = 2s + s², which keeps the last bits of the sum while it is small.
        for (int i = 0; i < 6; i++) {
            sum = sum.times(2).plus(sum.times(sum));
        }
        return new Scaled(sum.plus(ONE), k);
    }

    static DoubleDouble exp(DoubleDouble x) {
        return scaledExp(x).unscaled();
    }

    static DoubleDouble exp2(double x) {
        return exp(of(LN_2).times(x));
    }

    static DoubleDouble expm1(double x) {
        if (Math.abs(x) > 0.25) {
            return exp(of(x)).minus(ONE);
        }
        DoubleDouble term = of(x);
        DoubleDouble sum = term;
        for (int n = 2; n < 24; n++) {
            term = term.times(x).by(n);
            sum = sum.plus(term);
        }
        return sum;
    }

    static DoubleDouble sigmoid(double x) {
        if (x > 0) {
            return ONE.by(ONE.plus(exp(of(-x))));
        }
        Scaled power = scaledExp(of(x));
        return power.value.by(ONE.plus(power.unscaled())).scalb(power.exponent);
    }

    static DoubleDouble log(double x) {
        return x > 0.5 && x < 2 ? log1p(x - 1) : newton(of(x), StrictMath.log(x));
    }

    static DoubleDouble log1p(double x) {
        if (Math.abs(x) < 0x1p-20) {
            DoubleDouble sum = of(0);
            DoubleDouble power = of(-1);
            for (int n = 1; n <= 6; n++) {
                power = power.times(-x);
                sum = sum.plus(power.by(n));
            }
            return sum;
        }
        return newton(sum(1, x), StrictMath.log1p(x));
    }

    static DoubleDouble log2(double x) {
        return log(x).by(of(LN_2));
    }

    static DoubleDouble log10(double x) {
        return log(x).by(log(10));
    }

    /// One Newton step from y towards the root of `eʸ = x`.
    private static DoubleDouble newton(DoubleDouble x, double y) {
        Scaled power = scaledExp(of(-y));
        int half = power.exponent / 2;
        DoubleDouble rest =
                x.scalb(half).times(power.value).scalb(power.exponent - half).minus(ONE);
        return of(y).plus(rest.minus(rest.times(rest).times(0.5)));
    }

    static DoubleDouble sinh(double x) {
        double size = Math.abs(x);
        if (size < 0.5) {
            return series(of(x), 1);
        }
        Scaled power = scaledExp(of(size));
        DoubleDouble half = power.value.scalb(-1);
        DoubleDouble sum =
                half.minus(of(0.25).by(half).scalb(-2 * power.exponent)).scalb(power.exponent);
        return x < 0 ? sum.negative() : sum;
    }

    static DoubleDouble cosh(double x) {
        Scaled power = scaledExp(of(Math.abs(x)));
        DoubleDouble half = power.value.scalb(-1);
        return half.plus(of(0.25).by(half).scalb(-2 * power.exponent)).scalb(power.exponent);
    }

    static DoubleDouble tanh(double x) {
        if (Math.abs(x) < 0.5) {
            return sinh(x).by(cosh(x));
        }
        DoubleDouble power = exp(of(-2 * Math.abs(x)));
        DoubleDouble y = ONE.minus(power).by(ONE.plus(power));
        return x < 0 ? y.negative() : y;
    }

    /// `x + s·x³/3! + x⁵/5! + s·x⁷/7! …`.
    private static DoubleDouble series(DoubleDouble x, int sign) {
        DoubleDouble square = x.times(x).times(sign);
        DoubleDouble term = x;
        DoubleDouble sum = x;
        for (int n = 2; n < 34; n += 2) {
            term = term.times(square).by(n * (n + 1.0));
            sum = sum.plus(term);
        }
        return sum;
    }

    private static DoubleDouble cosSeries(DoubleDouble x) {
        DoubleDouble square = x.times(x).negative();
        DoubleDouble term = ONE;
        DoubleDouble sum = ONE;
        for (int n = 1; n < 34; n += 2) {
            term = term.times(square).by(n * (n + 1.0));
            sum = sum.plus(term);
        }
        return sum;
    }

    static DoubleDouble sin(double x) {
        return sin(x, 0);
    }

    static DoubleDouble cos(double x) {
        return sin(x, 1);
    }

    static DoubleDouble tan(double x) {
        return sin(x, 0).by(sin(x, 1));
    }

    static DoubleDouble asin(double x) {
        if (Math.abs(x) == 1) {
            return of(HALF_PI).times(x);
        }
        double y = StrictMath.asin(x);
        return of(y).plus(of(x).minus(sin(y)).by(cos(y)));
    }

    static DoubleDouble acos(double x) {
        if (x <= 0.5) {
            return of(HALF_PI).minus(asin(x));
        }
        double y = StrictMath.acos(x);
        if (y == 0) {
            return of(0);
        }
        // 1 − cos y = 2·sin² y/2, which keeps its digits while y is small.
        DoubleDouble half = sin(y / 2);
        DoubleDouble rest = sum(1, -x).minus(half.times(half).times(2));
        return of(y).plus(rest.by(sin(y)));
    }

    static DoubleDouble atan(double x) {
        return atan2(x, 1);
    }

    /// A step from a to the angle of (x, y), by the tangent of their difference:
    /// `(y·cos a − x·sin a)/(x·cos a + y·sin a)`.
    static DoubleDouble atan2(double y, double x) {
        double a = StrictMath.atan2(y, x);
        DoubleDouble sin = sin(a);
        DoubleDouble cos = cos(a);
        DoubleDouble rest = cos.times(y).minus(sin.times(x));
        return of(a).plus(rest.by(cos.times(x).plus(sin.times(y))));
    }

    static DoubleDouble hypot(double x, double y) {
        return of(x).times(x).plus(of(y).times(y)).sqrt();
    }

    static DoubleDouble rsqrt(double x) {
        return ONE.by(of(x).sqrt());
    }

    /// By a Newton step.
    private DoubleDouble sqrt() {
        DoubleDouble root = of(Math.sqrt(high));
        return root.plus(minus(root.times(root)).by(root.times(2)));
    }

    /// `sin(x + shift·π/2)`.
    private static DoubleDouble sin(double x, int shift) {
        BigInteger k = BigInteger.ZERO;
        DoubleDouble r = of(x);
        if (Math.abs(x) > 0.75) {
            BigDecimal exact = new BigDecimal(x);
            k = exact.divide(HALF_PI, 0, RoundingMode.HALF_EVEN).toBigInteger();
            r = of(exact.subtract(HALF_PI.multiply(new BigDecimal(k))));
        }
        int quadrant = k.intValue() + shift;
        DoubleDouble y = (quadrant & 1) == 0 ? series(r, -1) : cosSeries(r);
        return (quadrant & 2) == 0 ? y : y.negative();
    }

    /// `2/√π · e^−x² · Σ 2ⁿx²ⁿ⁺¹/(1·3·…·(2n + 1))`: M. Abramowitz, I. Stegun, 7.1.6.
    static DoubleDouble erf(double x) {
        if (Math.abs(x) > 6.5) {
            return of(Math.copySign(1, x));
        }
        DoubleDouble square = of(x).times(of(x));
        DoubleDouble term = of(x);
        DoubleDouble sum = term;
        for (int n = 1; Math.abs(term.high) > 1e-34 * Math.abs(sum.high); n++) {
            term = term.times(square).times(2).by(2 * n + 1);
            sum = sum.plus(term);
        }
        DoubleDouble rootOfPi = of(PI.sqrt(DIGITS));
        return sum.times(exp(square.negative())).times(2).by(rootOfPi);
    }

    static DoubleDouble power(double x, double y) {
        return exp(log(x).times(y));
    }

    /// J. Machin: `π/4 = 4·arctan 1/5 − arctan 1/239`.
    private static BigDecimal pi() {
        return arctan(5).multiply(BigDecimal.valueOf(16)).subtract(arctan(239).multiply(BigDecimal.valueOf(4)));
    }

    /// `arctan 1/n`.
    private static BigDecimal arctan(int n) {
        BigDecimal square = BigDecimal.valueOf((long) n * n);
        BigDecimal power = BigDecimal.ONE.divide(BigDecimal.valueOf(n), DIGITS);
        BigDecimal sum = BigDecimal.ZERO;
        for (int i = 0; power.scale() - power.precision() < 400; i++) {
            BigDecimal term = power.divide(BigDecimal.valueOf(2L * i + 1), DIGITS);
            sum = i % 2 == 0 ? sum.add(term, DIGITS) : sum.subtract(term, DIGITS);
            power = power.divide(square, DIGITS);
        }
        return sum;
    }

    private static BigDecimal ln2() {
        BigDecimal sum = BigDecimal.ZERO;
        for (int n = 1; n < 400; n++) {
            BigDecimal power = new BigDecimal(BigInteger.TWO.pow(n)).multiply(BigDecimal.valueOf(n));
            sum = sum.add(BigDecimal.ONE.divide(power, DIGITS), DIGITS);
        }
        return sum;
    }
}
