package org.toydiff.internal.pooling;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// A pass over the windows of all planes of `[n, c, h, w]`, of floats or doubles; n and h may be missing. One
/// object per thread, like [org.toydiff.internal.launch.ElementWork].
///
/// Where the largest element of a window stands is found again whenever it is needed: reading a window costs less
/// than keeping a position for each.
public final class PoolingWork extends Work {
    /// The pass.
    public enum Pass {
        /// `y = ` the largest element of x in each window.
        LARGEST,
        /// `y = ` the element of b where the largest of x stands.
        AT_LARGEST,
        /// `y = ` zeros and, where the largest of x stands, the sum of the elements of b whose windows these are.
        TO_LARGEST,
        /// `y = ` the weighted sum of x in each window.
        SUM,
        /// `y = ` the sum over all windows that have a position, of its weight times their element of b.
        SPREAD;

        /// {@return whether the pass looks for largest elements}
        boolean compares() {
            return this == LARGEST || this == AT_LARGEST || this == TO_LARGEST;
        }

        /// {@return whether y has one element for each window} Else it has the shape of x.
        boolean toWindows() {
            return this == LARGEST || this == AT_LARGEST || this == SUM;
        }
    }

    /// Elements that the windows of a part read.
    private static final long PART = 1 << 14;

    /// The shortest row of a window that is worth a call of a kernel.
    private static final int LONG_ROW = 32;

    private final Windows rows = new Windows();
    private final Windows columns = new Windows();
    private final Planes x = new Planes();
    private final Planes b = new Planes();
    private final WindowTiles tiles = new WindowTiles();
    private Pass pass;
    private boolean wide;
    private ContiguousKernels kernels;
    private MemorySegment y;
    private long y0;
    private long planes;
    private long perPart;

    /// Whether parts are tiles, or blocks of planes with all of theirs.
    private boolean tiled;

    /// Sets the windows of the next [#run].
    ///
    /// @param h the size of h in the input, 1 if it is missing
    /// @param w the size of w in the input
    /// @param layout the numbers of windows along h and w, then the parameters of the kind for h and for w
    public void windows(Windows.Kind kind, long h, long w, long[] layout) {
        rows.set(kind, h, layout[0], layout, 2);
        columns.set(kind, w, layout[1], layout, 2 + Windows.PARAMETERS);
    }

    /// Sets the elements in windows of the next [#run].
    ///
    /// @param axes the number of last axes that windows extend over, 1 or 2; up to two others precede them
    public void x(MemorySegment memory, long start, long[] shape, long[] strides, int axes) {
        x.set(memory, start, shape, strides, axes);
    }

    /// Sets the second operand of the next [#run], as [#x] does the first.
    public void b(MemorySegment memory, long start, long[] shape, long[] strides, int axes) {
        b.set(memory, start, shape, strides, axes);
    }

    /// Runs a pass over the windows of so many planes; y is contiguous. Offsets are in elements.
    public void run(Pass pass, boolean wide, long planes, MemorySegment y, long yAt) {
        this.pass = pass;
        this.wide = wide;
        this.planes = planes;
        this.y = y;
        y0 = yAt;
        kernels = ContiguousKernels.of(wide);
        tiled = pass.compares() && tiles.set(rows, columns);
        try {
            Workers.run(this, tiled ? tiles() : parts());
        } finally {
            this.y = null;
            x.memory = null;
            b.memory = null;
        }
    }

    /// Divides windows into tiles, and returns the number of parts.
    private long tiles() {
        tiles.divide(planes);
        return pass.toWindows() ? tiles.blocks() * tiles.tilesOfPlane() : tiles.blocks();
    }

    /// Divides rows of windows, or planes, and returns the number of parts.
    private long parts() {
        long read = Math.max(1, (long) columns.size * columns.widest() * rows.widest());
        long all = planes;
        if (pass.toWindows()) {
            all *= rows.size;
        } else {
            read *= rows.size;
        }
        perPart = Math.max(1, PART / read);
        return parts(all, perPart);
    }

    @Override
    protected void part(long index) {
        long from = index * perPart;
        if (tiled && pass.toWindows()) {
            tile(index / tiles.tilesOfPlane(), index % tiles.tilesOfPlane());
        } else if (tiled) {
            block(index);
        } else if (pass.toWindows()) {
            long to = Math.min(from + perPart, planes * rows.size);
            for (long row = from; row < to; row++) {
                row(row / rows.size, (int) (row % rows.size), y0 + row * columns.size);
            }
        } else {
            long to = Math.min(from + perPart, planes);
            for (long plane = from; plane < to; plane++) {
                spread(plane);
            }
        }
    }

    /// Computes the planes of a block, of the shape of x's.
    private void block(long block) {
        if (!tiles.areWhole()) {
            long elements = (long) rows.length * columns.length;
            long from = block * tiles.planesOfTile;
            long to = Math.min(from + tiles.planesOfTile, planes);
            kernels.fill(y, y0 + from * elements, (to - from) * elements, 0);
        }
        for (long tile = 0; tile < tiles.tilesOfPlane(); tile++) {
            tile(block, tile);
        }
    }

    private void tile(long block, long index) {
        WindowTile tile = WindowTile.take(tiles, block, index, wide);
        try {
            tile.read(x);
            switch (pass) {
                case LARGEST -> tile.max(y, y0);
                case AT_LARGEST -> {
                    tile.findPlaces();
                    tile.pick(b, y, y0);
                }
                default -> {
                    tile.findPlaces();
                    tile.addTo(y, y0, b);
                }
            }
        } finally {
            tile.giveBack();
        }
    }

    /// Computes a row of y, one element for each window.
    private void row(long plane, int i, long yAt) {
        if (pass == Pass.SUM && rows.isWhole() && columns.isWhole() && x.isDense(columns.length)) {
            double sum = kernels.sum(x.memory, x.plane(plane), (long) rows.length * columns.length);
            set(y, yAt, sum * rows.weights[0] * columns.weights[0]);
            return;
        }
        for (int tile = 0; tile < columns.tiles; tile++) {
            int windows = columns.windows(tile);
            RowBuffer buffer = RowBuffer.of(columns.extent[tile], windows);
            switch (pass) {
                case LARGEST -> max(buffer, plane, i, tile);
                case SUM -> sums(buffer, plane, i, tile);
                default -> {
                    largest(buffer, plane, i, tile);
                    pick(buffer, b.plane(plane), windows);
                }
            }
            buffer.store(buffer.results, windows, y, wide, yAt + columns.tile[tile]);
        }
    }

    private void max(RowBuffer buffer, long plane, int i, int tile) {
        Arrays.fill(buffer.results, 0, columns.windows(tile), Double.NEGATIVE_INFINITY);
        for (int r = 0; r < rows.count[i]; r++) {
            load(buffer, plane, rows.first[i] + (long) r * rows.step, tile);
            buffer.max(columns, tile);
        }
    }

    /// Finds the largest elements of the windows of a row, and where they stand.
    private void largest(RowBuffer buffer, long plane, int i, int tile) {
        Arrays.fill(buffer.results, 0, columns.windows(tile), Double.NEGATIVE_INFINITY);
        Arrays.fill(buffer.positions, 0, columns.windows(tile), -1);
        for (int r = 0; r < rows.count[i]; r++) {
            long row = rows.first[i] + (long) r * rows.step;
            load(buffer, plane, row, tile);
            buffer.largest(columns, tile, row * columns.length, r == 0);
        }
    }

    private void load(RowBuffer buffer, long plane, long row, int tile) {
        long at = x.plane(plane) + row * x.toRow + columns.base[tile] * x.toColumn;
        buffer.load(x.memory, wide, at, x.toColumn, columns.extent[tile], buffer.elements);
    }

    /// Replaces the largest elements of x by those of b at their places, and by 0 if there is none.
    private void pick(RowBuffer buffer, long bFrom, int windows) {
        for (int j = 0; j < windows; j++) {
            long at = buffer.positions[j];
            long there = bFrom + at / columns.length * b.toRow + at % columns.length * b.toColumn;
            buffer.results[j] = at < 0 ? 0 : get(b.memory, there);
        }
    }

    private void sums(RowBuffer buffer, long plane, int i, int tile) {
        int from = columns.tile[tile];
        boolean runs = columns.span == 1 && x.toColumn == 1 && columns.count[from] >= LONG_ROW;
        Arrays.fill(buffer.results, 0, columns.windows(tile), 0);
        for (int r = 0; r < rows.count[i]; r++) {
            long row = rows.first[i] + r;
            double factor = rows.weights[rows.span * i + rows.weightStep * r];
            if (runs) {
                addRuns(buffer, x.plane(plane) + row * x.toRow, from, columns.tile[tile + 1], factor);
            } else {
                load(buffer, plane, row, tile);
                buffer.sum(columns, tile, factor);
            }
        }
    }

    private void addRuns(RowBuffer buffer, long rowAt, int from, int to, double factor) {
        for (int j = from; j < to; j++) {
            double sum = kernels.sum(x.memory, rowAt + columns.first[j], columns.count[j]);
            buffer.results[j - from] += sum * columns.weights[j] * factor;
        }
    }

    /// Computes a plane of y of the shape of x's.
    private void spread(long plane) {
        long elements = (long) rows.length * columns.length;
        long yAt = y0 + plane * elements;
        long from = b.plane(plane);
        if (pass == Pass.SPREAD && rows.isWhole() && columns.isWhole()) {
            kernels.fill(y, yAt, elements, get(b.memory, from) * rows.weights[0] * columns.weights[0]);
            return;
        }
        kernels.fill(y, yAt, elements, 0);
        for (int i = 0; i < rows.size; i++) {
            for (int tile = 0; tile < columns.tiles; tile++) {
                int windows = columns.windows(tile);
                long bAt = from + i * b.toRow + columns.tile[tile] * b.toColumn;
                RowBuffer buffer = RowBuffer.of(columns.extent[tile], windows);
                if (pass == Pass.TO_LARGEST) {
                    largest(buffer, plane, i, tile);
                    buffer.load(b.memory, wide, bAt, b.toColumn, windows, buffer.results);
                    add(buffer, windows, yAt);
                } else {
                    buffer.load(b.memory, wide, bAt, b.toColumn, windows, buffer.results);
                    spread(buffer, i, tile, yAt);
                }
            }
        }
    }

    /// Adds results where the largest elements of their windows stand.
    private void add(RowBuffer buffer, int windows, long yAt) {
        for (int j = 0; j < windows; j++) {
            if (buffer.positions[j] >= 0) {
                long at = yAt + buffer.positions[j];
                set(y, at, get(y, at) + buffer.results[j]);
            }
        }
    }

    private void spread(RowBuffer buffer, int i, int tile, long yAt) {
        int extent = columns.extent[tile];
        for (int r = 0; r < rows.count[i]; r++) {
            long at = yAt + (rows.first[i] + (long) r) * columns.length + columns.base[tile];
            buffer.load(y, wide, at, 1, extent, buffer.elements);
            buffer.spread(columns, tile, rows.weights[rows.span * i + rows.weightStep * r]);
            buffer.store(buffer.elements, extent, y, wide, at);
        }
    }

    private double get(MemorySegment segment, long at) {
        return wide ? segment.getAtIndex(JAVA_DOUBLE, at) : segment.getAtIndex(JAVA_FLOAT, at);
    }

    private void set(MemorySegment segment, long at, double value) {
        if (wide) {
            segment.setAtIndex(JAVA_DOUBLE, at, value);
        } else {
            segment.setAtIndex(JAVA_FLOAT, at, (float) value);
        }
    }
}
