package org.toydiff.internal.convolution;

/// The division of a feature map into tiles of about one size, by its shape alone. A tile is a block of output
/// positions that follow each other in memory: whole rows, or a part of one row.
final class Tiling {
    private long outHeight;
    private long outWidth;
    private long rows;
    private long columns;
    private long across;

    /// The number of tiles.
    long count;

    /// Divides into tiles of `most` positions or somewhat fewer, and at least one.
    void of(Window window, long most) {
        outHeight = window.outHeight;
        outWidth = window.outWidth;
        columns = evenly(outWidth, most);
        across = Math.ceilDiv(outWidth, columns);
        rows = across > 1 ? 1 : evenly(outHeight, Math.max(1, most / columns));
        count = across * Math.ceilDiv(outHeight, rows);
    }

    /// {@return the size of parts of nearly one size, none of them larger than `most`}
    static long evenly(long all, long most) {
        return Math.ceilDiv(all, Math.ceilDiv(all, most));
    }

    /// {@return the first row of a tile}
    long top(long tile) {
        return tile / across * rows;
    }

    /// {@return the row after the last of a tile}
    long bottom(long tile) {
        return Math.min(top(tile) + rows, outHeight);
    }

    /// {@return the first column of a tile}
    long left(long tile) {
        return tile % across * columns;
    }

    /// {@return the column after the last of a tile}
    long right(long tile) {
        return Math.min(left(tile) + columns, outWidth);
    }

    /// {@return the first position of a tile in the feature map}
    long first(long tile) {
        return top(tile) * outWidth + left(tile);
    }

    /// {@return the number of positions of a tile}
    long size(long tile) {
        return (bottom(tile) - top(tile)) * (right(tile) - left(tile));
    }
}
