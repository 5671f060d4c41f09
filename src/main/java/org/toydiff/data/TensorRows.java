package org.toydiff.data;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.toydiff.Tensor;

/// The rows of a tensor along its first axis, as bytes.
final class TensorRows {
    private final Tensor tensor;
    private final MemorySegment segment;
    private final long bytes;

    /// Takes a tensor with at least one axis; copies one that is not row-major to the innermost arena.
    TensorRows(Tensor tensor) {
        this.tensor = tensor;
        this.segment = tensor.reshape(tensor.size()).segment();
        long n = tensor.shape()[0];
        this.bytes = n == 0 ? 0 : segment.byteSize() / n;
    }

    Tensor tensor() {
        return tensor;
    }

    /// Copies a row of a tensor with the same row size over row `to`.
    void copy(TensorRows from, long row, long to) {
        MemorySegment.copy(from.segment, row * bytes, segment, to * bytes, bytes);
    }

    static void requireInside(String op, long[] indices, long size) {
        for (long index : indices) {
            if (index < 0 || index >= size) {
                throw new IndexOutOfBoundsException(
                        op + ": position " + index + " is not in a set of " + size + " examples");
            }
        }
    }

    /// Returns the shape of a row and the dtype, as text.
    static String describe(Tensor tensor) {
        long[] shape = tensor.shape();
        return Arrays.toString(Arrays.copyOfRange(shape, 1, shape.length)) + " " + tensor.dtype();
    }
}
