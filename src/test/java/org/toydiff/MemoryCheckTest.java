package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.toydiff.internal.kernels.Runs;
import org.toydiff.internal.memory.Block;
import org.toydiff.internal.memory.BlockPool;
import org.toydiff.internal.memory.MemoryCheckError;

/// The checked mode, in which most tests run, notices what would otherwise hit a neighbour in silence.
class MemoryCheckTest {
    private final BlockPool pool = new BlockPool(true);

    @SuppressWarnings("restricted") // As native code sees it: without bounds.
    private static MemorySegment bytes(Block block, long bytes) {
        return MemorySegment.ofAddress(block.memory().address() + block.offset())
                .reinterpret(bytes);
    }

    @Test
    void aWritePastTheEndIsNoticedWhenTheBlockIsFreed() {
        for (long past : new long[] {40, 63, 64, 127}) {
            Block block = pool.take(64, 40);
            bytes(block, 128).set(ValueLayout.JAVA_BYTE, past, (byte) 1);
            var failure = assertThrows(MemoryCheckError.class, () -> pool.give(block));
            assertEquals(
                    "memory check: memory was written past the end of a block, at byte " + past + " of a block",
                    failure.getMessage());
        }
        Block whole = pool.take(64, 40);
        bytes(whole, 40).fill((byte) 1);
        pool.give(whole);
    }

    @Test
    void aWriteAfterTheEndOfABlocksLifeIsNoticedWhenItIsTakenAgain() {
        Block block = pool.take(4096, 4096);
        long offset = block.offset();
        MemorySegment stale = bytes(block, 4096);
        pool.give(block);
        stale.setAtIndex(ValueLayout.JAVA_FLOAT, 17, 1f);
        var failure = assertThrows(MemoryCheckError.class, () -> pool.take(4096, 4096));
        assertEquals(
                "memory check: memory was written after it was freed, at byte 68 of a block", failure.getMessage());
        assertTrue(offset >= 0);
    }

    @Test
    void freeMemoryIsNaN() {
        Block block = pool.take(64, 64);
        MemorySegment seen = bytes(block, 64);
        assertTrue(Float.isNaN(seen.getAtIndex(ValueLayout.JAVA_FLOAT, 3)));
        seen.fill((byte) 0);
        pool.give(block);
        assertTrue(Double.isNaN(seen.getAtIndex(ValueLayout.JAVA_DOUBLE, 7)));
    }

    @Test
    void aKernelSeesItsOwnOperandAlone() {
        assumeTrue(Ledger.CHECKED, "not in the checked mode");
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(10);
            assertEquals(40, x.storage.segment().byteSize());
            assertThrows(
                    IndexOutOfBoundsException.class, () -> Runs.of(false).fill(x.storage.segment(), x.offset, 1000, 1));
        }
    }

    @Test
    void nothingIsLaunchedOnWhatIsFreed() {
        Tensor x;
        try (var arena = TensorArena.ofConfined()) {
            x = Tensor.ones(10);
        }
        assertThrows(IllegalStateException.class, () -> Launch.fill(x, 1));
    }
}
