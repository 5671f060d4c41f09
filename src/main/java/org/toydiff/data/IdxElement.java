package org.toydiff.data;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The types of the IDX format, high byte first: https://yann.lecun.com/exdb/mnist/, "The IDX file format".
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

    /// The type of a code, or null.
    static IdxElement of(int code) {
        for (IdxElement element : values()) {
            if (element.code == code) {
                return element;
            }
        }
        return null;
    }

    boolean isWhole() {
        return this != FLOAT && this != DOUBLE;
    }

    /// The number at an offset in bytes; every type's are doubles exactly.
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

    /// Writes numbers as floats; unsigned bytes, which are pixels, divided by 255.
    ///
    /// @param data where they are, from `offset` (in bytes) on
    /// @param to where they go, from element `first` on
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
