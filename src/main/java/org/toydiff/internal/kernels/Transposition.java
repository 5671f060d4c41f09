package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;

/// Exchanges the rows and columns of a matrix of elements of 4 bytes.
final class Transposition {
    /// Rows that are read together: what they are written to is contiguous.
    private static final int TOGETHER = 8;

    /// Rows of so many columns stay in a first-level cache until their last column has been read.
    private static final int TILE = 64;

    private Transposition() {}

    /// Writes `y[j][i] = x[i][j]` for `rows` by `columns` elements of x, whose rows are `xi` apart. Those of y are `yj`
    /// apart.
    static void run(MemorySegment x, long x0, long xi, long rows, long columns, MemorySegment y, long y0, long yj) {
        // A loop over a long has an inner one, which costs short rows a fifth of their time.
        int width = Math.toIntExact(columns);
        for (long from = 0; from < rows; from += TILE) {
            long height = Math.min(TILE, rows - from);
            long together = height & -TOGETHER;
            for (long i = 0; i < together; i += TOGETHER) {
                eight(x, x0 + (from + i) * xi, xi, width, y, y0 + from + i, yj);
            }
            for (long i = together; i < height; i++) {
                one(x, x0 + (from + i) * xi, width, y, y0 + from + i, yj);
            }
        }
    }

    private static void eight(MemorySegment x, long x0, long xi, int columns, MemorySegment y, long y0, long yj) {
        for (int j = 0; j < columns; j++) {
            long from = x0 + j;
            long to = y0 + j * yj;
            int a = x.getAtIndex(JAVA_INT, from);
            int b = x.getAtIndex(JAVA_INT, from + xi);
            int c = x.getAtIndex(JAVA_INT, from + 2 * xi);
            int d = x.getAtIndex(JAVA_INT, from + 3 * xi);
            int e = x.getAtIndex(JAVA_INT, from + 4 * xi);
            int f = x.getAtIndex(JAVA_INT, from + 5 * xi);
            int g = x.getAtIndex(JAVA_INT, from + 6 * xi);
            int h = x.getAtIndex(JAVA_INT, from + 7 * xi);
            y.setAtIndex(JAVA_INT, to, a);
            y.setAtIndex(JAVA_INT, to + 1, b);
            y.setAtIndex(JAVA_INT, to + 2, c);
            y.setAtIndex(JAVA_INT, to + 3, d);
            y.setAtIndex(JAVA_INT, to + 4, e);
            y.setAtIndex(JAVA_INT, to + 5, f);
            y.setAtIndex(JAVA_INT, to + 6, g);
            y.setAtIndex(JAVA_INT, to + 7, h);
        }
    }

    private static void one(MemorySegment x, long x0, int columns, MemorySegment y, long y0, long yj) {
        for (int j = 0; j < columns; j++) {
            y.setAtIndex(JAVA_INT, y0 + j * yj, x.getAtIndex(JAVA_INT, x0 + j));
        }
    }
}
