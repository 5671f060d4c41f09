package org.toydiff.internal.attention;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.launch.Shape;

/// An operand of attention: a matrix for each head, whose rows are contiguous. Offsets and strides are in elements.
public final class HeadMatrices {
    MemorySegment memory;

    /// The distance between rows, as BLAS expects it.
    int leading;

    private long start;
    private long down;
    private long[] axes;
    private long[] strides;

    HeadMatrices() {}

    /// Sets the operand.
    ///
    /// @param axes the sizes of the leading axes, of which the last is that of the heads
    /// @param strides the strides of these axes
    /// @param down the stride between rows, of at least `columns` elements if there are several rows
    public void set(MemorySegment memory, long start, long[] axes, long[] strides, long rows, long down, long columns) {
        this.memory = memory;
        this.start = start;
        this.axes = axes;
        this.strides = strides;
        this.down = down;
        leading = (int) Math.max(1, rows <= 1 ? columns : down);
    }

    /// {@return where a row of a head begins}
    long at(long head, long row) {
        return start + Shape.offset(head, axes, strides) + row * down;
    }

    /// Lets go of the memory, so that it is not kept alive.
    void forget() {
        memory = null;
    }
}
