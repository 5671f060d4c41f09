package org.toydiff.bench.blas;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Reads and writes elements of an operand as doubles. Strides and the offset are in elements.
record Matrix(
        MemorySegment segment, boolean wide, long rows, long columns, long offset, long rowStride, long columnStride) {
    Matrix transposed(boolean really) {
        return really ? new Matrix(segment, wide, columns, rows, offset, columnStride, rowStride) : this;
    }

    double get(long row, long column) {
        long at = offset + row * rowStride + column * columnStride;
        return wide ? segment.getAtIndex(ValueLayout.JAVA_DOUBLE, at) : segment.getAtIndex(ValueLayout.JAVA_FLOAT, at);
    }

    void set(long row, long column, double value) {
        long at = offset + row * rowStride + column * columnStride;
        if (wide) {
            segment.setAtIndex(ValueLayout.JAVA_DOUBLE, at, value);
        } else {
            segment.setAtIndex(ValueLayout.JAVA_FLOAT, at, (float) value);
        }
    }
}
