package org.toydiff.internal.launch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;

/// Pieces of memory for a part's intermediate results, [#BYTES] each: as many as the parts that have ever run at
/// once, kept for the life of the process. A product that is divided along its inner axis holds up to seven more while
/// it runs.
public final class Scratch {
    /// The size of a piece in bytes: a tile of 1,024 by 512 floats.
    public static final long BYTES = 2 << 20;

    /// The most parts that can run at once, more than any useful number of threads.
    private static final int MAX_PIECES = 1024;

    private static final AtomicReferenceArray<MemorySegment> FREE = new AtomicReferenceArray<>(MAX_PIECES);

    private Scratch() {}

    /// {@return a piece that nobody else holds, with arbitrary contents}
    public static MemorySegment take() {
        for (int i = 0; i < MAX_PIECES; i++) {
            MemorySegment piece = FREE.get(i);
            if (piece != null && FREE.compareAndSet(i, piece, null)) {
                return piece;
            }
        }
        return Arena.global().allocate(BYTES, 64);
    }

    /// Gives a piece back, for others to take.
    public static void give(MemorySegment piece) {
        for (int i = 0; i < MAX_PIECES; i++) {
            if (FREE.get(i) == null && FREE.compareAndSet(i, null, piece)) {
                return;
            }
        }
    }
}
