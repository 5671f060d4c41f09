package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.CBlas;
import org.toydiff.internal.blas.MklBlas;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.workers.Workers;

/// One matrix product `y = a·b + beta·y` of BFLOAT16 in progress, or a batch of them, divided into tiles of the
/// result. One object per thread, like [ElementWork].
///
/// A tile accumulates in floats, in [Scratch], and is rounded once, when it is stored. A library that multiplies
/// BFLOAT16 reads the operands where they lie; else panels of them are widened in the cache of the thread that
/// multiplies them. Nothing of an operand's size is made in floats.
/// What follows a product (an activation, an activation's gradient) reads the rounded elements, as a separate op
/// would; a bias is added before.
public final class Bfloat16ProductWork extends ProductBatch {
    /// Products of fewer multiplications stay on the calling thread.
    private static final long SMALLEST = 1 << 18;

    // The most rows and columns of a tile, and of the inner size at a time. Each element is widened once for each tile
    // that reads it, which costs a share of 1/rows + 1/columns of the product.
    private static final int TILE = 256;
    private static final int DEPTH = 512;

    /// The most rows and columns of a tile whose operands a library reads where they lie: it packs them once for each
    /// tile.
    private static final int DIRECT_TILE = 512;

    // Scratch, in floats: the tile, the panels, whose place a tile without them takes too, so that it must end before
    // REST; and the bias or, in BFLOAT16, a gradient before its activation.
    private static final long PANEL_A = TILE * TILE;
    private static final long PANEL_B = PANEL_A + TILE * DEPTH;
    private static final long REST = PANEL_B + TILE * DEPTH;

    private static final ContiguousKernels FLOATS = ContiguousKernels.of(false);

    // The operands' strides between rows and between columns, in elements.
    private long ai;
    private long aj;
    private long bi;
    private long bj;

    private int tileRows;
    private int tileColumns;
    private long across;
    private long tiles;

    /// A part is one tile of one product, or so many small products.
    private long together;

    /// Adds the bias to each tile from now on. It has one element for each column, `step` elements apart. Ended by
    /// [#plain()].
    public void addBias(MemorySegment bias, long biasAt, long step) {
        bias(bias, biasAt, step);
    }

    /// Sets the first operand of the next [#run], `[rows, columns]`, with the strides between its rows and between its
    /// columns, in elements.
    public void left(MemorySegment memory, long at, long rows, long columns, long down, long right) {
        a = memory;
        a0 = at;
        m = (int) rows;
        k = (int) columns;
        ai = down;
        aj = right;
    }

    /// Sets the second operand of the next [#run], with as many rows as the first has columns; otherwise like
    /// [#left].
    public void right(MemorySegment memory, long at, long columns, long down, long right) {
        b = memory;
        b0 = at;
        n = (int) columns;
        bi = down;
        bj = right;
    }

    /// Computes `y = a·b + beta·y` for a batch of products, of which the operands set before are the first; its axes
    /// and strides are those of [ProductWork#run]. The matrices of y are contiguous and follow each other, and nothing
    /// is empty, except perhaps k.
    public void run(double beta, MemorySegment y, long yAt, long[] shape, long[] aStrides, long[] bStrides) {
        begin(beta, y, yAt, shape, aStrides, bStrides);
        cut();
        long multiplications = Math.max(1, (long) m * n * k);
        together = tiles > 1 ? 1 : Math.max(1, SMALLEST / multiplications);
        try {
            Workers.run(this, parts(batches, together) * tiles);
        } finally {
            forget();
        }
    }

    /// Chooses tiles from the shape alone.
    private void cut() {
        int most = MklBlas.hasBfloat16Products() ? DIRECT_TILE : TILE;
        tileRows = ProductPlan.even(m, most);
        tileColumns = ProductPlan.even(n, most);
        if (tileRows == m && tileColumns == n && (long) m * n * k >= SMALLEST) {
            // One tile would leave the workers idle: cut it in half.
            if (m >= n) {
                tileRows = ProductPlan.even(m, parts(m, 2));
            } else {
                tileColumns = ProductPlan.even(n, parts(n, 2));
            }
        }
        across = parts(n, tileColumns);
        tiles = parts(m, tileRows) * across;
    }

    @Override
    protected void part(long index) {
        long first = index / tiles * together;
        long i = index % tiles / across * tileRows;
        long j = index % across * tileColumns;
        int rows = (int) Math.min(tileRows, m - i);
        int columns = (int) Math.min(tileColumns, n - j);
        MemorySegment scratch = Scratch.take();
        try {
            for (long batch = first; batch < Math.min(first + together, batches); batch++) {
                long yAt = yAt(batch) + i * n + j;
                product(scratch, aAt(batch) + i * ai, bAt(batch) + j * bj, yAt, rows, columns);
                store(scratch, yAt, j, rows, columns);
            }
        } finally {
            Scratch.give(scratch);
        }
    }

    /// Computes a tile in floats, at the start of the scratch memory.
    private void product(MemorySegment scratch, long aAt, long bAt, long yAt, int rows, int columns) {
        if (beta != 0) {
            Widened.WIDEN.run(y, yAt, n, 1, scratch, 0, columns, 1, rows, columns);
        } else if (k == 0) {
            FLOATS.fill(scratch, 0, (long) rows * columns, 0);
        }
        if (k > 0 && MklBlas.hasBfloat16Products()) {
            direct(scratch, aAt, bAt, rows, columns);
            return;
        }
        for (int l = 0; l < k; l += DEPTH) {
            int depth = Math.min(DEPTH, k - l);
            boolean downA = isDown(ai, aj, depth);
            boolean downB = isDown(bi, bj, columns);
            widen(a, aAt + l * aj, ai, aj, downA, scratch, PANEL_A, rows, depth);
            widen(b, bAt + l * bi, bi, bj, downB, scratch, PANEL_B, depth, columns);
            CBlas.gemm(
                    false,
                    downA,
                    downB,
                    rows,
                    columns,
                    depth,
                    scratch,
                    PANEL_A * Float.BYTES,
                    downA ? rows : depth,
                    scratch,
                    PANEL_B * Float.BYTES,
                    downB ? depth : columns,
                    l == 0 ? beta : 1,
                    scratch,
                    0,
                    columns);
        }
    }

    /// Computes a tile by a product of the library, which reads operands with contiguous rows or columns.
    private void direct(MemorySegment scratch, long aAt, long bAt, int rows, int columns) {
        boolean downA = isDown(ai, aj, k) || (rows == 1 && aj != 1);
        boolean downB = isDown(bi, bj, columns) || (k == 1 && bj != 1);
        MklBlas.gemmBfloat16(
                downA,
                downB,
                rows,
                columns,
                k,
                1,
                a,
                aAt * Short.BYTES,
                leading(downA ? aj : ai, downA ? rows : k),
                b,
                bAt * Short.BYTES,
                leading(downB ? bj : bi, downB ? k : columns),
                (float) beta,
                scratch,
                0,
                columns);
    }

    /// {@return the distance between rows as stored, which a library requires to be no less than their length, even
    /// of a single row}
    private static int leading(long stride, int length) {
        return (int) Math.max(stride, length);
    }

    /// {@return whether the columns of a panel are contiguous, not the rows}
    private static boolean isDown(long down, long right, int columns) {
        return down == 1 && (right != 1 || columns == 1);
    }

    /// Widens a panel of an operand: row by row or, where columns are contiguous (`down`), column by column.
    private static void widen(
            MemorySegment x,
            long x0,
            long xi,
            long xj,
            boolean down,
            MemorySegment scratch,
            long to,
            int rows,
            int columns) {
        if (down) {
            Widened.WIDEN.run(x, x0, xj, xi, scratch, to, rows, 1, columns, rows);
        } else {
            Widened.WIDEN.run(x, x0, xi, xj, scratch, to, columns, 1, rows, columns);
        }
    }

    /// Rounds a tile into y, with the operations that follow it.
    private void store(MemorySegment scratch, long yAt, long j, int rows, int columns) {
        if (bias != null) {
            Widened.WIDEN.run(bias, bias0 + j * biasStep, 0, biasStep, scratch, REST, 0, 1, 1, columns);
            Kernel.Binary add = BinaryKernel.ADD.of(false);
            add.run(scratch, 0, columns, 1, scratch, REST, 0, 1, scratch, 0, columns, 1, rows, columns);
        }
        if (gradient != null) {
            long rounded = REST * Float.BYTES / Short.BYTES;
            Widened.round(scratch, 0, scratch, rounded, (long) rows * columns);
            gradient.run(scratch, rounded, columns, 1, y, yAt, n, 1, y, yAt, n, 1, rows, columns);
            return;
        }
        Widened.ROUND.run(scratch, 0, columns, 1, y, yAt, n, 1, rows, columns);
        if (activation != null) {
            activation.run(y, yAt, n, 1, y, yAt, n, 1, rows, columns);
        }
    }
}
