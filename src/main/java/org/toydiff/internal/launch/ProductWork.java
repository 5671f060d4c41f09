package org.toydiff.internal.launch;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.CBlas;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.workers.Workers;

/// One matrix product `y = a·b + beta·y` in progress, or a batch of them, divided into parts by [ProductPlan]. One
/// object per thread, like [ElementWork].
///
/// A part runs on one thread, and each call of BLAS within it. Operations on the result (adding a bias, applying an
/// activation, multiplying by an activation's gradient) run right after a tile, while it is in the cache.
public final class ProductWork extends ProductBatch {
    /// Partial results are added this many elements at a time, which stay in a first-level cache.
    private static final int BLOCK = 2048;

    private final ProductPlan plan = new ProductPlan();
    private final PartialSums partials = new PartialSums();

    /// Null for that of the loaded library.
    private final ProductTable table;

    private boolean wide;

    // Strides between a's rows and b's columns.
    private long ai;
    private long bj;

    // As BLAS expects them; the spacings are the strides along k.
    private boolean transposeA;
    private boolean transposeB;
    private int leadingA;
    private int leadingB;
    private int spacingA;
    private int spacingB;

    /// Whether the parts add partial results; else they multiply.
    private boolean adds;

    /// Adds the bias, if there is one.
    private Kernel.Binary withBias;

    /// Creates a work planned for the loaded library.
    public ProductWork() {
        this(null);
    }

    /// Creates a work planned by a table, for measurements and tests.
    public ProductWork(ProductTable table) {
        this.table = table;
    }

    /// Adds the bias to each tile from now on, with a kernel that may do more. The bias has one element for each
    /// column, `step` elements apart. Ended by [#plain()].
    public void addBias(Kernel.Binary kernel, MemorySegment bias, long biasAt, long step) {
        withBias = kernel;
        bias(bias, biasAt, step);
    }

    /// Sets the first operand of the next [#run], `[rows, columns]`. [MatrixLayout] determines how BLAS is to read
    /// it.
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
            int increment) {
        a = memory;
        a0 = at;
        m = (int) rows;
        k = (int) columns;
        ai = down;
        transposeA = transposed;
        leadingA = leading;
        spacingA = increment;
    }

    /// Sets the second operand of the next [#run], with as many rows as the first has columns; otherwise like
    /// [#left].
    ///
    /// @param across the stride between its columns, in elements
    /// @param increment the distance between elements of a column
    public void right(
            MemorySegment memory, long at, long columns, long across, boolean transposed, int leading, int increment) {
        b = memory;
        b0 = at;
        n = (int) columns;
        bj = across;
        transposeB = transposed;
        leadingB = leading;
        spacingB = increment;
    }

    /// Computes `y = a·b + beta·y` of the operands set before, which BLAS can read in place, or of a batch of which
    /// they are the first. The matrices of y are contiguous and follow each other, and nothing is empty, except
    /// perhaps k.
    ///
    /// @param shape the axes of the batch, none of them empty; no axis for one product
    /// @param aStrides the strides of the first operands along these axes, in elements; 0 along one where they are
    ///     one and the same
    /// @param bStrides those of the second operands
    public void run(
            boolean wide, double beta, MemorySegment y, long yAt, long[] shape, long[] aStrides, long[] bStrides) {
        this.wide = wide;
        begin(beta, y, yAt, shape, aStrides, bStrides);
        long room = Scratch.BYTES / bytes();
        long most = gradient != null || beforeGradient ? room : 0;
        ProductTable thresholds = table == null ? ProductTable.active() : table;
        plan.of(thresholds, wide, transposeA, transposeB, m, n, k, batches, most, room);
        try {
            if (plan.chunks == 1) {
                Workers.run(this, parts(batches, plan.together) * plan.tiles);
            } else {
                runChunks(room);
            }
        } finally {
            forget();
        }
    }

    private void runChunks(long room) {
        try {
            partials.take(y, y0, plan.chunks, (long) m * n, room);
            Workers.run(this, plan.tiles * plan.chunks);
            adds = true;
            Workers.run(this, parts(m, rowsOfBlock()));
        } finally {
            adds = false;
            partials.giveBack();
        }
    }

    private int bytes() {
        return wide ? Double.BYTES : Float.BYTES;
    }

    private int rowsOfBlock() {
        return Math.max(1, BLOCK / n);
    }

    @Override
    protected void part(long index) {
        if (adds) {
            addRows(index);
        } else if (plan.chunks > 1) {
            chunk(index / plan.chunks, (int) (index % plan.chunks));
        } else {
            long first = index / plan.tiles * plan.together;
            long end = Math.min(first + plan.together, batches);
            for (long batch = first; batch < end; batch++) {
                tile(index % plan.tiles, aAt(batch), bAt(batch), yAt(batch));
            }
        }
    }

    /// Adds the partial results of some rows.
    private void addRows(long index) {
        long row = index * rowsOfBlock();
        int rows = (int) Math.min(rowsOfBlock(), m - row);
        long from = row * n;
        long end = from + (long) rows * n;
        for (long at = from; at < end; at += BLOCK) {
            partials.add(wide, at, Math.min(BLOCK, end - at));
        }
        finish(y0 + from, 0, rows, n);
    }

    private long row(long tile) {
        return tile / plan.across * plan.rows;
    }

    private long column(long tile) {
        return tile % plan.across * plan.columns;
    }

    private int rows(long row) {
        return (int) Math.min(plan.rows, m - row);
    }

    private int columns(long column) {
        return (int) Math.min(plan.columns, n - column);
    }

    private void chunk(long tile, int chunk) {
        long i = row(tile);
        long j = column(tile);
        long l = (long) chunk * plan.depth;
        int depth = (int) Math.min(plan.depth, k - l);
        long at = partials.start(chunk) + i * n + j;
        long aAt = a0 + i * ai + l * spacingA;
        long bAt = b0 + j * bj + l * spacingB;
        product(aAt, bAt, rows(i), columns(j), depth, chunk == 0 ? beta : 0, partials.memory(chunk), at, n);
    }

    private void tile(long tile, long aAt, long bAt, long yAt) {
        long i = row(tile);
        long j = column(tile);
        int rows = rows(i);
        int columns = columns(j);
        long at = yAt + i * n + j;
        if (gradient == null) {
            product(aAt + i * ai, bAt + j * bj, rows, columns, k, beta, y, at, n);
            finish(at, j, rows, columns);
        } else {
            throughScratch(aAt + i * ai, bAt + j * bj, rows, columns, at);
        }
    }

    private void finish(long at, long j, int rows, int columns) {
        if (bias != null) {
            // A column is one row, all of whose elements have the same bias.
            long step = n == 1 ? 0 : biasStep;
            long height = n == 1 ? 1 : rows;
            withBias.run(
                    y, at, n, 1, bias, bias0 + j * biasStep, 0, step, y, at, n, 1, height, columns * (rows / height));
        }
        if (activation != null) {
            long height = height(rows, columns, n);
            activation.run(y, at, n, 1, y, at, n, 1, height, columns * (rows / height));
        }
    }

    /// The number of rows of a tile for an operation on each element: those without a gap between them are one row.
    private static long height(int rows, int columns, int leading) {
        return columns == leading ? 1 : rows;
    }

    private void throughScratch(long aAt, long bAt, int rows, int columns, long at) {
        MemorySegment scratch = Scratch.take();
        try {
            product(aAt, bAt, rows, columns, k, 0, scratch, 0, columns);
            long height = height(rows, columns, n);
            gradient.run(scratch, 0, columns, 1, y, at, n, 1, y, at, n, 1, height, columns * (rows / height));
        } finally {
            Scratch.give(scratch);
        }
    }

    /// Computes `to = a·b + beta·to` on the calling thread, for `rows` by `depth` elements of a and `depth` by
    /// `columns` of b.
    private void product(
            long aAt, long bAt, int rows, int columns, int depth, double beta, MemorySegment to, long at, int leading) {
        if (depth == 0) {
            scale(beta, rows, columns, to, at, leading);
        } else if (m != 1 && n != 1) {
            pieces(aAt, bAt, rows, columns, depth, beta, to, at, leading);
        } else if (m == n && beta == 0) {
            dot(aAt, bAt, depth, to, at);
        } else {
            if (beta == 0) {
                // A recycled block may hold NaN: this does not rely on a library's handling of beta = 0.
                scale(0, rows, columns, to, at, leading);
            }
            if (n == 1) {
                matrixVector(aAt, bAt, rows, depth, beta, to, at);
            } else {
                vectorMatrix(aAt, bAt, columns, depth, beta, to, at);
            }
        }
    }

    /// Computes `to = beta·to`.
    private void scale(double beta, int rows, int columns, MemorySegment to, long at, int leading) {
        ContiguousKernels kernels = ContiguousKernels.of(wide);
        long height = height(rows, columns, leading);
        long width = columns * (rows / height);
        for (long row = 0; row < height && beta != 1; row++) {
            long start = at + row * leading;
            if (beta == 0) {
                kernels.fill(to, start, width, 0);
            } else {
                kernels.affine(to, start, width, 0, beta, 0, to, start);
            }
        }
    }

    private void pieces(
            long aAt, long bAt, int rows, int columns, int depth, double beta, MemorySegment to, long at, int leading) {
        for (int i = 0; i < rows; i += plan.pieceRows) {
            int height = Math.min(plan.pieceRows, rows - i);
            for (int j = 0; j < columns; j += plan.pieceColumns) {
                int width = Math.min(plan.pieceColumns, columns - j);
                for (int l = 0; l < depth; l += plan.pieceDepth) {
                    matrices(
                            aAt + i * ai + (long) l * spacingA,
                            bAt + j * bj + (long) l * spacingB,
                            height,
                            width,
                            Math.min(plan.pieceDepth, depth - l),
                            l == 0 ? beta : 1,
                            to,
                            at + (long) i * leading + j,
                            leading);
                }
            }
        }
    }

    /// One call of the library.
    private void matrices(
            long aAt, long bAt, int rows, int columns, int depth, double beta, MemorySegment to, long at, int leading) {
        CBlas.gemm(
                wide,
                transposeA,
                transposeB,
                rows,
                columns,
                depth,
                a,
                aAt * bytes(),
                leadingA,
                b,
                bAt * bytes(),
                leadingB,
                beta,
                to,
                at * bytes(),
                leading);
    }

    private void matrixVector(long aAt, long bAt, int rows, int depth, double beta, MemorySegment to, long at) {
        int down = transposeA ? depth : rows;
        int width = transposeA ? rows : depth;
        long x = aAt * bytes();
        long z = bAt * bytes();
        CBlas.gemv(wide, transposeA, down, width, a, x, leadingA, b, z, spacingB, beta, to, at * bytes());
    }

    private void vectorMatrix(long aAt, long bAt, int columns, int depth, double beta, MemorySegment to, long at) {
        int down = transposeB ? columns : depth;
        int width = transposeB ? depth : columns;
        long x = aAt * bytes();
        long z = bAt * bytes();
        CBlas.gemv(wide, !transposeB, down, width, b, z, leadingB, a, x, spacingA, beta, to, at * bytes());
    }

    private void dot(long aAt, long bAt, int depth, MemorySegment to, long at) {
        double sum = CBlas.dot(wide, depth, a, aAt * bytes(), spacingA, b, bAt * bytes(), spacingB);
        if (wide) {
            to.setAtIndex(JAVA_DOUBLE, at, sum);
        } else {
            to.setAtIndex(JAVA_FLOAT, at, (float) sum);
        }
    }
}
