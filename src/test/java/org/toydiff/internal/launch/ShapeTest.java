package org.toydiff.internal.launch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Arithmetic on shapes and strides, against the positions of single elements.
class ShapeTest {
    private static final int ROUNDS = 20_000;

    private static long[] of(long... values) {
        return values;
    }

    /// {@return the position of each element, in row-major order of the indices}
    private static List<Long> positions(long[] shape, long[] strides) {
        List<Long> positions = new ArrayList<>(List.of(0L));
        for (int axis = 0; axis < shape.length; axis++) {
            List<Long> longer = new ArrayList<>();
            for (long position : positions) {
                for (long i = 0; i < shape[axis]; i++) {
                    longer.add(position + i * strides[axis]);
                }
            }
            positions = longer;
        }
        return positions;
    }

    private static long[] shape(Random random) {
        return random.longs(random.nextInt(5), random.nextInt(12) == 0 ? 0 : 1, 4)
                .toArray();
    }

    /// {@return the strides of a view of a shape: a permutation of a larger block, with some axes stretched}
    private static long[] strides(Random random, long[] shape) {
        long[] strides = new long[shape.length];
        List<Integer> axes = new ArrayList<>();
        for (int i = 0; i < shape.length; i++) {
            axes.add(random.nextBoolean() ? axes.size() : random.nextInt(axes.size() + 1), i);
        }
        long stride = 1;
        for (int axis : axes.reversed()) {
            boolean stretched = random.nextInt(8) == 0;
            strides[axis] = stretched ? 0 : stride;
            stride *= stretched ? 1 : shape[axis] + (random.nextInt(6) == 0 ? 1 : 0);
        }
        return strides;
    }

    private static String text(long[] shape, long[] strides) {
        return Arrays.toString(shape) + " with strides " + Arrays.toString(strides);
    }

    @Test
    void rowMajorStridesCountTheElements() {
        var random = new Random(1);
        for (int round = 0; round < ROUNDS; round++) {
            long[] shape = shape(random);
            List<Long> positions = positions(shape, Shape.strides(shape));
            assertEquals(positions.size(), Shape.size(shape), Arrays.toString(shape));
            assertEquals(positions.isEmpty(), Shape.empty(shape), Arrays.toString(shape));
            for (int i = 0; i < positions.size(); i++) {
                assertEquals(i, positions.get(i), Arrays.toString(shape));
            }
        }
        assertArrayEquals(of(3, 3, 1), Shape.strides(of(2, 0, 3)), "beside a size of 0 as beside a size of 1");
        assertEquals(1, Shape.size(Shape.SCALAR));
        assertTrue(Shape.empty(of(1L << 62, 1L << 62, 0)));
    }

    @Test
    void aViewIsContiguousIfItsElementsFollowEachOther() {
        var random = new Random(2);
        int contiguous = 0;
        for (int round = 0; round < ROUNDS; round++) {
            long[] shape = shape(random);
            long[] strides = strides(random, shape);
            List<Long> positions = positions(shape, strides);
            boolean expected = true;
            for (int i = 0; i < positions.size(); i++) {
                expected &= positions.get(i) == i;
            }
            assertEquals(expected, Shape.contiguous(shape, strides), text(shape, strides));
            contiguous += expected ? 1 : 0;
            if (!positions.isEmpty()) {
                assertEquals(positions.getLast(), Shape.last(shape, strides), text(shape, strides));
            }
        }
        assertTrue(contiguous > ROUNDS / 10 && contiguous < ROUNDS * 9 / 10, contiguous + " are");
    }

    @Test
    void aViewOverlapsItselfIfSeveralElementsAreOne() {
        var random = new Random(6);
        int overlapping = 0;
        for (int round = 0; round < ROUNDS; round++) {
            long[] shape = shape(random);
            long[] strides = strides(random, shape);
            List<Long> positions = positions(shape, strides);
            boolean expected = new HashSet<>(positions).size() < positions.size();
            assertEquals(expected, Shape.overlapsItself(shape, strides), text(shape, strides));
            overlapping += expected ? 1 : 0;
        }
        assertTrue(overlapping > ROUNDS / 10 && overlapping < ROUNDS * 9 / 10, overlapping + " do");
    }

    @Test
    void aStretchedViewReadsTheElementsThatBroadcastingNames() {
        var random = new Random(3);
        for (int round = 0; round < ROUNDS; round++) {
            long[] to = shape(random);
            long[] from = Arrays.copyOfRange(to, random.nextInt(to.length + 1), to.length);
            for (int i = 0; i < from.length; i++) {
                from[i] = random.nextInt(3) == 0 ? 1 : from[i];
            }
            long[] strides = strides(random, from);
            String what = text(from, strides) + " to " + Arrays.toString(to);
            assertTrue(Shape.broadcasts(from, to), what);
            assertArrayEquals(to, Shape.broadcast("op", from, to), what);
            assertArrayEquals(to, Shape.broadcast("op", to, from), what);
            List<Long> expected = new ArrayList<>();
            for (long element : positions(to, Shape.strides(to))) {
                expected.add(source(from, strides, to, element));
            }
            assertEquals(expected, positions(to, Shape.stretched(from, strides, to)), what);
        }
    }

    /// {@return the position that broadcasting reads for an element of `to`, counted in row-major order}
    private static long source(long[] from, long[] strides, long[] to, long element) {
        long rest = element;
        long position = 0;
        for (int i = 1; i <= to.length; i++) {
            long index = rest % to[to.length - i];
            rest /= to[to.length - i];
            if (i <= from.length && from[from.length - i] != 1) {
                position += index * strides[from.length - i];
            }
        }
        return position;
    }

    @Test
    void shapesBroadcastByNumPysRuleAlone() {
        assertArrayEquals(of(2, 3, 4), Shape.broadcast("op", of(2, 1, 4), of(3, 1)));
        assertArrayEquals(of(3, 0), Shape.broadcast("op", of(3, 1), of(0)));
        assertArrayEquals(of(5), Shape.broadcast("op", of(), of(5)));
        assertFalse(Shape.broadcasts(of(3), of(1)), "in one direction only");
        assertFalse(Shape.broadcasts(of(1, 3), of(3)), "never to fewer axes");
        assertFalse(Shape.broadcasts(of(2), of(3)));
        assertFalse(Shape.broadcasts(of(0), of(3)));
        String message = assertThrows(
                        IllegalArgumentException.class, () -> Shape.broadcast("op", of(2, 3, 4), of(2, 4)))
                .getMessage();
        assertEquals("op: [2, 3, 4] and [2, 4] do not broadcast (axis -2: 3 and 2)", message);
    }

    @Test
    void aReshapedViewReadsTheSameElementsInTheSameOrder() {
        var random = new Random(4);
        int views = 0;
        int copies = 0;
        for (int round = 0; round < ROUNDS; round++) {
            long[] shape = random.longs(random.nextInt(5), 1, 5).toArray();
            long[] strides = strides(random, shape);
            long[] to = regrouped(random, shape);
            long[] found = Shape.reshaped(shape, strides, to);
            String what = text(shape, strides) + " to " + Arrays.toString(to);
            List<Long> positions = positions(shape, strides);
            if (found != null) {
                assertEquals(positions, positions(to, found), what);
                views++;
            } else {
                assertFalse(stridesExist(positions, to), what);
                copies++;
            }
        }
        assertTrue(views > ROUNDS / 10 && copies > ROUNDS / 10, views + " views and " + copies + " copies");
    }

    /// {@return a shape with as many elements: factors of the sizes, in their order, multiplied in other groups}
    private static long[] regrouped(Random random, long[] shape) {
        List<Long> factors = new ArrayList<>();
        for (long n : shape) {
            boolean splits = n == 4 && random.nextBoolean();
            factors.addAll(splits ? List.of(2L, 2L) : List.of(n));
        }
        List<Long> to = new ArrayList<>();
        for (long factor : factors) {
            if (random.nextInt(6) == 0) {
                to.add(1L);
            }
            if (!to.isEmpty() && random.nextBoolean()) {
                to.set(to.size() - 1, to.getLast() * factor);
            } else {
                to.add(factor);
            }
        }
        return to.stream().mapToLong(n -> n).toArray();
    }

    /// {@return whether any strides give these positions} Only the steps along each axis are candidates.
    private static boolean stridesExist(List<Long> positions, long[] shape) {
        long[] plain = Shape.strides(shape);
        long[] strides = new long[shape.length];
        for (int axis = 0; axis < shape.length; axis++) {
            strides[axis] = shape[axis] == 1 ? 0 : positions.get((int) plain[axis]) - positions.getFirst();
        }
        return positions.equals(positions(shape, strides));
    }

    @Test
    void aContiguousViewTakesEveryShapeOfItsSize() {
        assertArrayEquals(of(12, 1), Shape.reshaped(of(2, 3, 4), of(12, 4, 1), of(2, 12)));
        assertArrayEquals(of(4, 1), Shape.reshaped(of(2, 3, 2), of(6, 2, 1), of(3, 4)));
        assertNotNull(Shape.reshaped(of(0, 3), of(1, 7), of(5, 0, 9)), "no elements");
        assertNull(Shape.reshaped(of(2, 3), of(1, 2), of(6)), "a transposed matrix is no row");
    }

    @Test
    void axesCountFromEitherEnd() {
        for (int rank = 1; rank < 4; rank++) {
            for (int axis = 0; axis < rank; axis++) {
                assertEquals(axis, Shape.axis("op", axis, rank));
                assertEquals(axis, Shape.axis("op", axis - rank, rank));
            }
        }
        for (int axis : new int[] {2, -3, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            String message = assertThrows(IllegalArgumentException.class, () -> Shape.axis("op", axis, 2))
                    .getMessage();
            assertEquals("op: axis " + axis + " is out of range for a tensor of rank 2; use -2 to 1", message);
        }
        String scalar = assertThrows(IllegalArgumentException.class, () -> Shape.axis("op", 0, 0))
                .getMessage();
        assertEquals("op: axis 0 is out of range for a tensor of rank 0 (a scalar has no axes)", scalar);
    }

    @Test
    void aShapeIsCheckedOnce() {
        for (long[] shape : new long[][] {{}, {0}, {0, Long.MAX_VALUE, Long.MAX_VALUE}, {Long.MAX_VALUE / 8}, {2, 3}}) {
            assertSame(shape, Shape.checked("op", 8, shape));
        }
        String negative = assertThrows(IllegalArgumentException.class, () -> Shape.checked("op", 4, of(0, -1)))
                .getMessage();
        assertEquals("op: negative size in shape [0, -1]", negative);
        for (long[] shape : new long[][] {{Long.MAX_VALUE / 8 + 1}, {1L << 32, 1L << 32}, {1L << 31, 1L << 31, 2}}) {
            String large = assertThrows(IllegalArgumentException.class, () -> Shape.checked("op", 8, shape))
                    .getMessage();
            assertEquals(
                    "op: shape " + Arrays.toString(shape) + " has more bytes than a long can count; check its sizes",
                    large);
        }
    }

    @Test
    void reducedAxesAreKeptOrDropped() {
        var random = new Random(5);
        for (int round = 0; round < 1000; round++) {
            long[] shape = shape(random);
            boolean[] reduced = new boolean[shape.length];
            List<Long> kept = new ArrayList<>();
            List<Long> dropped = new ArrayList<>();
            for (int i = 0; i < shape.length; i++) {
                reduced[i] = random.nextBoolean();
                kept.add(reduced[i] ? 1 : shape[i]);
                if (!reduced[i]) {
                    dropped.add(shape[i]);
                }
            }
            assertEquals(kept, Arrays.stream(Shape.kept(shape, reduced)).boxed().toList());
            assertEquals(
                    dropped,
                    Arrays.stream(Shape.dropped(shape, reduced)).boxed().toList());
        }
    }

    @Test
    void axesOfSizeOneAreSkipped() {
        assertEquals(2, Shape.pastOnes(of(1, 1, 3, 1, 1), 0));
        assertEquals(2, Shape.pastOnes(of(1, 1, 3, 1, 1), 2));
        assertEquals(5, Shape.pastOnes(of(1, 1, 3, 1, 1), 3));
        assertEquals(0, Shape.pastOnes(of(0, 1), 0));
        assertEquals(0, Shape.pastOnes(of(), 0));
    }

    @Test
    void bytesAreWrittenForPeople() {
        String[] expected = {"0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "3.0 GiB", "2.0 TiB", "8.0 EiB"};
        long[] bytes = {0, 1023, 1024, 1536, 1 << 20, 3L << 30, 2L << 40, Long.MAX_VALUE};
        for (int i = 0; i < bytes.length; i++) {
            assertEquals(expected[i], Shape.bytes(bytes[i]));
        }
    }
}
