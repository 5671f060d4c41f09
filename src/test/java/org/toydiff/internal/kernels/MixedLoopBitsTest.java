package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import jdk.incubator.vector.VectorShape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.toydiff.Bfloat16Oracle;

/// Loops that are not made from an expression of one precision, against Java's own operators: conversions, copies
/// and positions, scalar and over vectors of each width that the machine has.
class MixedLoopBitsTest {
    private static final int COUNT = 1100;

    private static final int[] SIZES =
            IntStream.concat(IntStream.rangeClosed(0, 70), IntStream.of(1021)).toArray();

    private static final MemorySegment EXPECTED = Arena.global().allocate(8L * COUNT, 64);

    private static final List<Element> TYPES = List.of(Element.values());

    /// Numbers that every type has.
    private static final long[] SMALL = {0, 1};

    private static final double[] NUMBERS = {
        0.0, -0.0, 0.5, -0.5, 1.5, -2.5, 0.1, 1e-40, -1e-310, 16777217, -16777219, 2147483520.0, -2147483648.0
    };

    private static final long[] INTEGERS = {
        1, -1, 7, Integer.MAX_VALUE, Integer.MIN_VALUE, 16777217, (1 << 30) + 1, -123456789
    };

    static Stream<Arguments> conversions() {
        return TYPES.stream()
                .flatMap(from -> TYPES.stream().filter(to -> to != from).map(to -> Arguments.of(from, to)));
    }

    private static Object element(MemorySegment x, Element type, long i) {
        return switch (type) {
            case FLOAT32 -> x.getAtIndex(JAVA_FLOAT, i);
            case FLOAT64 -> x.getAtIndex(JAVA_DOUBLE, i);
            case BFLOAT16 -> Bfloat16Oracle.value(x.getAtIndex(JAVA_SHORT, i));
            case INT32 -> x.getAtIndex(JAVA_INT, i);
            case INT64 -> x.getAtIndex(JAVA_LONG, i);
            case BOOL -> x.get(JAVA_BYTE, i);
        };
    }

    private static void set(MemorySegment x, Element type, long i, Number value) {
        switch (type) {
            case FLOAT32 -> x.setAtIndex(JAVA_FLOAT, i, value.floatValue());
            case FLOAT64 -> x.setAtIndex(JAVA_DOUBLE, i, value.doubleValue());
            case BFLOAT16 -> x.setAtIndex(JAVA_SHORT, i, Bfloat16Oracle.nearest(value));
            case INT32 -> x.setAtIndex(JAVA_INT, i, value.intValue());
            case INT64 -> x.setAtIndex(JAVA_LONG, i, value.longValue());
            case BOOL -> x.set(JAVA_BYTE, i, value.byteValue());
        }
    }

    /// {@return elements that the other type can hold}
    private static MemorySegment operand(Arena arena, Element type, Element to) {
        MemorySegment x = arena.allocate(8L * COUNT, 64);
        var random = new SplittableRandom(3);
        for (int i = 0; i < COUNT; i++) {
            if (type == Element.BOOL) {
                set(x, type, i, SMALL[random.nextInt(2)]);
            } else if (type.isInteger()) {
                boolean large = type == Element.INT64 && to != Element.INT32 && random.nextBoolean();
                set(x, type, i, large ? random.nextLong() : INTEGERS[random.nextInt(INTEGERS.length)]);
            } else {
                boolean random0 = random.nextBoolean();
                double number = random0 ? random.nextDouble(-1e9, 1e9) : NUMBERS[random.nextInt(NUMBERS.length)];
                // The largest one is 2³¹ in BFLOAT16.
                set(x, type, i, type == Element.BFLOAT16 && to.isInteger() ? number / 2 : number);
            }
        }
        if (!type.isInteger() && type != Element.BOOL && !to.isInteger()) {
            set(x, type, 5, Double.NaN);
            set(x, type, 40, Double.POSITIVE_INFINITY);
            set(x, type, 41, 1e300);
        }
        return x;
    }

    /// {@return the conversion by Java's casts}
    private static Object converted(Object x, Element to) {
        return switch (to) {
            case BOOL -> (byte) (((Number) x).doubleValue() != 0 ? 1 : 0);
            case INT32 -> ((Number) x).intValue();
            case INT64 -> ((Number) x).longValue();
            case FLOAT32 -> ((Number) x).floatValue();
            case FLOAT64 -> ((Number) x).doubleValue();
            case BFLOAT16 -> x;
        };
    }

    private static Map<String, Kernel.Unary> kernels(Element from, Element to) {
        Map<String, Kernel.Unary> kernels = new LinkedHashMap<>();
        kernels.put("chosen", CastKernels.of(from, to));
        if (WidthLoop.hasVectorForm(from, to)) {
            Kernel.Unary scalar = WidthLoop.scalar("Scalar", from, to);
            kernels.put("scalar", scalar);
            for (VectorShape shape : LoopBitsTest.shapes()) {
                Kernel.Unary vectors = WidthLoop.vectors("Vector", from, to, shape, scalar);
                kernels.put(
                        shape + "", (x, x0, xi, xj, y, y0, yi, yj, n1, n2) -> (xj == 1 && yj == 1 ? vectors : scalar)
                                .run(x, x0, xi, xj, y, y0, yi, yj, n1, n2));
            }
        }
        return kernels;
    }

    @ParameterizedTest
    @MethodSource("conversions")
    void conversionsAreJavasCasts(Element from, Element to) {
        try (var arena = Arena.ofShared()) {
            MemorySegment x = operand(arena, from, to);
            MemorySegment y = arena.allocate(8L * COUNT, 64);
            kernels(from, to).forEach((kind, kernel) -> {
                for (int n : SIZES) {
                    requireConverted(kind, kernel, x, from, 0, 1, y, to, 3, 1, n);
                    requireConverted(kind, kernel, x, from, 5, 1, y, to, 0, 1, n);
                }
                requireConverted(kind, kernel, x, from, 2, 3, y, to, 1, 1, 150);
                requireConverted(kind, kernel, x, from, 2, 1, y, to, 1, 3, 150);
                requireConverted(kind, kernel, x, from, 7, 0, y, to, 1, 1, 70);
            });
        }
    }

    /// Converts a grid of two rows, the second after a gap.
    private static void requireConverted(
            String kind,
            Kernel.Unary kernel,
            MemorySegment x,
            Element from,
            int x0,
            int xj,
            MemorySegment y,
            Element to,
            int y0,
            int yj,
            int n) {
        int rows = n > 500 ? 1 : 2;
        int xi = 1;
        int yi = n * yj + 2;
        y.fill((byte) 99);
        kernel.run(x, x0, xi, xj, y, y0, yi, yj, rows, n);
        MemorySegment expected = EXPECTED.fill((byte) 99);
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < n; j++) {
                Object value = converted(element(x, from, x0 + i * xi + j * xj), to);
                set(expected, to, y0 + i * yi + j * yj, (Number) value);
            }
        }
        assertEquals(-1, expected.mismatch(y), () -> kind + " " + from + " to " + to + ", " + n + " elements");
    }

    @Test
    void numbersWithoutAnIntegerAreRefusedWhereverTheyStand() {
        double[] beyond = {Double.NaN, 0x1p63, -0x1p64, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
        try (var arena = Arena.ofShared()) {
            MemorySegment x = arena.allocate(8L * COUNT, 64);
            MemorySegment y = arena.allocate(8L * COUNT, 64);
            for (Element from : List.of(Element.FLOAT32, Element.FLOAT64, Element.BFLOAT16)) {
                for (Element to : List.of(Element.INT32, Element.INT64)) {
                    List<Double> refused = new ArrayList<>();
                    for (double value : beyond) {
                        refused.add(value);
                    }
                    if (to == Element.INT32) {
                        refused.add(0x1p31);
                        refused.add(-0x1p32);
                    }
                    for (double value : refused) {
                        for (int at : new int[] {0, 17, 40}) {
                            x.fill((byte) 0);
                            set(x, from, at, value);
                            assertThrows(
                                    ArithmeticException.class,
                                    () -> CastKernels.of(from, to).run(x, 0, 0, 1, y, 0, 0, 1, 1, 41),
                                    from + " " + value + " to " + to);
                        }
                    }
                }
            }
            x.setAtIndex(JAVA_LONG, 3, 1L << 31);
            assertThrows(ArithmeticException.class, () -> CastKernels.of(Element.INT64, Element.INT32)
                    .run(x, 0, 0, 1, y, 0, 0, 1, 1, 4));
        }
    }

    @Test
    void theLeastAndTheLargestIntegersAreNoneOfThose() {
        try (var arena = Arena.ofShared()) {
            MemorySegment x = arena.allocate(64, 64);
            MemorySegment y = arena.allocate(64, 64);
            x.setAtIndex(JAVA_DOUBLE, 0, Integer.MAX_VALUE + 0.75);
            x.setAtIndex(JAVA_DOUBLE, 1, Integer.MIN_VALUE - 0.75);
            CastKernels.of(Element.FLOAT64, Element.INT32).run(x, 0, 0, 1, y, 0, 0, 1, 1, 2);
            assertEquals(Integer.MAX_VALUE, y.getAtIndex(JAVA_INT, 0));
            assertEquals(Integer.MIN_VALUE, y.getAtIndex(JAVA_INT, 1));
            x.setAtIndex(JAVA_DOUBLE, 0, -0x1p63);
            CastKernels.of(Element.FLOAT64, Element.INT64).run(x, 0, 0, 1, y, 0, 0, 1, 1, 1);
            assertEquals(Long.MIN_VALUE, y.getAtIndex(JAVA_LONG, 0));
            x.setAtIndex(JAVA_FLOAT, 0, -0x1p31f);
            CastKernels.of(Element.FLOAT32, Element.INT32).run(x, 0, 0, 1, y, 0, 0, 1, 1, 1);
            assertEquals(Integer.MIN_VALUE, y.getAtIndex(JAVA_INT, 0));
        }
    }

    /// All numbers of BFLOAT16 with six kinds of rest, among them the halfway points and both their neighbours.
    @Test
    void floatsAreRoundedToTheNearestHalfAndNaNKeepsItsSign() {
        int[] rests = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
        int n = rests.length << 16;
        try (var arena = Arena.ofShared()) {
            MemorySegment x = arena.allocate(4L * n, 64);
            MemorySegment y = arena.allocate(2L * n, 64);
            for (int i = 0; i < n; i++) {
                x.setAtIndex(JAVA_INT, i, i << 16 | rests[i >> 16]);
            }
            kernels(Element.FLOAT32, Element.BFLOAT16).forEach((kind, kernel) -> {
                y.fill((byte) 99);
                kernel.run(x, 0, 0, 1, y, 0, 0, 1, 1, n);
                for (int i = 0; i < n; i++) {
                    float value = x.getAtIndex(JAVA_FLOAT, i);
                    short expected = Float.isNaN(value) ? (short) (i | 0x40) : Bfloat16Oracle.nearest(value);
                    if (expected != y.getAtIndex(JAVA_SHORT, i)) {
                        assertEquals(expected, y.getAtIndex(JAVA_SHORT, i), kind + " of " + value);
                    }
                }
            });
        }
    }

    @Test
    void everyHalfIsTheUpperHalfOfItsFloat() {
        int n = 1 << 16;
        try (var arena = Arena.ofShared()) {
            MemorySegment x = arena.allocate(2L * n, 64);
            MemorySegment y = arena.allocate(4L * n, 64);
            for (int i = 0; i < n; i++) {
                x.setAtIndex(JAVA_SHORT, i, (short) i);
            }
            kernels(Element.BFLOAT16, Element.FLOAT32).forEach((kind, kernel) -> {
                y.fill((byte) 99);
                kernel.run(x, 0, 0, 1, y, 0, 0, 1, 1, n);
                for (int i = 0; i < n; i++) {
                    assertEquals(i << 16, y.getAtIndex(JAVA_INT, i), kind);
                }
            });
        }
    }

    /// Where rounding to a float first would go wrong: next to a halfway point, by less than a float can tell.
    @Test
    void doublesAndLongsAreRoundedOnce() {
        double tie = 1 + 0x1p-8;
        double[] doubles = {Math.nextUp(tie), Math.nextDown(1 + 3 * 0x1p-8), -Math.nextUp(tie), tie, 3.4e38, 0x1p-134};
        long[] longs = {(1L << 62) + (1L << 54) + 1, (1L << 62) + 3 * (1L << 54) - 1, -(1L << 62) - (1L << 54) - 1};
        for (double x : doubles) {
            assertEquals(Bfloat16Oracle.nearest(x), CastKernels.bfloat16(x), x + "");
        }
        for (long x : longs) {
            assertEquals(Bfloat16Oracle.nearest(x), CastKernels.bfloat16(x), x + "");
        }
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void elementsAreMovedWithAllTheirBits(Element type) {
        try (var arena = Arena.ofShared()) {
            var random = new SplittableRandom(9);
            MemorySegment a = arena.allocate(8L * COUNT, 64);
            MemorySegment mask = arena.allocate(COUNT, 64);
            MemorySegment y = arena.allocate(8L * COUNT, 64);
            for (int i = 0; i < COUNT; i++) {
                mask.set(JAVA_BYTE, i, (byte) random.nextInt(2));
                // Any bits, signalling NaN among them.
                a.setAtIndex(
                        JAVA_LONG, i, type == Element.BOOL ? 0x0100010100000101L : random.nextLong() | 0x7f80L << 48);
            }
            CopyKernels kernels = CopyKernels.of(type.bytes);
            for (int round = 0; round < 300; round++) {
                int n = round % 100;
                int step = round % 3 == 0 ? 2 : 1;
                y.fill((byte) (type == Element.BOOL ? 1 : 7));
                MemorySegment before = MemorySegment.ofArray(y.toArray(JAVA_BYTE));
                kernels.put().run(a, 1, 0, step, mask, 2, 0, 1, y, 3, 0, 1, 1, n);
                for (int j = 0; j < n; j++) {
                    boolean taken = mask.get(JAVA_BYTE, 2 + j) != 0;
                    MemorySegment source = taken ? a : before;
                    long at = (taken ? 1L + (long) j * step : 3L + j) * type.bytes;
                    long to = (3L + j) * type.bytes;
                    MemorySegment.copy(source, at, before, to, type.bytes);
                }
                assertEquals(-1, before.mismatch(y), "put " + n);
                kernels.copy.run(a, 1, 5, step, y, 3, 200, 1, 2, n);
                for (int i = 0; i < 2; i++) {
                    for (int j = 0; j < n; j++) {
                        long at = (1L + i * 5L + (long) j * step) * type.bytes;
                        MemorySegment.copy(a, at, before, (3L + i * 200L + j) * type.bytes, type.bytes);
                    }
                }
                assertEquals(-1, before.mismatch(y), "copy " + n);
            }
        }
    }

    static Stream<Arguments> indexed() {
        return Stream.of(Element.FLOAT32, Element.FLOAT64, Element.BFLOAT16)
                .flatMap(type -> Stream.of(Element.INT32, Element.INT64).map(index -> Arguments.of(type, index)));
    }

    /// Columns of a matrix of 7 rows of 9: gathered from, and added to one after another.
    @ParameterizedTest
    @MethodSource("indexed")
    void elementsAreReadFromAndAddedToTheirPositions(Element type, Element index) {
        int rows = 7;
        int columns = 9;
        int n = 5;
        try (var arena = Arena.ofShared()) {
            var random = new SplittableRandom(8);
            MemorySegment x = arena.allocate(8L * COUNT, 64);
            MemorySegment positions = arena.allocate(8L * COUNT, 64);
            MemorySegment gathered = arena.allocate(8L * COUNT, 64);
            MemorySegment sums = arena.allocate(8L * COUNT, 64);
            MemorySegment expected = arena.allocate(8L * COUNT, 64);
            for (int i = 0; i < rows * columns; i++) {
                set(x, type, 3 + i, random.nextDouble(-1, 1));
            }
            for (int i = 0; i < n * columns; i++) {
                set(positions, index, 2 + i, random.nextInt(rows));
            }
            // y[i][j] = x[position[i][j]][j], and then x[position[i][j]][j] += y[i][j].
            IndexKernels.gather(type, index, columns)
                    .run(x, 3, 0, 1, positions, 2, columns, 1, gathered, 1, 1, n, n, columns);
            IndexKernels.scatterAdd(type, index, columns)
                    .run(gathered, 1, 1, n, positions, 2, columns, 1, sums, 4, 0, 1, n, columns);
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < columns; j++) {
                    int row = ((Number) element(positions, index, 2 + i * columns + j)).intValue();
                    Object value = element(x, type, 3 + row * columns + j);
                    assertEquals(value, element(gathered, type, 1 + i + (long) j * n));
                    int at = 4 + row * columns + j;
                    Object old = element(expected, type, at);
                    set(expected, type, at, plus(old, value));
                }
            }
            assertEquals(-1, expected.mismatch(sums));
        }
    }

    /// Of BFLOAT16 elements, which are read as doubles, the sum is exact before it is stored.
    private static Number plus(Object a, Object b) {
        return a instanceof Float x ? (Number) (x + (float) b) : (Number) ((double) a + (double) b);
    }
}
