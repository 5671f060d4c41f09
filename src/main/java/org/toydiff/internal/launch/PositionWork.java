package org.toydiff.internal.launch;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

/// Finds the position of the largest or the smallest integer of each run along an axis, the first of equal ones: y
/// is INT64, and 1 long along the axis.
public final class PositionWork extends AxisWork {
    private final ElementKind kind;
    private final boolean largest;

    /// @param kind the type of the elements, INT32 or INT64
    /// @param largest whether to find the largest one
    /// @param shape the shape of the array, not empty
    /// @param axis the axis along which runs lie
    public PositionWork(ElementKind kind, boolean largest, long[] shape, int axis) {
        super(shape, axis);
        this.kind = kind;
        this.largest = largest;
    }

    @Override
    void process(long from, long to) {
        for (long run = from; run < to; run++) {
            y.setAtIndex(JAVA_LONG, y0 + begin(run, ys), position(x0 + begin(run, xs)));
        }
    }

    private long position(long first) {
        long best = kind.integer(x, first);
        long position = 0;
        for (long i = 1; i < n; i++) {
            long element = kind.integer(x, first + i * xs[axis]);
            if (largest ? element > best : element < best) {
                best = element;
                position = i;
            }
        }
        return position;
    }
}
