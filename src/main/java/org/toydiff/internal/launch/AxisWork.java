package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// Work on each run along one axis of an array x, whose results go to an array y that has the other axes in common.
/// Runs are numbered in row-major order of the other axes, and divided among parts.
abstract sealed class AxisWork extends Work permits PositionWork, ScanWork, SortWork, TopKWork {
    /// Elements per part, unless a run is longer.
    private static final long PART = 1 << 13;

    final int axis;

    /// The number of elements of a run.
    final long n;

    /// The number of runs.
    final long runs;

    private final long[] shape;
    private final long perPart;

    // Offsets and strides are in elements.
    MemorySegment x;
    long x0;
    long[] xs;
    MemorySegment y;
    long y0;
    long[] ys;

    /// @param shape the shape of x, not empty
    /// @param axis the axis along which runs lie
    AxisWork(long[] shape, int axis) {
        this.shape = shape;
        this.axis = axis;
        n = shape[axis];
        runs = Shape.size(shape) / n;
        perPart = Math.max(1, PART / n);
    }

    /// Computes y from x. Offsets and strides are in elements.
    public final void run(MemorySegment x, long x0, long[] xs, MemorySegment y, long y0, long[] ys) {
        this.x = x;
        this.x0 = x0;
        this.xs = xs;
        this.y = y;
        this.y0 = y0;
        this.ys = ys;
        start();
    }

    /// Works on all runs, on several threads where there are many.
    void start() {
        Workers.run(this, parts(runs, perPart));
    }

    @Override
    protected final void part(long index) {
        long from = index * perPart;
        process(from, Math.min(from + perPart, runs));
    }

    /// Works on some runs, while other threads work on others.
    ///
    /// @param from the first
    /// @param to one past the last
    abstract void process(long from, long to);

    /// {@return the offset of the first element of a run in an array, in elements}
    final long begin(long run, long[] strides) {
        long rest = run;
        long offset = 0;
        for (int i = shape.length - 1; i >= 0 && rest > 0; i--) {
            if (i != axis) {
                offset += rest % shape[i] * strides[i];
                rest /= shape[i];
            }
        }
        return offset;
    }
}
