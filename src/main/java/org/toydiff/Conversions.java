package org.toydiff;

import static org.toydiff.Rule.readsNothing;

import java.lang.foreign.MemorySegment;

/// Between dtypes.
final class Conversions {
    private Conversions() {}

    static Tensor cast(Tensor x, DType to) {
        x.requireReadable("cast");
        if (x.dtype == to) {
            return x;
        }
        DType from = x.dtype;
        boolean recorded = to.isFloating() && Tensor.recorded(x);
        Tensor y = Tensor.make("cast", to, x.shape, true);
        try {
            Launch.unary(
                    (a, a0, ai, aj, b, b0, bi, bj, n1, n2) -> {
                        for (long i = 0; i < n1; i++) {
                            convert(from, a, a0 + i * ai, aj, to, b, b0 + i * bi, bj, n2);
                        }
                    },
                    x,
                    y);
        } catch (IllegalArgumentException e) {
            y.storage.free("cast", 0);
            throw e;
        }
        return recorded ? y.record("cast", null, new Rule[] {readsNothing(g -> g.cast(from))}, x) : y;
    }

    private static void convert(
            DType from, MemorySegment x, long x0, long xs, DType to, MemorySegment y, long y0, long ys, long n) {
        for (long i = 0; i < n; i++) {
            to.set(y, y0 + i * ys, requireConvertible("cast", from.get(x, x0 + i * xs), to));
        }
    }

    /// `value` itself, once `to` is known to have it: a whole-number dtype has neither NaN nor what lies
    /// beyond its range.
    static double requireConvertible(String op, double value, DType to) {
        boolean fits =
                switch (to) {
                    case FLOAT32, FLOAT64, BOOL -> true;
                    case INT32 -> value > Integer.MIN_VALUE - 1.0 && value < Integer.MAX_VALUE + 1.0;
                    case INT64 -> value >= Long.MIN_VALUE && value < 0x1p63;
                };
        if (!fits) {
            throw new IllegalArgumentException(
                    op + ": " + value + " has no value of dtype " + to + "; replace it, or keep a floating dtype");
        }
        return value;
    }
}
