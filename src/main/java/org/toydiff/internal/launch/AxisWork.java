package org.toydiff.internal.launch;

import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// Work on each run along one axis of strided arrays that have the other axes in common. Runs are numbered in
/// row-major order of the other axes, and divided among parts.
abstract class AxisWork extends Work {
    /// Elements per part, unless a run is longer.
    private static final long PART = 1 << 13;

    final int axis;

    /// The number of elements of a run.
    final long n;

    /// The number of runs.
    final long runs;

    private final long[] shape;
    private final long perPart;

    /// @param shape the shape of the arrays, not empty
    /// @param axis the axis along which runs lie
    AxisWork(long[] shape, int axis) {
        this.shape = shape;
        this.axis = axis;
        n = shape[axis];
        runs = Shape.size(shape) / n;
        perPart = Math.max(1, PART / n);
    }

    /// Works on all runs, on several threads where there are many.
    final void start() {
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
