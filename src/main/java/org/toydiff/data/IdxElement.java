package org.toydiff.data;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The element types of the IDX format, big-endian: https://yann.lecun.com/exdb/mnist/, "The IDX file format".
enum IdxElement {
    UNSIGNED_BYTE(0x08, 1),
    SIGNED_BYTE(0x09, 1),
    SHORT(0x0b, 2),
    INT(0x0c, 4),
    FLOAT(0x0d, 4),
    DOUBLE(0x0e, 8);

    private static final ValueLayout.OfShort SHORTS = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INTS = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfFloat FLOATS = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLES =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    final int code;
    final int bytes;

    IdxElement(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    /// Returns the type of a code, or null.
    static IdxElement of(int code) {
        for (IdxElement element : values()) {
            if (element.code == code) {
                return element;
            }
        }
        return null;
    }

    boolean isInteger() {
        return this != FLOAT && this != DOUBLE;
    }

    /// Returns the number at an offset in bytes. A double holds the numbers of every type exactly.
    double number(MemorySegment data, long offset) {
        return switch (this) {
            case UNSIGNED_BYTE -> Byte.toUnsignedInt(data.get(JAVA_BYTE, offset));
            case SIGNED_BYTE -> data.get(JAVA_BYTE, offset);
            case SHORT -> data.get(SHORTS, offset);
            case INT -> data.get(INTS, offset);
            case FLOAT -> data.get(FLOATS, offset);
            case DOUBLE -> data.get(DOUBLES, offset);
        };
    }

    /// Converts numbers to floats, and divides unsigned bytes, which are pixels, by 255.
    ///
    /// @param data the numbers, from `offset` (in bytes) on
    /// @param to the floats, from element `first` on
    void toFloats(MemorySegment data, long offset, MemorySegment to, long first, long count) {
        if (this == UNSIGNED_BYTE) {
            for (long i = 0; i < count; i++) {
                to.setAtIndex(JAVA_FLOAT, first + i, Pixels.scaled(data.get(JAVA_BYTE, offset + i)));
            }
        } else {
            for (long i = 0; i < count; i++) {
                to.setAtIndex(JAVA_FLOAT, first + i, (float) number(data, offset + i * bytes));
            }
        }
    }
}
