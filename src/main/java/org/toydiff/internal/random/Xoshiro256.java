package org.toydiff.internal.random;

import java.util.random.RandomGenerator;

/// The random generator of the process: xoshiro256++, whose state can be saved and restored, unlike that of the
/// JDK's generators.
///
/// Source: D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47(4), 2021; seeded
/// by SplitMix64 as they advise: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators",
/// 2014.
public class Xoshiro256 implements RandomGenerator {
    /// The number of 64-bit words of the state.
    public static final int STATE = 4;

    private final long[] s = new long[STATE];

    /// Creates a generator from a seed.
    public Xoshiro256(long seed) {
        long at = seed;
        for (int i = 0; i < STATE; i++) {
            at += 0x9e3779b97f4a7c15L;
            long z = (at ^ (at >>> 30)) * 0xbf58476d1ce4e5b9L;
            z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
            s[i] = z ^ (z >>> 31);
        }
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

    /// Copies the state into an array.
    void copyState(long[] to) {
        System.arraycopy(s, 0, to, 0, STATE);
    }

    /// Continues from a state with at least one bit set.
    public void state(long[] state) {
        System.arraycopy(state, 0, s, 0, STATE);
    }
}
