package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.toydiff.internal.arithmetic.Bits;
import org.toydiff.internal.arithmetic.Condition;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Interpreter;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;
import org.toydiff.internal.arithmetic.ScalarFunction;

/// Loops generated from an expression, scalar and over vectors of each width that the machine has, against the
/// interpreted expression: the same bits at every size and place.
class LoopBitsTest {
    /// Every operation of an expression.
    private static final Map<String, Function<Precision, Expression>> EXPRESSIONS = new LinkedHashMap<>();

    private static final double[] SPECIAL = {
        0,
        -0.0,
        1,
        -1,
        0.5,
        1.5,
        -2.5,
        1e-310,
        -1e-310,
        1e-40,
        -1e-45,
        Float.MIN_NORMAL,
        Double.MIN_NORMAL,
        Float.MAX_VALUE,
        Double.MAX_VALUE,
        -Float.MAX_VALUE,
        1e10,
        -3e9,
        2147483648.0,
        -2147483648.0,
        9.3e18,
        -9.3e18,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY,
        Double.NaN
    };

    /// Offsets of the first element: aligned to a vector, and not.
    private static final int[] STARTS = {0, 3};

    static {
        unary("negative", Real::negative);
        unary("abs", Real::abs);
        unary("sqrt", Real::sqrt);
        unary("bits", x -> x.bits().add(x.precision().bits(3)).real());
        unary("bitsAbs", x -> x.bits().abs().real());
        unary("toInteger", x -> x.toInteger().toReal());
        unary(
                "notNot",
                x -> x.bits().not().not().subtract(x.precision().bits(-7)).real());
        unary("shiftLeft", x -> x.bits().shiftLeft(3).real());
        unary("shiftRight", x -> x.bits().shiftRight(5).toReal());
        unary("shiftRightUnsigned", x -> x.bits().shiftRightUnsigned(5).toReal());
        unary("shared", LoopBitsTest::shared);
        unary("rarely", x -> x.multiply(x).rarely(x.greater(one(x)), function(), x.negative()));
        unary("rarelyAmongOthers", x -> {
            Real usual = x.add(one(x));
            Real odd = x.rarely(usual.isNaN().or(usual.less(x)), function(), usual);
            return odd.multiply(usual).rarely(odd.equalTo(one(x)), function(), odd.subtract(usual));
        });
        unary("isNaN", x -> x.isNaN());
        binary("add", Real::add);
        binary("subtract", Real::subtract);
        binary("multiply", Real::multiply);
        binary("divide", Real::divide);
        binary("fma", (a, b) -> a.fma(b, a));
        binary("min", Real::min);
        binary("max", Real::max);
        binary("copySign", Real::copySign);
        binary("and", (a, b) -> a.bits().and(b.bits()).real());
        binary("or", (a, b) -> a.bits().or(b.bits()).real());
        binary("xor", (a, b) -> a.bits().xor(b.bits()).real());
        binary("bitsMultiply", (a, b) -> a.bits().multiply(b.bits()).real());
        binary("bitsMaximum", (a, b) -> a.bits().max(b.bits()).real());
        binary("bitsMinimum", (a, b) -> a.bits().min(b.bits()).real());
        binary("less", Real::less);
        binary("lessOrEqual", Real::lessOrEqual);
        binary("greater", Real::greater);
        binary("greaterOrEqual", Real::greaterOrEqual);
        binary("equalTo", Real::equalTo);
        binary("notEqualTo", Real::notEqualTo);
        binary("bitsLess", (a, b) -> a.bits().less(b.bits()));
        binary("bitsEqualTo", (a, b) -> a.bits()
                .equalTo(b.bits())
                .or(a.bits().greaterOrEqual(b.bits()).not()));
        binary("select", (a, b) -> a.less(b).select(a.multiply(b), b.negative()));
        binary("selectBits", (a, b) -> a.less(b).select(a.bits(), b.bits()).real());
        binary(
                "selectByBits",
                (a, b) -> a.bits().lessOrEqual(b.bits()).and(a.notEqualTo(b)).select(a, b));
        binary("mixedConditions", (a, b) -> a.lessOrEqual(b).or(a.bits().notEqualTo(b.bits())));
        binary("rarely", (a, b) -> a.add(b).rarely(a.less(b), function(), b, a.subtract(b)));
        EXPRESSIONS.put("2 zeroWhere", p -> p.mask(1).select(p.constant(0), p.input(0)));
        EXPRESSIONS.put("2 put", p -> p.mask(1).select(p.input(0), p.input(2)));
        EXPRESSIONS.put(
                "2 masks put", p -> p.mask(1).and(p.mask(0)).or(p.mask(1).not().and(p.mask(2))));
        EXPRESSIONS.put("2 masks", p -> p.mask(0).and(p.mask(1)).or(p.mask(0).not()));
        EXPRESSIONS.put("2 masks xor", p -> p.mask(0).xor(p.mask(1)));
    }

    private interface OfTwo {
        Expression of(Real a, Real b);
    }

    private static void unary(String name, Function<Real, Expression> of) {
        EXPRESSIONS.put("1 " + name, p -> of.apply(p.input(0)));
    }

    private static void binary(String name, OfTwo of) {
        EXPRESSIONS.put("2 " + name, p -> of.of(p.input(0), p.input(1)));
    }

    private static Real one(Real x) {
        return x.precision().constant(1);
    }

    private static Real shared(Real x) {
        Condition small = x.abs().less(one(x));
        Real square = x.multiply(x);
        Bits bits = small.select(square.bits(), x.bits());
        return small.not().select(bits.real(), square.fma(x, square)).add(small.select(x, square));
    }

    private static ScalarFunction function() {
        return new ScalarFunction(RareFunction.class, "apply");
    }

    /// The function computed for rare elements.
    public static final class RareFunction {
        private RareFunction() {}

        public static float apply(float x) {
            return x / 3 + 7;
        }

        public static double apply(double x) {
            return x / 3 + 7;
        }

        public static float apply(float a, float b) {
            return a / 3 + b;
        }

        public static double apply(double a, double b) {
            return a / 3 + b;
        }
    }

    static Stream<Arguments> expressions() {
        return EXPRESSIONS.keySet().stream()
                .flatMap(name -> Stream.of(Precision.values()).map(precision -> Arguments.of(name, precision)));
    }

    /// {@return the vector widths of this machine}
    static List<VectorShape> shapes() {
        int widest = FloatVector.SPECIES_PREFERRED.vectorBitSize();
        return Stream.of(VectorShape.S_128_BIT, VectorShape.S_256_BIT, VectorShape.S_512_BIT)
                .filter(shape -> shape.vectorBitSize() <= widest)
                .toList();
    }

    /// {@return a kernel of one operand as a kernel of two that ignores the second}
    private static Kernel.Binary asBinary(Kernel.Unary kernel) {
        return (a, a0, ai, aj, b, b0, bi, bj, y, y0, yi, yj, n1, n2) ->
                kernel.run(a, a0, ai, aj, y, y0, yi, yj, n1, n2);
    }

    /// {@return the loop over vectors where the steps allow it}
    private static Kernel.Unary vectors(Kernel.Unary vectors, Kernel.Unary scalar) {
        return (x, x0, xi, xj, y, y0, yi, yj, n1, n2) ->
                (xj == 1 && yj == 1 ? vectors : scalar).run(x, x0, xi, xj, y, y0, yi, yj, n1, n2);
    }

    /// {@return the loop over vectors for the steps it is called with}
    private static Kernel.Binary vectors(Expression result, VectorShape shape, Kernel.Binary scalar) {
        Kernel.Binary rows = VectorLoop.binary("Vector", result, shape, VectorLoop.NONE, scalar);
        Kernel.Binary repeatedA = VectorLoop.binary("Vector", result, shape, 0, scalar);
        Kernel.Binary repeatedB = VectorLoop.binary("Vector", result, shape, 1, scalar);
        return (a, a0, ai, aj, b, b0, bi, bj, y, y0, yi, yj, n1, n2) -> {
            Kernel.Binary loop = yj != 1 || aj > 1 || bj > 1 || aj + bj == 0
                    ? scalar
                    : aj == 0 ? repeatedA : bj == 0 ? repeatedB : rows;
            loop.run(a, a0, ai, aj, b, b0, bi, bj, y, y0, yi, yj, n1, n2);
        };
    }

    private static Map<String, Kernel.Binary> kernels(String name, Expression result) {
        Map<String, Kernel.Binary> kernels = new LinkedHashMap<>();
        if (name.startsWith("1")) {
            Kernel.Unary scalar = ScalarLoop.unary("Scalar", result);
            kernels.put("scalar", asBinary(scalar));
            shapes().forEach(shape -> kernels.put(
                    shape + "", asBinary(vectors(VectorLoop.unary("Vector", result, shape, scalar), scalar))));
        } else {
            Kernel.Binary scalar = ScalarLoop.binary("Scalar", result);
            kernels.put("scalar", scalar);
            shapes().forEach(shape -> kernels.put(shape + "", vectors(result, shape, scalar)));
        }
        return kernels;
    }

    /// The layout of the operands: a grid whose elements are written once, and read as the strides specify.
    private record Grid(long n1, long n2, long ai, long aj, long bi, long bj, long yi, long yj) {}

    private static List<Grid> grids() {
        List<Grid> grids = new ArrayList<>();
        IntStream.concat(IntStream.rangeClosed(0, 70), IntStream.of(1021))
                .forEach(n -> grids.add(new Grid(1, n, 0, 1, 0, 1, 0, 1)));
        for (long n : new long[] {1, 5, 16, 37, 80}) {
            grids.add(new Grid(3, n, n, 1, n, 1, n, 1));
            grids.add(new Grid(3, n, n + 2, 1, 0, 1, n + 1, 1));
            grids.add(new Grid(3, n, n, 1, 1, 0, n, 1));
            grids.add(new Grid(3, n, 1, 0, n, 1, n, 1));
            grids.add(new Grid(3, n, 0, 0, 0, 0, n, 1));
            grids.add(new Grid(3, n, 1, 3, n, 1, n, 1));
            grids.add(new Grid(3, n, n, 1, 2 * n, 2, 1, 3));
        }
        return grids;
    }

    /// Memory for elements of one kind.
    private static final class Operand {
        private static final int COUNT = 1100;
        private final boolean wide;
        private final boolean bytes;
        private final MemorySegment memory;

        Operand(Arena arena, Precision precision, boolean bytes, long seed) {
            wide = precision == Precision.FLOAT64;
            this.bytes = bytes;
            memory = arena.allocate(8L * COUNT, 64);
            var random = new SplittableRandom(seed);
            for (int i = 0; i < COUNT; i++) {
                set(i, random);
            }
        }

        private void set(int i, SplittableRandom random) {
            double value = random.nextInt(3) == 0
                    ? SPECIAL[random.nextInt(SPECIAL.length)]
                    : random.nextBoolean() ? Double.longBitsToDouble(random.nextLong()) : random.nextDouble(-10, 10);
            if (bytes) {
                memory.set(JAVA_BYTE, i, (byte) (random.nextBoolean() ? 1 : 0));
            } else if (wide) {
                memory.setAtIndex(JAVA_DOUBLE, i, Double.isNaN(value) ? Double.NaN : value);
            } else {
                memory.setAtIndex(JAVA_FLOAT, i, (float) value);
            }
        }

        Number get(long i) {
            return wide ? (Number) memory.getAtIndex(JAVA_DOUBLE, i) : (Number) memory.getAtIndex(JAVA_FLOAT, i);
        }

        Object input(long i) {
            return bytes ? (Object) (memory.get(JAVA_BYTE, i) != 0) : get(i);
        }
    }

    /// {@return the bits of a number, with one pattern for all NaNs}
    private static Object bits(Object value) {
        return switch (value) {
            case Float x -> Integer.toHexString(Float.floatToIntBits(x));
            case Double x -> Long.toHexString(Double.doubleToLongBits(x));
            case Boolean x -> x ? (byte) 1 : (byte) 0;
            default -> throw new AssertionError(value);
        };
    }

    @ParameterizedTest
    @MethodSource("expressions")
    void everyLoopGivesTheInterpretersBits(String name, Precision precision) {
        Expression result = EXPRESSIONS.get(name).apply(precision);
        boolean condition = result instanceof Condition;
        try (var arena = Arena.ofShared()) {
            var a = new Operand(arena, precision, name.startsWith("2 masks"), 1);
            var b = new Operand(
                    arena,
                    precision,
                    name.startsWith("2 masks") || name.equals("2 zeroWhere") || name.equals("2 put"),
                    2);
            var y = new Operand(arena, precision, condition, 3);
            var old = new Operand(arena, precision, condition, 3);
            Map<String, Kernel.Binary> kernels = kernels(name, result);
            for (Grid grid : grids()) {
                for (int start : STARTS) {
                    kernels.forEach((kind, kernel) -> {
                        MemorySegment before = old.memory.copyFrom(y.memory);
                        kernel.run(
                                a.memory, start, grid.ai, grid.aj, b.memory, 1, grid.bi, grid.bj, y.memory, start,
                                grid.yi, grid.yj, grid.n1, grid.n2);
                        for (long i = 0; i < grid.n1; i++) {
                            for (long j = 0; j < grid.n2; j++) {
                                long at = start + i * grid.yi + j * grid.yj;
                                // Operand 2 is y: an expression may read the element that it replaces.
                                Object[] inputs = {
                                    a.input(start + i * grid.ai + j * grid.aj),
                                    b.input(1 + i * grid.bi + j * grid.bj),
                                    old.input(at)
                                };
                                Object actual = condition ? y.memory.get(JAVA_BYTE, at) : y.get(at);
                                Object expected = Interpreter.evaluate(result, inputs, new Number[0]);
                                String place = kind + " " + grid + " (" + i + ", " + j + ") of " + inputs[0] + ", "
                                        + inputs[1];
                                assertEquals(bits(expected), condition ? actual : bits(actual), place);
                                long size = condition ? 1 : precision.size / 8;
                                MemorySegment.copy(before, at * size, y.memory, at * size, size);
                            }
                        }
                        assertEquals(-1, before.mismatch(y.memory), () -> kind + " wrote elsewhere, " + grid);
                    });
                }
            }
        }
    }
}
