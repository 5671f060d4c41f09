package org.toydiff.internal.launch;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// Softmax, cross entropy and their gradients in progress, row by row. One object per thread, like [ElementWork].
///
/// Rows are contiguous and evenly spaced; other layouts were copied before. Every row is first shifted by its
/// largest element, so that no exponential overflows.
public final class RowWork extends Work implements RowStream.Rows {
    /// The operation on a row.
    public enum Kind {
        /// `y = softmax(a)`
        SOFTMAX,
        /// `y = ln softmax(a)`
        LOG_SOFTMAX,
        /// Softmax's gradient, from the gradient a and softmax's output b.
        SOFTMAX_GRADIENT,
        /// Log-softmax's gradient, from the gradient a and log-softmax's output b.
        LOG_SOFTMAX_GRADIENT,
        /// `y = −ln softmax(a)[label]`, one element per row, 0 where the label is ignored.
        CROSS_ENTROPY,
        /// Cross entropy's gradient, from the gradient b, one element per row, and the logits a; a row of zeros where
        /// the label is ignored.
        CROSS_ENTROPY_GRADIENT
    }

    /// In place of an ignored label: none is ignored. No label is this number.
    public static final long NONE = Long.MIN_VALUE;

    /// Elements per part: an exponential costs some ten times an addition.
    private static final long PART = 1 << 13;

    private Kind kind;
    private ElementKind type;
    private ElementKind typeOfB;
    private ElementKind typeOfY;
    private boolean wide;
    private ContiguousKernels kernels;
    private final RowStream stream = new RowStream();
    private MemorySegment b;
    private MemorySegment labels;
    private long b0;
    private long bi;
    private long labels0;
    private long labelStep;
    private boolean longLabels;
    private long ignored;
    private long yi;
    private long rows;
    private long n;
    private long perPart;

    /// Sets the second operand of the next [#run], `between` elements from row to row.
    public void second(ElementKind type, MemorySegment b, long bAt, long between) {
        typeOfB = type;
        this.b = b;
        b0 = bAt;
        bi = between;
    }

    /// Sets the labels of the next [#run], one for each row, and the one that is ignored, or [#NONE].
    public void labels(MemorySegment labels, long labelsAt, long between, boolean longs, long ignored) {
        this.labels = labels;
        labels0 = labelsAt;
        labelStep = between;
        longLabels = longs;
        this.ignored = ignored;
    }

    /// Sets the source of a, of floats or doubles, and the sink of y, which has a row of n elements for each row of a,
    /// for the next [#run]; either may be null. Rows [fit][RowStream#fits] into scratch memory then.
    public void pass(ElementSource source, ElementSink sink) {
        stream.pass(source, sink);
    }

    /// Processes `rows` rows of `n` elements of a, `between` elements from row to row; y is contiguous. Offsets are
    /// in elements.
    ///
    /// The second operand and y have the type of a; those of cross entropy that have one element per row may be
    /// FLOAT32 where a is BFLOAT16.
    public void run(
            Kind kind,
            ElementKind type,
            long rows,
            long n,
            MemorySegment a,
            long aAt,
            long between,
            ElementKind typeOfY,
            MemorySegment y,
            long yAt) {
        this.kind = kind;
        this.type = type;
        this.typeOfY = typeOfY;
        wide = type == ElementKind.FLOAT64;
        this.n = n;
        this.rows = rows;
        kernels = ContiguousKernels.of(wide);
        yi = kind == Kind.CROSS_ENTROPY ? 1 : n;
        stream.x(a, aAt, between);
        stream.y(y, yAt, yi);
        perPart = Math.max(1, PART / n);
        try {
            Workers.run(this, parts(rows, perPart));
        } finally {
            stream.forget();
            b = null;
            labels = null;
        }
    }

    @Override
    protected void part(long index) {
        long from = index * perPart;
        stream.run(from, Math.min(from + perPart, rows), n, this);
    }

    @Override
    public void compute(long first, long count, MemorySegment a, long aAt, long ai, MemorySegment y, long yAt) {
        for (long i = 0; i < count; i++) {
            long bAt = b0 + (first + i) * bi;
            if (type == ElementKind.BFLOAT16) {
                widenedRow(first + i, a, aAt + i * ai, bAt, y, yAt + i * yi);
            } else {
                row(first + i, a, aAt + i * ai, b, bAt, y, yAt + i * yi);
            }
        }
    }

    /// Computes a row of BFLOAT16 as one of floats, whose results are rounded once unless they are FLOAT32.
    private void widenedRow(long i, MemorySegment a, long aAt, long bAt, MemorySegment y, long yAt) {
        long bytes = 3 * n * Float.BYTES;
        if (bytes > Scratch.BYTES) {
            // Shared, as kernels take no memory that is confined to a thread.
            try (var arena = Arena.ofShared()) {
                widenedRow(arena.allocate(bytes, Float.BYTES), i, a, aAt, bAt, y, yAt);
            }
            return;
        }
        MemorySegment scratch = Scratch.take();
        try {
            widenedRow(scratch, i, a, aAt, bAt, y, yAt);
        } finally {
            Scratch.give(scratch);
        }
    }

    private void widenedRow(
            MemorySegment scratch, long i, MemorySegment a, long aAt, long bAt, MemorySegment y, long yAt) {
        Widened.widen(a, aAt, scratch, 0, n);
        MemorySegment second = b;
        long secondAt = bAt;
        if (b != null && typeOfB == ElementKind.BFLOAT16) {
            Widened.widen(b, bAt, scratch, n, kind == Kind.CROSS_ENTROPY_GRADIENT ? 1 : n);
            second = scratch;
            secondAt = n;
        }
        if (typeOfY == ElementKind.BFLOAT16) {
            row(i, scratch, 0, second, secondAt, scratch, 2 * n);
            Widened.round(scratch, 2 * n, y, yAt, yi);
        } else {
            row(i, scratch, 0, second, secondAt, y, yAt);
        }
    }

    private void row(long i, MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y, long yAt) {
        switch (kind) {
            case SOFTMAX -> softmax(a, aAt, 1, y, yAt);
            case LOG_SOFTMAX -> logSoftmax(a, aAt, y, yAt);
            case SOFTMAX_GRADIENT -> kernels.softmaxGradient(a, aAt, b, bAt, n, kernels.dot(a, aAt, b, bAt, n), y, yAt);
            case LOG_SOFTMAX_GRADIENT -> kernels.logSoftmaxGradient(a, aAt, b, bAt, n, kernels.sum(a, aAt, n), y, yAt);
            case CROSS_ENTROPY -> {
                long label = label(i);
                set(y, yAt, label == ignored ? 0 : crossEntropy(a, aAt, label));
            }
            case CROSS_ENTROPY_GRADIENT -> crossEntropyGradient(a, aAt, label(i), get(b, bAt), y, yAt);
        }
    }

    private void softmax(MemorySegment a, long aAt, double factor, MemorySegment y, long yAt) {
        double sum = kernels.exp(a, aAt, n, kernels.max(a, aAt, n), y, yAt);
        kernels.affine(y, yAt, n, 0, factor / sum, 0, y, yAt);
    }

    private void logSoftmax(MemorySegment a, long aAt, MemorySegment y, long yAt) {
        double largest = kernels.max(a, aAt, n);
        kernels.affine(a, aAt, n, largest, 1, -StrictMath.log(kernels.sumExp(a, aAt, n, largest)), y, yAt);
    }

    /// Subtracts the largest element first: both numbers may be large, and their difference small.
    private double crossEntropy(MemorySegment a, long aAt, long label) {
        double largest = kernels.max(a, aAt, n);
        return largest - get(a, aAt + label) + StrictMath.log(kernels.sumExp(a, aAt, n, largest));
    }

    private void crossEntropyGradient(MemorySegment a, long aAt, long label, double g, MemorySegment y, long yAt) {
        if (label == ignored) {
            kernels.fill(y, yAt, n, 0);
            return;
        }
        softmax(a, aAt, g, y, yAt);
        long at = yAt + label;
        set(y, at, get(y, at) - g);
    }

    private long label(long i) {
        long at = labels0 + i * labelStep;
        return longLabels ? labels.getAtIndex(JAVA_LONG, at) : labels.getAtIndex(JAVA_INT, at);
    }

    // Rows are computed as doubles or floats.

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
