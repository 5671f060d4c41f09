package org.toydiff.internal.attention;

import java.lang.foreign.MemorySegment;

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

    /// The output, and its gradient.
    public final HeadMatrices output = new HeadMatrices();

    public final HeadMatrices gradient = new HeadMatrices();

    // The results, which have no memory where they are not wanted.
    public final HeadMatrices toQueries = new HeadMatrices();
    public final HeadMatrices toKeys = new HeadMatrices();
    public final HeadMatrices toValues = new HeadMatrices();

    /// `D`, one for each query of each head, contiguous.
    private MemorySegment dots;

    private long dots0;

    private enum Pass {
        DOTS,
        HEADS,
        KEYS,
        QUERIES
    }

    private Pass pass;

    // Where scratch has what, in elements: the scaled queries, the probabilities of a block, and their gradients.
    private long probabilities0;
    private long gradients0;

    /// Sets the memory for one number of each query of each head, in elements.
    public void dots(MemorySegment memory, long start) {
        dots = memory;
        dots0 = start;
    }

    /// Computes the gradients that are wanted.
    public void run() {
        cutQueries(querySize + 2L * width());
        probabilities0 = (long) rowsOfBlock * querySize;
        gradients0 = probabilities0 + (long) rowsOfBlock * width();
        long ofQueries = (long) rowsOfBlock * keyCount * (querySize + valueSize);
        long ofHead = ofQueries * blocksOfQueries() * group;
        try {
            run(Pass.DOTS, heads * blocksOfQueries(), (long) rowsOfBlock * valueSize);
            if (heads / group >= MANY_HEADS) {
                run(Pass.HEADS, heads / group, ofHead);
                return;
            }
            if (toKeys.memory != null || toValues.memory != null) {
                run(Pass.KEYS, heads / group * blocksOfKeys(), ofHead / blocksOfKeys());
            }
            if (toQueries.memory != null) {
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

    private int blocksOfKeys() {
        return Math.max(1, Math.ceilDiv(keyCount, KEYS));
    }

    @Override
    void unit(long index, MemorySegment scratch) {
        switch (pass) {
            case DOTS -> dots(index / blocksOfQueries(), index % blocksOfQueries() * rowsOfBlock);
            case HEADS -> head(index, scratch);
            case KEYS -> ofKeys(index / blocksOfKeys(), (int) (index % blocksOfKeys()) * KEYS, false, scratch);
            case QUERIES -> ofQueries(index / blocksOfQueries(), index % blocksOfQueries() * rowsOfBlock, scratch);
        }
    }

    private void dots(long head, long from) {
        for (long i = from; i < from + rows(from); i++) {
            double dot =
                    kernels.dot(gradient.memory, gradient.at(head, i), output.memory, output.at(head, i), valueSize);
            kind.set(dots, dots0 + numberOf(head, i), dot);
        }
    }

    /// All gradients of a head of keys and values.
    private void head(long shared, MemorySegment scratch) {
        boolean toQueries = this.toQueries.memory != null;
        for (long head = shared * group; toQueries && head < (shared + 1) * group; head++) {
            clearRows(this.toQueries, head, 0, queryCount, querySize, scratch);
        }
        for (int block = 0; block < blocksOfKeys(); block++) {
            ofKeys(shared, block * KEYS, toQueries, scratch);
        }
        for (long head = shared * group; toQueries && head < (shared + 1) * group; head++) {
            scaleGradients(head, 0, queryCount, scratch);
        }
    }

    /// The gradients to a block of keys and values, and, if asked for, what the block adds to those of the queries.
    private void ofKeys(long shared, int key, boolean toQueries, MemorySegment scratch) {
        int columns = Math.min(KEYS, keyCount - key);
        if (toKeys.memory != null) {
            clearRows(toKeys, shared, key, columns, querySize, scratch);
        }
        if (toValues.memory != null) {
            clearRows(toValues, shared, key, columns, valueSize, scratch);
        }
        for (long head = shared * group; head < (shared + 1) * group; head++) {
            for (long from = 0; from < queryCount; from += rowsOfBlock) {
                int rows = rows(from);
                int seen = visible(from + rows - 1, key, columns);
                if (seen > 0) {
                    block(head, from, rows, key, seen, true, toQueries, scratch);
                }
            }
        }
    }

    /// The gradients to a block of queries.
    private void ofQueries(long head, long from, MemorySegment scratch) {
        int rows = rows(from);
        int seen = visible(from + rows - 1);
        clearRows(toQueries, head, from, rows, querySize, scratch);
        for (int key = 0; key < seen; key += KEYS) {
            block(head, from, rows, key, Math.min(KEYS, seen - key), false, true, scratch);
        }
        scaleGradients(head, from, rows, scratch);
    }

    private void scaleGradients(long head, long from, int rows, MemorySegment scratch) {
        long at = toQueries.at(head, from);
        MemorySegment y = toQueries.memory;
        scale(y, at, toQueries.leading, y, at, toQueries.leading, rows, scratch);
    }

    /// Adds what a block of queries and one of keys contribute.
    private void block(
            long head,
            long from,
            int rows,
            int key,
            int columns,
            boolean ofKeys,
            boolean ofQueries,
            MemorySegment scratch) {
        scaleQueries(head, from, rows, scratch, 0);
        scores(head, from, rows, key, columns, scratch, 0, probabilities0);
        for (int i = 0; i < rows; i++) {
            probabilities(head, from + i, key, columns, scratch, probabilities0 + (long) i * columns);
        }
        if (ofQueries || toKeys.memory != null) {
            gradients(head, from, rows, key, columns, scratch);
        }
        if (ofKeys && toValues.memory != null) {
            drop(head, from, rows, key, columns, scratch, probabilities0);
            addToValues(head, from, rows, key, columns, scratch);
        }
        if (ofKeys && toKeys.memory != null) {
            addToKeys(head, rows, key, columns, scratch);
        }
        if (ofQueries) {
            addToQueries(head, from, rows, key, columns, scratch);
        }
    }

    /// Replaces a row of scores by probabilities.
    private void probabilities(long head, long query, int key, int columns, MemorySegment scratch, long row) {
        int seen = visible(query, key, columns);
        if (seen > 0) {
            kernels.exp(scratch, row, seen, kind.real(logSums, logSums0 + numberOf(head, query)), scratch, row);
        }
        if (seen < columns) {
            kernels.fill(scratch, row + seen, columns - seen, 0);
        }
    }

    /// Computes the gradients of the scores.
    private void gradients(long head, long from, int rows, int key, int columns, MemorySegment scratch) {
        product(
                false,
                true,
                rows,
                columns,
                valueSize,
                gradient.memory,
                gradient.at(head, from),
                gradient.leading,
                values.memory,
                values.at(head / group, key),
                values.leading,
                0,
                scratch,
                gradients0,
                columns);
        drop(head, from, rows, key, columns, scratch, gradients0);
        for (int i = 0; i < rows; i++) {
            long row = gradients0 + (long) i * columns;
            long probabilities = probabilities0 + (long) i * columns;
            double dot = kind.real(dots, dots0 + numberOf(head, from + i));
            kernels.softmaxGradient(scratch, row, scratch, probabilities, columns, dot, scratch, row);
        }
    }

    private void addToValues(long head, long from, int rows, int key, int columns, MemorySegment scratch) {
        product(
                true,
                false,
                columns,
                valueSize,
                rows,
                scratch,
                probabilities0,
                columns,
                gradient.memory,
                gradient.at(head, from),
                gradient.leading,
                1,
                toValues.memory,
                toValues.at(head / group, key),
                toValues.leading);
    }

    private void addToKeys(long head, int rows, int key, int columns, MemorySegment scratch) {
        product(
                true,
                false,
                columns,
                querySize,
                rows,
                scratch,
                gradients0,
                columns,
                scratch,
                0,
                querySize,
                1,
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
                scratch,
                gradients0,
                columns,
                keys.memory,
                keys.at(head / group, key),
                keys.leading,
                1,
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
        dots = null;
    }
}
