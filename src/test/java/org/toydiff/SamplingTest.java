package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.rejected;

import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.toydiff.internal.random.Xoshiro256;

/// Random integers, permutations and samples: their ranges and, with a fixed seed, their frequencies; and evenly
/// spaced values.
class SamplingTest {
    private final TensorArena arena = TensorArena.ofConfined();

    @BeforeEach
    void seed() {
        Tensor.manualSeed(7);
    }

    @AfterEach
    void close() {
        arena.close();
    }

    /// Requires frequencies within five standard deviations of `n·p`.
    private static void requireFrequencies(double[] probabilities, long[] drawn) {
        for (int i = 0; i < probabilities.length; i++) {
            long position = i;
            double expected = probabilities[i] * drawn.length;
            double deviation = Math.sqrt(expected * (1 - probabilities[i]));
            assertEquals(
                    expected, Arrays.stream(drawn).filter(d -> d == position).count(), 5 * deviation);
        }
    }

    @Test
    void integersAreUniform() {
        long[] drawn = Arrays.stream(Tensor.randint(-1, 4, 20_000).toLongArray())
                .map(v -> v + 1)
                .toArray();
        requireFrequencies(new double[] {0.2, 0.2, 0.2, 0.2, 0.2}, drawn);
    }

    @Test
    void integersSpanTheWholeRangeOfALong() {
        long[] all = Tensor.randint(Long.MIN_VALUE, Long.MAX_VALUE, 1000).toLongArray();
        assertTrue(Arrays.stream(all).anyMatch(v -> v < Long.MIN_VALUE / 2));
        assertTrue(Arrays.stream(all).anyMatch(v -> v > Long.MAX_VALUE / 2));
        assertArrayEquals(new long[] {5, 5}, Tensor.randint(5, 6, 2).toLongArray());
        assertEquals(0, Tensor.randint(0, 9, 0, 3).size());
    }

    @Test
    void theSeedDeterminesEveryDraw() {
        Tensor weights = Tensor.of(0.5f, 0.25f, 0.25f);
        Runnable[] draws = {
            () -> Tensor.randint(0, 1000, 8),
            () -> Tensor.randperm(8),
            () -> weights.bernoulli(),
            () -> weights.multinomial(2, false),
            () -> weights.multinomial(5, true)
        };
        for (Runnable draw : draws) {
            Tensor.manualSeed(1);
            draw.run();
            Tensor once = Tensor.rand(3);
            Tensor.manualSeed(1);
            draw.run();
            assertArrayEquals(once.toDoubleArray(), Tensor.rand(3).toDoubleArray());
        }
        long[] own = Tensor.randperm(new Xoshiro256(3), 10).toLongArray();
        assertArrayEquals(own, Tensor.randperm(new Xoshiro256(3), 10).toLongArray());
    }

    @Test
    void permutationsHaveEveryNumberOnce() {
        for (long n : new long[] {0, 1, 2, 1000}) {
            assertArrayEquals(
                    LongStream.range(0, n).toArray(),
                    Arrays.stream(Tensor.randperm(n).toLongArray()).sorted().toArray());
        }
        long[] first = LongStream.range(0, 12_000)
                .map(i -> Tensor.randperm(3).toLongArray()[0])
                .toArray();
        requireFrequencies(new double[] {1 / 3.0, 1 / 3.0, 1 / 3.0}, first);
    }

    @Test
    void bernoulliDrawsOneWithItsProbability() {
        for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
            Tensor p = Tensor.of(dtype, new double[] {0, 0.3, 1}).broadcastTo(10_000, 3);
            Tensor drawn = p.bernoulli();
            assertEquals(dtype, drawn.dtype());
            double[] means = drawn.mean(0).toDoubleArray();
            assertEquals(0, means[0]);
            assertEquals(0.3, means[1], 5 * Math.sqrt(0.21 / 10_000));
            assertEquals(1, means[2]);
        }
    }

    @Test
    void multinomialDrawsInProportionToWeights() {
        Tensor weights = Tensor.of(new double[] {2, 0, 5, 3, 0}).cast(DType.FLOAT32);
        double[] probabilities = {0.2, 0, 0.5, 0.3, 0};
        requireFrequencies(probabilities, weights.multinomial(20_000, true).toLongArray());
        long[] first = weights.broadcastTo(20_000, 5).multinomial(1, false).toLongArray();
        requireFrequencies(probabilities, first);
    }

    /// After 2 was drawn, 0 and 3 are left with 2/5 and 3/5.
    @Test
    void withoutReplacementEachDrawIsFromTheRest() {
        Tensor weights = Tensor.of(2, 0, 5, 3).broadcastTo(20_000, 4);
        long[] drawn = weights.multinomial(3, false).toLongArray();
        for (int i = 0; i < drawn.length; i += 3) {
            long[] row = Arrays.copyOfRange(drawn, i, i + 3);
            Arrays.sort(row);
            assertArrayEquals(new long[] {0, 2, 3}, row);
        }
        long[] second = LongStream.range(0, 20_000)
                .filter(i -> drawn[(int) (3 * i)] == 2)
                .map(i -> drawn[(int) (3 * i + 1)])
                .toArray();
        requireFrequencies(new double[] {0.4, 0, 0, 0.6}, second);
    }

    @Test
    void refusesBadArguments() {
        rejected(
                "randint: there are no integers from 3 to below 3; give low below high", () -> Tensor.randint(3, 3, 1));
        rejected(
                "randint: 0 to 2147483648 are not all of INT32; draw INT64",
                () -> Tensor.randint(DType.INT32, new Xoshiro256(1), 0, 1L << 31 | 1, 2));
        rejected(
                "randint: draws integers, not float32; draw INT64 and cast the result",
                () -> Tensor.randint(DType.FLOAT32, new Xoshiro256(1), 0, 2, 2));
        rejected("bernoulli: element 1 of [2] is 1.5, not a probability, from 0 to 1", () -> Tensor.of(0, 1.5f)
                .bernoulli());
        rejected("multinomial: element 0 of [1] is NaN, not a finite weight, 0 or more", () -> Tensor.of(Float.NaN)
                .multinomial(1, true));
        rejected(
                "multinomial: row 0 of [1, 2] has 1 weights above 0, with a sum of 1.0; it needs at least 2, with a"
                        + " finite sum",
                () -> Tensor.of(0, 1).multinomial(2, false));
        rejected("multinomial: 0 draws; give at least 1", () -> Tensor.of(0, 1).multinomial(0, true));
        rejected(
                "linspace: 3 values from 0.0 to Infinity; give finite ends and 0 or more values",
                () -> Tensor.linspace(0, Double.POSITIVE_INFINITY, 3));
    }

    /// By numpy.linspace and numpy.logspace.
    @Test
    void evenlySpacedValuesAreNumPys() {
        assertArrayEquals(
                new double[] {0, 0.25, 0.5, 0.75, 1},
                Tensor.linspace(DType.FLOAT64, 0, 1, 5).toDoubleArray());
        assertArrayEquals(new double[] {3}, Tensor.linspace(3, 9, 1).toDoubleArray());
        assertEquals(0, Tensor.linspace(3, 9, 0).size());
        double[] values = Tensor.linspace(DType.FLOAT64, -0.1, 0.7, 9).toDoubleArray();
        assertEquals(-0.1, values[0]);
        assertEquals(0.7, values[8]);
        assertEquals(0.3, values[4], 1e-16);
        double huge = Double.MAX_VALUE;
        assertArrayEquals(
                new double[] {-huge, 0, huge},
                Tensor.linspace(DType.FLOAT64, -huge, huge, 3).toDoubleArray());
        assertArrayEquals(
                new double[] {1, 10, 100},
                Tensor.logspace(DType.FLOAT64, 0, 2, 3, 10).toDoubleArray());
    }
}
