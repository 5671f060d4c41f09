package org.toydiff.internal.attention;

import java.lang.foreign.MemorySegment;

/// An operand of attention: a matrix for each head, whose rows are contiguous. Offsets and strides are in elements.
public final class HeadMatrices {
    MemorySegment memory;

    /// The distance between rows, as BLAS expects it.
    int leading;

    private long start;
    private long[] shape;
    private long[] strides;

    HeadMatrices() {}

    /// Sets the operand. Heads are counted along all leading axes in row-major order.
    ///
    /// @param shape the sizes of the leading axes, then rows and columns
    /// @param strides the strides of these axes; that of the rows is not below the number of columns if there are
    ///     several rows, that of the columns is 1
    public void set(MemorySegment memory, long start, long[] shape, long[] strides) {
        this.memory = memory;
        this.start = start;
        this.shape = shape;
        this.strides = strides;
        int rows = shape.length - 2;
        leading = (int) Math.max(1, shape[rows] <= 1 ? shape[rows + 1] : strides[rows]);
    }

    /// {@return where a row of a head begins}
    long at(long head, long row) {
        return start + offset(head, shape, strides) + row * strides[shape.length - 2];
    }

    /// {@return the offset of a head, whose axes are all but the last two}
    static long offset(long head, long[] shape, long[] strides) {
        long offset = 0;
        long rest = head;
        for (int axis = shape.length - 3; axis >= 0; axis--) {
            offset += rest % shape[axis] * strides[axis];
            rest /= shape[axis];
        }
        return offset;
    }

    /// Lets go of the memory, so that it is not kept alive.
    void forget() {
        memory = null;
    }
}
