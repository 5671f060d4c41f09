package org.toydiff.internal.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/// Writes and verifies the guard values of [BlockPool]'s checked mode: a pattern behind every block, and NaN in all
/// free memory.
final class Guard {
    /// The least distance between the bytes of two blocks.
    static final long BYTES = BlockPool.UNIT;

    /// Not a NaN, so that it differs from the value of free memory.
    private static final byte PATTERN = (byte) 0xA5;

    /// All bits set: a NaN as float and as double, −1 as an integer.
    private static final byte FREE = -1;

    private Guard() {}

    /// Writes the pattern behind the first `used` bytes of a block that was free until now.
    ///
    /// @throws MemoryCheckError if the block was written while it was free
    static void place(Block block, long used) {
        MemorySegment all = block.bytes();
        long written = firstOther(all, FREE);
        block.used = used;
        all.asSlice(used).fill(PATTERN);
        if (written >= 0) {
            throw new MemoryCheckError("memory was written after it was freed", written);
        }
    }

    /// Verifies the pattern behind a block.
    ///
    /// @throws MemoryCheckError if something was written past the end of the block
    static void verify(Block block) {
        long written = firstOther(block.bytes().asSlice(block.used), PATTERN);
        if (written >= 0) {
            throw new MemoryCheckError("memory was written past the end of a block", block.used + written);
        }
    }

    /// Fills a block that is free now with NaN.
    static void erase(Block block) {
        block.bytes().fill(FREE);
    }

    /// Returns the position of the first byte of another value, or -1. A segment in which each byte equals the next
    /// one holds a single value.
    private static long firstOther(MemorySegment all, byte value) {
        if (all.byteSize() == 0) {
            return -1;
        }
        if (all.get(JAVA_BYTE, 0) != value) {
            return 0;
        }
        long size = all.byteSize() - 1;
        long same = MemorySegment.mismatch(all, 0, size, all, 1, size + 1);
        return same < 0 ? -1 : same + 1;
    }
}
