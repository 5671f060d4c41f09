package org.toydiff.internal.random;

import java.util.random.RandomGenerator;

/// The process's random numbers: xoshiro256++, whose state can be saved and put back, as the JDK's generators'
/// cannot.
///
/// Source: D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47(4), 2021; seeded
/// by SplitMix64 as they advise: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators",
/// 2014.
public final class Xoshiro256 implements RandomGenerator {
    /// How many numbers of 64 bits its state has.
    public static final int STATE = 4;

    private final long[] s = new long[STATE];

    /// The generator of a seed.
    public Xoshiro256(long seed) {
        long at = seed;
        for (int i = 0; i < STATE; i++) {
            at += 0x9e3779b97f4a7c15L;
            long z = (at ^ (at >>> 30)) * 0xbf58476d1ce4e5b9L;
            z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
            s[i] = z ^ (z >>> 31);
        }
    }

    /// One that goes on from a state, not all of which is 0.
    public static Xoshiro256 at(long[] state) {
        var generator = new Xoshiro256(0);
        generator.state(state);
        return generator;
    }

    @Override
    public long nextLong() {
        long result = Long.rotateLeft(s[0] + s[3], 23) + s[0];
        long shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = Long.rotateLeft(s[3], 45);
        return result;
    }

    public long[] state() {
        return s.clone();
    }

    /// Goes on from a state, not all of which is 0.
    public void state(long[] state) {
        System.arraycopy(state, 0, s, 0, STATE);
    }
}
