package org.toydiff.internal.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/// What the checked mode of [BlockPool] writes into memory and looks for again: a pattern behind every block, and NaN
/// wherever nobody has a block.
final class Guard {
    /// The least that lies between the bytes of two blocks.
    static final long BYTES = BlockPool.UNIT;

    /// Not a NaN, so that it differs from what free memory holds.
    private static final byte PATTERN = (byte) 0xA5;

    /// All bits set: a NaN as float and as double, −1 as a whole number.
    private static final byte FREE = -1;

    private Guard() {}

    /// Marks what follows the first `used` bytes of a block that was free until now.
    ///
    /// @throws MemoryCheckError if somebody wrote into it while it was free
    static void place(Block block, long used) {
        MemorySegment all = block.bytes();
        long written = firstOther(all, FREE);
        block.used = used;
        all.asSlice(used).fill(PATTERN);
        if (written >= 0) {
            throw new MemoryCheckError("memory was written after it was freed", written);
        }
    }

    /// @throws MemoryCheckError if somebody wrote past the end of the block
    static void verify(Block block) {
        long written = firstOther(block.bytes().asSlice(block.used), PATTERN);
        if (written >= 0) {
            throw new MemoryCheckError("memory was written past the end of a block", block.used + written);
        }
    }

    static void erase(Block block) {
        block.bytes().fill(FREE);
    }

    /// Where the first byte of another value is, or -1. A segment all of whose bytes are equal to the next one's is
    /// all one value.
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
