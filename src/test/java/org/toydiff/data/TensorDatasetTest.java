package org.toydiff.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Sets of tensors' rows, and the sets that are derived from any set.
class TensorDatasetTest extends ArenaTest {

    /// Example i has the inputs i and −i, and the target 10·i.
    private static Dataset numbers(int from, int to) {
        float[] x = new float[2 * (to - from)];
        long[] y = new long[to - from];
        for (int i = from; i < to; i++) {
            x[2 * (i - from)] = i;
            x[2 * (i - from) + 1] = -i;
            y[i - from] = 10L * i;
        }
        return new TensorDataset(Tensor.of(x, to - from, 2), Tensor.of(y, to - from));
    }

    private static void requireNumbers(Batch batch, long... numbers) {
        float[] x = new float[2 * numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            x[2 * i] = numbers[i];
            x[2 * i + 1] = -numbers[i];
        }
        assertArrayEquals(new long[] {numbers.length, 2}, batch.x().shape());
        assertArrayEquals(x, batch.x().toFloatArray());
        assertArrayEquals(
                LongStream.of(numbers).map(n -> 10 * n).toArray(), batch.y().toLongArray());
    }

    private static void requireAll(Dataset set, long... numbers) {
        assertEquals(numbers.length, set.size());
        requireNumbers(set.batch(LongStream.range(0, set.size()).toArray()), numbers);
    }

    private static String refused(Class<? extends Exception> type, Executable call) {
        return assertThrows(type, call).getMessage();
    }

    @Test
    void rowsComeInTheOrderAskedFor() {
        Dataset set = numbers(0, 5);
        assertEquals(5, set.size());
        requireNumbers(set.batch(4, 0, 4), 4, 0, 4);
        requireNumbers(set.batch());
    }

    @Test
    void everyDTypeIsKept() {
        for (DType dtype : DType.values()) {
            Tensor x = Tensor.arange(0, 12, 1).reshape(3, 2, 2).cast(dtype);
            Batch batch = new TensorDataset(x, x).batch(2, 1);
            assertEquals(dtype, batch.y().dtype());
            assertArrayEquals(new long[] {2, 2, 2}, batch.y().shape());
            double[] all = x.toDoubleArray();
            double[] expected = {all[8], all[9], all[10], all[11], all[4], all[5], all[6], all[7]};
            assertArrayEquals(expected, batch.x().toDoubleArray());
        }
    }

    @Test
    void viewsAreReadAsTheyLook() {
        Tensor x = Tensor.arange(0, 6, 1).reshape(2, 3).transpose();
        Tensor y = Tensor.arange(0, 10, 1).slice(0, 4, 7);
        Batch batch = new TensorDataset(x, y).batch(2, 0);
        assertArrayEquals(new float[] {2, 5, 0, 3}, batch.x().toFloatArray());
        assertArrayEquals(new float[] {6, 4}, batch.y().toFloatArray());
    }

    @Test
    void aBatchIsACopy() {
        Tensor x = Tensor.ones(2, 2);
        Batch batch = new TensorDataset(x, x).batch(0);
        x.copyFrom(Tensor.zeros(1));
        assertArrayEquals(new float[] {1, 1}, batch.x().toFloatArray());
    }

    @Test
    void tensorsMayLieInAMappedFile(@TempDir Path folder) throws IOException {
        ByteBuffer numbers = ByteBuffer.allocate(24).order(ByteOrder.nativeOrder());
        for (int i = 0; i < 6; i++) {
            numbers.putFloat(i);
        }
        Path file = Files.write(folder.resolve("x"), numbers.array());
        try (var mapping = Arena.ofConfined();
                var channel = FileChannel.open(file)) {
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, 24, mapping);
            Tensor x = Tensor.wrap(mapped, DType.FLOAT32, 3, 2);
            Batch batch = new TensorDataset(x, x).batch(2, 0);
            assertArrayEquals(new float[] {4, 5, 0, 1}, batch.x().toFloatArray());
            assertEquals(4, mapped.getAtIndex(ValueLayout.JAVA_FLOAT, 4));
        }
    }

    @Test
    void tensorsThatDoNotPairAreRefused() {
        assertEquals(
                "TensorDataset: x [3, 2] and y [2] must have first axes of one size, the number of examples",
                refused(IllegalArgumentException.class, () -> new TensorDataset(Tensor.ones(3, 2), Tensor.ones(2))));
        assertEquals(
                "TensorDataset: x [] and y [] must have first axes of one size, the number of examples",
                refused(IllegalArgumentException.class, () -> new TensorDataset(Tensor.scalar(1), Tensor.scalar(1))));
    }

    @Test
    void aSetWithoutExamplesIsPossible() {
        var set = new TensorDataset(Tensor.ones(0, 3), Tensor.ones(0));
        assertEquals(0, set.size());
        assertArrayEquals(new long[] {0, 3}, set.batch().x().shape());
        assertEquals(
                "batch: position 0 is not in a set of 0 examples",
                refused(IndexOutOfBoundsException.class, () -> set.batch(0)));
    }

    @Test
    void aBatchOutlivesItsArenaByACopy() {
        Batch kept;
        try (var inner = TensorArena.ofConfined()) {
            kept = numbers(0, 3).batch(1, 2).copyTo(arena);
        }
        assertEquals(2, kept.size());
        requireNumbers(kept, 1, 2);
    }

    @Test
    void slicesAndSubsetsReadFromTheSet() {
        Dataset set = numbers(0, 10);
        requireAll(set.slice(3, 6), 3, 4, 5);
        requireAll(set.slice(10, 10));
        requireAll(set.subset(9, 0, 9), 9, 0, 9);
        requireAll(set.slice(2, 8).subset(5, 0).slice(0, 1), 7);
        assertEquals(
                "slice: 3 to 11 is not within a set of 10 examples",
                refused(IllegalArgumentException.class, () -> set.slice(3, 11)));
        assertEquals(
                "slice: 3 to 2 is not within a set of 10 examples",
                refused(IllegalArgumentException.class, () -> set.slice(3, 2)));
        assertEquals(
                "slice: -1 to 2 is not within a set of 10 examples",
                refused(IllegalArgumentException.class, () -> set.slice(-1, 2)));
        assertEquals(
                "subset: position 10 is not in a set of 10 examples",
                refused(IndexOutOfBoundsException.class, () -> set.subset(0, 10)));
        assertEquals(
                "batch: position 3 is not in a set of 3 examples",
                refused(IndexOutOfBoundsException.class, () -> set.slice(3, 6).batch(3)));
    }

    @Test
    void aSubsetKeepsItsPositions() {
        long[] positions = {1, 2};
        Dataset set = numbers(0, 4).subset(positions);
        positions[0] = 3;
        requireAll(set, 1, 2);
    }

    @Test
    void aSplitContainsEveryExampleOnce() {
        Dataset set = numbers(0, 100);
        List<Dataset> parts = set.split(1, 70, 0, 30);
        assertEquals(List.of(70L, 0L, 30L), parts.stream().map(Dataset::size).toList());
        long[] first = targets(parts.get(0));
        long[] both = LongStream.concat(LongStream.of(first), LongStream.of(targets(parts.get(2))))
                .toArray();
        assertArrayEquals(first, targets(set.split(1, 70, 30).get(0)));
        assertNotEquals(
                Arrays.toString(first),
                Arrays.toString(targets(set.split(2, 70, 30).get(0))));
        assertNotEquals(Arrays.toString(LongStream.range(0, 70).map(i -> 10 * i).toArray()), Arrays.toString(first));
        Arrays.sort(both);
        assertArrayEquals(targets(set), both);
        assertEquals(
                "split: [70, 20] must be 0 or more and sum to 100, the number of examples",
                refused(IllegalArgumentException.class, () -> set.split(1, 70, 20)));
        assertEquals(
                "split: [101, -1] must be 0 or more and sum to 100, the number of examples",
                refused(IllegalArgumentException.class, () -> set.split(1, 101, -1)));
    }

    private static long[] targets(Dataset set) {
        return set.batch(LongStream.range(0, set.size()).toArray()).y().toLongArray();
    }

    @Test
    void aMappedSetChangesItsBatches() {
        Dataset set = numbers(0, 4).map(batch -> new Batch(batch.x().multiply(2), batch.y()));
        assertEquals(4, set.size());
        assertArrayEquals(new float[] {6, -6, 2, -2}, set.batch(3, 1).x().toFloatArray());
    }

    @Test
    void concatenatedSetsFollowEachOther() {
        Dataset set = numbers(0, 3).concat(numbers(3, 5));
        requireAll(set, 0, 1, 2, 3, 4);
        requireNumbers(set.batch(4, 0, 3, 2, 4), 4, 0, 3, 2, 4);
        requireNumbers(set.batch(1, 0), 1, 0);
        requireNumbers(set.batch(3), 3);
        requireNumbers(set.batch());
        requireAll(set.concat(numbers(5, 6)), 0, 1, 2, 3, 4, 5);
        assertEquals(
                "batch: position 5 is not in a set of 5 examples",
                refused(IndexOutOfBoundsException.class, () -> set.batch(5)));
    }

    @Test
    void concatenatedBatchesLeaveNoScratchBehind() {
        Dataset set = numbers(0, 3).concat(numbers(3, 5));
        long live = arena.liveBytes();
        set.batch(4, 0);
        assertEquals(live + 128, arena.liveBytes(), "x and y, 64 bytes each");
    }

    @Test
    void setsOfOtherShapesAreNotConcatenated() {
        Dataset wide = new TensorDataset(Tensor.ones(2, 3), Tensor.zeros(DType.INT64, 2));
        assertEquals(
                "concat: examples of [2] float32 and of [3] float32 do not make one set",
                refused(
                        IllegalArgumentException.class,
                        () -> numbers(0, 2).concat(wide).batch(0, 2)));
    }
}
