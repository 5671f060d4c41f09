package org.toydiff.internal.launch;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

/// Finds the positions of the k largest elements of each run along an axis, in descending order of their elements: y is
/// INT64, and k long along the axis. Meanwhile they are a heap in the memory of y, the smallest of them on top.
public final class TopKWork extends AxisWork {
    private final ElementKind kind;
    private final long k;

    /// @param kind the type of the elements
    /// @param shape the shape of the array, not empty
    /// @param axis the axis along which runs lie
    /// @param k the number of positions, 1 to the size of the axis
    public TopKWork(ElementKind kind, long[] shape, int axis, long k) {
        super(shape, axis);
        this.kind = kind;
        this.k = k;
    }

    @Override
    void process(long from, long to) {
        for (long run = from; run < to; run++) {
            select(x0 + begin(run, xs), y0 + begin(run, ys));
        }
    }

    private void select(long first, long heap) {
        for (long i = 0; i < k; i++) {
            set(heap, i, i);
        }
        for (long i = k / 2 - 1; i >= 0; i--) {
            sink(first, heap, i, k);
        }
        for (long i = k; i < n; i++) {
            if (before(first, i, get(heap, 0))) {
                set(heap, 0, i);
                sink(first, heap, 0, k);
            }
        }
        // Removing the smallest again and again leaves them in descending order.
        for (long size = k - 1; size > 0; size--) {
            exchange(heap, 0, size);
            sink(first, heap, 0, size);
        }
    }

    private void sink(long first, long heap, long from, long size) {
        long parent = from;
        for (long child = 2 * parent + 1; child < size; child = 2 * parent + 1) {
            if (child + 1 < size && before(first, get(heap, child), get(heap, child + 1))) {
                child++;
            }
            if (!before(first, get(heap, parent), get(heap, child))) {
                return;
            }
            exchange(heap, parent, child);
            parent = child;
        }
    }

    /// {@return whether position i comes before j: the larger element, and the first of equal ones}
    private boolean before(long first, long i, long j) {
        int order = Long.compareUnsigned(kind.key(x, first + i * xs[axis]), kind.key(x, first + j * xs[axis]));
        return order == 0 ? i < j : order > 0;
    }

    private long get(long heap, long i) {
        return y.getAtIndex(JAVA_LONG, heap + i * ys[axis]);
    }

    private void set(long heap, long i, long position) {
        y.setAtIndex(JAVA_LONG, heap + i * ys[axis], position);
    }

    private void exchange(long heap, long i, long j) {
        long moved = get(heap, i);
        set(heap, i, get(heap, j));
        set(heap, j, moved);
    }
}
