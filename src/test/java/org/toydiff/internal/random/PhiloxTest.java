package org.toydiff.internal.random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The words are those of Random123, the library of Philox's authors.
class PhiloxTest {
    private static int[] words(String hex) {
        return Stream.of(hex.split(" ")).mapToInt(HexFormat::fromHexDigits).toArray();
    }

    private static void requireWords(String counter, String key, String expected) {
        int[] c = words(counter);
        int[] k = words(key);
        int[] found = new int[6];
        Philox.words(c[0], c[1], c[2], c[3], k[0], k[1], found, 1);
        int[] all = words("0 " + expected + " 0");
        assertArrayEquals(all, found);
    }

    /// From the file kat_vectors of Random123 1.14.
    @Test
    void itsWordsAreThoseOfTheAuthors() {
        requireWords("0 0 0 0", "0 0", "6627e8d5 e169c58d bc57ac4c 9b00dbd8");
        requireWords("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd");
        requireWords("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1");
    }

    @Test
    void aLongIsTheLowWordsOfACounterAndAKey() {
        long counter = 0x85a308d3_fffffffeL;
        long key = 0x299f31d0_a4093822L;
        int[] found = new int[16];
        Philox.words(key, counter, 4, found);
        int[] expected = new int[16];
        int[] low = {0xfffffffe, 0xffffffff, 0, 1};
        int[] high = {0x85a308d3, 0x85a308d3, 0x85a308d4, 0x85a308d4};
        for (int i = 0; i < 4; i++) {
            Philox.words(low[i], high[i], 0, 0, 0xa4093822, 0x299f31d0, expected, 4 * i);
        }
        assertArrayEquals(expected, found);
    }
}
