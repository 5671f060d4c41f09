package org.toydiff.internal.random;

import java.util.random.RandomGenerator;

/// The elements that a dropout drops: element i belongs to word `i % 4` of counter `i / 4` of [Philox], and is
/// dropped if that is below the probability times 2³². Forward and backward compute it from the key that is drawn for
/// both.
///
/// One key for each draw, and not a position in one sequence, leaves the generator of the process where it is with one
/// number, however large the tensor.
public final class DropoutMask {
    /// Unsigned words below this are those of dropped elements.
    private final long dropped;

    private final double scale;
    private long key;

    /// Creates a mask without a key.
    ///
    /// @param p the probability of dropping an element, in [0, 1]
    public DropoutMask(double p) {
        dropped = Math.round(p * 0x1p32);
        // With p = 1 nothing is kept.
        scale = p == 1 ? 1 : 1 / (1 - p);
    }

    /// Draws a key.
    public void draw(RandomGenerator source) {
        key = source.nextLong();
    }

    /// {@return the factor of elements that are not dropped}
    public double scale() {
        return scale;
    }

    /// Computes the words of n elements.
    ///
    /// @param from the index of the first one, a multiple of 4
    /// @param words receives them; its length is a multiple of 4
    public void words(long from, int n, int[] words) {
        Philox.words(key, from / Philox.WORDS, Math.ceilDiv(n, Philox.WORDS), words);
    }

    /// {@return whether the element of a word is dropped}
    public boolean drops(int word) {
        return Integer.toUnsignedLong(word) < dropped;
    }
}
