package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.DoubleFunction;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import jdk.incubator.vector.VectorShape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.internal.arithmetic.ErrorFunction;
import org.toydiff.internal.arithmetic.Exponential;
import org.toydiff.internal.arithmetic.Hyperbolic;
import org.toydiff.internal.arithmetic.InverseTrigonometry;
import org.toydiff.internal.arithmetic.Logarithm;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;
import org.toydiff.internal.arithmetic.Trigonometry;

/// The elementary functions against references: the FLOAT64 kernel and [StrictMath] for floats, [DoubleDouble] for
/// doubles. Each row states the largest error, in units in the last place, that the function's documentation gives.
///
/// `mvn -Paccuracy test` checks every float; other runs check one in 40,009.
class AccuracyTest {
    private static final int STRIDE = Integer.getInteger("toydiff.accuracy.stride", 40_009);
    private static final int DOUBLES = 10_000 + 1_000_000 / STRIDE;

    /// Long beside the 70 µs that the closing of a shared arena takes.
    private static final int CHUNK = 1 << 16;

    /// The distance of floats whose reference is compared with [StrictMath], which takes longer than all else: each
    /// one is, but of a sweep one in 101.
    private static final int SPOT = STRIDE < 1_000 ? 101 : 1;

    /// The largest difference between the two references of a float, in units in the last place of a float.
    private static final double TOLERANCE_OF_REFERENCE = 1e-6;

    enum Function {
        EXP(Exponential::exp, StrictMath::exp, x -> DoubleDouble.exp(DoubleDouble.of(x)), 0.9, 0.9),
        SIGMOID(Exponential::sigmoid, Function::sigmoid, DoubleDouble::sigmoid, 1.7, 1.7),
        LOG(Logarithm::log, StrictMath::log, DoubleDouble::log, 0.95, 0.9),
        LOG1P(Logarithm::log1p, StrictMath::log1p, DoubleDouble::log1p, 1.5, 1.4),
        SIN(Trigonometry::sin, StrictMath::sin, DoubleDouble::sin, 1.6, 1.6),
        COS(Trigonometry::cos, StrictMath::cos, DoubleDouble::cos, 1.6, 1.6),
        TAN(Trigonometry::tan, StrictMath::tan, DoubleDouble::tan, 2.4, 2.2),
        SINH(Hyperbolic::sinh, StrictMath::sinh, DoubleDouble::sinh, 1.7, 1.7),
        COSH(Hyperbolic::cosh, StrictMath::cosh, DoubleDouble::cosh, 1.4, 1.4),
        TANH(Hyperbolic::tanh, StrictMath::tanh, DoubleDouble::tanh, 1.5, 1.5),
        ERF(ErrorFunction::erf, Function::erf, DoubleDouble::erf, 1.1, 1.3),
        EXP2(Exponential::exp2, x -> StrictMath.pow(2, x), DoubleDouble::exp2, 0.95, 0.9),
        EXPM1(Exponential::expm1, StrictMath::expm1, DoubleDouble::expm1, 1.6, 2),
        LOG2(Logarithm::log2, x -> StrictMath.log(x) / StrictMath.log(2), DoubleDouble::log2, 1.6, 1.6),
        LOG10(Logarithm::log10, StrictMath::log10, DoubleDouble::log10, 1.6, 1.6),
        ASIN(InverseTrigonometry::asin, StrictMath::asin, DoubleDouble::asin, 0.8, 0.8),
        ACOS(InverseTrigonometry::acos, StrictMath::acos, DoubleDouble::acos, 0.8, 0.8),
        ATAN(InverseTrigonometry::atan, StrictMath::atan, DoubleDouble::atan, 1, 0.9),
        RSQRT(Function::rsqrt, x -> 1 / StrictMath.sqrt(x), DoubleDouble::rsqrt, 1.51, 1.51);

        final UnaryOperator<Real> expression;
        final DoubleUnaryOperator ofFloats;
        final DoubleFunction<DoubleDouble> ofDoubles;
        final double maxError32;
        final double maxError64;

        Function(
                UnaryOperator<Real> expression,
                DoubleUnaryOperator ofFloats,
                DoubleFunction<DoubleDouble> ofDoubles,
                double maxError32,
                double maxError64) {
            this.expression = expression;
            this.ofFloats = ofFloats;
            this.ofDoubles = ofDoubles;
            this.maxError32 = maxError32;
            this.maxError64 = maxError64;
        }

        /// {@return whether a result is outside the function's range, such as one unit in the last place above 1}
        boolean isOutside(double y) {
            return switch (this) {
                case EXP, EXP2, ACOS -> y < 0;
                case EXPM1 -> y < -1;
                case SIGMOID -> y < 0 || y > 1;
                case SIN, COS, TANH, ERF -> Math.abs(y) > 1;
                case COSH -> y < 1;
                case LOG, LOG1P, LOG2, LOG10, TAN, SINH, ASIN, ATAN, RSQRT -> false;
            };
        }

        private static double sigmoid(double x) {
            double power = StrictMath.exp(-Math.abs(x));
            return (x < 0 ? power : 1) / (1 + power);
        }

        /// As the kernel of that name.
        private static Real rsqrt(Real x) {
            return x.precision().constant(1).divide(x.sqrt());
        }

        /// Like [DoubleDouble#erf].
        private static double erf(double x) {
            if (Math.abs(x) > 6) {
                return Math.copySign(1, x);
            }
            double term = x;
            double sum = x;
            for (int n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
                term *= 2 * x * x / (2 * n + 1);
                sum += term;
            }
            return 2 / Math.sqrt(Math.PI) * StrictMath.exp(-x * x) * sum;
        }

        Kernel.Unary scalar(Precision precision) {
            return ScalarLoop.unary(this + "" + precision, expression.apply(precision.input(0)));
        }

        Kernel.Unary vector(Precision precision, VectorShape shape) {
            Real y = expression.apply(precision.input(0));
            return VectorLoop.unary(this + "Vectors", y, shape, scalar(precision));
        }
    }

    /// The error of a result, and where it occurs. NaN is the worst: an oracle that fails hides no other error.
    private record Worst(double error, double x, double y) {
        static Worst of(Worst a, Worst b) {
            return Double.compare(a.error, b.error) >= 0 ? a : b;
        }
    }

    @ParameterizedTest
    @EnumSource
    void floatsAreAsNearAsStated(Function function) {
        Kernel.Unary kernel = function.vector(Precision.FLOAT32, VectorShape.preferredShape());
        Kernel.Unary reference = function.vector(Precision.FLOAT64, VectorShape.preferredShape());
        int chunks = (int) ((1L << 32) / STRIDE / CHUNK) + 1;
        Worst worst = IntStream.range(0, chunks)
                .parallel()
                .mapToObj(i -> floats(function, kernel, reference, i))
                .reduce(new Worst(0, 0, 0), Worst::of);
        assertTrue(worst.error < function.maxError32, function + ": " + worst);
        if (STRIDE == 1) {
            System.out.println(function + " of all floats: " + worst);
        }
    }

    /// The reference is the FLOAT64 kernel, which is itself within two units in the last place of a double.
    private static Worst floats(Function function, Kernel.Unary kernel, Kernel.Unary reference, int chunk) {
        float[] in = new float[CHUNK];
        double[] wide = new double[CHUNK];
        for (int i = 0; i < CHUNK; i++) {
            in[i] = Float.intBitsToFloat((int) (((long) chunk * CHUNK + i) * STRIDE));
            wide[i] = in[i];
        }
        float[] out = run(kernel, in);
        double[] expected = run(reference, wide);
        for (int i = 0; i < CHUNK; i += SPOT) {
            requireEqualReferences(function, in[i], expected[i], function.ofFloats.applyAsDouble(in[i]));
        }
        Worst worst = new Worst(0, 0, 0);
        for (int i = 0; i < CHUNK; i++) {
            double error = function.isOutside(out[i]) ? Double.POSITIVE_INFINITY : error(out[i], expected[i]);
            if (error > worst.error) {
                worst = new Worst(error, in[i], out[i]);
            }
        }
        return worst;
    }

    private static void requireEqualReferences(Function function, float x, double a, double b) {
        // Beyond the largest float the unit goes on growing.
        double unit = Math.max(ulp(b), Math.abs(b) * 0x1p-23);
        boolean equal = Double.compare(a, b) == 0 || Math.abs(a - b) <= TOLERANCE_OF_REFERENCE * unit;
        assertTrue(equal, () -> function + " of " + x + ": the references are " + a + " and " + b);
    }

    /// {@return the error in units in the last place of a float; ∞ for a wrong sign, and for NaN in the wrong place}
    private static double error(float y, double expected) {
        if (!Float.isFinite(y) && Float.compare(y, (float) expected) == 0) {
            return 0;
        }
        if (Float.isNaN(y) || Double.isNaN(expected) || Math.copySign(1, y) != Math.copySign(1, expected)) {
            return Double.POSITIVE_INFINITY;
        }
        double finite = Float.isInfinite(y) ? Math.copySign(0x1p128, y) : y;
        return Math.abs(finite - expected) / ulp(expected);
    }

    private static double ulp(double x) {
        // Not by scalb, which is slow.
        long exponent = Math.clamp(Math.getExponent(x), -126, 127) - 23;
        return Double.longBitsToDouble(exponent + Double.MAX_EXPONENT << 52);
    }

    @ParameterizedTest
    @EnumSource
    void doublesAreAsNearAsStated(Function function) {
        double[] in = new SplittableRandom(7)
                .longs(DOUBLES)
                .mapToDouble(AccuracyTest::sample)
                .toArray();
        double[] out = run(function.scalar(Precision.FLOAT64), in);
        Worst worst = IntStream.range(0, DOUBLES)
                .parallel()
                .mapToObj(i -> worst(function, in[i], out[i]))
                .reduce(new Worst(0, 0, 0), Worst::of);
        assertTrue(worst.error < function.maxError64, function + ": " + worst);
        if (STRIDE == 1) {
            System.out.println(function + " of " + DOUBLES + " doubles: " + worst);
        }
    }

    private static Worst worst(Function function, double x, double y) {
        double strict = function.ofFloats.applyAsDouble(x);
        if (!Double.isFinite(strict) || Math.abs(strict) < 2 * Double.MIN_NORMAL || Math.abs(strict) > 1e308) {
            return new Worst(0, x, y); // Left to the special cases.
        }
        double error = function.isOutside(y)
                ? Double.POSITIVE_INFINITY
                : function.ofDoubles.apply(x).error(y);
        return new Worst(error, x, y);
    }

    /// {@return a double of random bits: of any exponent, of a moderate one, next to a multiple of π/2, or around
    /// the bounds of a formula}
    private static double sample(long random) {
        double unit = (random >>> 11) * 0x1p-52 - 1;
        return switch ((int) (random & 7)) {
            case 0 -> Double.longBitsToDouble(random * 0x9E3779B97F4A7C15L);
            case 1 -> unit;
            case 2 -> unit * 10;
            case 3 -> unit * 750;
            case 4 -> Math.rint(Math.scalb(unit, (int) (random >>> 3 & 31))) * (Math.PI / 2);
            case 5 -> Math.scalb(unit, (int) (random >>> 3 & 63) - 40);
            case 6 -> 1 + Math.scalb(unit, -(int) (random >>> 3 & 31));
            default ->
                BREAKS[(int) ((random >>> 3 & 63) % BREAKS.length)] * (1 + unit * 0x1p-10) * (random < 0 ? -1 : 1);
        };
    }

    private static final double[] BREAKS = {
        0.625,
        1,
        0.84375,
        6,
        Math.log(2) / 2,
        Math.log(2) * 1.5,
        Math.PI / 4,
        Math.PI / 2,
        Math.PI * 3 / 4,
        Math.PI,
        Math.sqrt(0.5),
        Math.sqrt(2),
        Math.sqrt(2) - 1,
        Math.sqrt(2) + 1,
        0.5,
        20,
        1e9,
        709
    };

    private static float[] run(Kernel.Unary kernel, float[] in) {
        try (var arena = Arena.ofShared()) {
            MemorySegment y = arena.allocate(JAVA_FLOAT, in.length);
            kernel.run(arena.allocateFrom(JAVA_FLOAT, in), 0, 0, 1, y, 0, 0, 1, 1, in.length);
            return y.toArray(JAVA_FLOAT);
        }
    }

    private static double[] run(Kernel.Unary kernel, double[] in) {
        try (var arena = Arena.ofShared()) {
            MemorySegment x = arena.allocateFrom(JAVA_DOUBLE, in);
            MemorySegment y = arena.allocate(JAVA_DOUBLE, in.length);
            kernel.run(x, 0, 0, 1, y, 0, 0, 1, 1, in.length);
            return y.toArray(JAVA_DOUBLE);
        }
    }

    @ParameterizedTest
    @EnumSource
    void specialCasesAreStrictMaths(Function function) {
        Kernel.Unary kernel = function.scalar(Precision.FLOAT64);
        double[] y = run(kernel, SPECIAL);
        for (int i = 0; i < SPECIAL.length; i++) {
            double expected = function.ofFloats.applyAsDouble(SPECIAL[i]);
            String message = function + " of " + SPECIAL[i];
            if (expected == 0 || !Double.isFinite(expected) || Math.abs(expected) == 1) {
                assertEquals(expected, y[i], message);
            } else {
                assertEquals(expected, y[i], 4 * Math.ulp(expected), message);
            }
        }
    }

    /// Zeros, infinities, NaN, the smallest and largest numbers, and where functions overflow and underflow.
    private static final double[] SPECIAL = {
        0.0,
        -0.0,
        1,
        -1,
        Double.NaN,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY,
        Double.MIN_VALUE,
        -Double.MIN_VALUE,
        1e-310,
        -1e-310,
        Double.MIN_NORMAL,
        -Double.MIN_NORMAL,
        Double.MAX_VALUE,
        -Double.MAX_VALUE,
        Math.nextUp(-1),
        Math.nextDown(-1),
        Math.nextUp(1),
        Math.nextDown(1),
        -2,
        709.782712893384,
        Math.nextUp(709.782712893384),
        710.4758600739439,
        Math.nextUp(710.4758600739439),
        -708.3964185322641,
        -720.5,
        -745.1332191019411,
        Math.nextDown(-745.1332191019412),
        -746,
        800,
        -800,
        1e10,
        -1e10,
        1e22,
        1e300,
        -1e300,
        6381956970095103.0 * 0x1p797
    };

    @ParameterizedTest
    @EnumSource
    void vectorsGiveTheBitsOfElements(Function function) {
        double[] doubles = samples();
        double[] expected = run(function.scalar(Precision.FLOAT64), doubles);
        float[] floats = narrow(doubles);
        float[] expectedFloats = run(function.scalar(Precision.FLOAT32), floats);
        for (VectorShape shape : LoopBitsTest.shapes()) {
            assertArrayEquals(expected, run(function.vector(Precision.FLOAT64, shape), doubles));
            assertArrayEquals(expectedFloats, run(function.vector(Precision.FLOAT32, shape), floats));
        }
    }

    @Test
    void expOfNegativeGivesTheBitsOfExp() {
        double[] doubles = samples();
        for (int i = 0; i < doubles.length; i++) {
            doubles[i] = -Math.abs(doubles[i]);
        }
        Real y = Exponential.expOfNegative(Precision.FLOAT64.input(0));
        assertArrayEquals(
                run(Function.EXP.scalar(Precision.FLOAT64), doubles), run(ScalarLoop.unary("E64", y), doubles));
        float[] floats = narrow(doubles);
        Real z = Exponential.expOfNegative(Precision.FLOAT32.input(0));
        assertArrayEquals(run(Function.EXP.scalar(Precision.FLOAT32), floats), run(ScalarLoop.unary("E32", z), floats));
    }

    @Test
    void powersOfTwoAndTheirLogarithmsAreExact() {
        double[] exponents = IntStream.rangeClosed(-1074, 1023).asDoubleStream().toArray();
        double[] powers =
                DoubleStream.of(exponents).map(n -> Math.scalb(1.0, (int) n)).toArray();
        assertArrayEquals(powers, run(Function.EXP2.scalar(Precision.FLOAT64), exponents));
        assertArrayEquals(exponents, run(Function.LOG2.scalar(Precision.FLOAT64), powers));
        float[] floatExponents = narrow(Arrays.copyOfRange(exponents, 1074 - 149, 1074 + 128));
        float[] floatPowers = narrow(Arrays.copyOfRange(powers, 1074 - 149, 1074 + 128));
        assertArrayEquals(floatPowers, run(Function.EXP2.scalar(Precision.FLOAT32), floatExponents));
        assertArrayEquals(floatExponents, run(Function.LOG2.scalar(Precision.FLOAT32), floatPowers));
    }

    @Test
    void logarithmsOfPowersOfTenAreExact() {
        double[] exponents = IntStream.rangeClosed(0, 22).asDoubleStream().toArray();
        double[] powers =
                DoubleStream.of(exponents).map(n -> StrictMath.pow(10, n)).toArray();
        assertArrayEquals(exponents, run(Function.LOG10.scalar(Precision.FLOAT64), powers));
        float[] floatPowers = narrow(Arrays.copyOf(powers, 11));
        assertArrayEquals(
                narrow(Arrays.copyOf(exponents, 11)), run(Function.LOG10.scalar(Precision.FLOAT32), floatPowers));
    }

    /// {@return the special cases, then others}
    private static double[] samples() {
        double[] x = new SplittableRandom(3)
                .longs(4096)
                .mapToDouble(AccuracyTest::sample)
                .toArray();
        System.arraycopy(SPECIAL, 0, x, 0, SPECIAL.length);
        return x;
    }

    private static float[] narrow(double[] x) {
        float[] y = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i] = (float) x[i];
        }
        return y;
    }
}
