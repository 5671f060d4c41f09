package org.toydiff.internal.pooling;

import java.lang.foreign.MemorySegment;

/// An operand `[n, c, h, w]` as it lies; n and h may be missing. Strides and starts are in elements.
final class Planes {
    MemorySegment memory;
    long toRow;
    long toColumn;
    private long start;
    private long channels;
    private long toImage;
    private long toChannel;

    void set(MemorySegment memory, long start, long[] shape, long[] strides, int axes) {
        this.memory = memory;
        this.start = start;
        int last = shape.length - 1;
        int channel = last - axes;
        toColumn = strides[last];
        toRow = axes == 2 ? strides[last - 1] : 0;
        channels = Math.max(1, shape[channel]);
        toChannel = strides[channel];
        toImage = channel > 0 ? strides[channel - 1] : 0;
    }

    /// {@return whether the rows of a plane follow each other}
    boolean isDense(long columns) {
        return toColumn == 1 && toRow == columns;
    }

    /// {@return the first element of a plane}
    long plane(long index) {
        return start + index / channels * toImage + index % channels * toChannel;
    }
}
