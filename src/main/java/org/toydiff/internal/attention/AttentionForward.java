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

    // Where scratch has what, in elements: a sum in double, the largest score so far and a factor for each query, the
    // scaled queries, and a block of scores.
    private long maxima0;
    private long factors0;
    private long queries0;
    private long scores0;

    /// Computes the output of the operands that were set.
    public void run() {
        int doubles = Double.BYTES / kind.element.bytes;
        cutQueries(doubles + 2 + querySize + width());
        maxima0 = (long) doubles * rowsOfBlock;
        factors0 = maxima0 + rowsOfBlock;
        queries0 = factors0 + rowsOfBlock;
        scores0 = queries0 + (long) rowsOfBlock * querySize;
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
        begin(head, from, rows, scratch);
        for (int key = 0; key < seen; key += KEYS) {
            add(head, from, rows, key, Math.min(KEYS, seen - key), scratch);
        }
        finish(head, from, rows, scratch);
    }

    private void begin(long head, long from, int rows, MemorySegment scratch) {
        scaleQueries(head, from, rows, scratch, queries0);
        for (int i = 0; i < rows; i++) {
            scratch.setAtIndex(JAVA_DOUBLE, i, 0);
            kind.set(scratch, maxima0 + i, Double.NEGATIVE_INFINITY);
        }
    }

    private void add(long head, long from, int rows, int key, int columns, MemorySegment scratch) {
        scores(head, from, rows, key, columns, scratch, queries0, scores0);
        for (int i = 0; i < rows; i++) {
            raiseMaximum(i, visible(from + i, key, columns), scores0 + (long) i * columns, scratch);
        }
        UnaryKernel.EXP.of(wide).run(scratch, factors0, 0, 1, scratch, factors0, 0, 1, 1, rows);
        boolean grown = false;
        for (int i = 0; i < rows; i++) {
            double factor = kind.real(scratch, factors0 + i);
            grown |= factor != 1;
            double block = exponentials(i, visible(from + i, key, columns), columns, scratch);
            scratch.setAtIndex(JAVA_DOUBLE, i, scratch.getAtIndex(JAVA_DOUBLE, i) * factor + block);
        }
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

    /// Notes the largest score of a row so far, and how much it has grown, negated: the exponent of the factor. While
    /// no key takes part, sums are 0 and need none.
    private void raiseMaximum(int i, int seen, long row, MemorySegment scratch) {
        double before = kind.real(scratch, maxima0 + i);
        double now = seen == 0 ? before : Math.max(before, kernels.max(scratch, row, seen));
        kind.set(scratch, maxima0 + i, now);
        kind.set(scratch, factors0 + i, before == Double.NEGATIVE_INFINITY ? 0 : before - now);
    }

    /// Replaces a row of scores by the exponentials of their differences from the largest one, 0 for keys that are too
    /// late.
    ///
    /// @return their sum
    private double exponentials(int i, int seen, int columns, MemorySegment scratch) {
        long row = scores0 + (long) i * columns;
        double largest = kind.real(scratch, maxima0 + i);
        double shift = largest == Double.NEGATIVE_INFINITY ? 0 : largest;
        double sum = seen == 0 ? 0 : kernels.exp(scratch, row, seen, shift, scratch, row);
        if (seen < columns) {
            kernels.fill(scratch, row + seen, columns - seen, 0);
        }
        return sum;
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
            double sum = scratch.getAtIndex(JAVA_DOUBLE, i);
            kind.set(scratch, factors0 + i, 1 / sum);
            if (logSums != null) {
                double largest = kind.real(scratch, maxima0 + i);
                double logSum = sum == 0 ? Double.POSITIVE_INFINITY : largest + StrictMath.log(sum);
                kind.set(logSums, logSums0 + numberOf(head, from + i), logSum);
            }
        }
        multiplyRows(head, from, rows, scratch);
        for (int i = 0; i < rows; i++) {
            if (scratch.getAtIndex(JAVA_DOUBLE, i) == 0) {
                kernels.fill(output.memory, output.at(head, from + i), valueSize, 0);
            }
        }
    }

    @Override
    void forget() {
        super.forget();
        output.forget();
    }
}
