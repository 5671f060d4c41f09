package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Finds the positions of the k largest elements of each run along an axis of a strided floating-point array, with a
/// heap of k candidates, the smallest on top.
public final class TopKWork {
    /// The maximum k: the candidates are in an array on the Java heap.
    public static final int MAX_K = Integer.MAX_VALUE - 8;

    private final MemorySegment x;
    private final boolean wide;
    private final long[] shape;
    private final long[] strides;
    private final int axis;
    private final long[] heap;
    private long at;

    /// @param x the memory of the array
    /// @param wide whether its elements are doubles
    /// @param shape its shape
    /// @param strides its strides in elements
    /// @param axis the axis along which runs lie
    /// @param k the number of positions, at most the size of the axis
    public TopKWork(MemorySegment x, boolean wide, long[] shape, long[] strides, int axis, int k) {
        this.x = x;
        this.wide = wide;
        this.shape = shape;
        this.strides = strides;
        this.axis = axis;
        this.heap = new long[k];
    }

    /// Writes the positions in descending order of their elements.
    ///
    /// @param x0 the first element of x
    /// @param y memory for INT64 positions, of x's shape but k long along the axis
    /// @param y0 the first element of y
    /// @param yStrides the strides of y in elements
    public void run(long x0, MemorySegment y, long y0, long[] yStrides) {
        run(0, x0, y, y0, yStrides);
    }

    private void run(int first, long x0, MemorySegment y, long y0, long[] yStrides) {
        int level = Shape.pastOnes(shape, first);
        if (level == shape.length) {
            at = x0;
            select();
            for (int i = 0; i < heap.length; i++) {
                y.setAtIndex(ValueLayout.JAVA_LONG, y0 + i * yStrides[axis], heap[i]);
            }
            return;
        }
        long n = level == axis ? 1 : shape[level];
        for (long i = 0; i < n; i++) {
            run(level + 1, x0 + i * strides[level], y, y0 + i * yStrides[level], yStrides);
        }
    }

    private void select() {
        int k = heap.length;
        for (int i = 0; i < k; i++) {
            heap[i] = i;
        }
        for (int i = k / 2 - 1; i >= 0; i--) {
            sink(i, k);
        }
        for (long i = k; i < shape[axis]; i++) {
            if (before(i, heap[0])) {
                heap[0] = i;
                sink(0, k);
            }
        }
        // Removing the smallest again and again leaves them in descending order.
        for (int size = k - 1; size > 0; size--) {
            long least = heap[0];
            heap[0] = heap[size];
            heap[size] = least;
            sink(0, size);
        }
    }

    private void sink(int from, int size) {
        int parent = from;
        for (int child = 2 * parent + 1; child < size; child = 2 * parent + 1) {
            if (child + 1 < size && before(heap[child], heap[child + 1])) {
                child++;
            }
            if (!before(heap[parent], heap[child])) {
                return;
            }
            long moved = heap[parent];
            heap[parent] = heap[child];
            heap[child] = moved;
            parent = child;
        }
    }

    /// {@return whether position i comes before j: the larger element, NaN being largest, and the first of equal
    /// ones}
    private boolean before(long i, long j) {
        double a = element(i);
        double b = element(j);
        if (a == b || (Double.isNaN(a) && Double.isNaN(b))) {
            return i < j;
        }
        return Double.isNaN(a) || a > b;
    }

    private double element(long i) {
        long index = at + i * strides[axis];
        return wide ? x.getAtIndex(ValueLayout.JAVA_DOUBLE, index) : x.getAtIndex(ValueLayout.JAVA_FLOAT, index);
    }
}
