package org.toydiff.internal.pooling;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.kernels.CopyKernels;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.launch.Scratch;

/// Finds the largest elements of a tile's windows, and where they stand. One for a thread.
///
/// The tile's part of the input is copied to scratch, with −∞ beyond the border. For each place of a window, a
/// pass over all elements compares those that far on with the largest so far, as if a window began at each element;
/// the results of the windows that there are lie a stride apart. No branch depends on an element.
///
/// Scratch has these elements, then the largest ones so far, then their places in their windows.
final class WindowTile {
    private static final ThreadLocal<WindowTile> OF_THREAD = ThreadLocal.withInitial(WindowTile::new);

    /// The place where nothing is larger than −∞.
    private static final int NONE = -1;

    private WindowTiles tiles;
    private boolean wide;
    private ContiguousKernels kernels;
    private Kernel.Unary copy;
    private MemorySegment scratch;

    // The planes, and the rows and columns of windows.
    private long plane;
    private long planes;
    private int top;
    private int rows;
    private int left;
    private int columns;

    // The elements of the input, and of all planes of it.
    private int height;
    private int width;
    private int elements;
    private long size;

    // The position of the first element, and the rectangle of those inside the input.
    private long y0;
    private long x0;
    private int fromRow;
    private int toRow;
    private int fromColumn;
    private int toColumn;

    private WindowTile() {}

    /// {@return the tile of this thread, to be given back}
    static WindowTile take(WindowTiles tiles, long block, long tile, boolean wide) {
        WindowTile taken = OF_THREAD.get();
        taken.set(tiles, block, tile);
        taken.wide = wide;
        taken.kernels = ContiguousKernels.of(wide);
        taken.copy = CopyKernels.of(wide ? Double.BYTES : Float.BYTES).copy;
        taken.scratch = Scratch.take();
        return taken;
    }

    void giveBack() {
        Scratch.give(scratch);
        scratch = null;
    }

    private void set(WindowTiles tiles, long block, long tile) {
        this.tiles = tiles;
        plane = block * tiles.planesOfTile;
        planes = Math.min(tiles.planesOfTile, tiles.planes - plane);
        top = tiles.top(tile);
        rows = Math.min(tiles.rowsOfTile, tiles.rows.size - top);
        left = tiles.left(tile);
        columns = Math.min(tiles.columnsOfTile, tiles.columns.size - left);
        height = (int) tiles.rows.extent(rows);
        width = (int) tiles.columns.extent(columns);
        elements = height * width;
        size = planes * elements;
        y0 = tiles.rows.begin(top);
        x0 = tiles.columns.begin(left);
        fromRow = Math.clamp(-y0, 0, height);
        toRow = Math.clamp(tiles.rows.length - y0, fromRow, height);
        fromColumn = Math.clamp(-x0, 0, width);
        toColumn = Math.clamp(tiles.columns.length - x0, fromColumn, width);
    }

    // Places in scratch, for a plane of the tile.

    private long largest(long p) {
        return size + p * elements;
    }

    private long places(long p) {
        return 2 * size + p * elements;
    }

    private long inside(long p) {
        return p * elements + (long) fromRow * width + fromColumn;
    }

    /// Copies the input, or an operand of its shape.
    void read(Planes x) {
        int n1 = toRow - fromRow;
        int n2 = toColumn - fromColumn;
        if (n1 < height || n2 < width) {
            kernels.fill(scratch, 0, size, Double.NEGATIVE_INFINITY);
        }
        for (long p = 0; p < planes; p++) {
            long from = x.plane(plane + p) + (y0 + fromRow) * x.toRow + (x0 + fromColumn) * x.toColumn;
            copy.run(x.memory, from, x.toRow, x.toColumn, scratch, inside(p), width, 1, n1, n2);
        }
    }

    /// Finds the largest elements and writes them.
    void max(MemorySegment y, long yAt) {
        Kernel.Binary max = BinaryKernel.MAXIMUM.of(wide);
        long to = largest(0);
        long n = starts();
        kernels.fill(scratch, to, n, Double.NEGATIVE_INFINITY);
        for (int i = 0; i < tiles.rows.kernel; i++) {
            for (int j = 0; j < tiles.columns.kernel; j++) {
                max.run(scratch, offset(i, j), 0, 1, scratch, to, 0, 1, scratch, to, 0, 1, 1, n);
            }
        }
        write((long) tiles.rows.stride * width, tiles.columns.stride, y, yAt);
    }

    /// {@return the elements from the start of the first window to that of the last}
    private long starts() {
        long last = (rows - 1L) * tiles.rows.stride * width + (columns - 1L) * tiles.columns.stride;
        return size - elements + last + 1;
    }

    /// {@return the distance of a place from the start of its window}
    private int offset(int i, int j) {
        return i * tiles.rows.step * width + j * tiles.columns.step;
    }

    /// Writes a result for each window, whose rows and columns are so far apart in scratch.
    private void write(long rowStep, long step, MemorySegment y, long yAt) {
        long across = tiles.columns.size;
        for (long p = 0; p < planes; p++) {
            long to = yAt + ((plane + p) * tiles.rows.size + top) * across + left;
            copy.run(scratch, largest(p), rowStep, step, y, to, across, 1, rows, columns);
        }
    }

    /// Finds where the largest elements stand. Of equal ones it is the first, of several NaN the last, as in PyTorch.
    void findPlaces() {
        long n = starts();
        kernels.fill(scratch, largest(0), n, Double.NEGATIVE_INFINITY);
        kernels.fill(scratch, places(0), n, NONE);
        for (int i = 0; i < tiles.rows.kernel; i++) {
            for (int j = 0; j < tiles.columns.kernel; j++) {
                int from = offset(i, j);
                kernels.takeLarger(scratch, from, n, from, scratch, largest(0), scratch, places(0));
            }
        }
    }

    /// Writes the elements of b that stand at the places found.
    void pick(Planes b, MemorySegment y, long yAt) {
        read(b);
        int n = rows * columns;
        for (long p = 0; p < planes; p++) {
            RowBuffer buffer = locate(p);
            buffer.load(scratch, wide, p * elements, 1, elements, buffer.elements);
            for (int k = 0; k < n; k++) {
                int at = (int) buffer.positions[k];
                buffer.results[k] = at < 0 ? 0 : buffer.elements[at];
            }
            buffer.store(buffer.results, n, scratch, wide, largest(p));
        }
        write(columns, 1, y, yAt);
    }

    /// Adds the elements of b, one for each window, to the elements of y at the places found. If this is the only tile
    /// of its planes, y is 0 or undefined.
    void addTo(MemorySegment y, long yAt, Planes b) {
        int n = rows * columns;
        for (long p = 0; p < planes; p++) {
            long from = b.plane(plane + p) + top * b.toRow + left * b.toColumn;
            copy.run(b.memory, from, b.toRow, b.toColumn, scratch, largest(p), columns, 1, rows, columns);
            RowBuffer buffer = locate(p);
            buffer.load(scratch, wide, largest(p), 1, n, buffer.results);
            Arrays.fill(buffer.elements, 0, elements, 0);
            for (int k = 0; k < n; k++) {
                int at = (int) buffer.positions[k];
                if (at >= 0) {
                    buffer.elements[at] += buffer.results[k];
                }
            }
            buffer.store(buffer.elements, elements, scratch, wide, p * elements);
        }
        writeInside(y, yAt);
    }

    private void writeInside(MemorySegment y, long yAt) {
        long across = tiles.columns.length;
        int n1 = toRow - fromRow;
        int n2 = toColumn - fromColumn;
        Kernel.Binary add = BinaryKernel.ADD.of(wide);
        for (long p = 0; p < planes; p++) {
            long at = yAt + ((plane + p) * tiles.rows.length + y0 + fromRow) * across + x0 + fromColumn;
            if (tiles.tilesOfPlane() == 1) {
                copy.run(scratch, inside(p), width, 1, y, at, across, 1, n1, n2);
            } else {
                add.run(scratch, inside(p), width, 1, y, at, across, 1, y, at, across, 1, n1, n2);
            }
        }
    }

    /// {@return a buffer with the position in the tile's plane of the largest element of each window, −1 for none}
    private RowBuffer locate(long p) {
        RowBuffer buffer = RowBuffer.of(elements, rows * columns);
        buffer.load(scratch, wide, places(p), 1, elements, buffer.elements);
        for (int row = 0; row < rows; row++) {
            int start = row * tiles.rows.stride * width;
            for (int j = 0; j < columns; j++) {
                int place = (int) buffer.elements[start];
                buffer.positions[row * columns + j] = place == NONE ? firstInside(row, j) : start + place;
                start += tiles.columns.stride;
            }
        }
        return buffer;
    }

    /// {@return the position of the first place of a window that is inside the input, −1 if there is none}
    private long firstInside(int row, int column) {
        int y = top + row;
        int x = left + column;
        if (tiles.rows.count[y] == 0 || tiles.columns.count[x] == 0) {
            return -1;
        }
        return (tiles.rows.first[y] - y0) * width + tiles.columns.first[x] - x0;
    }
}
