package org.toydiff.data;

import java.lang.foreign.MemorySegment;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Writes a tensor row by row in the innermost arena, and then moves it to another.
///
/// The rows go through a small buffer, because a tensor whose own segment was handed out could only be copied
/// ([Tensor#moveTo]).
final class TensorWriter {
    private static final long PIECE_BYTES = 1 << 16;

    private final Tensor whole;
    private final Tensor piece;
    private final MemorySegment segment;
    private final int rowBytes;
    private int waiting;
    private long done;

    TensorWriter(DType dtype, long rows, int columns) {
        whole = Tensor.empty(dtype, rows, columns);
        rowBytes = columns * dtype.bytes();
        piece = Tensor.empty(dtype, Math.clamp(PIECE_BYTES / Math.max(1, rowBytes), 1, Math.max(1, rows)), columns);
        segment = piece.segment();
    }

    /// Returns the memory of the next row.
    MemorySegment row() {
        return segment.asSlice((long) waiting * rowBytes, rowBytes);
    }

    /// Adds the row that was written to [#row()].
    void next() {
        if (++waiting == piece.shape()[0]) {
            flush();
        }
    }

    boolean isFull() {
        return done + waiting == whole.shape()[0];
    }

    private void flush() {
        whole.slice(0, done, done + waiting).copyFrom(piece.slice(0, 0, waiting));
        done += waiting;
        waiting = 0;
    }

    Tensor moveTo(TensorArena arena) {
        flush();
        return whole.moveTo(arena);
    }
}
