package org.toydiff.internal.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// Pieces of scratch memory belong to one user at a time and are reused.
class ScratchTest {
    @Test
    void piecesAreApartAndUsedAgain() {
        List<MemorySegment> pieces = new ArrayList<>();
        Set<Long> addresses = new HashSet<>();
        for (int i = 0; i < 5; i++) {
            MemorySegment piece = Scratch.take();
            assertEquals(Scratch.BYTES, piece.byteSize());
            assertEquals(0, piece.address() % 64);
            for (long address : addresses) {
                assertTrue(Math.abs(address - piece.address()) >= Scratch.BYTES, "they do not overlap");
            }
            addresses.add(piece.address());
            pieces.add(piece);
        }
        pieces.forEach(Scratch::give);
        Set<Long> again = new HashSet<>();
        for (int i = 0; i < 5; i++) {
            MemorySegment piece = Scratch.take();
            again.add(piece.address());
            pieces.set(i, piece);
        }
        assertEquals(addresses, again);
        pieces.forEach(Scratch::give);
    }

    private static final class Marking extends Work {
        @Override
        protected void part(long index) {
            MemorySegment piece = Scratch.take();
            try {
                piece.fill((byte) index);
                assertEquals(-1, piece.asSlice(1).mismatch(piece.asSlice(0, Scratch.BYTES - 1)), "nobody else writes");
                assertEquals((byte) index, piece.get(ValueLayout.JAVA_BYTE, 0));
            } finally {
                Scratch.give(piece);
            }
        }
    }

    @Test
    void partsThatRunAtOnceShareNoPiece() {
        int threads = Workers.threads();
        Workers.setThreads(3);
        try {
            Workers.run(new Marking(), 200);
        } finally {
            Workers.setThreads(threads);
        }
    }
}
