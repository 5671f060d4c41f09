package org.toydiff;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.Runs;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// Softmax, cross entropy and their gradients under way, row by row. One object for each thread, as [ElementWork].
///
/// Rows are contiguous within and evenly spaced; what lies otherwise was copied before. Every row is shifted by its
/// largest element first, so that no power overflows.
final class RowWork extends Work {
    /// What a row goes through.
    enum Kind {
        /// `y = softmax(a)`
        SOFTMAX,
        /// `y = ln softmax(a)`
        LOG_SOFTMAX,
        /// Of the gradient a and softmax's output b.
        SOFTMAX_GRADIENT,
        /// Of the gradient a and log-softmax's output b.
        LOG_SOFTMAX_GRADIENT,
        /// `y = −ln softmax(a)[label]`, one element a row.
        CROSS_ENTROPY,
        /// Of the gradient b, one element a row, and the logits a.
        CROSS_ENTROPY_GRADIENT
    }

    /// So many elements make a part: exponentials cost some ten times an addition.
    private static final long PART = 1 << 13;

    /// Shorter rows go by scalar loops.
    private static final int SHORT = 32;

    private Kind kind;
    private boolean wide;
    private Runs runs;
    private MemorySegment a;
    private MemorySegment b;
    private MemorySegment labels;
    private MemorySegment y;
    private long a0;
    private long ai;
    private long b0;
    private long bi;
    private long labels0;
    private long labelStep;
    private boolean longLabels;
    private long y0;
    private long yi;
    private long rows;
    private long n;
    private long perPart;

    /// Runs over the rows of `a`, whose last axis is contiguous; b (a tensor of a's shape, or with one element for
    /// each row) and labels may be null. y is contiguous.
    void run(Kind kind, Tensor a, Tensor b, Tensor labels, Tensor y) {
        this.kind = kind;
        wide = a.isWide();
        n = a.shape[a.rank() - 1];
        runs = n < SHORT ? Runs.scalar(wide) : Runs.of(wide);
        rows = a.size() / n;
        this.a = a.storage.segment();
        a0 = a.offset;
        ai = between(a);
        if (b != null) {
            this.b = b.storage.segment();
            b0 = b.offset;
            bi = kind == Kind.CROSS_ENTROPY_GRADIENT ? b.strides[0] : between(b);
        }
        if (labels != null) {
            this.labels = labels.storage.segment();
            labels0 = labels.offset;
            labelStep = labels.strides[0];
            longLabels = labels.dtype == DType.INT64;
        }
        this.y = y.storage.segment();
        y0 = y.offset;
        yi = kind == Kind.CROSS_ENTROPY ? 1 : n;
        perPart = Math.max(1, PART / n);
        Workers.run(this, parts(rows, perPart));
        this.a = null;
        this.b = null;
        this.labels = null;
        this.y = null;
    }

    /// The distance between rows; of a tensor of higher rank they follow each other.
    private static long between(Tensor t) {
        return t.rank() == 2 ? t.strides[0] : t.shape[t.rank() - 1];
    }

    @Override
    protected void part(long index) {
        long from = index * perPart;
        for (long i = from; i < Math.min(from + perPart, rows); i++) {
            row(i, a0 + i * ai, b0 + i * bi, y0 + i * yi);
        }
    }

    private void row(long i, long aAt, long bAt, long yAt) {
        switch (kind) {
            case SOFTMAX -> softmax(aAt, 1, yAt);
            case LOG_SOFTMAX -> logSoftmax(aAt, yAt);
            case SOFTMAX_GRADIENT -> runs.softmaxGradient(a, aAt, b, bAt, n, runs.dot(a, aAt, b, bAt, n), y, yAt);
            case LOG_SOFTMAX_GRADIENT -> runs.logSoftmaxGradient(a, aAt, b, bAt, n, runs.sum(a, aAt, n), y, yAt);
            case CROSS_ENTROPY -> set(y, yAt, crossEntropy(aAt, label(i)));
            case CROSS_ENTROPY_GRADIENT -> {
                double g = get(b, bAt);
                softmax(aAt, g, yAt);
                long at = yAt + label(i);
                set(y, at, get(y, at) - g);
            }
        }
    }

    private void softmax(long aAt, double factor, long yAt) {
        double sum = runs.exp(a, aAt, n, runs.max(a, aAt, n), y, yAt);
        runs.affine(y, yAt, n, 0, factor / sum, 0, y, yAt);
    }

    private void logSoftmax(long aAt, long yAt) {
        double largest = runs.max(a, aAt, n);
        runs.affine(a, aAt, n, largest, 1, -Math.log(runs.sumExp(a, aAt, n, largest)), y, yAt);
    }

    /// The difference of the largest first: both may be large, and what is left of them small.
    private double crossEntropy(long aAt, long label) {
        double largest = runs.max(a, aAt, n);
        return largest - get(a, aAt + label) + Math.log(runs.sumExp(a, aAt, n, largest));
    }

    private long label(long i) {
        long at = labels0 + i * labelStep;
        return longLabels ? labels.getAtIndex(JAVA_LONG, at) : labels.getAtIndex(JAVA_INT, at);
    }

    private double get(MemorySegment segment, long at) {
        return wide ? segment.getAtIndex(JAVA_DOUBLE, at) : segment.getAtIndex(JAVA_FLOAT, at);
    }

    private void set(MemorySegment segment, long at, double value) {
        if (wide) {
            segment.setAtIndex(JAVA_DOUBLE, at, value);
        } else {
            segment.setAtIndex(JAVA_FLOAT, at, (float) value);
        }
    }
}
