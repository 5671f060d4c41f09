package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.rejected;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.internal.launch.SortWork;

/// Orders of elements, against the JDK's stable sort.
class SortingTest extends ArenaTest {
    /// Around the numbers of records that are sorted by insertion, that fit a digit, and that fit into scratch memory.
    private static final int[] SIZES = {1, 2, 3, 31, 32, 33, 100, 255, 257, 1021, 70_000};

    private static final double[] SPECIAL = {
        0.0, -0.0, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Float.MIN_VALUE, -1e30, 1e30
    };

    /// Many equal ones, and every special one that the dtype has.
    private static Tensor drawn(DType dtype, int n, Random random) {
        return switch (dtype) {
            case FLOAT32, FLOAT64, BFLOAT16 -> {
                double[] values = new double[n];
                Arrays.setAll(values, i -> switch (i % 5) {
                    case 0 -> SPECIAL[i / 5 % SPECIAL.length];
                    case 1 -> neighbour(dtype, random);
                    default -> random.nextInt(64) - 32;
                });
                yield Tensor.of(dtype, values, n);
            }
            case INT32, INT64, BOOL -> {
                long[] values = new long[n];
                long low = dtype == DType.INT32 ? Integer.MIN_VALUE : Long.MIN_VALUE;
                Arrays.setAll(values, i -> i % 7 == 0 ? low : i % 7 == 1 ? ~low : random.nextInt(64) - 32);
                yield Tensor.of(values).cast(dtype);
            }
        };
    }

    /// Of a few numbers that differ in their last bit and their sign.
    private static double neighbour(DType dtype, Random random) {
        double size = dtype == DType.FLOAT32
                ? Float.intBitsToFloat(Float.floatToIntBits(0.3f) + random.nextInt(3))
                : Double.longBitsToDouble(Double.doubleToLongBits(0.3) + random.nextInt(3));
        return random.nextBoolean() ? size : -size;
    }

    private static long[] order(Tensor x, boolean descending) {
        double[] values = x.toDoubleArray();
        long[] integers = x.dtype().isFloating() ? null : x.toLongArray();
        // Double.compare puts −0 before 0.
        Comparator<Integer> byValue = integers == null
                ? Comparator.comparingDouble(i -> values[i] + 0.0)
                : Comparator.comparingLong(i -> integers[i]);
        return IntStream.range(0, values.length)
                .boxed()
                .sorted(descending ? byValue.reversed() : byValue)
                .mapToLong(i -> i)
                .toArray();
    }

    private static double[] at(Tensor x, long[] order) {
        double[] values = x.toDoubleArray();
        return Arrays.stream(order).mapToDouble(i -> values[(int) i]).toArray();
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void theOrderIsThatOfAStableSort(DType dtype) {
        var random = new Random(4);
        for (int n : SIZES) {
            Tensor x = drawn(dtype, n, random);
            for (boolean descending : new boolean[] {false, true}) {
                long[] expected = order(x, descending);
                Tensor.Sorted sorted = x.sort(0, descending);
                assertArrayEquals(expected, sorted.indices().toLongArray(), dtype + " " + n);
                assertArrayEquals(at(x, expected), sorted.values().toDoubleArray(), dtype + " " + n);
                assertEquals(dtype, sorted.values().dtype());
                assertArrayEquals(expected, x.argsort(-1, descending).toLongArray(), dtype + " " + n);
                if (descending) {
                    long[] first = Arrays.copyOf(expected, (n + 2) / 3);
                    assertArrayEquals(first, x.topk(first.length, 0).indices().toLongArray(), dtype + " " + n);
                    assertArrayEquals(
                            at(x, first), x.topk(first.length, 0).values().toDoubleArray());
                }
            }
        }
    }

    @Test
    void anyViewIsSortedAlongEveryAxis() {
        var random = new Random(5);
        for (int round = 0; round < 60; round++) {
            try (var scratch = TensorArena.ofConfined()) {
                DType dtype = round % 2 == 0 ? DType.FLOAT32 : DType.FLOAT64;
                Tensor x = RandomViews.of(
                        random, dtype, random.longs(1 + round % 4, 1, 9).toArray());
                for (int axis = 0; axis < x.rank(); axis++) {
                    Tensor.Sorted sorted = x.sort(axis);
                    Tensor rows = rows(x, axis);
                    Tensor indices = rows(sorted.indices(), axis);
                    Tensor values = rows(sorted.values(), axis);
                    Tensor largest = rows(x.topk(1, axis).indices(), axis);
                    for (long row = 0; row < rows.size(0); row++) {
                        long[] expected = order(rows.get(row), false);
                        assertArrayEquals(expected, indices.get(row).toLongArray());
                        assertArrayEquals(
                                at(rows.get(row), expected), values.get(row).toDoubleArray());
                        assertEquals(order(rows.get(row), true)[0], largest.at(row, 0));
                    }
                }
            }
        }
    }

    /// The runs along an axis, one after another.
    private static Tensor rows(Tensor x, int axis) {
        int[] axes = IntStream.concat(IntStream.range(0, x.rank()).filter(i -> i != axis), IntStream.of(axis))
                .toArray();
        return x.transpose(axes).reshape(x.size() / x.size(axis), x.size(axis));
    }

    @Test
    void longAxesInAnyOrderAreSorted() {
        requireSorted(1_000_000, i -> i * 7919L % 1_000_000);
        requireSorted(100_000, i -> 7);
        requireSorted(1_000, i -> i == 500 ? -1 : 0);
        requireSorted(100_000, i -> i);
        requireSorted(100_000, i -> -i);
    }

    private static void requireSorted(int n, IntToDoubleFunction order) {
        try (var scratch = TensorArena.ofConfined()) {
            double[] values = IntStream.range(0, n).mapToDouble(order).toArray();
            Tensor.Sorted sorted = Tensor.of(DType.FLOAT32, values, n).sort(0);
            double[] expected = values.clone();
            Arrays.sort(expected);
            assertArrayEquals(expected, sorted.values().toDoubleArray());
            long[] indices = sorted.indices().toLongArray();
            for (int i = 0; i < n; i++) {
                assertEquals(expected[i], values[(int) indices[i]]);
                assertTrue(i == 0 || expected[i - 1] < expected[i] || indices[i - 1] < indices[i], "stable");
            }
        }
    }

    @Test
    void anyNumberOfThreadsFindsTheSameOrder() {
        int threads = Threads.count();
        Tensor x = Tensor.rand(300, 400);
        try {
            Threads.set(1);
            long[] alone = x.argsort(0).toLongArray();
            Threads.set(4);
            assertArrayEquals(alone, x.argsort(0).toLongArray());
        } finally {
            Threads.set(threads);
        }
    }

    @Test
    void theGradientGoesToWhereEachElementCameFrom() {
        for (Release release : Release.values()) {
            Tensor x = Tensor.of(new float[] {3, 1, 2, 5, 5, 4}, 2, 3).trackGradient();
            x.sort(1, true).values().backward(Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3), release);
            assertArrayEquals(new float[] {1, 3, 2, 4, 5, 6}, x.gradient().toFloatArray());
        }
        Tensor x = Tensor.rand(DType.FLOAT64, 3, 4);
        GradientCheck.check(t -> t.sort(0).values().exp(), x);
        GradientCheck.check(t -> Oracles.gradientOf(u -> u.sort(-1).values().exp(), t), x);
    }

    @Test
    void distinctElementsAreCountedAndFoundAgain() {
        // np.unique(x, return_inverse=True, return_counts=True)
        Tensor.Unique unique = Tensor.of(new float[] {3, -1, 3, 0, -0.0f, -1}, 2, 3)
                .transpose()
                .unique();
        assertArrayEquals(new float[] {-1, 0, 3}, unique.values().toFloatArray());
        assertArrayEquals(new long[] {2, 1, 0, 1, 2, 0}, unique.inverse().toLongArray());
        assertArrayEquals(new long[] {3, 2}, unique.inverse().shape());
        assertArrayEquals(new long[] {2, 2, 2}, unique.counts().toLongArray());
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void distinctElementsOfManyAreThoseOfTheJdk(DType dtype) {
        Tensor x = drawn(dtype, 3000, new Random(8));
        double[] numbers = x.toDoubleArray();
        long nans = Arrays.stream(numbers).filter(Double::isNaN).count();
        double[] expected = Arrays.stream(numbers)
                .filter(v -> !Double.isNaN(v))
                .map(v -> v + 0.0)
                .distinct()
                .sorted()
                .toArray();
        Tensor.Unique unique = x.unique();
        // Each NaN is a value of its own.
        assertEquals(expected.length + nans, unique.values().size());
        double[] values = unique.values().toDoubleArray();
        long[] inverse = unique.inverse().toLongArray();
        long[] counts = new long[values.length];
        for (int i = 0; i < numbers.length; i++) {
            assertEquals(numbers[i] + 0.0, values[(int) inverse[i]] + 0.0);
            counts[(int) inverse[i]]++;
        }
        assertArrayEquals(counts, unique.counts().toLongArray());
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], values[i] + 0.0);
        }
    }

    @Test
    void nothingIsInOrder() {
        Tensor nothing = Tensor.zeros(1L << 40, 0, 3);
        assertArrayEquals(nothing.shape(), nothing.sort(1).values().shape());
        assertArrayEquals(nothing.shape(), nothing.argsort(0).shape());
        assertEquals(0, Tensor.zeros(0, 3).unique().values().size());
        assertArrayEquals(
                new long[] {0, 3}, Tensor.zeros(0, 3).unique().inverse().shape());
        assertEquals(1, Tensor.scalar(2).unique().counts().item());
    }

    @Test
    void theMemoryOfLongAxesIsPredictedAndGivenBack() {
        assertEquals(0, SortWork.longs(65_472));
        for (int n : new int[] {65_472, 65_473}) {
            Tensor x = Tensor.rand(2, n);
            long predicted = MemoryPlan.dryRun(() -> x.sort(1));
            long live = Memory.liveBytes();
            Memory.resetPeak();
            Tensor.Sorted sorted = x.sort(1);
            assertEquals(predicted, Memory.peakBytes() - live);
            long kept = 2L * n * (Float.BYTES + Long.BYTES);
            assertEquals(live + kept, Memory.liveBytes(), 128);
            assertEquals(n, sorted.indices().size(1));
        }
    }

    @Test
    void whatDoesNotFitIsRefused() {
        rejected("sort: axis 2 is out of range for a tensor of rank 2; use -2 to 1", () -> Tensor.ones(2, 3)
                .sort(2));
        rejected("argsort: axis 0 is out of range for a tensor of rank 0 (a scalar has no axes)", () -> Tensor.scalar(1)
                .argsort(0));
        String message = assertThrows(
                        IllegalStateException.class,
                        () -> MemoryPlan.dryRun(() -> Tensor.ones(3).unique()))
                .getMessage();
        assertTrue(message.startsWith("unique: the tensor [3] is abstract"), message);
    }
}
