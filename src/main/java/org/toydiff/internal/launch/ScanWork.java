package org.toydiff.internal.launch;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/// Goes along the runs of an array with one number that every element changes: sums and products up to each
/// element, products of whole runs, and linear recurrences.
///
/// Of floating elements that number is a double, and each result is rounded from it; of integers it is a long, which
/// wraps around. y is INT64 for integers and has x's type otherwise.
public final class ScanWork extends AxisWork {
    /// What becomes of the number at an element, and whether there is a result for each element or for each run.
    public enum Kind {
        CUMSUM,
        CUMPROD,
        PROD,

        /// `yᵢ = xᵢ + aᵢ·yᵢ₋₁`
        RECURRENCE
    }

    private final Kind kind;
    private final ElementKind type;
    private final boolean reverse;

    private MemorySegment a;
    private long a0;
    private long[] as;

    /// @param type the type of the elements of x
    /// @param reverse whether to go from the last element to the first
    /// @param shape the shape of x, not empty
    /// @param axis the axis to go along
    public ScanWork(Kind kind, ElementKind type, boolean reverse, long[] shape, int axis) {
        super(shape, axis);
        this.kind = kind;
        this.type = type;
        this.reverse = reverse;
    }

    /// Sets the coefficients of a recurrence, of x's shape and type. Offset and strides are in elements.
    public void coefficients(MemorySegment a, long a0, long[] as) {
        this.a = a;
        this.a0 = a0;
        this.as = as;
    }

    @Override
    void process(long from, long to) {
        for (long run = from; run < to; run++) {
            if (type.isFloating()) {
                reals(run);
            } else {
                integers(run);
            }
        }
    }

    private long first(long[] strides) {
        return reverse ? (n - 1) * strides[axis] : 0;
    }

    private long step(long[] strides) {
        return reverse ? -strides[axis] : strides[axis];
    }

    private void reals(long run) {
        long xAt = x0 + begin(run, xs) + first(xs);
        long yAt = y0 + begin(run, ys) + first(ys);
        long aAt = a == null ? 0 : a0 + begin(run, as) + first(as);
        double state = kind == Kind.CUMSUM || kind == Kind.RECURRENCE ? 0 : 1;
        for (long i = 0; i < n; i++) {
            double value = type.real(x, xAt + i * step(xs));
            state = switch (kind) {
                case CUMSUM -> state + value;
                case CUMPROD, PROD -> state * value;
                case RECURRENCE -> value + type.real(a, aAt + i * step(as)) * state;
            };
            if (kind != Kind.PROD) {
                type.set(y, yAt + i * step(ys), state);
            }
        }
        if (kind == Kind.PROD) {
            type.set(y, y0 + begin(run, ys), state);
        }
    }

    private void integers(long run) {
        long xAt = x0 + begin(run, xs) + first(xs);
        long yAt = y0 + begin(run, ys) + first(ys);
        long state = kind == Kind.CUMSUM ? 0 : 1;
        for (long i = 0; i < n; i++) {
            long value = type.integer(x, xAt + i * step(xs));
            state = kind == Kind.CUMSUM ? state + value : state * value;
            if (kind != Kind.PROD) {
                y.setAtIndex(JAVA_LONG, yAt + i * step(ys), state);
            }
        }
        if (kind == Kind.PROD) {
            y.setAtIndex(JAVA_LONG, y0 + begin(run, ys), state);
        }
    }
}
