package org.toydiff.bench.blas;

import java.lang.foreign.MemorySegment;

/// Reads and writes elements of an operand as doubles. Strides and the offset are in elements.
record Matrix(
        MemorySegment segment,
        NumberFormat precision,
        long rows,
        long columns,
        long offset,
        long rowStride,
        long columnStride) {
    /// Returns the transposed matrix, which shares the elements.
    Matrix transposed() {
        return new Matrix(segment, precision, columns, rows, offset, columnStride, rowStride);
    }

    /// Returns this matrix or the transposed one.
    Matrix transposedIf(boolean transposed) {
        return transposed ? transposed() : this;
    }

    double get(long row, long column) {
        return precision.get(segment, offset + row * rowStride + column * columnStride);
    }

    void set(long row, long column, double value) {
        precision.set(segment, offset + row * rowStride + column * columnStride, value);
    }
}
