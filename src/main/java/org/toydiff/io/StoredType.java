package org.toydiff.io;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.toydiff.DType;

/// An element type of files, and the dtype of the tensors that are read from it. A tensor has the file's bytes if the
/// type is the dtype itself, and is converted otherwise; the dtype has all values of the type, so nothing is rounded.
enum StoredType {
    BOOL(1, DType.BOOL),
    UINT8(1, DType.INT32),
    INT8(1, DType.INT32),
    INT16(2, DType.INT32),
    INT32(4, DType.INT32),
    INT64(8, DType.INT64),
    FLOAT16(2, DType.FLOAT32),
    BFLOAT16(2, DType.FLOAT32),
    FLOAT32(4, DType.FLOAT32),
    FLOAT64(8, DType.FLOAT64);

    private static final int HALF_INFINITY = 0x7c00;
    private static final int FLOAT_INFINITY = 0x7f800000;
    private static final int FRACTION_SHIFT = 13;

    /// 2 to the difference between the exponents' biases, 127 and 15.
    private static final float REBIAS = 0x1p112f;

    /// Bytes per element.
    final int bytes;

    final DType dtype;

    StoredType(int bytes, DType dtype) {
        this.bytes = bytes;
        this.dtype = dtype;
    }

    /// Returns the type that is the dtype itself.
    static StoredType of(DType dtype) {
        return valueOf(dtype.name());
    }

    boolean isConverted() {
        return bytes != dtype.bytes();
    }

    /// Converts the whole elements of a segment.
    ///
    /// @param from the elements, at any address, little-endian unless `bigEndian`
    /// @param to the memory of the first element to write, of this type's dtype
    void convert(MemorySegment from, boolean bigEndian, MemorySegment to) {
        long n = from.byteSize() / bytes;
        switch (this) {
            case BOOL -> to.copyFrom(from);
            case UINT8 -> {
                for (long i = 0; i < n; i++) {
                    to.setAtIndex(JAVA_INT, i, Byte.toUnsignedInt(from.get(JAVA_BYTE, i)));
                }
            }
            case INT8 -> {
                for (long i = 0; i < n; i++) {
                    to.setAtIndex(JAVA_INT, i, from.get(JAVA_BYTE, i));
                }
            }
            case INT16 -> {
                for (long i = 0; i < n; i++) {
                    to.setAtIndex(JAVA_INT, i, half(from, i, bigEndian));
                }
            }
            case FLOAT16 -> {
                for (long i = 0; i < n; i++) {
                    to.setAtIndex(JAVA_INT, i, floatBits(half(from, i, bigEndian)));
                }
            }
            case BFLOAT16 -> {
                for (long i = 0; i < n; i++) {
                    to.setAtIndex(JAVA_INT, i, half(from, i, bigEndian) << Short.SIZE);
                }
            }
            case INT32, FLOAT32 -> {
                for (long i = 0; i < n; i++) {
                    int bits = from.get(JAVA_INT_UNALIGNED, i * Integer.BYTES);
                    to.setAtIndex(JAVA_INT, i, bigEndian ? Integer.reverseBytes(bits) : bits);
                }
            }
            case INT64, FLOAT64 -> {
                for (long i = 0; i < n; i++) {
                    long bits = from.get(JAVA_LONG_UNALIGNED, i * Long.BYTES);
                    to.setAtIndex(JAVA_LONG, i, bigEndian ? Long.reverseBytes(bits) : bits);
                }
            }
        }
    }

    /// Returns the 16 bits of element i.
    private static short half(MemorySegment from, long i, boolean bigEndian) {
        short bits = from.get(JAVA_SHORT_UNALIGNED, i * Short.BYTES);
        return bigEndian ? Short.reverseBytes(bits) : bits;
    }

    /// Returns the bits of the float with the value of a half-precision one. The product is exact, for denormals too.
    /// NaN keeps its bits, which `Float.float16ToFloat` changes on some processors.
    private static int floatBits(short half) {
        int sign = (half & 0x8000) << Short.SIZE;
        int magnitude = half & 0x7fff;
        int shifted = magnitude << FRACTION_SHIFT;
        return sign
                | (magnitude >= HALF_INFINITY
                        ? shifted | FLOAT_INFINITY
                        : Float.floatToRawIntBits(Float.intBitsToFloat(shifted) * REBIAS));
    }
}
