package org.toydiff.io;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.toydiff.DType;

/// An element type of files, and the dtype of the tensors that are read from it: the type itself, or one that has its
/// values, so that nothing is rounded.
enum StoredType {
    BOOL(1, DType.BOOL),
    UINT8(1, DType.INT32),
    INT8(1, DType.INT32),
    INT16(2, DType.INT32),
    UINT16(2, DType.INT32),
    INT32(4, DType.INT32),
    UINT32(4, DType.INT64),
    INT64(8, DType.INT64),
    /// Those below 2⁶³, which INT64 has.
    UINT64(8, DType.INT64),
    FLOAT16(2, DType.FLOAT32),
    BFLOAT16(2, DType.BFLOAT16),
    FLOAT32(4, DType.FLOAT32),
    FLOAT64(8, DType.FLOAT64);

    private static final int HALF_INFINITY = 0x7c00;
    private static final int FLOAT_INFINITY = 0x7f800000;
    private static final long NOT_BOOL = 0xfefefefefefefefeL;
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

    /// Returns whether elements have the same bytes in a file as in a tensor.
    ///
    /// @param bigEndian the byte order in the file, if an element has several bytes
    boolean isStoredAsInMemory(boolean bigEndian) {
        return bytes == dtype.bytes() && !(bigEndian && bytes > 1);
    }

    /// Converts elements, or copies them if that is all there is to do.
    ///
    /// @param from the elements, at any address
    /// @param bigEndian the byte order in `from`
    /// @param to the memory from the first element to write on, of this type's dtype
    void convert(MemorySegment from, boolean bigEndian, MemorySegment to) {
        if (isStoredAsInMemory(bigEndian)) {
            MemorySegment.copy(from, 0, to, 0, from.byteSize());
            return;
        }
        long n = from.byteSize() / bytes;
        switch (this) {
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
                    to.setAtIndex(JAVA_INT, i, twoBytes(from, i, bigEndian));
                }
            }
            case UINT16 -> {
                for (long i = 0; i < n; i++) {
                    to.setAtIndex(JAVA_INT, i, Short.toUnsignedInt(twoBytes(from, i, bigEndian)));
                }
            }
            case FLOAT16 -> {
                for (long i = 0; i < n; i++) {
                    to.setAtIndex(JAVA_INT, i, floatBits(twoBytes(from, i, bigEndian)));
                }
            }
            case BFLOAT16 -> {
                for (long i = 0; i < n; i++) {
                    to.setAtIndex(JAVA_SHORT, i, twoBytes(from, i, bigEndian));
                }
            }
            case INT32, FLOAT32 -> {
                for (long i = 0; i < n; i++) {
                    to.setAtIndex(JAVA_INT, i, Integer.reverseBytes(from.get(JAVA_INT_UNALIGNED, i * Integer.BYTES)));
                }
            }
            case UINT32 -> {
                for (long i = 0; i < n; i++) {
                    int bits = from.get(JAVA_INT_UNALIGNED, i * Integer.BYTES);
                    to.setAtIndex(JAVA_LONG, i, Integer.toUnsignedLong(bigEndian ? Integer.reverseBytes(bits) : bits));
                }
            }
            case INT64, UINT64, FLOAT64 -> {
                for (long i = 0; i < n; i++) {
                    to.setAtIndex(JAVA_LONG, i, eightBytes(from, i, bigEndian));
                }
            }
            case BOOL -> throw new AssertionError(this);
        }
    }

    private static short twoBytes(MemorySegment from, long i, boolean bigEndian) {
        short bits = from.get(JAVA_SHORT_UNALIGNED, i * Short.BYTES);
        return bigEndian ? Short.reverseBytes(bits) : bits;
    }

    private static long eightBytes(MemorySegment from, long i, boolean bigEndian) {
        long bits = from.get(JAVA_LONG_UNALIGNED, i * Long.BYTES);
        return bigEndian ? Long.reverseBytes(bits) : bits;
    }

    /// Returns the offset of the first element that has no value of the dtype, in bytes, or −1: a BOOL that is neither
    /// 0 nor 1, or a UINT64 from 2⁶³ on.
    long firstWithoutValue(MemorySegment elements, boolean bigEndian) {
        return switch (this) {
            case BOOL -> firstNotBool(elements);
            case UINT64 -> firstNegative(elements, bigEndian);
            default -> -1;
        };
    }

    private static long firstNotBool(MemorySegment elements) {
        long words = elements.byteSize() & -Long.BYTES;
        long at = 0;
        while (at < words && (elements.get(JAVA_LONG_UNALIGNED, at) & NOT_BOOL) == 0) {
            at += Long.BYTES;
        }
        while (at < elements.byteSize() && (elements.get(JAVA_BYTE, at) & NOT_BOOL) == 0) {
            at++;
        }
        return at < elements.byteSize() ? at : -1;
    }

    private static long firstNegative(MemorySegment elements, boolean bigEndian) {
        long n = elements.byteSize() / Long.BYTES;
        for (long i = 0; i < n; i++) {
            if (eightBytes(elements, i, bigEndian) < 0) {
                return i * Long.BYTES;
            }
        }
        return -1;
    }

    /// Returns the unsigned integer of eight bytes at an offset, as text.
    static String unsigned(MemorySegment elements, long at, boolean bigEndian) {
        return Long.toUnsignedString(eightBytes(elements.asSlice(at), 0, bigEndian));
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
