package org.toydiff.data;

/// Bytes 0 to 255 as floats 0 to 1.
final class Pixels {
    private static final float[] SCALED = new float[256];

    static {
        for (int i = 0; i < SCALED.length; i++) {
            SCALED[i] = i / 255f;
        }
    }

    private Pixels() {}

    /// `value / 255`, the byte being unsigned.
    static float scaled(int value) {
        return SCALED[value & 0xff];
    }
}
