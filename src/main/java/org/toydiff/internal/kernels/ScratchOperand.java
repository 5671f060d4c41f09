package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Memory on which vector loops are tried. Read as an operand, its elements are 1; threads may concurrently write
/// results that nobody reads.
final class ScratchOperand {
    /// More elements than any vector's loop reads in a trial.
    private static final int COUNT = 512;

    private static final MemorySegment FLOATS = Arena.global().allocate(COUNT * JAVA_FLOAT.byteSize(), 64);
    private static final MemorySegment DOUBLES = Arena.global().allocate(COUNT * JAVA_DOUBLE.byteSize(), 64);
    static final MemorySegment RESULTS = Arena.global().allocate(COUNT * JAVA_DOUBLE.byteSize(), 64);

    static {
        for (int i = 0; i < COUNT; i++) {
            FLOATS.setAtIndex(JAVA_FLOAT, i, 1);
            DOUBLES.setAtIndex(JAVA_DOUBLE, i, 1);
        }
    }

    private ScratchOperand() {}

    static MemorySegment ones(boolean wide) {
        return wide ? DOUBLES : FLOATS;
    }
}
