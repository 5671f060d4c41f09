package org.toydiff.internal.random;

/// The counter-based generator Philox 4×32-10: random words as a function of a counter and a key, so that any of them
/// can be computed by any thread at any time, and again.
///
/// Source: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011; it passes
/// BigCrush.
final class Philox {
    /// The number of 32-bit words that belong to a counter.
    static final int WORDS = 4;

    private static final int ROUNDS = 10;
    private static final long MULTIPLIER_0 = 0xd2511f53L;
    private static final long MULTIPLIER_1 = 0xcd9e8d57L;
    private static final int WEYL_0 = 0x9e3779b9;
    private static final int WEYL_1 = 0xbb67ae85;

    private Philox() {}

    /// Computes the words of a counter (c0 to c3, low words first) under a key (k0, k1), into `words` from `at` on.
    static void words(int c0, int c1, int c2, int c3, int k0, int k1, int[] words, int at) {
        int x0 = c0;
        int x1 = c1;
        int x2 = c2;
        int x3 = c3;
        int key0 = k0;
        int key1 = k1;
        for (int round = 0; round < ROUNDS; round++) {
            long product0 = MULTIPLIER_0 * Integer.toUnsignedLong(x0);
            long product1 = MULTIPLIER_1 * Integer.toUnsignedLong(x2);
            x0 = (int) (product1 >>> Integer.SIZE) ^ x1 ^ key0;
            x1 = (int) product1;
            x2 = (int) (product0 >>> Integer.SIZE) ^ x3 ^ key1;
            x3 = (int) product0;
            key0 += WEYL_0;
            key1 += WEYL_1;
        }
        words[at] = x0;
        words[at + 1] = x1;
        words[at + 2] = x2;
        words[at + 3] = x3;
    }

    /// Computes the words of consecutive counters, those of the first one first.
    ///
    /// @param counters their number; `words` has [#WORDS] elements for each
    static void words(long key, long counter, int counters, int[] words) {
        for (int i = 0; i < counters; i++) {
            long c = counter + i;
            words((int) c, (int) (c >>> Integer.SIZE), 0, 0, (int) key, (int) (key >>> Integer.SIZE), words, WORDS * i);
        }
    }
}
