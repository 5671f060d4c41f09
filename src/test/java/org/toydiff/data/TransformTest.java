package org.toydiff.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.rejected;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Transforms of batches.
class TransformTest extends ArenaTest {

    private static Batch batch(long... shape) {
        Tensor x = Tensor.arange(1, Arrays.stream(shape).reduce(1, (a, b) -> a * b) + 1, 1)
                .reshape(shape);
        return new Batch(x, Tensor.zeros(DType.INT64, shape[0]));
    }

    /// Returns given numbers.
    private record Scripted(Queue<Double> fractions, Queue<Long> numbers) implements RandomGenerator {
        static Scripted fractions(Double... fractions) {
            return new Scripted(new ArrayDeque<>(Arrays.asList(fractions)), new ArrayDeque<>());
        }

        static Scripted numbers(Long... numbers) {
            return new Scripted(new ArrayDeque<>(), new ArrayDeque<>(Arrays.asList(numbers)));
        }

        @Override
        public long nextLong() {
            throw new AssertionError("not asked for");
        }

        @Override
        public double nextDouble() {
            return fractions.remove();
        }

        @Override
        public long nextLong(long bound) {
            long number = numbers.remove();
            assertTrue(number < bound, number + " is a possible place among " + bound);
            return number;
        }
    }

    @Test
    void normalizingSubtractsAndDivides() {
        Batch batch = batch(2, 3);
        Batch normal = new Normalize(2, 0.5).apply(batch, null);
        assertArrayEquals(new float[] {-2, 0, 2, 4, 6, 8}, normal.x().toFloatArray());
        assertSame(batch.y(), normal.y());
        assertEquals(1, batch.x().at(0, 0), "the batch is not changed");
    }

    @Test
    void normalizingByChannelTakesTheThirdAxisFromTheEnd() {
        Batch normal = new Normalize(new double[] {1, 10}, new double[] {2, -1}).apply(batch(2, 2, 1, 2), null);
        assertArrayEquals(new float[] {0, 0.5f, 7, 6, 2, 2.5f, 3, 2}, normal.x().toFloatArray());
        rejected(
                "Normalize: [2, 3, 1, 2] does not have 2 channels on the third axis from the end",
                () -> new Normalize(new double[2], new double[] {1, 1}).apply(batch(2, 3, 1, 2), null));
        rejected(
                "Normalize: [2, 2] does not have 2 channels on the third axis from the end",
                () -> new Normalize(new double[2], new double[] {1, 1}).apply(batch(2, 2), null));
    }

    @Test
    void normalizingNeedsPairsOfFiniteNumbers() {
        rejected(
                "Normalize: mean [0.0] and std [0.0] must be equally many finite numbers, and no std 0",
                () -> new Normalize(0, 0));
        for (double[][] pair : new double[][][] {{{1}, {1, 2}}, {{}, {}}, {{Double.NaN}, {1}}, {{0}, {1 / 0.0}}}) {
            assertThrows(IllegalArgumentException.class, () -> new Normalize(pair[0], pair[1]));
        }
    }

    @Test
    void flatteningKeepsTheExamples() {
        assertArrayEquals(
                new long[] {2, 12},
                new FlattenInputs().apply(batch(2, 3, 4), null).x().shape());
        assertArrayEquals(
                new long[] {2, 1}, new FlattenInputs().apply(batch(2), null).x().shape());
        assertArrayEquals(
                new long[] {0, 0},
                new FlattenInputs().apply(batch(0, 3, 4), null).x().shape());
    }

    @Test
    void flippingMirrorsRowsOfTheExamplesThatItDraws() {
        Batch flipped = new RandomHorizontalFlip(0.4).apply(batch(3, 2, 1, 3), Scripted.fractions(0.39, 0.4, 0.0));
        float[] expected = {3, 2, 1, 6, 5, 4, 7, 8, 9, 10, 11, 12, 15, 14, 13, 18, 17, 16};
        assertArrayEquals(expected, flipped.x().toFloatArray());
        assertArrayEquals(new long[] {3, 2, 1, 3}, flipped.x().shape());
    }

    @Test
    void flippingTwiceIsNothing() {
        var always = new RandomHorizontalFlip(1);
        Batch batch = batch(4, 5, 6);
        Batch back = always.apply(always.apply(batch, new SplitMix64(1)), new SplitMix64(2));
        assertArrayEquals(batch.x().toFloatArray(), back.x().toFloatArray());
        Batch same = new RandomHorizontalFlip(0).apply(batch, new SplitMix64(1));
        assertArrayEquals(batch.x().toFloatArray(), same.x().toFloatArray());
        for (double probability : new double[] {-0.1, 1.1, Double.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> new RandomHorizontalFlip(probability));
        }
    }

    @Test
    void halfOfTheImagesAreFlipped() {
        Tensor x = Tensor.arange(0, 2, 1).reshape(1, 1, 2).broadcastTo(10_000, 1, 2);
        Batch flipped =
                new RandomHorizontalFlip().apply(new Batch(x, Tensor.zeros(DType.INT64, 10_000)), new SplitMix64(3));
        assertEquals(5000, flipped.x().slice(2, 0, 1).sum().item(), 200);
    }

    @Test
    void croppingPadsWithZeros() {
        Batch batch = batch(2, 2, 3);
        // Top and left, from 0 on in the padded image.
        Batch cut = new RandomCrop(2, 2, 1).apply(batch, Scripted.numbers(0L, 3L, 2L, 0L));
        assertArrayEquals(new float[] {0, 0, 3, 0, 0, 10, 0, 0}, cut.x().toFloatArray());
    }

    @Test
    void croppingMatchesANaiveLoop() {
        int height = 3;
        int width = 4;
        int padding = 2;
        Batch batch = batch(1, 2, height, width);
        double[] image = batch.x().toDoubleArray();
        for (int[] size : new int[][] {{1, 1}, {3, 4}, {2, 6}, {7, 8}}) {
            for (long top = 0; top <= height + 2 * padding - size[0]; top++) {
                for (long left = 0; left <= width + 2 * padding - size[1]; left++) {
                    float[] expected = new float[2 * size[0] * size[1]];
                    for (int i = 0; i < expected.length; i++) {
                        long row = top + i / size[1] % size[0] - padding;
                        long column = left + i % size[1] - padding;
                        boolean inside = row >= 0 && row < height && column >= 0 && column < width;
                        int channel = i / (size[0] * size[1]);
                        expected[i] = inside ? (float) image[(int) ((channel * height + row) * width + column)] : 0;
                    }
                    Batch cut = new RandomCrop(size[0], size[1], padding).apply(batch, Scripted.numbers(top, left));
                    assertArrayEquals(
                            new long[] {1, 2, size[0], size[1]}, cut.x().shape());
                    assertArrayEquals(expected, cut.x().toFloatArray());
                }
            }
        }
    }

    @Test
    void everyPositionIsCropped() {
        Tensor x = Tensor.arange(0, 9, 1).reshape(1, 3, 3).broadcastTo(9000, 3, 3);
        Batch cut = new RandomCrop(1, 0).apply(new Batch(x, Tensor.zeros(DType.INT64, 9000)), new SplitMix64(1));
        int[] counts = new int[9];
        for (float value : cut.x().toFloatArray()) {
            counts[(int) value]++;
        }
        for (int count : counts) {
            assertEquals(1000, count, 150, Arrays.toString(counts));
        }
    }

    @Test
    void inputsThatCannotBeCroppedOrFlippedAreRefused() {
        rejected(
                "RandomCrop: 5 × 2 is larger than the images of [1, 2, 2] with padding 1",
                () -> new RandomCrop(5, 2, 1).apply(batch(1, 2, 2), new SplitMix64(1)));
        rejected(
                "RandomCrop: the inputs must be FLOAT32 [n, …, height, width], not [4, 4] float32",
                () -> new RandomCrop(2, 0).apply(batch(4, 4), new SplitMix64(1)));
        Batch doubles = new Batch(Tensor.zeros(DType.FLOAT64, 1, 2, 2), Tensor.zeros(1));
        rejected(
                "RandomHorizontalFlip: the inputs must be FLOAT32 [n, …, height, width], not [1, 2, 2] float64",
                () -> new RandomHorizontalFlip().apply(doubles, new SplitMix64(1)));
        for (long[] setting : new long[][] {{0, 1, 0}, {1, 0, 0}, {1, 1, -1}, {1, 1, 1L << 40}}) {
            assertThrows(IllegalArgumentException.class, () -> new RandomCrop(setting[0], setting[1], setting[2]));
        }
    }
}
