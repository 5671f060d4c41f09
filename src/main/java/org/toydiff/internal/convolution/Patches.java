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

    private boolean wide;
    private Kernel.Unary copy;
    private Kernel.Binary add;

    Patches(Window window, Tiling tiling) {
        this.window = window;
        this.tiling = tiling;
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
    /// as [#gather].
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
        if (meets && back) {
            add(image, there, matrix, here, columns, bottom - top, right - left);
        } else if (meets) {
            copy(image, there, matrix, here, columns, bottom - top, right - left);
            long upper = at + (top - above) * columns;
            long lower = at + (bottom - above) * columns;
            zero(matrix, at, upper - at);
            zero(matrix, lower, at + tiling.size(tile) - lower);
            zeroColumns(matrix, upper, columns, bottom - top, left - before);
            zeroColumns(matrix, here + right - left, columns, bottom - top, before + columns - right);
        } else if (!back) {
            zero(matrix, at, tiling.size(tile));
        }
    }

    /// {@return the first output position whose element is not before `bound`, between two others}
    private static long within(long bound, long stride, long from, long to) {
        return Math.clamp(Math.ceilDiv(bound, stride), from, to);
    }

    /// Copies a rectangle of `rows` by `across` to a matrix row whose own rows are `columns` long. Where those of the
    /// image are as long, it is one run: elements copied between two rows become 0 afterwards.
    private void copy(
            MemorySegment image, long from, MemorySegment matrix, long at, long columns, long rows, long across) {
        Window w = window;
        if (w.strideX == 1 && w.strideY == 1 && columns == w.width) {
            copy.run(image, from, 0, 1, matrix, at, 0, 1, 1, (rows - 1) * columns + across);
        } else {
            copy.run(image, from, w.strideY * w.width, w.strideX, matrix, at, columns, 1, rows, across);
        }
    }

    private void add(
            MemorySegment image, long to, MemorySegment matrix, long at, long columns, long rows, long across) {
        long down = window.strideY * window.width;
        long step = window.strideX;
        add.run(image, to, down, step, matrix, at, columns, 1, image, to, down, step, rows, across);
    }

    private void zero(MemorySegment matrix, long at, long n) {
        if (n > 0) {
            ContiguousKernels.of(wide).fill(matrix, at, n, 0);
        }
    }

    /// Columns are few, so the loop along them is the outer one.
    private void zeroColumns(MemorySegment matrix, long at, long pitch, long rows, long columns) {
        if (columns > 0) {
            copy.run(ZERO, 0, 0, 0, matrix, at, 1, pitch, columns, rows);
        }
    }
}
