package org.toydiff.internal.convolution;

/// The output positions of a tile at which one element of the kernel meets the image: a rectangle. One for a thread,
/// set once for all channels.
final class Overlap {
    private static final ThreadLocal<Overlap> OF_THREAD = ThreadLocal.withInitial(Overlap::new);

    /// The positions of the tile, and the length of its rows.
    long positions;

    long pitch;

    /// The rows and columns of the rectangle, 0 of both if it is empty.
    long rows;

    long columns;

    /// The rows and columns of the tile before the rectangle.
    long above;

    long before;

    /// The element of a channel that the first position of the rectangle meets.
    long first;

    private Overlap() {}

    /// {@return the overlap of this thread, set}
    static Overlap of(Window w, Tiling tiling, long tap, long tile) {
        Overlap overlap = OF_THREAD.get();
        overlap.set(w, tiling, tap, tile);
        return overlap;
    }

    private void set(Window w, Tiling tiling, long tap, long tile) {
        long y = tap / w.kernelWidth * w.dilationY - w.padY;
        long x = tap % w.kernelWidth * w.dilationX - w.padX;
        long top = tiling.top(tile);
        long bottom = tiling.bottom(tile);
        long left = tiling.left(tile);
        long right = tiling.right(tile);
        long row = within(-y, w.strideY, top, bottom);
        long column = within(-x, w.strideX, left, right);
        positions = tiling.size(tile);
        pitch = right - left;
        rows = within(w.height - y, w.strideY, row, bottom) - row;
        columns = within(w.width - x, w.strideX, column, right) - column;
        if (rows == 0 || columns == 0) {
            rows = 0;
            columns = 0;
        }
        above = row - top;
        before = column - left;
        first = (row * w.strideY + y) * w.width + column * w.strideX + x;
    }

    /// {@return the first output position whose element is not before `bound`, between two others}
    private static long within(long bound, long stride, long from, long to) {
        return Math.clamp(Math.ceilDiv(bound, stride), from, to);
    }

    /// {@return the distance of the first position of the rectangle from that of the tile}
    long start() {
        return above * pitch + before;
    }

    /// {@return the positions from the first one of the rectangle to its last}
    long run() {
        return (rows - 1) * pitch + columns;
    }
}
