package org.toydiff.internal.attention;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.CopyKernels;

/// The gradients of attention. Probabilities are computed again from the log-sum-exp of their row, a block at a time:
/// `P = e^(S − logSum)`, `dP = g·Vᵀ`, `dS = P·(dP − D)` with `D` the sum of `g·output` along a row; then `dV = Pᵀ·g`,
/// `dQ = scale·dS·K` and `dK = scale·dSᵀ·Q`. A dropout drops elements of `P` for `dV`, and of `dP`.
///
/// No two parts write the same memory. Where there are many heads, a part has one of keys and values, and each block is
/// computed once. Else there are two passes, by blocks of keys and by blocks of queries, each of which computes all
/// blocks.
public final class AttentionBackward extends AttentionWork {
    /// As many heads as most machines have cores.
    private static final int MANY_HEADS = 8;

    /// Libraries pack a transposed second operand, so the keys and values of a block are transposed before, if they are
    /// multiplied by so many queries.
    private static final int LEAST_QUERIES = 128;

    private static final int MAX_TRANSPOSED_SIZE = 128;

    /// The output, and its gradient.
    public final HeadMatrices output = new HeadMatrices();

    public final HeadMatrices gradient = new HeadMatrices();

    // The results, which have no memory where they are not wanted.
    public final HeadMatrices toQueries = new HeadMatrices();
    public final HeadMatrices toKeys = new HeadMatrices();
    public final HeadMatrices toValues = new HeadMatrices();

    private enum Pass {
        HEADS,
        KEYS,
        QUERIES
    }

    private Pass pass;

    // Where scratch has the probabilities of a block, and their gradients, in elements. Two doubles of each query come
    // first: its log-sum-exp, and its sum D.
    private long probabilities0;
    private long gradients0;

    /// Where scratch has a block of keys and one of values, transposed; or [#NOT_TRANSPOSED].
    private long transposedKeys0;

    private long transposedValues0;

    /// Computes the gradients that are wanted.
    public void run() {
        int doubles = 2 * Double.BYTES / kind.element.bytes;
        boolean transposes = transposes();
        cutQueries(doubles + 2L * width(), transposes ? (long) (querySize + valueSize) * width() : 0);
        probabilities0 = (long) doubles * rowsOfBlock;
        gradients0 = probabilities0 + (long) rowsOfBlock * width();
        transposedKeys0 = transposes ? gradients0 + (long) rowsOfBlock * width() : NOT_TRANSPOSED;
        transposedValues0 = transposes ? transposedKeys0 + (long) querySize * width() : NOT_TRANSPOSED;
        long ofQueries = (long) rowsOfBlock * keyCount * (querySize + valueSize);
        long ofHead = ofQueries * blocksOfQueries() * group;
        try {
            if (heads / group >= MANY_HEADS) {
                run(Pass.HEADS, heads / group, ofHead);
                return;
            }
            if (toKeys.memory != null || toValues.memory != null) {
                run(Pass.KEYS, heads / group * blocksOfKeys(), ofHead / blocksOfKeys());
            }
            if (toQueries.memory != null) {
                transposedKeys0 = NOT_TRANSPOSED;
                transposedValues0 = NOT_TRANSPOSED;
                run(Pass.QUERIES, heads * blocksOfQueries(), ofQueries);
            }
        } finally {
            forget();
        }
    }

    private void run(Pass pass, long units, long multiplications) {
        this.pass = pass;
        runUnits(units, multiplications);
    }

    /// {@return whether the products of a block of keys with many queries are to be of transposed keys and values}
    private boolean transposes() {
        boolean small = querySize <= MAX_TRANSPOSED_SIZE && valueSize <= MAX_TRANSPOSED_SIZE;
        return hasUnpacked() && small && (long) queryCount * group >= LEAST_QUERIES;
    }

    private int blocksOfKeys() {
        return Math.max(1, Math.ceilDiv(keyCount, KEYS));
    }

    @Override
    void unit(long index, MemorySegment scratch) {
        switch (pass) {
            case HEADS -> head(index, scratch);
            case KEYS -> ofKeys(index / blocksOfKeys(), (int) (index % blocksOfKeys()) * KEYS, false, scratch);
            case QUERIES -> ofQueries(index / blocksOfQueries(), index % blocksOfQueries() * rowsOfBlock, scratch);
        }
    }

    /// All gradients of a head of keys and values.
    private void head(long shared, MemorySegment scratch) {
        for (int block = 0; block < blocksOfKeys(); block++) {
            ofKeys(shared, block * KEYS, toQueries.memory != null, scratch);
        }
    }

    /// The gradients to a block of keys and values, and, if asked for, what the block adds to those of the queries.
    ///
    /// The last queries come first: they see the most keys, and so theirs are the first products, which need no zeros
    /// to be added to.
    private void ofKeys(long shared, int key, boolean toQueries, MemorySegment scratch) {
        int columns = Math.min(KEYS, keyCount - key);
        clearUnseen(shared, key, columns);
        if (transposedKeys0 != NOT_TRANSPOSED) {
            transpose(keys, shared, key, columns, querySize, scratch, transposedKeys0);
            transpose(values, shared, key, columns, valueSize, scratch, transposedValues0);
        }
        boolean first = true;
        for (long head = shared * group; head < (shared + 1) * group; head++) {
            for (long block = blocksOfQueries() - 1; block >= 0; block--) {
                long from = block * rowsOfBlock;
                int rows = rows(from);
                int seen = visible(from + rows - 1, key, columns);
                if (seen > 0) {
                    boolean gradients = toQueries || toKeys.memory != null;
                    block(head, from, rows, key, seen, columns, gradients, scratch);
                    addToKeysAndValues(head, from, rows, key, seen, first ? 0 : 1, scratch);
                    if (toQueries) {
                        addToQueries(head, from, rows, key, seen, scratch);
                    }
                    first = false;
                } else if (toQueries && key == 0) {
                    clearRows(this.toQueries, head, from, rows, querySize);
                }
            }
        }
    }

    /// Copies the transpose of a block of keys or values to scratch, with rows of `columns` keys.
    private static void transpose(
            HeadMatrices x, long shared, int key, int columns, int size, MemorySegment scratch, long at) {
        CopyKernels.of(Float.BYTES)
                .copy
                .run(x.memory, x.at(shared, key), 1, x.leading, scratch, at, columns, 1, size, columns);
    }

    /// Sets the gradients to the keys and values of a block that no query sees.
    private void clearUnseen(long shared, int key, int columns) {
        int seen = visible(queryCount - 1, key, columns);
        if (toKeys.memory != null) {
            clearRows(toKeys, shared, key + seen, columns - seen, querySize);
        }
        if (toValues.memory != null) {
            clearRows(toValues, shared, key + seen, columns - seen, valueSize);
        }
    }

    /// The gradients to a block of queries.
    private void ofQueries(long head, long from, MemorySegment scratch) {
        int rows = rows(from);
        int seen = visible(from + rows - 1);
        if (seen == 0) {
            clearRows(toQueries, head, from, rows, querySize);
        }
        for (int key = 0; key < seen; key += KEYS) {
            int columns = Math.min(KEYS, seen - key);
            block(head, from, rows, key, columns, columns, true, scratch);
            addToQueries(head, from, rows, key, columns, scratch);
        }
    }

    /// Computes the probabilities of a block of queries and one of keys and, if asked for, the gradients of its scores.
    ///
    /// @param leading the keys of the whole block, of which the queries see `columns`
    private void block(
            long head,
            long from,
            int rows,
            int key,
            int columns,
            int leading,
            boolean gradients,
            MemorySegment scratch) {
        scores(head, from, rows, key, columns, scratch, probabilities0, transposedKeys0, leading);
        for (int i = 0; i < rows; i++) {
            scratch.setAtIndex(JAVA_DOUBLE, i, kind.real(logSums, logSums0 + numberOf(head, from + i)));
        }
        if (gradients) {
            gradients(head, from, rows, key, columns, leading, scratch);
        } else {
            kernels.expOfRows(scratch, probabilities0, columns, rows, columns, scratch, 0);
        }
    }

    /// Computes the probabilities and the gradients of the scores.
    private void gradients(long head, long from, int rows, int key, int columns, int leading, MemorySegment scratch) {
        productOfTransposed(
                rows,
                columns,
                valueSize,
                1,
                gradient,
                head,
                from,
                values,
                key,
                scratch,
                gradients0,
                transposedValues0,
                leading);
        drop(head, from, rows, key, columns, scratch, gradients0);
        MemorySegment g = gradient.memory;
        MemorySegment y = output.memory;
        long at = gradient.at(head, from);
        long outputAt = output.at(head, from);
        kernels.dotOfRows(g, at, gradient.leading, y, outputAt, output.leading, rows, valueSize, scratch, rows);
        kernels.attentionGradientOfRows(
                scratch, probabilities0, scratch, gradients0, columns, rows, columns, scratch, 0);
    }

    private void addToKeysAndValues(
            long head, long from, int rows, int key, int columns, double beta, MemorySegment scratch) {
        if (toValues.memory != null) {
            drop(head, from, rows, key, columns, scratch, probabilities0);
            addToValues(head, from, rows, key, columns, beta, scratch);
        }
        if (toKeys.memory != null) {
            addToKeys(head, from, rows, key, columns, beta, scratch);
        }
    }

    private void addToValues(long head, long from, int rows, int key, int columns, double beta, MemorySegment scratch) {
        product(
                true,
                false,
                columns,
                valueSize,
                rows,
                1,
                scratch,
                probabilities0,
                columns,
                gradient.memory,
                gradient.at(head, from),
                gradient.leading,
                beta,
                toValues.memory,
                toValues.at(head / group, key),
                toValues.leading);
    }

    private void addToKeys(long head, long from, int rows, int key, int columns, double beta, MemorySegment scratch) {
        product(
                true,
                false,
                columns,
                querySize,
                rows,
                scale,
                scratch,
                gradients0,
                columns,
                queries.memory,
                queries.at(head, from),
                queries.leading,
                beta,
                toKeys.memory,
                toKeys.at(head / group, key),
                toKeys.leading);
    }

    private void addToQueries(long head, long from, int rows, int key, int columns, MemorySegment scratch) {
        product(
                false,
                false,
                rows,
                querySize,
                columns,
                scale,
                scratch,
                gradients0,
                columns,
                keys.memory,
                keys.at(head / group, key),
                keys.leading,
                key == 0 ? 0 : 1,
                toQueries.memory,
                toQueries.at(head, from),
                toQueries.leading);
    }

    @Override
    void forget() {
        super.forget();
        output.forget();
        gradient.forget();
        toQueries.forget();
        toKeys.forget();
        toValues.forget();
    }
}
