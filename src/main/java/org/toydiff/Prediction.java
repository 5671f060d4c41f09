package org.toydiff;

/// What all arenas of a prediction hold together.
final class Prediction {
    private long live;
    private long peak;

    void count(long bytes) {
        live += bytes;
        peak = Math.max(peak, live);
    }

    long peakBytes() {
        return peak;
    }
}
