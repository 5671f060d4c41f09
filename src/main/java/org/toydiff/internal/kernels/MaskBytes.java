package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Truth values in memory, each a byte of 0 or 1, as the bits of a vector's mask: eight are converted in one step.
final class MaskBytes {
    // The first byte is the lowest bit.
    private static final ValueLayout.OfShort TWO = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt FOUR = JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong EIGHT = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final long LOWEST_BIT_OF_EACH_BYTE = 0x0101010101010101L;

    private MaskBytes() {}

    /// Writes the lowest `count` bits, 2 or more, as bytes.
    static void store(long bits, MemorySegment y, long at, int count) {
        if (count == 2) {
            y.set(TWO, at, (short) Long.expand(bits, LOWEST_BIT_OF_EACH_BYTE));
        } else if (count == 4) {
            y.set(FOUR, at, (int) Long.expand(bits, LOWEST_BIT_OF_EACH_BYTE));
        }
        for (int k = 0; k + Long.BYTES <= count; k += Long.BYTES) {
            y.set(EIGHT, at + k, Long.expand(bits >>> k, LOWEST_BIT_OF_EACH_BYTE));
        }
    }

    /// Reads `count` bytes, 2 or more, as bits.
    static long load(MemorySegment x, long at, int count) {
        if (count == 2) {
            return Long.compress(x.get(TWO, at), LOWEST_BIT_OF_EACH_BYTE) & 0b11;
        }
        if (count == 4) {
            return Long.compress(x.get(FOUR, at), LOWEST_BIT_OF_EACH_BYTE) & 0b1111;
        }
        long bits = 0;
        for (int k = 0; k < count; k += Long.BYTES) {
            bits |= Long.compress(x.get(EIGHT, at + k), LOWEST_BIT_OF_EACH_BYTE) << k;
        }
        return bits;
    }
}
