package org.toydiff.internal.launch;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.CastKernels;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.IntegerKernels;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// One reduction of integers in progress: their sum, or that of truth values as 0 and 1, or their largest or smallest
/// element. A sum is INT64 and wraps around, so that any order gives the same result; the others keep their type. One
/// object per thread, like [ElementWork].
///
/// A run of elements is reduced in pieces that stay in the cache, or rows of them are combined with as many results
/// at once, whichever reads the input with the smaller stride.
public final class IntegerReductionWork extends Work {
    /// Elements that are converted at once.
    private static final int PIECE = 4096;

    /// Elements per part.
    private static final long PART = 1 << 15;

    /// A long reduction with one result is divided into at most so many.
    private static final int MAX_DIVISIONS = 32;

    private ReductionKind reduction;
    private Element type;
    private Element resultType;
    private MemorySegment x;
    private MemorySegment y;
    private long x0;
    private long y0;

    // The axes that stay and those that are reduced, with the strides of x.
    private final Axes kept = new Axes();
    private final Axes dropped = new Axes();

    /// The number of elements that are reduced to each result.
    private long terms;

    /// Results per part, and parts per row of results.
    private long width;

    private long across;

    /// Terms per part of a reduction that is divided, and the results of its parts; 0 if none is.
    private long termsOfPart;

    private final long[] divisions = new long[MAX_DIVISIONS];

    /// Axes of one kind, the outermost first; those that are contiguous with each other are merged. There is at
    /// least one.
    private static final class Axes {
        private long[] sizes = {};
        private long[] strides = {};
        private int count;

        void of(long[] shape, long[] xs, boolean[] reduced, boolean kind) {
            if (sizes.length <= shape.length) {
                sizes = new long[shape.length + 1];
                strides = new long[shape.length + 1];
            }
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

    /// Computes `y = reduction(x)` over the marked axes, a sum of INT32, INT64 or BOOL, or the largest or smallest
    /// element of INT32 or INT64, of which there is one; y is contiguous and not empty. Offsets and strides are in
    /// elements.
    public void run(
            ReductionKind reduction,
            Element type,
            MemorySegment x,
            long xAt,
            long[] shape,
            long[] xs,
            boolean[] reduced,
            MemorySegment y,
            long yAt) {
        this.reduction = reduction;
        this.type = type;
        resultType = reduction == ReductionKind.SUM ? Element.INT64 : type;
        this.x = x;
        this.y = y;
        x0 = xAt;
        y0 = yAt;
        kept.of(shape, xs, reduced, false);
        dropped.of(shape, xs, reduced, true);
        terms = dropped.outer() * dropped.innermostSize();
        try {
            if (terms == 0) {
                // Of nothing there is a sum only.
                fillWithZeros();
            } else if (kept.outer() * kept.innermostSize() == 1 && terms > PART) {
                divided();
            } else {
                whole();
            }
        } finally {
            this.x = null;
            this.y = null;
        }
    }

    private void fillWithZeros() {
        long results = kept.outer() * kept.innermostSize();
        y.asSlice(y0 * resultType.bytes, results * resultType.bytes).fill((byte) 0);
    }

    private void divided() {
        termsOfPart = Math.max(PART, parts(terms, MAX_DIVISIONS));
        int count = (int) parts(terms, termsOfPart);
        Workers.run(this, count);
        long result = divisions[0];
        for (int i = 1; i < count; i++) {
            result = combined(result, divisions[i]);
        }
        store(y0, result);
    }

    private void whole() {
        termsOfPart = 0;
        width = Math.min(kept.innermostSize(), Math.clamp(PART / terms, 64, PIECE));
        across = parts(kept.innermostSize(), width);
        Workers.run(this, kept.outer() * across);
    }

    @Override
    protected void part(long index) {
        MemorySegment scratch = Scratch.take();
        try {
            if (termsOfPart > 0) {
                long first = index * termsOfPart;
                divisions[(int) index] = reduced(x0, first, Math.min(first + termsOfPart, terms), scratch);
            } else {
                results(index, scratch);
            }
        } finally {
            Scratch.give(scratch);
        }
    }

    private void results(long index, MemorySegment scratch) {
        long row = index / across;
        long first = index % across * width;
        long n = Math.min(width, kept.innermostSize() - first);
        long step = kept.innermostStride();
        long xAt = x0 + kept.offset(row) + first * step;
        long yAt = y0 + row * kept.innermostSize() + first;
        if (n > 1 && Math.abs(step) < Math.abs(dropped.innermostStride())) {
            rows(xAt, yAt, n, scratch);
            return;
        }
        for (long i = 0; i < n; i++) {
            store(yAt + i, reduced(xAt + i * step, 0, terms, scratch));
        }
    }

    /// Combines rows of n elements to n results.
    private void rows(long xAt, long yAt, long n, MemorySegment scratch) {
        Kernel.Unary convert = CastKernels.of(type, resultType);
        Kernel.Binary combine = IntegerKernels.of(combination(), resultType == Element.INT64);
        long step = kept.innermostStride();
        convert.run(x, xAt, 0, step, y, yAt, 0, 1, 1, n);
        for (long term = 1; term < terms; term++) {
            long at = xAt
                    + dropped.offset(term / dropped.innermostSize())
                    + term % dropped.innermostSize() * dropped.innermostStride();
            if (type == resultType) {
                combine.run(y, yAt, 0, 1, x, at, 0, step, y, yAt, 0, 1, 1, n);
            } else {
                convert.run(x, at, 0, step, scratch, 0, 0, 1, 1, n);
                combine.run(y, yAt, 0, 1, scratch, 0, 0, 1, y, yAt, 0, 1, 1, n);
            }
        }
    }

    private BinaryKernel combination() {
        return switch (reduction) {
            case MAX -> BinaryKernel.MAXIMUM;
            case MIN -> BinaryKernel.MINIMUM;
            default -> BinaryKernel.ADD;
        };
    }

    /// {@return the result of some of the terms, at least one, of one result, whose first element lies at `xAt`}
    private long reduced(long xAt, long first, long end, MemorySegment scratch) {
        Kernel.Unary toLong = CastKernels.of(type, Element.INT64);
        long size = dropped.innermostSize();
        long step = dropped.innermostStride();
        long result = identity();
        long term = first;
        while (term < end) {
            long i = term % size;
            long n = Math.min(PIECE, Math.min(size - i, end - term));
            toLong.run(x, xAt + dropped.offset(term / size) + i * step, 0, step, scratch, 0, 0, 1, 1, n);
            result = combined(result, piece(scratch, n));
            term += n;
        }
        return result;
    }

    private long identity() {
        return switch (reduction) {
            case MAX -> Long.MIN_VALUE;
            case MIN -> Long.MAX_VALUE;
            default -> 0;
        };
    }

    private long combined(long a, long b) {
        return switch (reduction) {
            case MAX -> Math.max(a, b);
            case MIN -> Math.min(a, b);
            default -> a + b;
        };
    }

    private long piece(MemorySegment longs, long n) {
        return switch (reduction) {
            case MAX -> max(longs, n);
            case MIN -> min(longs, n);
            default -> sum(longs, n);
        };
    }

    private static long sum(MemorySegment x, long n) {
        long sum = 0;
        for (long i = 0; i < n; i++) {
            sum += x.getAtIndex(JAVA_LONG, i);
        }
        return sum;
    }

    private static long max(MemorySegment x, long n) {
        long max = Long.MIN_VALUE;
        for (long i = 0; i < n; i++) {
            max = Math.max(max, x.getAtIndex(JAVA_LONG, i));
        }
        return max;
    }

    private static long min(MemorySegment x, long n) {
        long min = Long.MAX_VALUE;
        for (long i = 0; i < n; i++) {
            min = Math.min(min, x.getAtIndex(JAVA_LONG, i));
        }
        return min;
    }

    private void store(long at, long result) {
        if (resultType == Element.INT64) {
            y.setAtIndex(JAVA_LONG, at, result);
        } else {
            y.setAtIndex(JAVA_INT, at, (int) result);
        }
    }
}
