package org.toydiff.internal.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Blocks are aligned, apart from each other, recycled and joined again; and the checked mode notices every write by
/// somebody who does not own the bytes.
class BlockPoolTest {
    private static final long UNIT = BlockPool.UNIT;

    /// The smallest slab.
    private static final long SLAB = 64L << 20;

    private final BlockPool pool = new BlockPool(false);
    private final BlockPool checked = new BlockPool(true);

    /// A block's memory as native code sees it: without bounds or lifetime.
    @SuppressWarnings("restricted")
    private static MemorySegment bytes(Block block, long bytes) {
        return MemorySegment.ofAddress(address(block)).reinterpret(bytes);
    }

    private static long address(Block block) {
        return block.memory().address() + block.offset();
    }

    /// Free slabs go back to the system before it is asked for more, which it refuses.
    @AfterEach
    void releaseFreeSlabs() {
        assertNull(pool.take(1L << 60));
        assertNull(checked.take(1L << 60));
    }

    @Test
    void sizesAreRoundedUpToWholeUnits() {
        long[] sizes = {0, 1, 63, 64, 65, 127, 128, 129, Long.MAX_VALUE - 64, Long.MAX_VALUE - 63, Long.MAX_VALUE};
        long[] units = {0, 64, 64, 64, 128, 128, 128, 192, Long.MAX_VALUE - 63, Long.MAX_VALUE, Long.MAX_VALUE};
        for (int i = 0; i < sizes.length; i++) {
            assertEquals(units[i], BlockPool.rounded(sizes[i]), sizes[i] + " bytes");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everyBlockIsAlignedAndHasTheBytesItWasTakenFor(boolean check) {
        BlockPool pool = check ? checked : this.pool;
        List<Block> blocks = new ArrayList<>();
        for (long n : new long[] {1, 63, 64, 65, 1023, 1024, 1025, 4096, 1 << 20, (1 << 20) + 1, SLAB + 1}) {
            Block block = pool.take(BlockPool.rounded(n), n);
            assertEquals(0, address(block) % UNIT, n + " bytes");
            assertEquals(0, block.offset() % UNIT, n + " bytes");
            bytes(block, n).fill((byte) blocks.size());
            blocks.add(block);
        }
        blocks.forEach(pool::give);
    }

    @Test
    void aBlockIsReadableForALifetime() {
        Block block = pool.take(UNIT);
        MemorySegment view;
        try (var lifetime = Arena.ofConfined()) {
            view = block.view(40, lifetime);
            assertEquals(40, view.byteSize());
            assertEquals(address(block), view.address());
            view.set(ValueLayout.JAVA_INT, 36, 7);
            assertThrows(IndexOutOfBoundsException.class, () -> view.get(ValueLayout.JAVA_INT, 37));
        }
        assertThrows(IllegalStateException.class, () -> view.get(ValueLayout.JAVA_INT, 36));
        assertEquals(7, block.memory().get(ValueLayout.JAVA_INT, block.offset() + 36));
    }

    @Test
    void aBlockGivenBackIsTakenAgain() {
        for (long units : new long[] {1, 15, 16, 17, 1000}) {
            Block first = pool.take(units * UNIT);
            Block behind = pool.take(UNIT);
            long address = address(first);
            pool.give(first);
            Block second = pool.take(units * UNIT);
            assertSame(first, second, units + " units");
            assertEquals(address, address(second), units + " units");
            pool.give(second);
            pool.give(behind);
        }
        assertEquals(1, pool.slabsMade());
    }

    @Test
    void aLargerBlockIsCutAndTheRestIsFree() {
        Block large = pool.take(10 * UNIT);
        Block behind = pool.take(UNIT);
        long address = address(large);
        pool.give(large);
        Block first = pool.take(4 * UNIT);
        Block second = pool.take(6 * UNIT);
        assertEquals(address, address(first));
        assertEquals(address + 4 * UNIT, address(second));
        assertEquals(address + 10 * UNIT, address(behind));
    }

    /// Three neighbours are given back in each order; the two beside them are not.
    @Test
    void freeNeighboursJoinInWhicheverOrderTheyAreGivenBack() {
        int[][] orders = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
        for (int[] order : orders) {
            var pool = new BlockPool(false);
            Block before = pool.take(3 * UNIT);
            Block[] blocks = {pool.take(20 * UNIT), pool.take(UNIT), pool.take(7 * UNIT)};
            Block after = pool.take(2 * UNIT);
            long address = address(blocks[0]);
            for (int i : order) {
                pool.give(blocks[i]);
            }
            assertEquals(address, address(pool.take(28 * UNIT)), "all three");
            assertEquals(address + 28 * UNIT, address(after));
            assertEquals(address - 3 * UNIT, address(before));
        }
    }

    @Test
    void blocksInUseAreNotJoined() {
        Block first = pool.take(UNIT);
        Block second = pool.take(UNIT);
        Block third = pool.take(UNIT);
        long address = address(first);
        pool.give(first);
        pool.give(third);
        assertNotEquals(address, address(pool.take(2 * UNIT)), "the one between is in use");
        pool.give(second);
        assertEquals(address, address(pool.take(2 * UNIT)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void blocksNeverOverlapAndAllJoinInTheEnd(boolean check) {
        record Taken(Block block, long bytes, byte mark) {
            void requireUntouched() {
                MemorySegment all = BlockPoolTest.bytes(block, bytes);
                assertEquals(mark, all.get(ValueLayout.JAVA_BYTE, 0));
                assertEquals(-1, all.asSlice(1).mismatch(all.asSlice(0, bytes - 1)), "all bytes are the first one");
            }
        }
        var random = new SplittableRandom(1);
        BlockPool pool = check ? checked : this.pool;
        List<Taken> taken = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            if (taken.size() > 50 || (!taken.isEmpty() && random.nextBoolean())) {
                Taken one = taken.remove(random.nextInt(taken.size()));
                one.requireUntouched();
                pool.give(one.block);
            } else {
                long n = 1 + random.nextInt(64 << random.nextInt(12));
                Block block = pool.take(BlockPool.rounded(n), n);
                assertEquals(0, address(block) % UNIT);
                BlockPoolTest.bytes(block, n).fill((byte) i);
                taken.add(new Taken(block, n, (byte) i));
            }
        }
        taken.forEach(one -> pool.give(one.block));
        assertEquals(1, pool.slabsMade());
        long guard = check ? UNIT : 0;
        pool.give(pool.take(SLAB - guard));
        assertEquals(1, pool.slabsMade(), "the blocks are one again");
    }

    @Test
    void aLargerRequestHasASlabOfItsSize() {
        pool.give(pool.take(UNIT));
        assertEquals(SLAB, pool.slabBytes());
        Block large = pool.take(SLAB + UNIT);
        assertEquals(SLAB + Slab.ALIGNMENT, pool.slabBytes(), "the free slab went back first");
        assertEquals(0, large.memory().address() % Slab.ALIGNMENT);
        Block small = pool.take(UNIT);
        assertEquals(2, pool.slabsMade(), "the rest of the large slab is used");
        pool.give(large);
        pool.take(2 * SLAB);
        assertEquals(3 * SLAB + Slab.ALIGNMENT, pool.slabBytes(), "a slab in use stays");
        assertEquals(3, pool.slabsMade());
        pool.give(small);
    }

    /// More than the address space has, so that the system refuses it whatever memory the machine has.
    @ParameterizedTest
    @ValueSource(longs = {1L << 60, Long.MAX_VALUE - 63, Long.MAX_VALUE})
    void aRequestThatTheSystemRefusesIsNull(long bytes) {
        Block kept = pool.take(UNIT);
        assertNull(pool.take(bytes));
        assertNull(checked.take(bytes));
        assertEquals(1, pool.slabsMade());
        assertEquals(SLAB, pool.slabBytes());
        assertEquals(address(kept) + UNIT, address(pool.take(UNIT)), "the pool goes on as before");
    }

    @Test
    void aBlockIsNotGivenBackTwice() {
        Block block = pool.take(UNIT);
        pool.give(block);
        assertThrows(AssertionError.class, () -> pool.give(block));
    }

    @Test
    void aWritePastTheEndIsNoticedWhenTheBlockIsGivenBack() {
        for (long past : new long[] {40, 63, 64, 127}) {
            Block block = checked.take(64, 40);
            bytes(block, 128).set(ValueLayout.JAVA_BYTE, past, (byte) 1);
            var failure = assertThrows(MemoryCheckError.class, () -> checked.give(block));
            assertEquals(
                    "memory check: memory was written past the end of a block, at byte " + past + " of a block",
                    failure.getMessage());
            assertEquals(
                    "memory check: memory was written past the end of a block, at byte " + past + " of x",
                    failure.of("x").getMessage());
        }
        Block whole = checked.take(64, 40);
        bytes(whole, 40).fill((byte) 1);
        checked.give(whole);
        assertEquals(1, checked.slabsMade());
    }

    @Test
    void aBlockThatWasWrittenPastItsEndIsTakenBackAllTheSame() {
        Block block = checked.take(64, 64);
        long address = address(block);
        bytes(block, 65).set(ValueLayout.JAVA_BYTE, 64, (byte) 0);
        assertThrows(MemoryCheckError.class, () -> checked.give(block));
        Block again = checked.take(64, 64);
        assertEquals(address, address(again));
        checked.give(again);
    }

    @Test
    void aWriteIntoFreeMemoryIsNoticedWhenItIsTakenAgain() {
        Block block = checked.take(4096, 4096);
        MemorySegment stale = bytes(block, 4096);
        checked.give(block);
        stale.setAtIndex(ValueLayout.JAVA_FLOAT, 17, 1f);
        var failure = assertThrows(MemoryCheckError.class, () -> checked.take(4096, 4096));
        assertEquals(
                "memory check: memory was written after it was freed, at byte 68 of a block", failure.getMessage());
    }

    @Test
    void freeMemoryIsNaNInTheCheckedMode() {
        Block block = checked.take(64, 64);
        MemorySegment seen = bytes(block, 64);
        assertTrue(Float.isNaN(seen.getAtIndex(ValueLayout.JAVA_FLOAT, 3)));
        seen.fill((byte) 0);
        checked.give(block);
        assertTrue(Double.isNaN(seen.getAtIndex(ValueLayout.JAVA_DOUBLE, 7)));
    }
}
