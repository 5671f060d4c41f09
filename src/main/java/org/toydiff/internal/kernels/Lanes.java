package org.toydiff.internal.kernels;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;

/// The vector sizes that this machine prefers. Not loaded where the Vector API is absent.
final class Lanes {
    static final VectorShape SHAPE = FloatVector.SPECIES_PREFERRED.vectorShape();
    private static final int FLOATS = SHAPE.vectorBitSize() / Float.SIZE;
    private static final int DOUBLES = SHAPE.vectorBitSize() / Double.SIZE;

    private Lanes() {}

    /// {@return the number of lanes of a vector of FLOAT64 (`wide`) or FLOAT32}
    static int of(boolean wide) {
        return wide ? DOUBLES : FLOATS;
    }
}
