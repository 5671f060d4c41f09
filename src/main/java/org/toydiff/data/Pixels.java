package org.toydiff.data;

/// Scales bytes 0 to 255 to floats 0 to 1.
final class Pixels {
    private static final float[] SCALED = new float[256];

    static {
        for (int i = 0; i < SCALED.length; i++) {
            SCALED[i] = i / 255f;
        }
    }

    private Pixels() {}

    /// Returns `value / 255` for the unsigned low byte of a value.
    static float scaled(int value) {
        return SCALED[value & 0xff];
    }
}
