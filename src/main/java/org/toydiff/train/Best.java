package org.toydiff.train;

/// How a monitored value did over the epochs.
///
/// @param row the epoch with the best value, the first of equal ones; −1 when no value is a number
/// @param waited how many epochs came after the last that improved on those before it by more than a least
/// difference
record Best(int row, int waited) {
    static Best of(double[] values, boolean higherIsBetter, double minDelta) {
        int best = -1;
        int improved = -1;
        for (int row = 0; row < values.length; row++) {
            if (better(values, row, best, higherIsBetter, 0)) {
                best = row;
            }
            if (better(values, row, improved, higherIsBetter, minDelta)) {
                improved = row;
            }
        }
        return new Best(best, values.length - 1 - improved);
    }

    private static boolean better(double[] values, int row, int than, boolean higherIsBetter, double minDelta) {
        if (than < 0) {
            return !Double.isNaN(values[row]);
        }
        double gain = higherIsBetter ? values[row] - values[than] : values[than] - values[row];
        return gain > minDelta;
    }
}
