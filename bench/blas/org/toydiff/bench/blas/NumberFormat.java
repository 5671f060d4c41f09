package org.toydiff.bench.blas;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The formats of the numbers of operands.
enum NumberFormat {
    BFLOAT16(Short.BYTES, 0x1p-9, 0x1p-126),
    FLOAT(Float.BYTES, 0x1p-24, Float.MIN_NORMAL),
    DOUBLE(Double.BYTES, 0x1p-53, Double.MIN_NORMAL);

    final int bytes;

    /// Half an ulp of 1.
    final double unit;

    /// The smallest positive number that is not denormal.
    final double smallestNormal;

    NumberFormat(int bytes, double unit, double smallestNormal) {
        this.bytes = bytes;
        this.unit = unit;
        this.smallestNormal = smallestNormal;
    }

    /// Returns the element at an index.
    double get(MemorySegment segment, long index) {
        return switch (this) {
            case BFLOAT16 -> Float.intBitsToFloat(segment.getAtIndex(ValueLayout.JAVA_SHORT, index) << 16);
            case FLOAT -> segment.getAtIndex(ValueLayout.JAVA_FLOAT, index);
            case DOUBLE -> segment.getAtIndex(ValueLayout.JAVA_DOUBLE, index);
        };
    }

    /// Sets the element at an index to the nearest number.
    void set(MemorySegment segment, long index, double value) {
        switch (this) {
            case BFLOAT16 -> segment.setAtIndex(ValueLayout.JAVA_SHORT, index, (short) (nearest(value) >>> 16));
            case FLOAT -> segment.setAtIndex(ValueLayout.JAVA_FLOAT, index, (float) value);
            case DOUBLE -> segment.setAtIndex(ValueLayout.JAVA_DOUBLE, index, value);
        }
    }

    /// Rounds a number to this format.
    double round(double value) {
        return switch (this) {
            case BFLOAT16 -> Float.intBitsToFloat(nearest(value) & 0xFFFF0000);
            case FLOAT -> (float) value;
            case DOUBLE -> value;
        };
    }

    /// Returns the bits of a finite float, rounded so that the upper half is the nearest bfloat16, ties to even.
    private static int nearest(double value) {
        int bits = Float.floatToRawIntBits((float) value);
        return bits + 0x7FFF + (bits >>> 16 & 1);
    }
}
