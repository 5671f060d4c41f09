package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;
import static org.toydiff.Checks.rejected;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.internal.launch.Shape;

/// Arithmetic of integers: whole numbers of any size are the oracle, wrapped around.
@Tag("kernels")
class IntegerTest extends ArenaTest {
    private record Binary(String name, BinaryOperator<Tensor> op, BinaryOperator<BigInteger> oracle) {
        boolean divides() {
            return List.of("floorDivide", "remainder", "fmod").contains(name);
        }
    }

    private record Unary(String name, UnaryOperator<Tensor> op, UnaryOperator<BigInteger> oracle) {}

    private static final List<Binary> BINARY = List.of(
            new Binary("add", Tensor::add, BigInteger::add),
            new Binary("subtract", Tensor::subtract, BigInteger::subtract),
            new Binary("multiply", Tensor::multiply, BigInteger::multiply),
            new Binary("maximum", Tensor::maximum, BigInteger::max),
            new Binary("minimum", Tensor::minimum, BigInteger::min),
            new Binary("floorDivide", Tensor::floorDivide, IntegerTest::floorQuotient),
            new Binary("remainder", Tensor::remainder, (a, b) -> a.subtract(b.multiply(floorQuotient(a, b)))),
            new Binary("fmod", Tensor::fmod, BigInteger::remainder));

    private static final List<Unary> UNARY = List.of(
            new Unary("negative", Tensor::negative, BigInteger::negate),
            new Unary("abs", Tensor::abs, BigInteger::abs),
            new Unary("sign", Tensor::sign, x -> BigInteger.valueOf(x.signum())),
            new Unary("relu", Tensor::relu, x -> x.max(BigInteger.ZERO)),
            new Unary("clamp", x -> x.clamp(-3, 5), x -> x.max(BigInteger.valueOf(-3))
                    .min(BigInteger.valueOf(5))),
            new Unary("floor", Tensor::floor, x -> x),
            new Unary("ceil", Tensor::ceil, x -> x),
            new Unary("round", Tensor::round, x -> x),
            new Unary("trunc", Tensor::trunc, x -> x));

    private static final List<DType> DTYPES = List.of(DType.INT32, DType.INT64);

    private static final long[][][] SHAPES = {
        {{3, 5}, {3, 5}},
        {{3, 5}, {5}},
        {{3, 1}, {1, 5}},
        {{}, {3, 5}},
        {{2, 3, 4}, {3, 1}},
        {{3, 70}, {1}},
        {{0, 3}, {3}},
        {{2, 40_000}, {40_000}}
    };

    private static BigInteger floorQuotient(BigInteger a, BigInteger b) {
        BigInteger[] parts = a.divideAndRemainder(b);
        return parts[1].signum() * b.signum() < 0 ? parts[0].subtract(BigInteger.ONE) : parts[0];
    }

    private static long wrapped(DType dtype, BigInteger value) {
        return dtype == DType.INT32 ? value.intValue() : value.longValue();
    }

    /// Small numbers, and the extremes among them.
    private static long[] numbers(DType dtype, int n, long seed) {
        var random = new SplittableRandom(seed);
        long least = dtype == DType.INT32 ? Integer.MIN_VALUE : Long.MIN_VALUE;
        long[] numbers = new long[n];
        for (int i = 0; i < n; i++) {
            numbers[i] = switch (random.nextInt(6)) {
                case 0 -> least;
                case 1 -> -1 - least;
                case 2 -> dtype == DType.INT32 ? random.nextInt() : random.nextLong();
                default -> random.nextInt(-9, 10);
            };
        }
        return numbers;
    }

    private static Tensor tensor(DType dtype, long[] values, long... shape) {
        return Tensor.of(values).cast(dtype).reshape(shape);
    }

    /// Contiguous, turned, and with gaps.
    private static List<Tensor> layouts(DType dtype, long[] values, long... shape) {
        Tensor plain = tensor(dtype, values, shape);
        if (shape.length != 2) {
            return List.of(plain);
        }
        Tensor turned = Tensor.empty(dtype, shape[1], shape[0])
                .copyFrom(plain.transpose())
                .transpose();
        Tensor sliced = Tensor.full(dtype, 7, shape[0], shape[1] + 3).slice(1, 2, shape[1] + 2);
        sliced.copyFrom(plain);
        return List.of(plain, turned, sliced);
    }

    @TestFactory
    Stream<DynamicTest> binaryRows() {
        return BINARY.stream().flatMap(row -> DTYPES.stream()
                .map(dtype -> dynamicTest(row.name + " " + dtype, () -> {
                    for (long[][] pair : SHAPES) {
                        requireBinary(row, dtype, pair[0], pair[1]);
                    }
                    for (int n : Oracles.SIZES) {
                        requireBinary(row, dtype, new long[] {n}, new long[] {n});
                    }
                })));
    }

    private static void requireBinary(Binary row, DType dtype, long[] shapeA, long[] shapeB) {
        try (var step = TensorArena.ofConfined()) {
            long[] shape = Shape.broadcast("test", shapeA, shapeB);
            long[] a = numbers(dtype, (int) Shape.size(shapeA), 1);
            long[] b = numbers(dtype, (int) Shape.size(shapeB), 2);
            if (row.divides()) {
                b = Arrays.stream(b).map(v -> v == 0 ? -3 : v).toArray();
            }
            int[] fromA = Oracles.sources(shapeA, shape);
            int[] fromB = Oracles.sources(shapeB, shape);
            long[] expected = new long[fromA.length];
            for (int i = 0; i < expected.length; i++) {
                BigInteger result = row.oracle.apply(BigInteger.valueOf(a[fromA[i]]), BigInteger.valueOf(b[fromB[i]]));
                expected[i] = wrapped(dtype, result);
            }
            for (Tensor x : layouts(dtype, a, shapeA)) {
                for (Tensor z : layouts(dtype, b, shapeB)) {
                    Tensor y = row.op.apply(x, z);
                    assertEquals(dtype, y.dtype());
                    assertArrayEquals(shape, y.shape());
                    assertArrayEquals(expected, y.toLongArray(), row.name);
                    assertFalse(y.tracksGradient());
                }
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> unaryRows() {
        return UNARY.stream().flatMap(row -> DTYPES.stream()
                .map(dtype -> dynamicTest(row.name + " " + dtype, () -> {
                    for (int n : Oracles.SIZES) {
                        try (var step = TensorArena.ofConfined()) {
                            long[] x = numbers(dtype, 3 * n, n);
                            long[] expected = Arrays.stream(x)
                                    .map(v -> wrapped(dtype, row.oracle.apply(BigInteger.valueOf(v))))
                                    .toArray();
                            for (Tensor layout : layouts(dtype, x, 3, n)) {
                                assertArrayEquals(expected, row.op.apply(layout).toLongArray(), row.name);
                            }
                        }
                    }
                })));
    }

    /// `numpy.arange(-7, 8) // 3`, `% 3`, `// -3` and `% -3`.
    @Test
    void divisionIsPythons() {
        Tensor x = Tensor.arange(DType.INT64, -7, 8, 1);
        assertArrayEquals(
                new long[] {-3, -2, -2, -2, -1, -1, -1, 0, 0, 0, 1, 1, 1, 2, 2},
                x.floorDivide(3).toLongArray());
        assertArrayEquals(
                new long[] {2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1},
                x.remainder(3).toLongArray());
        assertArrayEquals(
                new long[] {2, 2, 1, 1, 1, 0, 0, 0, -1, -1, -1, -2, -2, -2, -3},
                x.floorDivide(-3).toLongArray());
        assertArrayEquals(
                new long[] {-1, 0, -2, -1, 0, -2, -1, 0, -2, -1, 0, -2, -1, 0, -2},
                x.remainder(-3).toLongArray());
    }

    @Test
    void aDivisionByZeroNamesItsPositionAndLeavesNothingBehind() {
        Tensor a = Tensor.ones(DType.INT32, 2, 3);
        Tensor b = Tensor.of(new int[] {1, 2, 0});
        long live = arena.liveBytes();
        var quotient = assertThrows(ArithmeticException.class, () -> a.floorDivide(b));
        assertEquals(
                "floorDivide: [2, 3] by [3] int32 divides by 0 at [0, 2]; replace the zeros first, by Tensor.where for"
                        + " instance",
                quotient.getMessage());
        assertThrows(ArithmeticException.class, () -> Tensor.scalar(DType.INT64, 1)
                .remainder(Tensor.scalar(DType.INT64, 0)));
        assertEquals(live + 128, arena.liveBytes(), "the two scalars");
        Tensor many = Tensor.ones(DType.INT64, 300_000);
        Tensor last = Tensor.arange(DType.INT64, 299_999, -1, -1);
        var remainder = assertThrows(ArithmeticException.class, () -> many.remainder(last));
        assertEquals(
                "remainder: [300000] by [300000] int64 divides by 0 at [299999]; replace the zeros first, by"
                        + " Tensor.where for instance",
                remainder.getMessage());
        assertEquals(0, Tensor.zeros(DType.INT64, 0).floorDivide(0).size(), "nothing is divided");
    }

    @Test
    void numbersAreWholeAndInRange() {
        Tensor x = Tensor.of(new int[] {5, -6});
        assertArrayEquals(new long[] {8, -3}, x.add(3).toLongArray());
        assertArrayEquals(new long[] {7, -4}, x.subtract(-2).toLongArray());
        assertArrayEquals(new long[] {-10, 12}, x.multiply(-2).toLongArray());
        assertArrayEquals(new long[] {5, 0}, x.maximum(0).toLongArray());
        assertArrayEquals(new long[] {0, -6}, x.minimum(0).toLongArray());
        rejected(
                "add: 0.5 is no int32, the dtype of [2]; cast(DType.FLOAT64) first, or give a whole number in its"
                        + " range",
                () -> x.add(0.5));
        rejected(
                "floorDivide: 2.147483648E9 is no int32, the dtype of [2]; cast(DType.FLOAT64) first, or give a whole"
                        + " number in its range",
                () -> x.floorDivide(0x1p31));
        rejected(
                "multiply: NaN is no int32, the dtype of [2]; cast(DType.FLOAT64) first, or give a whole number in its"
                        + " range",
                () -> x.multiply(Double.NaN));
    }

    @Test
    void noOpCastsByItselfAndARefusalNamesTheCast() {
        Tensor int32 = Tensor.of(new int[] {1});
        Tensor int64 = Tensor.of(new long[] {1});
        Tensor float32 = Tensor.ones(1);
        Tensor float64 = Tensor.ones(DType.FLOAT64, 1);
        rejected("add: [1] is int32 and [1] is int64; cast(DType.INT64) the first", () -> int32.add(int64));
        rejected("equalTo: [1] is int64 and [1] is int32; cast(DType.INT64) the second", () -> int64.equalTo(int32));
        rejected("add: [1] is int32 and [1] is float32; cast(DType.FLOAT64) both", () -> int32.add(float32));
        rejected("divide: [1] is float32 and [1] is int32; cast(DType.FLOAT64) both", () -> float32.divide(int32));
        rejected(
                "where: [1] is float64 and [1] is int32; cast(DType.FLOAT64) the second",
                () -> Tensor.where(Tensor.zeros(DType.BOOL), float64, int32));
        String lossy = "no dtype has all values of both: cast(DType.FLOAT64) rounds integers beyond 2^53, so write it"
                + " if that is meant";
        rejected("multiply: [1] is int64 and [1] is float32; " + lossy, () -> int64.multiply(float32));
        rejected("less: [1] is float64 and [1] is int64; " + lossy, () -> float64.less(int64));
        rejected("greater: [1] is bool and [1] is float32; cast(DType.FLOAT32) the first", () -> float32.equalTo(1)
                .greater(float32));
    }

    @Test
    void integersHaveNoQuotientAndTruthNoArithmetic() {
        Tensor x = Tensor.of(new int[] {3});
        rejected(
                "divide: takes FLOAT32, FLOAT64 or BFLOAT16, and [1] is int32; cast(DType.FLOAT64) first",
                () -> x.divide(x));
        Tensor truth = x.equalTo(3);
        rejected(
                "floorDivide: takes INT32 or INT64, and [1] is bool; cast(DType.INT64) first",
                () -> truth.floorDivide(truth));
        rejected("remainder: takes INT32 or INT64, and [1] is bool; cast(DType.INT64) first", () -> truth.remainder(2));
        rejected(
                "add: takes FLOAT32, FLOAT64 or BFLOAT16, and [1] is bool; cast(DType.FLOAT32) first",
                () -> truth.add(truth));
        rejected(
                "negative: takes FLOAT32, FLOAT64 or BFLOAT16, and [1] is bool; cast(DType.FLOAT32) first",
                truth::negative);
    }

    @Test
    void sumsAreInt64AndWrapAround() {
        for (DType dtype : List.of(DType.INT32, DType.INT64, DType.BOOL)) {
            for (long[] shape :
                    new long[][] {{3, 5, 4}, {7, 1, 300}, {2, 5000, 3}, {3, 7, 10_007}, {1, 1, 1}, {70, 0, 2}, {0, 3, 2}
                    }) {
                try (var step = TensorArena.ofConfined()) {
                    int n = (int) Shape.size(shape);
                    long[] values = dtype == DType.BOOL
                            ? Arrays.stream(numbers(DType.INT32, n, 5))
                                    .map(v -> v & 1)
                                    .toArray()
                            : numbers(dtype, n, 5);
                    Tensor x = tensor(dtype, values, shape);
                    requireSums(x, values);
                    requireSums(x.transpose(2, 0, 1), x.transpose(2, 0, 1).toLongArray());
                    Tensor gaps = Tensor.full(dtype, 1, shape[0], shape[1], shape[2] + 2)
                            .slice(2, 1, shape[2] + 1);
                    requireSums(gaps.copyFrom(x), values);
                    requireSums(
                            x.slice(2, 0, 1).broadcastTo(shape),
                            x.slice(2, 0, 1).broadcastTo(shape).toLongArray());
                }
            }
        }
        Tensor large = Tensor.of(new long[] {Long.MAX_VALUE, 1});
        assertArrayEquals(new long[] {Long.MIN_VALUE}, large.sum().toLongArray());
        assertArrayEquals(
                new long[] {2L * Integer.MAX_VALUE},
                Tensor.of(new int[] {Integer.MAX_VALUE, Integer.MAX_VALUE})
                        .sum()
                        .toLongArray());
    }

    /// `values` are the elements of x, row-major.
    private static void requireSums(Tensor x, long[] values) {
        assertEquals(DType.INT64, x.sum().dtype());
        assertArrayEquals(new long[] {Arrays.stream(values).sum()}, x.sum().toLongArray());
        long[] shape = x.shape();
        for (int axis = 0; axis < 3; axis++) {
            long[] kept = shape.clone();
            kept[axis] = 1;
            long[] expected = new long[(int) Shape.size(kept)];
            long[] strides = Shape.strides(kept);
            for (int i = 0; i < values.length; i++) {
                int at = 0;
                long rest = i;
                for (int k = 2; k >= 0; k--) {
                    at += k == axis ? 0 : (int) (rest % shape[k] * strides[k]);
                    rest /= shape[k];
                }
                expected[at] += values[i];
            }
            assertArrayEquals(expected, x.sum(axis).toLongArray(), "axis " + axis + " of " + Arrays.toString(shape));
            assertArrayEquals(kept, x.sum(axis - 3, true).shape());
        }
    }

    @Test
    void extremesOverEverySetOfAxesOfAnyViewAreThoseOfALoop() {
        var random = new Random(3);
        for (int round = 0; round < 60; round++) {
            try (var step = TensorArena.ofConfined()) {
                long[] shape = random.longs(1 + round % 4, 1, 8).toArray();
                Tensor x = RandomViews.of(random, DTYPES.get(round % 2), shape);
                for (int axes = 0; axes < 1 << shape.length; axes++) {
                    int set = axes;
                    int[] reduced = IntStream.range(0, shape.length)
                            .filter(i -> (set >> i & 1) != 0)
                            .toArray();
                    requireExtremes(x, reduced);
                }
            }
        }
    }

    private static void requireExtremes(Tensor x, int[] axes) {
        long[] kept = x.shape();
        for (int axis : axes) {
            kept[axis] = 1;
        }
        int[] sources = Oracles.sources(kept, x.shape());
        long[] values = x.toLongArray();
        long[] largest = new long[(int) Shape.size(kept)];
        long[] smallest = new long[largest.length];
        Arrays.fill(largest, Long.MIN_VALUE);
        Arrays.fill(smallest, Long.MAX_VALUE);
        for (int i = 0; i < values.length; i++) {
            largest[sources[i]] = Math.max(largest[sources[i]], values[i]);
            smallest[sources[i]] = Math.min(smallest[sources[i]], values[i]);
        }
        String text = Arrays.toString(x.shape()) + " over " + Arrays.toString(axes);
        assertEquals(x.dtype(), x.max(axes).dtype());
        assertArrayEquals(kept, x.max(axes, true).shape());
        assertArrayEquals(largest, x.max(axes).toLongArray(), text);
        assertArrayEquals(smallest, x.min(axes).toLongArray(), text);
        if (axes.length == 1) {
            assertArrayEquals(
                    positions(x, values, sources, largest), x.argmax(axes[0]).toLongArray(), text);
            assertArrayEquals(
                    positions(x, values, sources, smallest),
                    x.argmin(axes[0] - x.rank()).toLongArray(),
                    text);
        }
    }

    /// The number of terms of each result before the first that equals it.
    private static long[] positions(Tensor x, long[] values, int[] sources, long[] results) {
        long[] positions = new long[results.length];
        boolean[] found = new boolean[results.length];
        for (int i = 0; i < values.length; i++) {
            int at = sources[i];
            found[at] |= values[i] == results[at];
            positions[at] += found[at] ? 0 : 1;
        }
        return positions;
    }

    @Test
    void extremesOfManyIntegersAreExact() {
        for (DType dtype : DTYPES) {
            for (long[] shape : new long[][] {{200_003}, {3, 70_001}, {70_001, 3}, {2, 5000, 9}}) {
                try (var step = TensorArena.ofConfined()) {
                    Tensor x = tensor(dtype, numbers(dtype, (int) Shape.size(shape), 8), shape);
                    requireExtremes(x, IntStream.range(0, shape.length).toArray());
                    for (int axis = 0; axis < shape.length; axis++) {
                        requireExtremes(x, new int[] {axis});
                    }
                }
            }
        }
        Tensor x = Tensor.of(new long[] {Long.MAX_VALUE - 1, Long.MAX_VALUE, Long.MIN_VALUE, Long.MIN_VALUE + 1});
        assertEquals(1, x.argmax(0).toLongArray()[0], "no double has either");
        assertEquals(2, x.argmin(0).toLongArray()[0]);
        assertArrayEquals(new long[] {Long.MAX_VALUE}, x.max().toLongArray());
        assertArrayEquals(new long[] {Long.MIN_VALUE}, x.min().toLongArray());
        assertEquals(0, Tensor.of(new int[] {5, 5, 1}).argmax(0).item(), "the first of equal ones");
        assertFalse(x.max().tracksGradient());
    }

    @Test
    void nothingAndTruthHaveNoExtremes() {
        Tensor nothing = Tensor.zeros(DType.INT32, 0, 3);
        rejected("max: axis 0 of [0, 3] has size 0, and nothing has no max", () -> nothing.max(0));
        rejected("argmin: axis 0 of [0, 3] has size 0, and nothing has no argmin", () -> nothing.argmin(0));
        assertArrayEquals(new long[] {0}, nothing.min(1).shape());
        assertArrayEquals(new long[] {0}, nothing.argmax(1).shape());
        Tensor truth = Tensor.of(DType.BOOL, new int[] {0, 1});
        rejected("max: takes numbers, and [2] is bool; use any", truth::max);
        rejected("min: takes numbers, and [2] is bool; use all", () -> truth.min(0, true));
        rejected("argmax: takes numbers, and [2] is bool; cast(DType.INT32) first", () -> truth.argmax(0));
        rejected("clamp: takes numbers, and [2] is bool; cast(DType.INT32) first", () -> truth.clamp(0, 1));
    }

    @Test
    void boundsAreIntegersToo() {
        Tensor x = Tensor.of(new long[] {Long.MIN_VALUE, -7, 0, 7, Long.MAX_VALUE});
        assertArrayEquals(new long[] {-7, -7, 0, 5, 5}, x.clamp(-7, 5).toLongArray());
        assertArrayEquals(
                x.toLongArray(),
                x.clamp(Long.MIN_VALUE, Math.nextDown(0x1p63)).maximum(x).toLongArray());
        rejected(
                "clamp: 0.5 is no int64, the dtype of [5]; cast(DType.FLOAT64) first, or give a whole number in its"
                        + " range",
                () -> x.clamp(0.5, 2));
        rejected("clamp: 2.0 to 1.0 is no range; give min ≤ max", () -> x.clamp(2, 1));
        assertEquals(DType.INT32, Tensor.of(new int[] {1}).clamp(0, 1).dtype());
    }

    @Test
    void differencesOfTruthSayWhetherNeighboursDiffer() {
        assertArrayEquals(
                new long[] {0, 1, 1},
                Tensor.of(DType.BOOL, new int[] {1, 1, 0, 1}).diff(0).toLongArray());
    }

    @Test
    void castsRoundOnce() {
        // 2^60 + 2^36 + 1 lies above the middle of two floats, and its double on it.
        long x = (1L << 60) + (1L << 36) + 1;
        assertEquals((float) x, Tensor.of(new long[] {x}).cast(DType.FLOAT32).item());
        assertEquals(
                Math.nextUp((float) (1L << 60)),
                Tensor.of(new long[] {x}).cast(DType.FLOAT32).item());
    }

    @Test
    void aDryRunCountsThemAndComputesNothing() {
        long peak = MemoryPlan.dryRun(() -> {
            Tensor x = Tensor.ones(DType.INT32, 3, 4);
            x.add(x).floorDivide(2).sum(1).greater(0).all();
        });
        // Of [3, 4]: the ones, their sum and quotient; of [3] and []: a 2, the sums, a 0, the truth values, and all
        // with the number of true ones and what that is compared with.
        assertEquals(3 * 64 + 7 * 64, peak);
    }
}
