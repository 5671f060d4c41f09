package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.CBlas;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.SmallProduct;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// One matrix product `y = a·b + beta·y` in progress, or a batch of them, divided into tiles of the result. One
/// object per thread, like [ElementWork].
///
/// A tile is one call of BLAS on one thread over all of k, so that sums are never split and the result is the same
/// for any number of workers. Operations on a tile (adding a bias, applying an activation, multiplying by an
/// activation's gradient) run right after it, while it is in the cache.
public final class ProductWork extends Work {
    /// Products of fewer multiplications stay on the calling thread: some 10 µs of arithmetic.
    private static final long SMALLEST = 1 << 20;

    // The most rows and columns of a tile. BLAS packs its operands again for each tile, which costs a share of
    // 1/rows + 1/columns of the product.
    private static final int TILE_ROWS = 1024;
    private static final int TILE_COLUMNS = 512;

    /// For k up to this size the second operand is small and stays in the cache, so tiles are cut by rows alone,
    /// which took a fifth off the gradient of a weight at batch 32, and nothing at 128.
    private static final int SHALLOW = 64;

    /// Tile sizes are rounded to this: the widest micro-kernels compute 16 by 4 to 48 by 8 elements at a time.
    private static final int UNIT = 16;

    /// Products of up to this many rows are computed without packing: a third faster at 32 rows, no faster at 64.
    private static final int FEW_ROWS = 48;

    private boolean wide;
    private SmallProduct small;
    private int m;
    private int n;
    private int k;
    private MemorySegment a;
    private MemorySegment b;
    private MemorySegment y;
    private long a0;
    private long b0;
    private long y0;

    // Strides between a's rows, b's columns and y's rows.
    private long ai;
    private long bj;
    private long yi;

    // As BLAS expects them; the spacings are the increments of operands that are vectors.
    private boolean transposeA;
    private boolean transposeB;
    private int leadingA;
    private int leadingB;
    private int spacingA;
    private int spacingB;
    private double beta;

    private int tileRows;
    private int tileColumns;
    private long across;
    private long tiles;

    // The batch; a part is one tile of one product, or `together` small products.
    private long batches;
    private long betweenA;
    private long betweenB;
    private long together;

    // Operations that follow a tile; null if absent.
    private MemorySegment bias;
    private long bias0;
    private long biasStep;
    private Kernel.Binary withBias;
    private Kernel.Unary activation;

    /// Overwrites y's old elements, the activation's output, with the gradient through it.
    private Kernel.Binary gradient;

    /// Adds the bias to each tile from now on, with a kernel that may do more. The bias has one element for each
    /// column, `step` elements apart. Ended by [#plain()].
    public void addBias(Kernel.Binary kernel, MemorySegment bias, long biasAt, long step) {
        withBias = kernel;
        this.bias = bias;
        bias0 = biasAt;
        biasStep = step;
    }

    /// Applies an activation to each tile from now on. Ended by [#plain()].
    public void activate(Kernel.Unary kernel) {
        activation = kernel;
    }

    /// Passes each tile from now on through an activation's gradient, given y's old elements, the activation's
    /// output, and writes the result to y. Ended by [#plain()].
    public void throughGradient(Kernel.Binary kernel) {
        gradient = kernel;
    }

    /// Ends all operations that follow a tile.
    public void plain() {
        bias = null;
        withBias = null;
        activation = null;
        gradient = null;
    }

    /// Sets the first operand of the next [#run], `[rows, columns]`: the first of matrices that are `between`
    /// elements apart. [MatrixLayout] determines how BLAS is to read it.
    ///
    /// @param down the stride between its rows, in elements
    /// @param transposed whether it is stored with rows and columns exchanged
    /// @param leading the distance between rows as stored
    /// @param increment the distance between elements of a row
    public void left(
            MemorySegment memory,
            long at,
            long rows,
            long columns,
            long down,
            boolean transposed,
            int leading,
            int increment,
            long between) {
        a = memory;
        a0 = at;
        m = (int) rows;
        k = (int) columns;
        ai = down;
        transposeA = transposed;
        leadingA = leading;
        spacingA = increment;
        betweenA = between;
    }

    /// Sets the second operand of the next [#run], with as many rows as the first has columns; otherwise like
    /// [#left].
    ///
    /// @param across the stride between its columns, in elements
    /// @param increment the distance between elements of a column
    public void right(
            MemorySegment memory,
            long at,
            long columns,
            long across,
            boolean transposed,
            int leading,
            int increment,
            long between) {
        b = memory;
        b0 = at;
        n = (int) columns;
        bj = across;
        transposeB = transposed;
        leadingB = leading;
        spacingB = increment;
        betweenB = between;
    }

    /// Computes `y = a·b + beta·y` for `batches` products of the operands set before, which BLAS can read in place.
    /// The matrices of y are contiguous and follow each other, and nothing is empty, except perhaps k.
    public void run(boolean wide, double beta, MemorySegment y, long yAt, long batches) {
        this.wide = wide;
        this.batches = batches;
        this.beta = beta;
        this.y = y;
        y0 = yAt;
        yi = n;
        small = SmallProduct.of(wide);
        cut();
        long multiplications = Math.max(1, (long) m * n * k);
        together = tiles > 1 ? 1 : Math.max(1, SMALLEST / multiplications);
        try {
            Workers.run(this, parts(batches, together) * tiles);
        } finally {
            forget();
        }
    }

    private void forget() {
        a = null;
        b = null;
        y = null;
    }

    /// Chooses tiles from the shape alone.
    private void cut() {
        tileRows = m;
        tileColumns = n;
        if ((long) m * n * Math.max(1, k) >= SMALLEST) {
            boolean byRows = k <= SHALLOW && m > 4 * UNIT;
            tileRows = even(m, TILE_ROWS);
            tileColumns = byRows ? n : even(n, TILE_COLUMNS);
            if (tileRows == m && tileColumns == n) {
                // One tile would leave the workers idle: cut it in half.
                if (byRows || m >= n) {
                    tileRows = even(m, parts(m, 2));
                } else {
                    tileColumns = even(n, parts(n, 2));
                }
            }
        }
        if (gradient != null) {
            long most = Scratch.BYTES / (wide ? Double.BYTES : Float.BYTES);
            tileColumns = (int) Math.min(tileColumns, most);
            tileRows = (int) Math.min(tileRows, most / tileColumns);
        }
        across = parts(n, tileColumns);
        tiles = parts(m, tileRows) * across;
    }

    /// {@return a size near `most` that divides `all` into equal pieces}
    public static int even(int all, long most) {
        long each = parts(all, parts(all, most));
        return (int) Math.min(all, parts(each, UNIT) * UNIT);
    }

    @Override
    protected void part(long index) {
        long first = index / tiles * together;
        for (long batch = first; batch < Math.min(first + together, batches); batch++) {
            tile(index % tiles, a0 + batch * betweenA, b0 + batch * betweenB, y0 + batch * m * n);
        }
    }

    private void tile(long index, long aAt, long bAt, long yAt) {
        long i = index / across * tileRows;
        long j = index % across * tileColumns;
        int rows = (int) Math.min(tileRows, m - i);
        int columns = (int) Math.min(tileColumns, n - j);
        long at = yAt + i * yi + j;
        if (gradient == null) {
            product(aAt + i * ai, bAt + j * bj, rows, columns, y, at, (int) yi);
            finish(at, j, rows, columns);
        } else {
            throughScratch(aAt + i * ai, bAt + j * bj, rows, columns, at);
        }
    }

    private void finish(long at, long j, int rows, int columns) {
        if (withBias != null) {
            withBias.run(y, at, yi, 1, bias, bias0 + j * biasStep, 0, biasStep, y, at, yi, 1, rows, columns);
        }
        if (activation != null) {
            activation.run(y, at, yi, 1, y, at, yi, 1, rows, columns);
        }
    }

    private void throughScratch(long aAt, long bAt, int rows, int columns, long at) {
        MemorySegment scratch = Scratch.take();
        try {
            product(aAt, bAt, rows, columns, scratch, 0, columns);
            gradient.run(scratch, 0, columns, 1, y, at, yi, 1, y, at, yi, 1, rows, columns);
        } finally {
            Scratch.give(scratch);
        }
    }

    /// {@return whether the product has so few rows that packing its operands, as BLAS does, costs more than it
    /// saves}
    private boolean isSmall(int rows, int columns) {
        return m <= FEW_ROWS && small != null && beta == 0 && !transposeA && !transposeB && small.fits(rows, columns);
    }

    private void product(long aAt, long bAt, int rows, int columns, MemorySegment to, long at, int leading) {
        if (k == 0) {
            for (int row = 0; row < rows && beta == 0; row++) {
                ContiguousKernels.of(wide).fill(to, at + (long) row * leading, columns, 0);
            }
            return;
        }
        long bytes = wide ? Double.BYTES : Float.BYTES;
        long x = aAt * bytes;
        long z = bAt * bytes;
        long c = at * bytes;
        if (isSmall(rows, columns)) {
            small.run(a, aAt, leadingA, b, bAt, leadingB, to, at, leading, rows, columns, k);
            return;
        }
        if (n != 1 && m != 1) {
            CBlas.gemm(
                    wide,
                    transposeA,
                    transposeB,
                    rows,
                    columns,
                    k,
                    a,
                    x,
                    leadingA,
                    b,
                    z,
                    leadingB,
                    beta,
                    to,
                    c,
                    leading);
            return;
        }
        if (beta == 0) {
            // y is a recycled block and may hold NaN; this does not rely on a library's handling of beta = 0.
            ContiguousKernels.of(wide).fill(to, at, (long) rows * columns, 0);
        }
        if (n == 1) {
            int down = transposeA ? k : rows;
            int width = transposeA ? rows : k;
            CBlas.gemv(wide, transposeA, down, width, a, x, leadingA, b, z, spacingB, beta, to, c);
        } else {
            int down = transposeB ? columns : k;
            int width = transposeB ? k : columns;
            CBlas.gemv(wide, !transposeB, down, width, b, z, leadingB, a, x, spacingA, beta, to, c);
        }
    }
}
