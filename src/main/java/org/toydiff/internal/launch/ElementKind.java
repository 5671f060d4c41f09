package org.toydiff.internal.launch;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.CastKernels;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.UnaryKernel;

/// The types of elements, for launches that accept all of them.
public enum ElementKind {
    FLOAT32(Element.FLOAT32),
    FLOAT64(Element.FLOAT64),
    BFLOAT16(Element.BFLOAT16),
    INT32(Element.INT32),
    INT64(Element.INT64),
    BOOL(Element.BOOL);

    /// The key of NaN: above those of all other elements.
    static final long LARGEST_KEY = -1;

    /// The same type for kernels.
    public final Element element;

    final int bytes;

    ElementKind(Element element) {
        this.element = element;
        bytes = element.bytes;
    }

    public boolean isFloating() {
        return this == FLOAT32 || this == FLOAT64 || this == BFLOAT16;
    }

    /// {@return the kernel for this floating type}
    public Kernel.Unary of(UnaryKernel kernel) {
        return this == BFLOAT16 ? Widened.of(kernel) : kernel.of(this == FLOAT64);
    }

    /// {@return the kernel for this floating type}
    public Kernel.Binary of(BinaryKernel kernel) {
        return this == BFLOAT16 ? Widened.of(kernel) : kernel.of(this == FLOAT64);
    }

    /// {@return the element at `index` (in elements) as a double; exact for all but INT64 beyond 2⁵³}
    public double real(MemorySegment segment, long index) {
        return switch (this) {
            case FLOAT32 -> segment.getAtIndex(JAVA_FLOAT, index);
            case FLOAT64 -> segment.getAtIndex(JAVA_DOUBLE, index);
            case BFLOAT16 -> Float.intBitsToFloat(segment.getAtIndex(JAVA_SHORT, index) << Short.SIZE);
            default -> integer(segment, index);
        };
    }

    /// {@return the element at `index` (in elements) of an integer type}
    public long integer(MemorySegment segment, long index) {
        return switch (this) {
            case INT32 -> segment.getAtIndex(JAVA_INT, index);
            case INT64 -> segment.getAtIndex(JAVA_LONG, index);
            case BOOL -> segment.get(JAVA_BYTE, index);
            case FLOAT32, FLOAT64, BFLOAT16 -> throw new AssertionError(this);
        };
    }

    /// Stores a double at `index` (in elements), rounded to the nearest for FLOAT32 and BFLOAT16, truncated towards
    /// zero for integers, and as "is not zero" for BOOL.
    public void set(MemorySegment segment, long index, double value) {
        switch (this) {
            case FLOAT32 -> segment.setAtIndex(JAVA_FLOAT, index, (float) value);
            case FLOAT64 -> segment.setAtIndex(JAVA_DOUBLE, index, value);
            case BFLOAT16 -> segment.setAtIndex(JAVA_SHORT, index, CastKernels.bfloat16(value));
            case INT32 -> segment.setAtIndex(JAVA_INT, index, (int) value);
            case INT64 -> segment.setAtIndex(JAVA_LONG, index, (long) value);
            case BOOL -> segment.set(JAVA_BYTE, index, (byte) (value != 0 ? 1 : 0));
        }
    }

    /// Copies one element, bit by bit. Indices are in elements.
    public void copy(MemorySegment x, long from, MemorySegment y, long to) {
        switch (bytes) {
            case 1 -> y.set(JAVA_BYTE, to, x.get(JAVA_BYTE, from));
            case Short.BYTES -> y.setAtIndex(JAVA_SHORT, to, x.getAtIndex(JAVA_SHORT, from));
            case Integer.BYTES -> y.setAtIndex(JAVA_INT, to, x.getAtIndex(JAVA_INT, from));
            default -> y.setAtIndex(JAVA_LONG, to, x.getAtIndex(JAVA_LONG, from));
        }
    }

    /// Returns the unsigned key of an element, in `bytes` low bytes of a long, or [#LARGEST_KEY]: keys are ordered as
    /// the elements are, −0 has the key of 0, and NaN is largest.
    ///
    /// A sign bit turned over puts negative integers first; negative floats, whose magnitudes grow with their bits,
    /// have the other bits turned over too. (M. Herf, Radix Tricks, http://stereopsis.com/radix.html)
    long key(MemorySegment segment, long index) {
        return switch (this) {
            case FLOAT32 -> key(segment.getAtIndex(JAVA_FLOAT, index));
            case FLOAT64 -> key(segment.getAtIndex(JAVA_DOUBLE, index));
            case BFLOAT16 -> {
                long wide = key((float) real(segment, index));
                yield wide == LARGEST_KEY ? LARGEST_KEY : wide >>> Short.SIZE;
            }
            case INT32 -> Integer.toUnsignedLong(segment.getAtIndex(JAVA_INT, index) ^ Integer.MIN_VALUE);
            case INT64 -> segment.getAtIndex(JAVA_LONG, index) ^ Long.MIN_VALUE;
            case BOOL -> segment.get(JAVA_BYTE, index);
        };
    }

    private static long key(float value) {
        if (Float.isNaN(value)) {
            return LARGEST_KEY;
        }
        int bits = Float.floatToRawIntBits(value + 0f);
        return Integer.toUnsignedLong(bits ^ (bits >> 31 | Integer.MIN_VALUE));
    }

    private static long key(double value) {
        if (Double.isNaN(value)) {
            return LARGEST_KEY;
        }
        long bits = Double.doubleToRawLongBits(value + 0.0);
        return bits ^ (bits >> 63 | Long.MIN_VALUE);
    }
}
