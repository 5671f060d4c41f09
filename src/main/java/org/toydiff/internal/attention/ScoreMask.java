package org.toydiff.internal.attention;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.launch.Shape;

/// Which keys take part, and how much: bytes of 0 or 1, 1 for a key that takes part, or terms of the scores' dtype.
public final class ScoreMask {
    private MemorySegment memory;
    private long start;
    private long[] axes;

    /// The strides of the leading axes, of the rows, and of the columns; 0 along one where the mask is stretched.
    private long[] strides;

    private boolean isBoolean;

    ScoreMask() {}

    /// Sets the mask, stretched to the shape of the scores.
    ///
    /// @param axes the sizes of the leading axes
    /// @param strides the strides of these, of the queries' axis and of the keys'
    public void set(MemorySegment memory, long start, long[] axes, long[] strides, boolean isBoolean) {
        this.memory = memory;
        this.start = start;
        this.axes = axes;
        this.strides = strides;
        this.isBoolean = isBoolean;
    }

    boolean isPresent() {
        return memory != null;
    }

    /// Applies the mask to a block of a head's scores, in place.
    void apply(boolean wide, long head, long row, long column, int rows, int columns, MemorySegment scores, long at) {
        long down = strides[axes.length];
        long across = strides[axes.length + 1];
        long from = start + Shape.offset(head, axes, strides) + row * down + column * across;
        Kernel.Binary kernel = (isBoolean ? BinaryKernel.ATTENDED : BinaryKernel.ADD).of(wide);
        kernel.run(scores, at, columns, 1, memory, from, down, across, scores, at, columns, 1, rows, columns);
    }

    /// Lets go of the memory, so that it is not kept alive.
    void forget() {
        memory = null;
    }
}
