package org.toydiff.internal.convolution;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.kernels.CopyKernels;
import org.toydiff.internal.kernels.Kernel;

/// Rows of the patch matrix of a tile: row `(c·kernelHeight + i)·kernelWidth + j` has, for each output position, the
/// element of channel c that the kernel's element (i, j) meets. Offsets are in elements.
final class Patches {
    /// One element 0 of any size.
    private static final MemorySegment ZERO = Arena.global().allocate(Long.BYTES, Long.BYTES);

    private final Window window;
    private final Tiling tiling;

    /// Whether [#scatter] leaves the matrix as it is.
    private final boolean keepsMatrix;

    private boolean wide;
    private Kernel.Unary copy;
    private Kernel.Binary add;

    Patches(Window window, Tiling tiling, boolean keepsMatrix) {
        this.window = window;
        this.tiling = tiling;
        this.keepsMatrix = keepsMatrix;
    }

    /// Sets the type of the elements, FLOAT32 or FLOAT64 (`wide`).
    void of(boolean wide) {
        this.wide = wide;
        copy = CopyKernels.of(wide ? Double.BYTES : Float.BYTES).copy;
        add = BinaryKernel.ADD.of(wide);
    }

    /// Copies rows `from` to `to − 1` into a matrix, one `pitch` elements after the other.
    ///
    /// @param first the first element of the group's first channel
    void gather(
            MemorySegment image,
            long first,
            long from,
            long to,
            long tile,
            MemorySegment matrix,
            long matrixAt,
            long pitch) {
        for (long row = from; row < to; row++) {
            move(image, first, row, tile, matrix, matrixAt + (row - from) * pitch, false);
        }
    }

    /// Adds rows `from` to `to − 1` of a matrix to the image's elements that they would be gathered from. Same operands
    /// as [#gather]; elements of the matrix that meet none of the image may become 0.
    void scatter(
            MemorySegment image,
            long first,
            long from,
            long to,
            long tile,
            MemorySegment matrix,
            long matrixAt,
            long pitch) {
        for (long row = from; row < to; row++) {
            move(image, first, row, tile, matrix, matrixAt + (row - from) * pitch, true);
        }
    }

    private void move(
            MemorySegment image, long first, long row, long tile, MemorySegment matrix, long at, boolean back) {
        Window w = window;
        long y = row / w.kernelWidth % w.kernelHeight * w.dilationY - w.padY;
        long x = row % w.kernelWidth * w.dilationX - w.padX;
        long plane = first + row / w.taps() * w.plane();
        // The output positions that meet the image are a rectangle of the tile.
        long above = tiling.top(tile);
        long before = tiling.left(tile);
        long columns = tiling.right(tile) - before;
        long top = within(-y, w.strideY, above, tiling.bottom(tile));
        long bottom = within(w.height - y, w.strideY, top, tiling.bottom(tile));
        long left = within(-x, w.strideX, before, before + columns);
        long right = within(w.width - x, w.strideX, left, before + columns);
        boolean meets = top < bottom && left < right;
        long there = plane + (top * w.strideY + y) * w.width + left * w.strideX + x;
        long here = at + (top - above) * columns + left - before;
        long rows = bottom - top;
        if (meets && back) {
            boolean asRun = !keepsMatrix && isRun(columns);
            if (asRun) {
                zeroEnds(matrix, here, columns, rows, left - before, right - left);
            }
            add(image, there, matrix, here, columns, rows, right - left, asRun);
        } else if (meets) {
            copy(image, there, matrix, here, columns, rows, right - left);
            long upper = at + (top - above) * columns;
            zero(matrix, at, upper - at);
            zero(matrix, upper + rows * columns, (tiling.bottom(tile) - bottom) * columns);
            zeroEnds(matrix, here, columns, rows, left - before, right - left);
        } else if (!back) {
            zero(matrix, at, tiling.size(tile));
        }
    }

    /// {@return the first output position whose element is not before `bound`, between two others}
    private static long within(long bound, long stride, long from, long to) {
        return Math.clamp(Math.ceilDiv(bound, stride), from, to);
    }

    /// Whether the rows of a rectangle follow each other in the image as they do in the matrix, where they are
    /// `columns` long: then it is one run, with zeros in the matrix between the rows.
    private boolean isRun(long columns) {
        return window.strideX == 1 && window.strideY == 1 && columns == window.width;
    }

    /// Copies a rectangle of `rows` by `across`; of a run, elements between two rows too.
    private void copy(
            MemorySegment image, long from, MemorySegment matrix, long at, long columns, long rows, long across) {
        if (isRun(columns)) {
            copy.run(image, from, 0, 1, matrix, at, 0, 1, 1, (rows - 1) * columns + across);
        } else {
            long down = window.strideY * window.width;
            copy.run(image, from, down, window.strideX, matrix, at, columns, 1, rows, across);
        }
    }

    private void add(
            MemorySegment image,
            long to,
            MemorySegment matrix,
            long at,
            long columns,
            long rows,
            long across,
            boolean asRun) {
        if (asRun) {
            long n = (rows - 1) * columns + across;
            add.run(image, to, 0, 1, matrix, at, 0, 1, image, to, 0, 1, 1, n);
        } else {
            long down = window.strideY * window.width;
            long step = window.strideX;
            add.run(image, to, down, step, matrix, at, columns, 1, image, to, down, step, rows, across);
        }
    }

    private void zero(MemorySegment matrix, long at, long n) {
        if (n > 0) {
            ContiguousKernels.of(wide).fill(matrix, at, n, 0);
        }
    }

    /// Writes zeros before and after each row of a rectangle, of which the first begins at `at`, `before` elements into
    /// a row of the matrix.
    private void zeroEnds(MemorySegment matrix, long at, long columns, long rows, long before, long across) {
        zeroColumns(matrix, at - before, columns, rows, before);
        zeroColumns(matrix, at + across, columns, rows, columns - before - across);
    }

    /// Columns are few, so the loop along them is the outer one.
    private void zeroColumns(MemorySegment matrix, long at, long pitch, long rows, long columns) {
        if (columns > 0) {
            copy.run(ZERO, 0, 0, 0, matrix, at, 1, pitch, columns, rows);
        }
    }
}
