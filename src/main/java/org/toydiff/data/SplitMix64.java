package org.toydiff.data;

import java.util.random.RandomGenerator;

/// The generator of shuffles and random transforms, implemented here so that a seed means the same in every release
/// of the JDK.
///
/// Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, with the
/// constants of D. Stafford's variant 13, as java.util.SplittableRandom uses them.
final class SplitMix64 implements RandomGenerator {
    private static final long GAMMA = 0x9e3779b97f4a7c15L;

    /// The longest array that every JVM supports.
    private static final long LONGEST = Integer.MAX_VALUE - 8;

    private long state;

    /// Starts a sequence for a list of seeds: `state = mix(… mix(mix(s₁ + γ) + s₂ + γ) …)`.
    SplitMix64(long... seeds) {
        for (long seed : seeds) {
            state = mix(state + seed + GAMMA);
        }
    }

    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    @Override
    public long nextLong() {
        state += GAMMA;
        return mix(state);
    }

    @Override
    public double nextDouble() {
        return (nextLong() >>> 11) * 0x1p-53;
    }

    /// Returns an unbiased number below a bound: D. Lemire, "Fast random integer generation in an interval", ACM
    /// TOMACS 29(1), 2019.
    @Override
    public long nextLong(long bound) {
        if (bound <= 0) {
            throw new IllegalArgumentException("nextLong: bound " + bound + " must be positive");
        }
        long random = nextLong();
        long low = random * bound;
        if (Long.compareUnsigned(low, bound) < 0) {
            long tooFew = Long.remainderUnsigned(-bound, bound);
            while (Long.compareUnsigned(low, tooFew) < 0) {
                random = nextLong();
                low = random * bound;
            }
        }
        return Math.unsignedMultiplyHigh(random, bound);
    }

    @Override
    public int nextInt(int bound) {
        return (int) nextLong(bound);
    }

    /// Fills an array with the numbers below its length in random order: the Fisher–Yates shuffle, from the last
    /// position down (R. Durstenfeld, "Algorithm 235", CACM 7(7), 1964).
    static void permute(long[] order, long... seeds) {
        var random = new SplitMix64(seeds);
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
        }
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            long swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
    }

    /// Allocates an array for [#permute].
    static long[] order(String op, long size) {
        if (size > LONGEST) {
            throw new IllegalArgumentException(
                    op + ": a set of " + size + " examples is too large; slice it to at most " + LONGEST);
        }
        return new long[(int) size];
    }
}
