package org.toydiff.bench.compare;

import java.util.Locale;

/// A ratio that is asked for and what was measured, NaN when it was not.
record Target(String name, Bound bound, double asked, double measured) {
    /// On which side of the asked value the measured one must be.
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
