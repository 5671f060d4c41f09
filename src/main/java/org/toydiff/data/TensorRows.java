package org.toydiff.data;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.toydiff.Tensor;

/// A tensor as rows of bytes along its first axis.
final class TensorRows {
    private final Tensor tensor;
    private final MemorySegment segment;
    private final long bytes;

    /// Of a tensor with at least one axis; one that is not row-major is copied to the innermost arena.
    TensorRows(Tensor tensor) {
        this.tensor = tensor;
        this.segment = tensor.reshape(tensor.size()).segment();
        long n = tensor.shape()[0];
        this.bytes = n == 0 ? 0 : segment.byteSize() / n;
    }

    Tensor tensor() {
        return tensor;
    }

    /// Overwrites row `to` with row `row` of another of the same row size.
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

    /// The shape of one row, with the dtype.
    static String describe(Tensor tensor) {
        long[] shape = tensor.shape();
        return Arrays.toString(Arrays.copyOfRange(shape, 1, shape.length)) + " " + tensor.dtype();
    }
}
