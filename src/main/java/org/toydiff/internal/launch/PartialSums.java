package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.Kernel;

/// The partial results of a product that is divided along its inner axis: chunk 0 is the result itself, further ones
/// are in pieces of [Scratch], taken before the parts run and given back when they have been added.
public final class PartialSums {
    /// For the chunks of a product of matrices, each of which may fill a piece.
    private static final int MOST_PIECES = 8;

    private final MemorySegment[] pieces = new MemorySegment[MOST_PIECES];
    private int count;
    private int chunks;
    private long size;
    private long perPiece;

    private MemorySegment y;
    private long y0;

    /// Creates one without memory.
    public PartialSums() {}

    /// Takes memory for the chunks of a result of `size` elements, of which a piece holds `room`.
    public void take(MemorySegment y, long y0, int chunks, long size, long room) {
        this.y = y;
        this.y0 = y0;
        this.chunks = chunks;
        this.size = size;
        perPiece = room / size;
        for (long held = 1; held < chunks; held += perPiece) {
            pieces[count++] = Scratch.take();
        }
    }

    /// Gives the memory back.
    public void giveBack() {
        y = null;
        while (count > 0) {
            Scratch.give(pieces[--count]);
            pieces[count] = null;
        }
    }

    /// {@return the memory of a chunk}
    public MemorySegment memory(int chunk) {
        return chunk == 0 ? y : pieces[(int) ((chunk - 1) / perPiece)];
    }

    /// {@return where the chunk's elements begin}
    public long start(int chunk) {
        return chunk == 0 ? y0 : (chunk - 1) % perPiece * size;
    }

    /// Adds `n` elements of all chunks, from `from` on, in a binary tree: 0 + 1, 2 + 3 …, then 0 + 2, 4 + 6 ….
    public void add(boolean wide, long from, long n) {
        Kernel.Binary add = BinaryKernel.ADD.of(wide);
        for (int step = 1; step < chunks; step *= 2) {
            for (int left = 0; left + step < chunks; left += 2 * step) {
                MemorySegment a = memory(left);
                long at = start(left) + from;
                add.run(a, at, 0, 1, memory(left + step), start(left + step) + from, 0, 1, a, at, 0, 1, 1, n);
            }
        }
    }
}
