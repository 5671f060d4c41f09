package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// What is written in place has a place of its own for each element.
class InPlaceTest extends ArenaTest {
    private static void refused(String message, Executable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
    }

    private static String stretched(String op, String shape) {
        return op + ": " + shape + " is stretched by broadcastTo, so several of its elements are one in memory; use"
                + " copyTo(arena) for one that can be written";
    }

    @Test
    void aStretchedTensorIsNotWritten() {
        Tensor row = Tensor.of(1, 2, 3);
        Tensor matrix = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        refused(stretched("copyFrom", "[2, 3]"), () -> row.broadcastTo(2, 3).copyFrom(matrix));
        refused(
                stretched("copyFrom", "[3, 2]"),
                () -> row.broadcastTo(2, 3).transpose().copyFrom(matrix.transpose()));
        refused(
                stretched("copyFrom", "[2, 1]"),
                () -> row.broadcastTo(2, 3).slice(1, 1, 2).copyFrom(Tensor.zeros(1)));
        refused(
                stretched("copyFrom", "[6]"),
                () -> Tensor.scalar(0).broadcastTo(2, 3).reshape(6).copyFrom(Tensor.zeros(6)));
        refused(
                stretched("copyFrom", "[2]"),
                () -> Tensor.zeros(DType.INT64, 1).broadcastTo(2).copyFrom(Tensor.of(new long[] {1, 2})));
        refused(stretched("scale", "[2, 3]"), () -> Updates.scale(row.broadcastTo(2, 3), 2));
        refused(stretched("clamp", "[2, 3]"), () -> Updates.clamp(row.broadcastTo(2, 3), 2));
        refused(stretched("sgd", "[2, 3]"), () -> Updates.sgd(row.broadcastTo(2, 3), matrix, 1, 0));
        refused(
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
        refused("sgd" + message, () -> Updates.sgd(p, near, 1, 0));
        refused("sgd" + message, () -> Updates.sgd(p, p, 1, 0));
        refused("sgd" + message, () -> Updates.sgd(p, g, g, 1, 1, 0.9, false, 0));
        refused("adam" + message, () -> Updates.adam(p, g, v, v, 1, 1, 0.9, 0.9, 1e-8, 0, 1));
        refused("adam" + message, () -> Updates.adam(p, g, v, near, 1, 1, 0.9, 0.9, 1e-8, 0, 1));
        refused("adaptive" + message, () -> Updates.adaptive(p, g, p, 1, 0.9, 0.1, 1e-8, 0));
        refused("lamb" + message, () -> Updates.lamb(p, g, v, block.slice(0, 7, 11), 1, 1, 0.9, 0.9, 1e-8, 0));
        assertArrayEquals(before, block.toFloatArray());
        Updates.sgd(p, g, v, 1, 1, 0.9, false, 0);
        assertEquals(before[0] - (before[8] * 0.9f + before[4]), block.at(0), 1e-6);
    }
}
