package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.toydiff.Checks.rejected;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// What is written in place has a place of its own for each element.
class InPlaceTest extends ArenaTest {
    private static String stretched(String op, String shape) {
        return op + ": " + shape + " is stretched by broadcastTo, so several of its elements are one in memory; use"
                + " copyTo(arena) for one that can be written";
    }

    @Test
    void aStretchedTensorIsNotWritten() {
        Tensor row = Tensor.of(1, 2, 3);
        Tensor matrix = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        rejected(stretched("copyFrom", "[2, 3]"), () -> row.broadcastTo(2, 3).copyFrom(matrix));
        rejected(
                stretched("copyFrom", "[3, 2]"),
                () -> row.broadcastTo(2, 3).transpose().copyFrom(matrix.transpose()));
        rejected(
                stretched("copyFrom", "[2, 1]"),
                () -> row.broadcastTo(2, 3).slice(1, 1, 2).copyFrom(Tensor.zeros(1)));
        rejected(
                stretched("copyFrom", "[6]"),
                () -> Tensor.scalar(0).broadcastTo(2, 3).reshape(6).copyFrom(Tensor.zeros(6)));
        rejected(
                stretched("copyFrom", "[2]"),
                () -> Tensor.zeros(DType.INT64, 1).broadcastTo(2).copyFrom(Tensor.of(new long[] {1, 2})));
        rejected(stretched("scale", "[2, 3]"), () -> Updates.scale(row.broadcastTo(2, 3), 2));
        rejected(stretched("clamp", "[2, 3]"), () -> Updates.clamp(row.broadcastTo(2, 3), 2));
        rejected(stretched("sgd", "[2, 3]"), () -> Updates.sgd(row.broadcastTo(2, 3), matrix, 1, 0));
        rejected(
                stretched("sgd", "[2, 3]"),
                () -> Updates.sgd(matrix, matrix, row.broadcastTo(2, 3), 1, 1, 0, false, 0));
        assertArrayEquals(new float[] {1, 2, 3}, row.toFloatArray());
        assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, matrix.toFloatArray());
    }

    @Test
    void anAxisThatIsNotStretchedMayBeWrittenWhateverItsStride() {
        Tensor row = Tensor.of(1, 2, 3);
        row.broadcastTo(1, 3).copyFrom(Tensor.of(4, 5, 6));
        assertArrayEquals(new float[] {4, 5, 6}, row.toFloatArray());
        row.slice(0, 1, 2).broadcastTo(1, 1).copyFrom(Tensor.of(7));
        assertArrayEquals(new float[] {4, 7, 6}, row.toFloatArray());
        Tensor.zeros(1).broadcastTo(3).slice(0, 0, 0).copyFrom(Tensor.zeros(0));
    }

    @Test
    void aSourceThatOverlapsIsReadBeforeItIsWritten() {
        Tensor x = Tensor.of(1, 2, 3, 4, 5);
        x.slice(0, 1, 5).copyFrom(x.slice(0, 0, 4));
        assertArrayEquals(new float[] {1, 1, 2, 3, 4}, x.toFloatArray());
        x.slice(0, 0, 4).copyFrom(x.slice(0, 1, 5));
        assertArrayEquals(new float[] {1, 2, 3, 4, 4}, x.toFloatArray());
        Tensor square = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);
        square.copyFrom(square.transpose());
        assertArrayEquals(new float[] {1, 3, 2, 4}, square.toFloatArray());
        x.copyFrom(x.get(1));
        assertArrayEquals(new float[] {2, 2, 2, 2, 2}, x.toFloatArray());
    }

    /// Views of a matrix's bands, some of them transposed, copied onto each other in a block of numbers.
    @Test
    void copiesBetweenAnyViewsOfOneBlockAreTheLoops() {
        var random = new Random(7);
        for (int round = 0; round < 2_000; round++) {
            try (var scratch = TensorArena.ofConfined()) {
                Tensor block = Tensor.arange(DType.INT32, 0, 48, 1);
                Tensor positions = Tensor.arange(DType.INT32, 0, 48, 1);
                long[] shape = {1 + random.nextInt(4), 1 + random.nextInt(4)};
                long[] to = view(random, shape);
                long[] from = view(random, shape);
                int[] written = positions(at(positions, shape, to));
                int[] read = positions(at(positions, shape, from));
                double[] expected = block.toDoubleArray();
                for (int i = 0; i < written.length; i++) {
                    expected[written[i]] = read[i];
                }
                at(block, shape, to).copyFrom(at(block, shape, from));
                assertArrayEquals(
                        expected, block.toDoubleArray(), Arrays.toString(to) + " from " + Arrays.toString(from));
            }
        }
    }

    /// The offset of a view in a block of 48, the distance of its rows, and whether it is transposed.
    private static long[] view(Random random, long[] shape) {
        long rows = Math.max(shape[0], shape[1]);
        long between = rows + random.nextInt(3);
        return new long[] {random.nextInt((int) (48 - rows * between + 1)), between, random.nextInt(2)};
    }

    private static Tensor at(Tensor block, long[] shape, long[] view) {
        long rows = view[2] == 0 ? shape[0] : shape[1];
        long columns = view[2] == 0 ? shape[1] : shape[0];
        Tensor matrix = block.slice(0, view[0], view[0] + rows * view[1])
                .reshape(rows, view[1])
                .slice(1, 0, columns);
        return view[2] == 0 ? matrix : matrix.transpose();
    }

    private static int[] positions(Tensor view) {
        return Arrays.stream(view.toLongArray()).mapToInt(i -> (int) i).toArray();
    }

    @Test
    void aSourceThatOverlapsThroughAnotherSegmentIsReadBeforeItIsWritten() {
        MemorySegment memory = arena.allocate(4 * Float.BYTES, 64);
        Tensor square = Tensor.wrap(memory, DType.FLOAT32, 2, 2);
        square.copyFrom(Tensor.of(new float[] {1, 2, 3, 4}, 2, 2));
        square.copyFrom(Tensor.wrap(memory, DType.FLOAT32, 2, 2).transpose());
        assertArrayEquals(new float[] {1, 3, 2, 4}, square.toFloatArray());
    }

    @Test
    void tensorsOfAStepThatOverlapAreRefused() {
        String message = ": some of parameter [4], its gradient and its state overlap in memory; give each its own, as"
                + " copyTo(arena) makes it";
        Tensor block = Tensor.rand(12);
        float[] before = block.toFloatArray();
        Tensor p = block.slice(0, 0, 4);
        Tensor g = block.slice(0, 4, 8);
        Tensor v = block.slice(0, 8, 12);
        Tensor near = block.slice(0, 2, 6);
        rejected("sgd" + message, () -> Updates.sgd(p, near, 1, 0));
        rejected("sgd" + message, () -> Updates.sgd(p, p, 1, 0));
        rejected("sgd" + message, () -> Updates.sgd(p, g, g, 1, 1, 0.9, false, 0));
        rejected("adam" + message, () -> Updates.adam(p, g, v, v, 1, 1, 0.9, 0.9, 1e-8, 0, 1));
        rejected("adam" + message, () -> Updates.adam(p, g, v, near, 1, 1, 0.9, 0.9, 1e-8, 0, 1));
        rejected("adaptive" + message, () -> Updates.adaptive(p, g, p, 1, 0.9, 0.1, 1e-8, 0));
        rejected("lamb" + message, () -> Updates.lamb(p, g, v, block.slice(0, 7, 11), 1, 1, 0.9, 0.9, 1e-8, 0));
        assertArrayEquals(before, block.toFloatArray());
        Updates.sgd(p, g, v, 1, 1, 0.9, false, 0);
        assertEquals(before[0] - (before[8] * 0.9f + before[4]), block.at(0), 1e-6);
    }
}
