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
        move(image, first, from, to, tile, matrix, matrixAt, pitch, false);
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
        move(image, first, from, to, tile, matrix, matrixAt, pitch, true);
    }

    /// The rows of one element of the kernel have one overlap, so the loop over channels is the inner one.
    private void move(
            MemorySegment image,
            long first,
            long from,
            long to,
            long tile,
            MemorySegment matrix,
            long matrixAt,
            long pitch,
            boolean back) {
        long taps = window.taps();
        long end = Math.min(to, from + taps);
        for (long begin = from; begin < end; begin++) {
            Overlap overlap = Overlap.of(window, tiling, begin % taps, tile);
            long plane = first + begin / taps * window.plane();
            for (long row = begin; row < to; row += taps) {
                long at = matrixAt + (row - from) * pitch;
                if (back) {
                    add(image, plane, matrix, at, overlap);
                } else {
                    copy(image, plane, matrix, at, overlap);
                }
                plane += window.plane();
            }
        }
    }

    /// {@return whether the rows of a rectangle follow each other in the image as they do in the matrix} Then it is one
    /// run, with zeros in the matrix between the rows.
    private boolean isRun(Overlap overlap) {
        return window.strideX == 1 && window.strideY == 1 && overlap.pitch == window.width;
    }

    /// Copies a row of the patch matrix from a channel; of a run, first the elements between two rows too.
    private void copy(MemorySegment image, long plane, MemorySegment matrix, long at, Overlap o) {
        if (o.rows == 0) {
            zero(matrix, at, o.positions);
            return;
        }
        long from = plane + o.first;
        long to = at + o.start();
        if (isRun(o)) {
            copy.run(image, from, 0, 1, matrix, to, 0, 1, 1, o.run());
        } else {
            copy.run(
                    image,
                    from,
                    window.strideY * window.width,
                    window.strideX,
                    matrix,
                    to,
                    o.pitch,
                    1,
                    o.rows,
                    o.columns);
        }
        long above = o.above * o.pitch;
        long inside = o.rows * o.pitch;
        zero(matrix, at, above);
        zero(matrix, at + above + inside, o.positions - above - inside);
        zeroEnds(matrix, at, o);
    }

    /// Adds a row of the patch matrix to a channel.
    private void add(MemorySegment image, long plane, MemorySegment matrix, long at, Overlap o) {
        if (o.rows == 0) {
            return;
        }
        long to = plane + o.first;
        long from = at + o.start();
        if (!keepsMatrix && isRun(o)) {
            zeroEnds(matrix, at, o);
            add.run(image, to, 0, 1, matrix, from, 0, 1, image, to, 0, 1, 1, o.run());
        } else {
            long down = window.strideY * window.width;
            long step = window.strideX;
            add.run(image, to, down, step, matrix, from, o.pitch, 1, image, to, down, step, o.rows, o.columns);
        }
    }

    private void zero(MemorySegment matrix, long at, long n) {
        if (n > 0) {
            ContiguousKernels.of(wide).fill(matrix, at, n, 0);
        }
    }

    /// Writes zeros before and after each row of a rectangle.
    private void zeroEnds(MemorySegment matrix, long at, Overlap o) {
        long row = at + o.above * o.pitch;
        long end = o.before + o.columns;
        zeroColumns(matrix, row, o.pitch, o.rows, o.before);
        zeroColumns(matrix, row + end, o.pitch, o.rows, o.pitch - end);
    }

    /// Columns are few, so the loop along them is the outer one.
    private void zeroColumns(MemorySegment matrix, long at, long pitch, long rows, long columns) {
        if (columns > 0) {
            copy.run(ZERO, 0, 0, 0, matrix, at, 1, pitch, columns, rows);
        }
    }
}
