package org.toydiff.internal.launch;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.CastKernels;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.IntegerKernels;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// One sum of integers in progress, or of truth values as 0 and 1: INT64, which wraps around, so that any order gives
/// the same result. One object per thread, like [ElementWork].
///
/// Elements are converted to INT64 in pieces that stay in the cache: a run of them is added up, or added to as many
/// results at once, whichever reads the input with the smaller stride.
public final class IntegerSumWork extends Work {
    /// Elements that are converted at once.
    private static final int PIECE = 4096;

    /// Elements per part.
    private static final long PART = 1 << 15;

    /// A long sum with one result is divided into at most so many.
    private static final int MAX_SUMS = 32;

    private static final long[] ONE = {1};

    private Kernel.Unary toLong;
    private MemorySegment x;
    private MemorySegment y;
    private long x0;
    private long y0;

    // The axes that stay and those that are summed, with the strides of x.
    private final Axes kept = new Axes();
    private final Axes summed = new Axes();

    /// The number of elements that are summed for each result.
    private long terms;

    /// Results per part, and parts per row of results.
    private long width;

    private long across;

    /// Terms per part of a sum that is divided, and the sums of its parts; 0 if none is.
    private long termsOfPart;

    private final long[] sums = new long[MAX_SUMS];

    /// Axes of one kind, the outermost first; those that are contiguous with each other are merged. There is at least
    /// one.
    private static final class Axes {
        private long[] sizes = ONE;
        private long[] strides = ONE;
        private int count;

        void of(long[] shape, long[] xs, boolean[] reduced, boolean kind) {
            sizes = new long[shape.length + 1];
            strides = new long[shape.length + 1];
            count = 0;
            for (int axis = 0; axis < shape.length; axis++) {
                if (reduced[axis] != kind || shape[axis] == 1) {
                    continue;
                }
                if (count > 0 && strides[count - 1] == shape[axis] * xs[axis]) {
                    sizes[count - 1] *= shape[axis];
                    strides[count - 1] = xs[axis];
                } else {
                    sizes[count] = shape[axis];
                    strides[count++] = xs[axis];
                }
            }
            if (count == 0) {
                sizes[0] = 1;
                strides[0] = 0;
                count = 1;
            }
        }

        long innermostSize() {
            return sizes[count - 1];
        }

        long innermostStride() {
            return strides[count - 1];
        }

        /// {@return the number of positions along all axes but the innermost}
        long outer() {
            long size = 1;
            for (int i = 0; i < count - 1; i++) {
                size *= sizes[i];
            }
            return size;
        }

        /// {@return the distance from the first element to that of an outer position}
        long offset(long position) {
            long offset = 0;
            long rest = position;
            for (int i = count - 2; i >= 0; i--) {
                offset += rest % sizes[i] * strides[i];
                rest /= sizes[i];
            }
            return offset;
        }
    }

    /// Computes `y = Σ x` over the marked axes; y is contiguous, INT64 and not empty. Offsets and strides are in
    /// elements.
    public void run(
            Element type,
            MemorySegment x,
            long xAt,
            long[] shape,
            long[] xs,
            boolean[] reduced,
            MemorySegment y,
            long yAt) {
        toLong = CastKernels.of(type, Element.INT64);
        this.x = x;
        this.y = y;
        x0 = xAt;
        y0 = yAt;
        kept.of(shape, xs, reduced, false);
        summed.of(shape, xs, reduced, true);
        terms = summed.outer() * summed.innermostSize();
        try {
            if (kept.outer() * kept.innermostSize() == 1 && terms > PART) {
                divided();
            } else {
                whole();
            }
        } finally {
            this.x = null;
            this.y = null;
        }
    }

    private void divided() {
        termsOfPart = Math.max(PART, parts(terms, MAX_SUMS));
        int count = (int) parts(terms, termsOfPart);
        Workers.run(this, count);
        long total = 0;
        for (int i = 0; i < count; i++) {
            total += sums[i];
        }
        y.setAtIndex(JAVA_LONG, y0, total);
    }

    private void whole() {
        termsOfPart = 0;
        width = Math.min(kept.innermostSize(), Math.clamp(PART / Math.max(1, terms), 64, PIECE));
        across = parts(kept.innermostSize(), width);
        Workers.run(this, kept.outer() * across);
    }

    @Override
    protected void part(long index) {
        MemorySegment scratch = Scratch.take();
        try {
            if (termsOfPart > 0) {
                long from = index * termsOfPart;
                sums[(int) index] = total(x0, from, Math.min(from + termsOfPart, terms), scratch);
            } else {
                results(index, scratch);
            }
        } finally {
            Scratch.give(scratch);
        }
    }

    private void results(long index, MemorySegment scratch) {
        long row = index / across;
        long from = index % across * width;
        long n = Math.min(width, kept.innermostSize() - from);
        long step = kept.innermostStride();
        long xAt = x0 + kept.offset(row) + from * step;
        long yAt = y0 + row * kept.innermostSize() + from;
        if (n > 1 && Math.abs(step) < Math.abs(summed.innermostStride())) {
            addRows(xAt, yAt, n, scratch);
            return;
        }
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_LONG, yAt + i, total(xAt + i * step, 0, terms, scratch));
        }
    }

    /// Adds rows of n elements to n results.
    private void addRows(long xAt, long yAt, long n, MemorySegment scratch) {
        Kernel.Binary add = IntegerKernels.of(BinaryKernel.ADD, true);
        y.asSlice(yAt * Long.BYTES, n * Long.BYTES).fill((byte) 0);
        for (long outer = 0; outer < summed.outer(); outer++) {
            for (long i = 0; i < summed.innermostSize(); i++) {
                long at = xAt + summed.offset(outer) + i * summed.innermostStride();
                toLong.run(x, at, 0, kept.innermostStride(), scratch, 0, 0, 1, 1, n);
                add.run(y, yAt, 0, 1, scratch, 0, 0, 1, y, yAt, 0, 1, 1, n);
            }
        }
    }

    /// {@return the sum of some of the terms of one result, whose first element lies at `xAt`}
    private long total(long xAt, long from, long to, MemorySegment scratch) {
        long total = 0;
        long size = summed.innermostSize();
        long step = summed.innermostStride();
        long term = from;
        while (term < to) {
            long i = term % size;
            long n = Math.min(PIECE, Math.min(size - i, to - term));
            toLong.run(x, xAt + summed.offset(term / size) + i * step, 0, step, scratch, 0, 0, 1, 1, n);
            total += sum(scratch, n);
            term += n;
        }
        return total;
    }

    private static long sum(MemorySegment x, long n) {
        long sum = 0;
        for (long i = 0; i < n; i++) {
            sum += x.getAtIndex(JAVA_LONG, i);
        }
        return sum;
    }
}
