package org.toydiff.bench.compare;

/// What all workloads are run with.
///
/// @param rounds rounds that count
/// @param quick whether to look whether everything works rather than to measure
/// @param python the Python interpreter
public record Settings(int rounds, boolean quick, String python) {
    Rounds roundsOf() {
        return new Rounds(rounds, quick ? 0 : 1);
    }

    /// Fewer when quick.
    int samples(int samples) {
        return quick ? Math.max(2, samples / 10) : samples;
    }
}
