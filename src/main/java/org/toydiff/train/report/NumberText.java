package org.toydiff.train.report;

import java.util.Locale;

/// Numbers as text.
final class NumberText {
    /// Up to here every whole double is exact.
    private static final double EXACT = 0x1p53;

    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    private NumberText() {}

    /// The shortest text that reads back as the same double, whole numbers without a point.
    static String text(double value) {
        boolean whole = value == Math.rint(value) && Math.abs(value) < EXACT && !isNegativeZero(value);
        return whole ? Long.toString((long) value) : Double.toString(value);
    }

    private static boolean isNegativeZero(double value) {
        return value == 0 && Double.doubleToRawLongBits(value) != 0;
    }

    /// `12.5 MiB`.
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
