package org.toydiff.internal.launch;

import java.util.function.LongToDoubleFunction;

/// Evenly spaced values of factories.
public final class Spacing {
    private Spacing() {}

    /// {@return the number of values of `arange`, from `start` to below `stop`}
    public static long count(double start, double stop, double step) {
        double count = Math.ceil((stop - start) / step);
        if (!(step != 0) || Double.isNaN(count) || count > Long.MAX_VALUE) {
            throw new IllegalArgumentException("arange: " + start + " to " + stop + " by " + step
                    + " is not a range; give finite ends and a step that is not 0");
        }
        return Math.max(0, (long) count);
    }

    /// {@return the i-th of `count` values from `start` to `stop`, computed from the nearer end}
    public static LongToDoubleFunction between(String op, double start, double stop, long count) {
        double step = count > 1 ? stop / (count - 1) - start / (count - 1) : 0;
        if (!Double.isFinite(start) || !Double.isFinite(stop) || count < 0) {
            throw new IllegalArgumentException(op + ": " + count + " values from " + start + " to " + stop
                    + "; give finite ends and 0 or more values");
        }
        return i -> i < count / 2.0 ? start + i * step : stop - (count - 1 - i) * step;
    }
}
