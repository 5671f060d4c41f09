package org.toydiff;

import static org.toydiff.internal.kernels.BinaryKernel.EQUAL_TO;
import static org.toydiff.internal.kernels.BinaryKernel.GREATER;
import static org.toydiff.internal.kernels.BinaryKernel.GREATER_OR_EQUAL;
import static org.toydiff.internal.kernels.BinaryKernel.LESS;
import static org.toydiff.internal.kernels.BinaryKernel.LESS_OR_EQUAL;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.launch.Shape;

/// Masks of tensors of any dtype.
final class Comparisons {
    private Comparisons() {}

    /// `y = a ? b`, both broadcast.
    static Tensor compare(String op, BinaryKernel kernel, Tensor a, Tensor b) {
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
    static Tensor compare(String op, BinaryKernel kernel, Tensor a, double b) {
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
