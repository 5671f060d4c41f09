package org.toydiff.bench.compare;

/// The options that all workloads run with.
///
/// @param rounds the number of timed rounds
/// @param quick whether to check that everything works rather than to measure
/// @param python the Python interpreter
/// @param mkl whether toydiff is measured on oneMKL as well
public record RunOptions(int rounds, boolean quick, String python, boolean mkl) {
    /// Enough for the compilers of both JVMs.
    private static final double WARM_UP_SECONDS = 2;

    Rounds roundsOf() {
        return new Rounds(rounds, quick ? 0 : WARM_UP_SECONDS);
    }

    /// Returns the number of samples, which is smaller in a quick run.
    int samples(int samples) {
        return quick ? Math.max(2, samples / 10) : samples;
    }
}
