package org.toydiff.internal.random;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/// The generator gives the numbers of its authors' program.
class Xoshiro256Test {
    @Test
    void theGeneratorIsXoshiro256PlusPlus() {
        var generator = new Xoshiro256(0);
        generator.state(new long[] {1, 2, 3, 4});
        // From this state, by the authors' C program: https://prng.di.unimi.it/xoshiro256plusplus.c
        assertEquals(41943041L, generator.nextLong());
        assertEquals(58720359L, generator.nextLong());
        assertEquals(3588806011781223L, generator.nextLong());
    }
}
