package org.toydiff.internal.recurrence;

import org.toydiff.internal.blas.CBlas;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.launch.ProductTable;

/// The product of the previous h with the weight of the hidden state, whose transpose was copied to panels before the
/// first step. OpenBLAS on AVX-512 multiplies a panel without packing it; a library that packs would pack h for each
/// panel. bench/README.md has the times.
///
/// A panel `[width, columns]` has the weights of some hidden units in one gate. Panels lie in the order `[units /
/// columns, gates]`, so that those of the same units follow each other.
final class PanelProduct {
    /// The rows of a block of the batch, which one part has.
    static final int ROWS = 64;

    private static final int LEAST_COLUMNS = 32;
    private static final int MOST_COLUMNS = 64;

    /// Copying the weight costs some steps.
    private static final int LEAST_STEPS = 16;

    /// Fewer multiplications in a step stay on the calling thread, and in one call.
    private static final int LEAST_MULTIPLICATIONS = 1 << 20;

    private static final class Library {
        static final ProductTable TABLE = ProductTable.of(CBlas.core());
    }

    boolean wide;
    int gates;
    int units;
    int width;

    /// The hidden units of a panel.
    int columns;

    /// The terms of a sum that one call adds.
    int depth;

    /// The previous h `[B, width]`, and where a step begins in its block.
    SequenceOperand h;

    long hAt;
    SequenceOperand panels;

    /// The sums `[B, gates·units]`, likewise.
    SequenceOperand y;

    long yAt;
    double beta;

    /// A bias of the sums, unset for none.
    SequenceOperand bias;

    /// {@return the hidden units of a panel, or 0 if the weight had better be multiplied as it is}
    static int columns(int gates, long steps, long batch, long units, long width) {
        ProductTable table = Library.TABLE;
        long multiplications = gates * units * width * batch;
        if (table.unpacked() == 0
                || steps < LEAST_STEPS
                || batch == 1
                || batch > table.thinTransposed()
                || multiplications < LEAST_MULTIPLICATIONS) {
            return 0;
        }
        for (int columns = MOST_COLUMNS; columns >= LEAST_COLUMNS; columns--) {
            if (units % columns == 0) {
                return columns;
            }
        }
        return 0;
    }

    /// {@return the terms of a sum in one call, so that the library does not pack}
    static int depth(int columns, long width) {
        long most = Math.max(1, Library.TABLE.unpacked() / (ROWS * columns));
        return Math.toIntExact(Math.ceilDiv(width, Math.ceilDiv(width, most)));
    }

    /// Adds the products of some rows of h to the sums of the units of a panel, in all gates.
    void run(long row, long unit, int rows) {
        for (int gate = 0; gate < gates; gate++) {
            long panel = (unit / columns * gates + gate) * width * columns;
            long at = yAt + row * gates * units + gate * units + unit;
            for (int k = 0; k < width; k += depth) {
                multiply(hAt + row * width + k, panel + (long) k * columns, at, rows, Math.min(depth, width - k), k);
            }
            if (bias.memory != null) {
                addBias(at, rows, gate * units + unit);
            }
        }
    }

    private void multiply(long hFrom, long panel, long to, int rows, int terms, int k) {
        long bytes = wide ? Double.BYTES : Float.BYTES;
        CBlas.gemm(
                wide,
                false,
                false,
                rows,
                columns,
                terms,
                h.memory,
                (h.offset + hFrom) * bytes,
                width,
                panels.memory,
                (panels.offset + panel) * bytes,
                columns,
                k == 0 ? beta : 1,
                y.memory,
                (y.offset + to) * bytes,
                gates * units);
    }

    private void addBias(long at, int rows, long column) {
        long to = y.offset + at;
        long step = (long) gates * units;
        var add = BinaryKernel.ADD.of(wide);
        add.run(y.memory, to, step, 1, bias.memory, bias.offset + column, 0, 1, y.memory, to, step, 1, rows, columns);
    }
}
