package org.toydiff;

import static org.toydiff.internal.kernels.BinaryKernel.EQUAL_TO;
import static org.toydiff.internal.kernels.BinaryKernel.GREATER;
import static org.toydiff.internal.kernels.BinaryKernel.GREATER_OR_EQUAL;
import static org.toydiff.internal.kernels.BinaryKernel.LESS;
import static org.toydiff.internal.kernels.BinaryKernel.LESS_OR_EQUAL;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.launch.Shape;

/// The ops of [Tensor] that compare elements, of any dtype, and return masks. None is differentiable.
public sealed interface ComparisonOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// `this > b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    default Tensor greater(Tensor b) {
        return compare("greater", GREATER, self(), b);
    }

    /// [#greater(Tensor)] with a number, exact also where this dtype does not have it: a FLOAT32 0.1 is more than
    /// 0.1.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    default Tensor greater(double b) {
        return compare("greater", GREATER, self(), b);
    }

    /// `this ≥ b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    default Tensor greaterOrEqual(Tensor b) {
        return compare("greaterOrEqual", GREATER_OR_EQUAL, self(), b);
    }

    /// [#greaterOrEqual(Tensor)] with a number, exact also where this dtype does not have it.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    default Tensor greaterOrEqual(double b) {
        return compare("greaterOrEqual", GREATER_OR_EQUAL, self(), b);
    }

    /// `this < b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    default Tensor less(Tensor b) {
        return compare("less", LESS, self(), b);
    }

    /// [#less(Tensor)] with a number, exact also where this dtype does not have it.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    default Tensor less(double b) {
        return compare("less", LESS, self(), b);
    }

    /// `this ≤ b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    default Tensor lessOrEqual(Tensor b) {
        return compare("lessOrEqual", LESS_OR_EQUAL, self(), b);
    }

    /// [#lessOrEqual(Tensor)] with a number, exact also where this dtype does not have it.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    default Tensor lessOrEqual(double b) {
        return compare("lessOrEqual", LESS_OR_EQUAL, self(), b);
    }

    /// `this = b`, false where either is NaN. Not differentiable.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    default Tensor equalTo(Tensor b) {
        return compare("equalTo", EQUAL_TO, self(), b);
    }

    /// [#equalTo(Tensor)] with a number, exact also where this dtype does not have it.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    default Tensor equalTo(double b) {
        return compare("equalTo", EQUAL_TO, self(), b);
    }

    /// `y = a ? b`, both broadcast.
    private static Tensor compare(String op, BinaryKernel kernel, Tensor a, Tensor b) {
        a.requireReadable(op);
        b.requireReadable(op);
        a.requireSameDType(op, b);
        long[] shape = Shape.broadcast(op, a.shape, b.shape);
        Tensor y = Tensor.make(op, DType.BOOL, shape, false);
        Launch.binary(a.dtype.isFloating() ? kernel.of(a.isWide()) : kernel.ofWhole(a.dtype.bytes()), a, b, y);
        return y;
    }

    /// `y = a ? b` for a number. One that a's dtype does not have lies between two that it has, so a comparison
    /// with the lower one of them gives the same result.
    private static Tensor compare(String op, BinaryKernel kernel, Tensor a, double b) {
        a.requireReadable(op);
        DType dtype = a.dtype;
        if (has(dtype, b)) {
            return compare(op, kernel, a, Tensor.full(dtype, b));
        }
        double least = least(dtype);
        boolean above = kernel == GREATER || kernel == GREATER_OR_EQUAL;
        if (kernel == EQUAL_TO || Double.isNaN(b)) {
            return compare(op, LESS, a, Tensor.full(dtype, least));
        }
        if (b < least || b >= end(dtype)) {
            boolean always = above == b < least;
            return compare(op, always ? GREATER_OR_EQUAL : LESS, a, Tensor.full(dtype, least));
        }
        return compare(op, above ? GREATER : LESS_OR_EQUAL, a, Tensor.full(dtype, floor(dtype, b)));
    }

    private static boolean has(DType dtype, double b) {
        return switch (dtype) {
            case FLOAT32 -> (float) b == b || Double.isNaN(b);
            case FLOAT64 -> true;
            case INT32, INT64, BOOL -> Math.rint(b) == b && b >= least(dtype) && b < end(dtype);
        };
    }

    /// The least element that there can be.
    private static double least(DType dtype) {
        return switch (dtype) {
            case FLOAT32, FLOAT64 -> Double.NEGATIVE_INFINITY;
            case INT32 -> Integer.MIN_VALUE;
            case INT64 -> Long.MIN_VALUE;
            case BOOL -> 0;
        };
    }

    /// More than any element by 1, where there is an end.
    private static double end(DType dtype) {
        return switch (dtype) {
            case FLOAT32, FLOAT64 -> Double.POSITIVE_INFINITY;
            case INT32 -> 0x1p31;
            case INT64 -> 0x1p63;
            case BOOL -> 2;
        };
    }

    /// The largest value of the dtype that is not more than `b`.
    private static double floor(DType dtype, double b) {
        if (dtype == DType.FLOAT32) {
            float nearest = (float) b;
            return nearest > b ? Math.nextDown(nearest) : nearest;
        }
        return Math.floor(b);
    }
}
