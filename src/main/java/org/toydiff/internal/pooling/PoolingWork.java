package org.toydiff.internal.pooling;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// A pass over the windows of all planes of `[n, c, h, w]`, of floats or doubles; n and h may be missing. One
/// object per thread, like [org.toydiff.internal.launch.ElementWork].
///
/// Where the largest element of a window stands is found again whenever it is needed: reading a window costs less
/// than keeping a position for each.
public final class PoolingWork extends Work {
    /// The pass.
    public enum Pass {
        /// `y = ` the largest element of x in each window.
        LARGEST,
        /// `y = ` the element of b where the largest of x stands.
        AT_LARGEST,
        /// `y = ` zeros and, where the largest of x stands, the sum of the elements of b whose windows these are.
        TO_LARGEST,
        /// `y = ` the weighted sum of x in each window.
        SUM,
        /// `y = ` the sum over all windows that have a position, of its weight times their element of b.
        SPREAD;

        /// {@return whether y has one element for each window} Else it has the shape of x.
        boolean toWindows() {
            return this == LARGEST || this == AT_LARGEST || this == SUM;
        }
    }

    /// Elements that the windows of a part read.
    private static final long PART = 1 << 14;

    /// The shortest row of a window that is worth a call of a kernel.
    private static final int LONG_ROW = 32;

    /// An operand, as it lies.
    private static final class Planes {
        MemorySegment memory;
        long start;
        long channels;
        long toImage;
        long toChannel;
        long toRow;
        long toColumn;

        void set(MemorySegment memory, long start, long[] shape, long[] strides, int axes) {
            this.memory = memory;
            this.start = start;
            int last = shape.length - 1;
            int channel = last - axes;
            toColumn = strides[last];
            toRow = axes == 2 ? strides[last - 1] : 0;
            channels = Math.max(1, shape[channel]);
            toChannel = strides[channel];
            toImage = channel > 0 ? strides[channel - 1] : 0;
        }

        long plane(long index) {
            return start + index / channels * toImage + index % channels * toChannel;
        }
    }

    private final Windows rows = new Windows();
    private final Windows columns = new Windows();
    private final Planes x = new Planes();
    private final Planes b = new Planes();
    private Pass pass;
    private boolean wide;
    private ContiguousKernels kernels;
    private MemorySegment y;
    private long y0;
    private long planes;
    private long perPart;

    /// Sets the windows of the next [#run].
    ///
    /// @param h the size of h in the input, 1 if it is missing
    /// @param w the size of w in the input
    /// @param layout the numbers of windows along h and w, then the parameters of the kind for h and for w
    public void windows(Windows.Kind kind, long h, long w, long[] layout) {
        rows.set(kind, h, layout[0], layout, 2);
        columns.set(kind, w, layout[1], layout, 2 + Windows.PARAMETERS);
    }

    /// Sets the elements in windows of the next [#run].
    ///
    /// @param axes the number of last axes that windows extend over, 1 or 2; up to two others precede them
    public void x(MemorySegment memory, long start, long[] shape, long[] strides, int axes) {
        x.set(memory, start, shape, strides, axes);
    }

    /// Sets the second operand of the next [#run], as [#x] does the first.
    public void b(MemorySegment memory, long start, long[] shape, long[] strides, int axes) {
        b.set(memory, start, shape, strides, axes);
    }

    /// Runs a pass over the windows of so many planes; y is contiguous. Offsets are in elements.
    public void run(Pass pass, boolean wide, long planes, MemorySegment y, long yAt) {
        this.pass = pass;
        this.wide = wide;
        this.planes = planes;
        this.y = y;
        y0 = yAt;
        kernels = ContiguousKernels.of(wide);
        long read = Math.max(1, (long) columns.size * columns.widest() * rows.widest());
        long all = planes;
        if (pass.toWindows()) {
            all *= rows.size;
        } else {
            read *= rows.size;
        }
        perPart = Math.max(1, PART / read);
        try {
            Workers.run(this, parts(all, perPart));
        } finally {
            this.y = null;
            x.memory = null;
            b.memory = null;
        }
    }

    @Override
    protected void part(long index) {
        long from = index * perPart;
        if (pass.toWindows()) {
            long to = Math.min(from + perPart, planes * rows.size);
            for (long row = from; row < to; row++) {
                row(row / rows.size, (int) (row % rows.size), y0 + row * columns.size);
            }
        } else {
            long to = Math.min(from + perPart, planes);
            for (long plane = from; plane < to; plane++) {
                spread(plane);
            }
        }
    }

    /// Computes a row of y, one element for each window.
    private void row(long plane, int i, long yAt) {
        if (pass == Pass.SUM) {
            sums(x.plane(plane), i, yAt);
            return;
        }
        Planes source = pass == Pass.LARGEST ? x : b;
        long from = x.plane(plane);
        long sourceFrom = source.plane(plane);
        for (int j = 0; j < columns.size; j++) {
            long at = largest(from, i, j);
            double value = at < 0
                    ? Double.NEGATIVE_INFINITY
                    : get(
                            source.memory,
                            sourceFrom + at / columns.length * source.toRow + at % columns.length * source.toColumn);
            set(y, yAt + j, value);
        }
    }

    /// {@return where the largest element of a window stands in its plane, by rows} Of equal ones it is the
    /// first, of several NaN the last, as in PyTorch; −1 for a window without elements.
    private long largest(long from, int i, int j) {
        MemorySegment memory = x.memory;
        double largest = Double.NEGATIVE_INFINITY;
        long position = -1;
        for (int r = 0; r < rows.count[i]; r++) {
            long row = rows.first[i] + r * rows.step;
            long at = row * columns.length + columns.first[j];
            long xAt = from + row * x.toRow + columns.first[j] * x.toColumn;
            for (int c = 0; c < columns.count[j]; c++) {
                double value = get(memory, xAt);
                if (value > largest || Double.isNaN(value) || position < 0) {
                    largest = value;
                    position = at;
                }
                at += columns.step;
                xAt += columns.step * x.toColumn;
            }
        }
        return position;
    }

    private void sums(long from, int i, long yAt) {
        boolean runs = columns.span == 1 && x.toColumn == 1;
        for (int j = 0; j < columns.size; j++) {
            double sum = 0;
            for (int r = 0; r < rows.count[i]; r++) {
                long at = from + (rows.first[i] + r) * x.toRow + columns.first[j] * x.toColumn;
                double part = runs && columns.count[j] >= LONG_ROW
                        ? kernels.sum(x.memory, at, columns.count[j]) * columns.weights[j]
                        : sum(at, j);
                sum += part * rows.weights[rows.span * i + rows.weightStep * r];
            }
            set(y, yAt + j, sum);
        }
    }

    private double sum(long at, int j) {
        MemorySegment memory = x.memory;
        double sum = 0;
        for (int c = 0; c < columns.count[j]; c++) {
            sum += get(memory, at + c * x.toColumn) * columns.weights[columns.span * j + columns.weightStep * c];
        }
        return sum;
    }

    /// Computes a plane of y of the shape of x's.
    private void spread(long plane) {
        long elements = rows.length * columns.length;
        long yAt = y0 + plane * elements;
        kernels.fill(y, yAt, elements, 0);
        long from = pass == Pass.TO_LARGEST ? x.plane(plane) : 0;
        for (int i = 0; i < rows.size; i++) {
            long bAt = b.plane(plane) + i * b.toRow;
            for (int j = 0; j < columns.size; j++) {
                double value = get(b.memory, bAt + j * b.toColumn);
                if (pass == Pass.SPREAD) {
                    spread(value, i, j, yAt);
                } else {
                    long at = largest(from, i, j);
                    if (at >= 0) {
                        add(yAt + at, value);
                    }
                }
            }
        }
    }

    private void spread(double value, int i, int j, long yAt) {
        for (int r = 0; r < rows.count[i]; r++) {
            double part = value * rows.weights[rows.span * i + rows.weightStep * r];
            long at = yAt + (rows.first[i] + r) * columns.length + columns.first[j];
            for (int c = 0; c < columns.count[j]; c++) {
                add(at + c, part * columns.weights[columns.span * j + columns.weightStep * c]);
            }
        }
    }

    private void add(long at, double value) {
        set(y, at, get(y, at) + value);
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
