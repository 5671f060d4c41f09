package org.toydiff;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.toydiff.internal.kernels.CastKernels;
import org.toydiff.internal.launch.ElementKind;
import org.toydiff.internal.memory.ElementType;

/// The type of a tensor's elements.
///
/// Gradients and all arithmetic take the floating dtypes, [#FLOAT32], [#FLOAT64] and [#BFLOAT16]. [#INT32] and
/// [#INT64], for indices, labels and counts, have whole-number arithmetic, which wraps around; [#BOOL], for masks, has
/// logic.
public enum DType {
    /// IEEE 754 single precision, 4 bytes.
    FLOAT32("float32", Float.BYTES),
    /// IEEE 754 double precision, 8 bytes.
    FLOAT64("float64", Double.BYTES),
    /// The upper half of a [#FLOAT32], 2 bytes: its range with 8 significant bits, so that neighbours differ by 2⁻⁷
    /// of their value, or less.
    ///
    /// It halves the memory of activations, data and weights that need no more digits. Arithmetic is that of FLOAT32,
    /// rounded to the nearest when a result is stored, ties to even: sums, products and softmax accumulate in FLOAT32
    /// or more. [Autocast] trains in it with parameters and losses in FLOAT32.
    BFLOAT16("bfloat16", Short.BYTES),
    /// Two's complement, 4 bytes.
    INT32("int32", Integer.BYTES),
    /// Two's complement, 8 bytes.
    INT64("int64", Long.BYTES),
    /// One byte, 0 or 1.
    BOOL("bool", 1);

    private static final double LARGEST_BFLOAT16 = 0x1.fep127;
    private static final double LEAST_BFLOAT16 = 0x1p-133;

    /// Its name and size, for storages.
    final ElementType element;

    /// Its counterpart in launches.
    final ElementKind kind = ElementKind.valueOf(name());

    DType(String name, int bytes) {
        this.element = new ElementType(name, bytes);
    }

    /// The size of one element in bytes.
    ///
    /// @return bytes per element
    public int bytes() {
        return element.bytes();
    }

    /// Whether gradients are defined for it, and all arithmetic.
    ///
    /// @return true for [#FLOAT32], [#FLOAT64] and [#BFLOAT16]
    public boolean isFloating() {
        return kind.isFloating();
    }

    /// Whether it is INT32 or INT64.
    boolean isInteger() {
        return this == INT32 || this == INT64;
    }

    /// Returns NumPy's name of it, `float32` for instance, which messages and printed tensors use.
    ///
    /// @return the name in lower case
    @Override
    public String toString() {
        return element.name();
    }

    /// As [ElementKind#real].
    double get(MemorySegment segment, long index) {
        return kind.real(segment, index);
    }

    /// As [ElementKind#integer].
    long getLong(MemorySegment segment, long index) {
        return kind.integer(segment, index);
    }

    /// As [ElementKind#set].
    void set(MemorySegment segment, long index, double value) {
        kind.set(segment, index, value);
    }

    /// Stores an integer at `index` (in elements).
    void setLong(MemorySegment segment, long index, long value) {
        switch (this) {
            case INT32 -> segment.setAtIndex(ValueLayout.JAVA_INT, index, (int) value);
            case INT64 -> segment.setAtIndex(ValueLayout.JAVA_LONG, index, value);
            case FLOAT32, FLOAT64, BFLOAT16, BOOL -> throw new AssertionError(this);
        }
    }

    /// `value` itself, once it is known to have a value of this dtype: an integer dtype has neither NaN nor numbers
    /// beyond its range.
    double requireConvertible(String op, double value) {
        if (isInteger() && !has(value < 0 ? Math.ceil(value) : Math.floor(value))) {
            throw new IllegalArgumentException(
                    op + ": " + value + " has no value of dtype " + this + "; replace it, or keep a floating dtype");
        }
        return value;
    }

    /// Whether a number has a value of this dtype, to which it does not need rounding. Reals have NaN.
    boolean has(double value) {
        return switch (this) {
            case FLOAT32 -> (float) value == value || Double.isNaN(value);
            case FLOAT64 -> true;
            case BFLOAT16 -> rounded(value) == value || Double.isNaN(value);
            case INT32, INT64, BOOL -> Math.rint(value) == value && value >= least() && value < end();
        };
    }

    /// The least element that there can be.
    double least() {
        return switch (this) {
            case FLOAT32, FLOAT64, BFLOAT16 -> Double.NEGATIVE_INFINITY;
            case INT32 -> Integer.MIN_VALUE;
            case INT64 -> Long.MIN_VALUE;
            case BOOL -> 0;
        };
    }

    /// More than any element by 1, where there is an end.
    double end() {
        return switch (this) {
            case FLOAT32, FLOAT64, BFLOAT16 -> Double.POSITIVE_INFINITY;
            case INT32 -> 0x1p31;
            case INT64 -> 0x1p63;
            case BOOL -> 2;
        };
    }

    /// The largest value of this dtype that is not more than `value`.
    double floor(double value) {
        if (this == FLOAT32) {
            float nearest = (float) value;
            return nearest > value ? Math.nextDown(nearest) : nearest;
        }
        if (this == BFLOAT16) {
            double nearest = rounded(value);
            return nearest > value ? below(nearest) : nearest;
        }
        return Math.floor(value);
    }

    /// The BFLOAT16 nearest to a number.
    private static double rounded(double value) {
        return Float.intBitsToFloat(CastKernels.bfloat16(value) << Short.SIZE);
    }

    /// The largest BFLOAT16 below another one, which is not −∞.
    private static double below(double value) {
        if (value == 0) {
            return -LEAST_BFLOAT16;
        }
        int bits = Float.floatToRawIntBits((float) value) >> Short.SIZE;
        return Float.intBitsToFloat((value > 0 ? bits - 1 : bits + 1) << Short.SIZE);
    }

    /// The largest finite number of a floating dtype.
    double largest() {
        return switch (this) {
            case FLOAT32 -> Float.MAX_VALUE;
            case FLOAT64 -> Double.MAX_VALUE;
            case BFLOAT16 -> LARGEST_BFLOAT16;
            case INT32, INT64, BOOL -> throw new AssertionError(this);
        };
    }

    /// The smallest dtype that has every value of both, or null: neither float has every INT64.
    static DType common(DType a, DType b) {
        DType first = a.compareTo(b) < 0 ? a : b;
        DType second = first == a ? b : a;
        if (first == second || second == BOOL) {
            return first;
        }
        if (second == BFLOAT16) {
            return first;
        }
        if (second.isFloating() || !first.isFloating()) {
            return second;
        }
        return second == INT32 ? FLOAT64 : null;
    }

    /// The casts that give operands of these dtypes one dtype, for messages.
    static String remedy(DType first, DType second) {
        DType common = common(first, second);
        if (common == null) {
            return "no dtype has all values of both: cast(DType.FLOAT64) rounds integers beyond 2^53, so write it if that"
                    + " is meant";
        }
        return "cast(DType." + common.name() + ") "
                + (common == second ? "the first" : common == first ? "the second" : "both");
    }

    void requireFloating(String op) {
        if (!isFloating()) {
            throw new IllegalArgumentException(op + ": takes FLOAT32, FLOAT64 or BFLOAT16, not " + this);
        }
    }
}
