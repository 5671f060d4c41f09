package org.toydiff.internal.attention;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.CBlas;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.launch.DropoutWork;
import org.toydiff.internal.launch.ElementKind;
import org.toydiff.internal.launch.ProductTable;
import org.toydiff.internal.launch.Scratch;
import org.toydiff.internal.random.DropoutMask;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// Attention in progress, forward or backward: the operands, and the scores of a block of queries and a block of keys.
/// One object per thread.
///
/// Blocks are cut by shape alone, so the bits are the same for any number of threads. Keys that no query of a block may
/// see for being later are left out.
public abstract class AttentionWork extends Work {
    /// The keys of a block.
    static final int KEYS = 512;

    /// The fewest multiplications of a part: below, waking a thread takes longer than the work.
    private static final long LEAST_OF_PART = 1 << 18;

    // The size of pieces of a product, which the library multiplies without packing them: products of 256 by 512 by 64
    // take 0.6 to 0.9 times as long as in one call.
    private static final int PIECE_ROWS = 64;

    private static final int PIECE_COLUMNS = 96;
    private static final int PIECE_DEPTH = 128;

    /// In place of where a block of keys is, transposed.
    static final long NOT_TRANSPOSED = -1;

    /// The operands; those of keys and values have fewer heads where several heads of queries share one.
    public final HeadMatrices queries = new HeadMatrices();

    public final HeadMatrices keys = new HeadMatrices();
    public final HeadMatrices values = new HeadMatrices();
    public final ScoreMask mask = new ScoreMask();

    boolean wide;
    ElementKind kind;
    ContiguousKernels kernels;

    /// The heads of the queries, those of all leading axes.
    long heads;

    /// The heads of queries that share a head of keys and values.
    int group;

    int queryCount;
    int keyCount;
    int querySize;
    int valueSize;
    private long diagonal;

    /// The factor of the products of queries and keys.
    double scale;

    private DropoutMask dropout;

    /// One log-sum-exp for each query of each head, contiguous; or null.
    MemorySegment logSums;

    long logSums0;

    /// The queries of a block.
    int rowsOfBlock;

    /// The largest product that the library computes without packing, in multiplications; 0 if products are to be left
    /// whole.
    private int unpacked;

    private long perPart;
    private long units;

    AttentionWork() {}

    /// Sets the sizes.
    ///
    /// @param heads the heads of queries in all leading axes; none of the sizes but the keys' is 0
    /// @param group how many of them share a head of keys and values
    public void sizes(
            boolean wide, long heads, int group, long queryCount, long keyCount, long querySize, long valueSize) {
        this.wide = wide;
        kind = wide ? ElementKind.FLOAT64 : ElementKind.FLOAT32;
        kernels = ContiguousKernels.of(wide);
        this.heads = heads;
        this.group = group;
        this.queryCount = (int) queryCount;
        this.keyCount = (int) keyCount;
        this.querySize = (int) querySize;
        this.valueSize = (int) valueSize;
        unpacked = wide ? 0 : ProductTable.active().unpacked();
    }

    /// Sets the arithmetic of the scores.
    ///
    /// @param diagonal query i sees the keys up to `i + diagonal`
    /// @param scale the factor of the products of queries and keys
    public void scores(long diagonal, double scale) {
        this.diagonal = diagonal;
        this.scale = scale;
    }

    /// Sets the dropout of the probabilities; null for none.
    public void dropout(DropoutMask mask) {
        dropout = mask;
    }

    /// Sets where the log-sum-exps of the rows are, in elements; null for none.
    public void logSums(MemorySegment memory, long start) {
        logSums = memory;
        logSums0 = start;
    }

    /// Cuts the queries into blocks: 32 to 256 of them, as PyTorch, or fewer where the scratch that `perRow` elements
    /// of each and `others` take would be larger than a piece.
    final void cutQueries(long perRow, long others) {
        int most = queryCount >= 768 ? LaterKeys.MAX_ROWS : queryCount >= 192 ? 64 : 32;
        long fitting = (Scratch.BYTES / kind.element.bytes - others) / perRow;
        rowsOfBlock = (int) Math.min(most, Math.min(fitting, queryCount));
    }

    /// {@return whether small products are computed without packing}
    final boolean hasUnpacked() {
        return unpacked > 0;
    }

    final int blocksOfQueries() {
        return Math.ceilDiv(queryCount, rowsOfBlock);
    }

    final int rows(long from) {
        return (int) Math.min(rowsOfBlock, queryCount - from);
    }

    /// {@return the columns of a block of keys, at most}
    final int width() {
        return Math.min(KEYS, keyCount);
    }

    /// Runs [#unit] for each of some pieces of work, several in a part where they are small.
    ///
    /// @param multiplications of a unit, about
    final void runUnits(long units, long multiplications) {
        this.units = units;
        perPart = Math.max(1, LEAST_OF_PART / Math.max(1, multiplications));
        Workers.run(this, parts(units, perPart));
    }

    @Override
    protected final void part(long index) {
        MemorySegment scratch = Scratch.take();
        try {
            long end = Math.min((index + 1) * perPart, units);
            for (long unit = index * perPart; unit < end; unit++) {
                unit(unit, scratch);
            }
        } finally {
            Scratch.give(scratch);
        }
    }

    abstract void unit(long index, MemorySegment scratch);

    /// {@return how many keys, the first ones, a query sees}
    final int visible(long query) {
        return Math.clamp(query + diagonal + 1, 0, keyCount);
    }

    /// {@return how many keys of a block a query sees}
    final int visible(long query, int firstKey, int columns) {
        return Math.clamp(visible(query) - firstKey, 0, columns);
    }

    /// Computes the scores of a block, a row for each query, `columns` apart: −∞ for keys that take no part.
    ///
    /// @param transposed where the keys of the block are, transposed, with rows `leading` apart; or
    ///     [#NOT_TRANSPOSED]
    final void scores(
            long head,
            long query,
            int rows,
            int key,
            int columns,
            MemorySegment scratch,
            long at,
            long transposed,
            int leading) {
        productOfTransposed(
                rows, columns, querySize, scale, queries, head, query, keys, key, scratch, at, transposed, leading);
        if (mask.isPresent()) {
            mask.apply(wide, head, query, key, rows, columns, scratch, at);
        }
        LaterKeys.leaveOut(wide, Math.clamp(query + diagonal + 1 - key, -rows, columns), rows, columns, scratch, at);
    }

    /// Drops some of a block of probabilities, or of their gradients, which lie as [#scores] does.
    final void drop(long head, long query, int rows, int key, int columns, MemorySegment block, long at) {
        for (int i = 0; i < rows && dropout != null; i++) {
            long row = at + (long) i * columns;
            long index = indexOfRow(numberOf(head, query + i), keyCount) + key;
            DropoutWork.apply(dropout, kind, index, columns, block, row, block, row);
        }
    }

    /// {@return the index of a row's first probability in the mask of a dropout: that of each block of keys is a
    /// multiple of 4}
    ///
    /// @param row the number of the row among those of all heads
    public static long indexOfRow(long row, long keys) {
        return row * Math.ceilDiv(keys, 4) * 4;
    }

    /// `c = alpha·a·bᵀ` for rows of a head's a from `query` on and of its b from `key` on, which may have been
    /// transposed before: see [#scores].
    final void productOfTransposed(
            int rows,
            int columns,
            int size,
            double alpha,
            HeadMatrices a,
            long head,
            long query,
            HeadMatrices b,
            int key,
            MemorySegment scratch,
            long at,
            long transposed,
            int leading) {
        boolean isTransposed = transposed != NOT_TRANSPOSED;
        product(
                false,
                !isTransposed,
                rows,
                columns,
                size,
                alpha,
                a.memory,
                a.at(head, query),
                a.leading,
                isTransposed ? scratch : b.memory,
                isTransposed ? transposed : b.at(head / group, key),
                isTransposed ? leading : b.leading,
                0,
                scratch,
                at,
                columns);
    }

    /// `c = alpha·op(a)·op(b) + beta·c`, starts and distances in elements.
    final void product(
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            double alpha,
            MemorySegment a,
            long aAt,
            int aLeading,
            MemorySegment b,
            long bAt,
            int bLeading,
            double beta,
            MemorySegment c,
            long cAt,
            int cLeading) {
        boolean whole = unpacked == 0 || transposeB || (long) m * n * k <= unpacked;
        int height = whole ? m : PIECE_ROWS;
        int width = whole ? n : PIECE_COLUMNS;
        int depth = whole ? k : PIECE_DEPTH;
        long aDown = transposeA ? 1 : aLeading;
        long aAcross = transposeA ? aLeading : 1;
        int bytes = kind.element.bytes;
        for (int i = 0; i < m; i += height) {
            for (int j = 0; j < n; j += width) {
                for (int l = 0; l < k; l += depth) {
                    CBlas.gemm(
                            wide,
                            transposeA,
                            transposeB,
                            Math.min(height, m - i),
                            Math.min(width, n - j),
                            Math.min(depth, k - l),
                            alpha,
                            a,
                            (aAt + i * aDown + l * aAcross) * bytes,
                            aLeading,
                            b,
                            (bAt + (transposeB ? 0 : (long) l * bLeading + j)) * bytes,
                            bLeading,
                            l == 0 ? beta : 1,
                            c,
                            (cAt + (long) i * cLeading + j) * bytes,
                            cLeading);
                }
            }
        }
    }

    /// Sets rows of a head to 0.
    final void clearRows(HeadMatrices y, long head, long from, int rows, int columns) {
        for (long i = from; i < from + rows; i++) {
            kernels.fill(y.memory, y.at(head, i), columns, 0);
        }
    }

    /// {@return where the number of a query is among those of all heads}
    final long numberOf(long head, long query) {
        return head * queryCount + query;
    }

    void forget() {
        queries.forget();
        keys.forget();
        values.forget();
        mask.forget();
        logSums = null;
        dropout = null;
    }
}
