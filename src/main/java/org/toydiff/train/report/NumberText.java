package org.toydiff.train.report;

import java.util.Locale;

/// Formats numbers as text.
final class NumberText {
    /// Every integer below this is exact as a double.
    private static final double EXACT = 0x1p53;

    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    private NumberText() {}

    /// Returns the shortest text that parses to the same double, integers without a point.
    static String text(double value) {
        boolean integer = value == Math.rint(value) && Math.abs(value) < EXACT && !isNegativeZero(value);
        return integer ? Long.toString((long) value) : Double.toString(value);
    }

    private static boolean isNegativeZero(double value) {
        return value == 0 && Double.doubleToRawLongBits(value) != 0;
    }

    /// Returns a number of bytes with its unit, `12.5 MiB`.
    static String bytes(double bytes) {
        int unit = 0;
        double value = bytes;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
    }
}
