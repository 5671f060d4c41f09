package org.toydiff.internal.attention;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.UnaryKernel;

/// The output of attention, and the log-sum-exp of each row of scores. A part has a block of queries: for one block of
/// keys after another it adds the products of exponentials and values, and scales the sum down when a row's largest
/// score so far grows (M. Milakov, N. Gimelshein, "Online normalizer calculation for softmax", 2018).
///
/// A row without any key that takes part is 0, and its log-sum-exp is ∞: its probabilities are 0 in backward too.
public final class AttentionForward extends AttentionWork {
    /// The output.
    public final HeadMatrices output = new HeadMatrices();

    // Where scratch has numbers of each query, doubles: the sum of the exponentials and the largest score so far, and a
    // number in between. Then, in elements: a factor of each query, and a block of scores.
    private long maxima0;
    private long numbers0;
    private long factors0;
    private long scores0;

    /// Computes the output of the operands that were set.
    public void run() {
        int doubles = 3 * Double.BYTES / kind.element.bytes;
        cutQueries(doubles + 1 + width(), 0);
        maxima0 = rowsOfBlock;
        numbers0 = 2L * rowsOfBlock;
        factors0 = (long) doubles * rowsOfBlock;
        scores0 = factors0 + rowsOfBlock;
        try {
            runUnits(heads * blocksOfQueries(), (long) rowsOfBlock * keyCount * (querySize + valueSize));
        } finally {
            forget();
        }
    }

    @Override
    void unit(long index, MemorySegment scratch) {
        long head = index / blocksOfQueries();
        long from = index % blocksOfQueries() * rowsOfBlock;
        int rows = rows(from);
        int seen = visible(from + rows - 1);
        begin(rows, scratch);
        for (int key = 0; key < seen; key += KEYS) {
            add(head, from, rows, key, Math.min(KEYS, seen - key), scratch);
        }
        finish(head, from, rows, scratch);
    }

    private void begin(int rows, MemorySegment scratch) {
        for (int i = 0; i < rows; i++) {
            scratch.setAtIndex(JAVA_DOUBLE, i, 0);
            scratch.setAtIndex(JAVA_DOUBLE, maxima0 + i, Double.NEGATIVE_INFINITY);
        }
    }

    private void add(long head, long from, int rows, int key, int columns, MemorySegment scratch) {
        scores(head, from, rows, key, columns, scratch, scores0, NOT_TRANSPOSED, 0);
        kernels.maxOfRows(scratch, scores0, columns, rows, columns, scratch, numbers0);
        raiseMaxima(rows, scratch);
        kernels.expOfRows(scratch, scores0, columns, rows, columns, scratch, numbers0);
        boolean grown = addSums(rows, scratch);
        if (grown && key > 0) {
            multiplyRows(head, from, rows, scratch);
        }
        drop(head, from, rows, key, columns, scratch, scores0);
        product(
                false,
                false,
                rows,
                valueSize,
                columns,
                1,
                scratch,
                scores0,
                columns,
                values.memory,
                values.at(head / group, key),
                values.leading,
                key == 0 ? 0 : 1,
                output.memory,
                output.at(head, from),
                output.leading);
    }

    /// Notes the largest scores so far, which also become the numbers, and how much they have grown, as factors.
    private void raiseMaxima(int rows, MemorySegment scratch) {
        for (int i = 0; i < rows; i++) {
            double before = scratch.getAtIndex(JAVA_DOUBLE, maxima0 + i);
            double now = Math.max(before, scratch.getAtIndex(JAVA_DOUBLE, numbers0 + i));
            scratch.setAtIndex(JAVA_DOUBLE, maxima0 + i, now);
            // While no key takes part, sums are 0 and need no factor, and any number serves as the largest score.
            scratch.setAtIndex(JAVA_DOUBLE, numbers0 + i, now == Double.NEGATIVE_INFINITY ? 0 : now);
            kind.set(scratch, factors0 + i, before == Double.NEGATIVE_INFINITY ? 0 : before - now);
        }
        UnaryKernel.EXP.of(wide).run(scratch, factors0, 0, 1, scratch, factors0, 0, 1, 1, rows);
    }

    /// Adds the sums of a block's exponentials, the numbers, to those so far.
    ///
    /// @return whether a largest score has grown
    private boolean addSums(int rows, MemorySegment scratch) {
        boolean grown = false;
        for (int i = 0; i < rows; i++) {
            double factor = kind.real(scratch, factors0 + i);
            grown |= factor != 1;
            double sum = scratch.getAtIndex(JAVA_DOUBLE, i) * factor + scratch.getAtIndex(JAVA_DOUBLE, numbers0 + i);
            scratch.setAtIndex(JAVA_DOUBLE, i, sum);
        }
        return grown;
    }

    /// Multiplies each row of the output by its factor.
    private void multiplyRows(long head, long from, int rows, MemorySegment scratch) {
        long at = output.at(head, from);
        long down = output.leading;
        MemorySegment y = output.memory;
        BinaryKernel.MULTIPLY.of(wide).run(y, at, down, 1, scratch, factors0, 1, 0, y, at, down, 1, rows, valueSize);
    }

    private void finish(long head, long from, int rows, MemorySegment scratch) {
        for (int i = 0; i < rows; i++) {
            kind.set(scratch, factors0 + i, 1 / scratch.getAtIndex(JAVA_DOUBLE, i));
        }
        multiplyRows(head, from, rows, scratch);
        for (int i = 0; i < rows; i++) {
            if (scratch.getAtIndex(JAVA_DOUBLE, i) == 0) {
                kernels.fill(output.memory, output.at(head, from + i), valueSize, 0);
            }
        }
        if (logSums != null) {
            writeLogSums(numberOf(head, from), rows, scratch);
        }
    }

    private void writeLogSums(long number, int rows, MemorySegment scratch) {
        UnaryKernel.LOG.of(true).run(scratch, 0, 0, 1, scratch, numbers0, 0, 1, 1, rows);
        for (int i = 0; i < rows; i++) {
            double largest = scratch.getAtIndex(JAVA_DOUBLE, maxima0 + i);
            double logSum = largest + scratch.getAtIndex(JAVA_DOUBLE, numbers0 + i);
            kind.set(logSums, logSums0 + number + i, logSum == Double.NEGATIVE_INFINITY ? -logSum : logSum);
        }
    }

    @Override
    void forget() {
        super.forget();
        output.forget();
    }
}
