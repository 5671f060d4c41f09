package org.toydiff.internal.attention;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.Kernel;

/// Which keys take part, and how much: bytes of 0 or 1, 1 for a key that takes part, or terms of the scores' dtype.
public final class ScoreMask {
    private MemorySegment memory;
    private long start;
    private long[] shape;
    private long[] strides;
    private boolean isBoolean;

    ScoreMask() {}

    /// Sets the mask, stretched to the shape of the scores.
    ///
    /// @param shape the sizes of the leading axes, then the numbers of queries and of keys
    /// @param strides the strides of these axes, 0 along one where the mask is stretched
    public void set(MemorySegment memory, long start, long[] shape, long[] strides, boolean isBoolean) {
        this.memory = memory;
        this.start = start;
        this.shape = shape;
        this.strides = strides;
        this.isBoolean = isBoolean;
    }

    boolean isPresent() {
        return memory != null;
    }

    /// Applies the mask to a block of a head's scores, in place.
    void apply(boolean wide, long head, long row, long column, int rows, int columns, MemorySegment scores, long at) {
        long down = strides[shape.length - 2];
        long across = strides[shape.length - 1];
        long from = start + HeadMatrices.offset(head, shape, strides) + row * down + column * across;
        Kernel.Binary kernel = (isBoolean ? BinaryKernel.ATTENDED : BinaryKernel.ADD).of(wide);
        kernel.run(scores, at, columns, 1, memory, from, down, across, scores, at, columns, 1, rows, columns);
    }

    /// Lets go of the memory, so that it is not kept alive.
    void forget() {
        memory = null;
    }
}
