package org.toydiff.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The numbers behind shuffling.
class SplitMix64Test {
    /// Returns the state after a seed is mixed in, which is the first number of a SplittableRandom.
    private static long mixed(long seed) {
        return new SplittableRandom(seed).nextLong();
    }

    @Test
    void itIsTheGeneratorOfTheJdk() {
        for (long seed : new long[] {0, 1, -7, Long.MIN_VALUE}) {
            var expected = new SplittableRandom(mixed(mixed(seed) + 3));
            var random = new SplitMix64(seed, 3);
            for (int i = 0; i < 100; i++) {
                assertEquals(expected.nextLong(), random.nextLong());
            }
            assertEquals(expected.nextDouble(), random.nextDouble());
        }
    }

    @Test
    void boundedNumbersAreTheHighHalfOfAProduct() {
        var raw = new SplitMix64(5);
        var random = new SplitMix64(5);
        for (long bound : new long[] {1, 2, 3, 1000, Integer.MAX_VALUE, 1L << 40}) {
            for (int i = 0; i < 100; i++) {
                BigInteger number = new BigInteger(Long.toUnsignedString(raw.nextLong()));
                long expected = number.multiply(BigInteger.valueOf(bound))
                        .shiftRight(64)
                        .longValueExact();
                assertEquals(expected, random.nextLong(bound), "no rejection is likely below 2⁴⁰");
            }
        }
    }

    @Test
    void boundedNumbersStayEvenWhereManyAreRejected() {
        var random = new SplitMix64(1);
        long bound = 3L << 61;
        int[] thirds = new int[3];
        for (int i = 0; i < 30_000; i++) {
            thirds[(int) (random.nextLong(bound) >>> 61)]++;
        }
        for (int count : thirds) {
            assertEquals(10_000, count, 400, Arrays.toString(thirds));
        }
        assertThrows(IllegalArgumentException.class, () -> random.nextLong(0));
        assertThrows(IllegalArgumentException.class, () -> random.nextInt(-1));
    }

    @Test
    void everyOrderIsAsLikely() {
        Map<String, Integer> counts = new HashMap<>();
        long[] order = new long[4];
        for (int seed = 0; seed < 24_000; seed++) {
            SplitMix64.permute(order, 9, seed);
            counts.merge(Arrays.toString(order), 1, Integer::sum);
        }
        assertEquals(24, counts.size());
        double chiSquare = counts.values().stream()
                .mapToDouble(n -> (n - 1000.0) * (n - 1000.0) / 1000)
                .sum();
        assertTrue(chiSquare < 49.7, "99.9 % of 23 degrees of freedom: " + chiSquare);
    }

    /// Seeds must mean the same in the next release; these orders are of a program in Python.
    @Test
    void theOrderOfASeedStays() {
        long[] order = new long[10];
        SplitMix64.permute(order, 1, 0);
        assertArrayEquals(new long[] {1, 9, 0, 7, 4, 2, 5, 3, 8, 6}, order);
        SplitMix64.permute(order, 1, 1);
        assertArrayEquals(new long[] {2, 9, 4, 6, 0, 3, 1, 7, 5, 8}, order);
    }

    @Test
    void setsLargerThanAnArrayAreRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> SplitMix64.order("shuffle", 3_000_000_000L));
        assertEquals(
                "shuffle: a set of 3000000000 examples is too large; slice it to at most 2147483639", e.getMessage());
    }
}
