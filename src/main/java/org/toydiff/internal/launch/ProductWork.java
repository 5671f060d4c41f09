package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.CBlas;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.SmallProduct;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// One matrix product `y = a·b + beta·y` under way, or a batch of them, cut into tiles of the result. One object
/// for each thread, as [ElementWork].
///
/// A tile is one call of BLAS on one thread over all of k, so that sums are never split and the result is the same
/// for any number of workers. What is to be done with a tile (add a bias, apply an activation, multiply an
/// activation's gradient) is done right after it, while it is in the cache.
public final class ProductWork extends Work {
    /// Products of fewer multiplications stay on the calling thread: some 10 µs of arithmetic.
    private static final long SMALLEST = 1 << 20;

    // At most so many rows and columns to a tile. BLAS packs its operands anew for each tile, which costs a share of
    // 1/rows + 1/columns of the product.
    private static final int TILE_ROWS = 1024;
    private static final int TILE_COLUMNS = 512;

    /// Up to so large a k the second operand is small and stays in the cache: tiles are cut by rows alone then,
    /// which took a fifth off the gradient of a weight at batch 32, and nothing at 128.
    private static final int SHALLOW = 64;

    /// What a tile is rounded to: the widest micro-kernels compute 16 by 4 to 48 by 8 elements at a time.
    private static final int UNIT = 16;

    /// Up to so many rows products are computed without packing: a third faster at 32 rows, no faster at 64.
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

    // Between a's rows, b's columns and y's rows.
    private long ai;
    private long bj;
    private long yi;

    // As BLAS wants to know it; the spacings are those of operands that are vectors.
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

    // The batch; a part is one tile of one product, or so many small products together.
    private long batches;
    private long betweenA;
    private long betweenB;
    private long together;

    // What follows a tile; null for nothing.
    private MemorySegment bias;
    private long bias0;
    private long biasStep;
    private Kernel.Binary withBias;
    private Kernel.Unary activation;

    /// y's old elements are the activation's output, and are overwritten by the gradient through it.
    private Kernel.Binary gradient;

    /// From now on each tile gets the bias added, which has one element for each column, `step` elements apart, by a
    /// kernel that may do more. To be ended by [#plain()].
    public void addBias(Kernel.Binary kernel, MemorySegment bias, long biasAt, long step) {
        withBias = kernel;
        this.bias = bias;
        bias0 = biasAt;
        biasStep = step;
    }

    /// From now on each tile goes through an activation. To be ended by [#plain()].
    public void activate(Kernel.Unary kernel) {
        activation = kernel;
    }

    /// From now on each tile goes through an activation's gradient with y's old elements, the activation's output,
    /// onto y. To be ended by [#plain()].
    public void throughGradient(Kernel.Binary kernel) {
        gradient = kernel;
    }

    /// From now on nothing follows a tile.
    public void plain() {
        bias = null;
        withBias = null;
        activation = null;
        gradient = null;
    }

    /// The first operand of the next [#run], `[rows, columns]`: the first of matrices that are `between` elements
    /// apart. How BLAS is to read it is for [MatrixLayout] to say.
    ///
    /// @param down between its rows, in elements
    /// @param transposed whether it lies with rows and columns exchanged
    /// @param leading the distance between rows as they lie
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

    /// The second operand of the next [#run], with as many rows as the first has columns; else as [#left].
    ///
    /// @param across between its columns, in elements
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

    /// `y = a·b + beta·y` for `batches` products of the operands set before, which BLAS can read where they lie; y's
    /// matrices are contiguous and follow each other, and nothing is empty, but perhaps k.
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

    /// Chooses tiles by the shape alone.
    private void cut() {
        tileRows = m;
        tileColumns = n;
        if ((long) m * n * Math.max(1, k) >= SMALLEST) {
            boolean byRows = k <= SHALLOW && m > 4 * UNIT;
            tileRows = even(m, TILE_ROWS);
            tileColumns = byRows ? n : even(n, TILE_COLUMNS);
            if (tileRows == m && tileColumns == n) {
                // One tile would leave the workers idle: two halves.
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

    /// A size near `most` that cuts `all` into equal pieces.
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

    /// Whether the product has so few rows that packing its operands, as BLAS does, costs more than it saves.
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
            small.multiply(a, aAt, leadingA, b, bAt, leadingB, to, at, leading, rows, columns, k);
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
            // y is a recycled block and may hold NaN; this does not rely on how a library reads beta = 0.
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
