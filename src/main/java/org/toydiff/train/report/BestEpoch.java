package org.toydiff.train.report;

/// The best epoch by a monitored value.
///
/// @param row the row of the epoch with the best value, the first of equal ones; −1 if no value is a number
/// @param waited the number of epochs since the last one that improved on all before it by more than a minimum
record BestEpoch(int row, int waited) {
    static BestEpoch of(HistoryTable epochs, String monitor, boolean higherIsBetter, double minDelta) {
        int column = epochs.index(monitor);
        int best = -1;
        int improved = -1;
        for (int row = 0; row < epochs.rows(); row++) {
            if (better(epochs, column, row, best, higherIsBetter, 0)) {
                best = row;
            }
            if (better(epochs, column, row, improved, higherIsBetter, minDelta)) {
                improved = row;
            }
        }
        return new BestEpoch(best, epochs.rows() - 1 - improved);
    }

    private static boolean better(
            HistoryTable epochs, int column, int row, int than, boolean higherIsBetter, double minDelta) {
        double value = epochs.get(column, row);
        if (than < 0) {
            return !Double.isNaN(value);
        }
        double gain = higherIsBetter ? value - epochs.get(column, than) : epochs.get(column, than) - value;
        return gain > minDelta;
    }
}
