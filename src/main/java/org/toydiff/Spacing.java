package org.toydiff;

import java.util.function.LongToDoubleFunction;

/// Evenly spaced values of factories.
final class Spacing {
    private Spacing() {}

    /// The number of values of `arange`, from `start` to below `stop`.
    static long count(double start, double stop, double step) {
        double count = Math.ceil((stop - start) / step);
        if (!(step != 0) || Double.isNaN(count) || count > Long.MAX_VALUE) {
            throw new IllegalArgumentException("arange: " + start + " to " + stop + " by " + step
                    + " is not a range; give finite ends and a step that is not 0");
        }
        return Math.max(0, (long) count);
    }

    /// The i-th of `count` values from `start` to `stop`, computed from the nearer end.
    static LongToDoubleFunction between(String op, double start, double stop, long count) {
        double step = count > 1 ? stop / (count - 1) - start / (count - 1) : 0;
        if (!Double.isFinite(start) || !Double.isFinite(stop) || count < 0) {
            throw new IllegalArgumentException(op + ": " + count + " values from " + start + " to " + stop
                    + "; give finite ends and 0 or more values");
        }
        return i -> i < count / 2.0 ? start + i * step : stop - (count - 1 - i) * step;
    }
}
