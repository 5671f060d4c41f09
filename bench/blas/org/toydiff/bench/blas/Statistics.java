package org.toydiff.bench.blas;

import java.util.Arrays;

/// Median and percentiles of a set of times.
///
/// @param count the number of times
record Statistics(double median, double p10, double p90, int count) {
    /// Returns the statistics of one or more values.
    static Statistics of(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return new Statistics(at(sorted, 0.5), at(sorted, 0.1), at(sorted, 0.9), sorted.length);
    }

    /// Interpolates between the two nearest ranks: R's definition 7, which NumPy uses too (Hyndman and Fan, "Sample
    /// Quantiles in Statistical Packages", 1996).
    private static double at(double[] sorted, double fraction) {
        double rank = fraction * (sorted.length - 1);
        int below = (int) rank;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (rank - below) * (sorted[above] - sorted[below]);
    }
}
