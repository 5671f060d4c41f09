package org.toydiff.internal.launch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;

/// Pieces of memory for what a part computes on the way, [#BYTES] each: as many as parts have ever run at once,
/// kept for the life of the process.
public final class Scratch {
    /// The size of a piece in bytes: a tile of 1,024 by 512 floats.
    public static final long BYTES = 2 << 20;

    /// As many parts can run at once, which is more than threads are worth having.
    private static final int MOST = 1024;

    private static final AtomicReferenceArray<MemorySegment> FREE = new AtomicReferenceArray<>(MOST);

    private Scratch() {}

    /// A piece that nobody else has, holding anything.
    public static MemorySegment take() {
        for (int i = 0; i < MOST; i++) {
            MemorySegment piece = FREE.get(i);
            if (piece != null && FREE.compareAndSet(i, piece, null)) {
                return piece;
            }
        }
        return Arena.global().allocate(BYTES, 64);
    }

    /// Gives a piece back.
    public static void give(MemorySegment piece) {
        for (int i = 0; i < MOST; i++) {
            if (FREE.get(i) == null && FREE.compareAndSet(i, null, piece)) {
                return;
            }
        }
    }
}
