package org.toydiff.bench.compare;

import java.util.Locale;

/// The target for a ratio, and the measured ratio; NaN if it was not measured.
record Target(String name, Bound bound, double asked, double measured) {
    /// The side of the target on which the measured value must be.
    enum Bound {
        AT_LEAST("≥"),
        AT_MOST("≤"),
        BELOW("<");

        private final String sign;

        Bound(String sign) {
            this.sign = sign;
        }
    }

    String askedText() {
        return bound.sign + " " + number(asked);
    }

    String measuredText() {
        return Double.isNaN(measured) ? "not measured" : number(measured);
    }

    String verdict() {
        if (Double.isNaN(measured)) {
            return "";
        }
        boolean met =
                switch (bound) {
                    case AT_LEAST -> measured >= asked;
                    case AT_MOST -> measured <= asked;
                    case BELOW -> measured < asked;
                };
        return met ? "yes" : "no";
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value < 100 ? "%.2f" : "%,.0f", value);
    }
}
