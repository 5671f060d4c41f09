package org.toydiff;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.LogicKernel;
import org.toydiff.internal.launch.Shape;

/// The comparisons of [Tensor], element by element: of any dtype, and not differentiable.
public sealed interface ComparisonOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// `this > b`, false where either is NaN.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    default Tensor greater(Tensor b) {
        return compare("greater", BinaryKernel.GREATER, self(), b);
    }

    /// [#greater(Tensor)] with a number, exact also where this dtype does not have it: a FLOAT32 0.1 is more than
    /// 0.1.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    default Tensor greater(double b) {
        return compare("greater", BinaryKernel.GREATER, self(), b);
    }

    /// `this ≥ b`, false where either is NaN.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    default Tensor greaterOrEqual(Tensor b) {
        return compare("greaterOrEqual", BinaryKernel.GREATER_OR_EQUAL, self(), b);
    }

    /// [#greaterOrEqual(Tensor)] with a number, exact also where this dtype does not have it.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    default Tensor greaterOrEqual(double b) {
        return compare("greaterOrEqual", BinaryKernel.GREATER_OR_EQUAL, self(), b);
    }

    /// `this < b`, false where either is NaN.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    default Tensor less(Tensor b) {
        return compare("less", BinaryKernel.LESS, self(), b);
    }

    /// [#less(Tensor)] with a number, exact also where this dtype does not have it.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    default Tensor less(double b) {
        return compare("less", BinaryKernel.LESS, self(), b);
    }

    /// `this ≤ b`, false where either is NaN.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    default Tensor lessOrEqual(Tensor b) {
        return compare("lessOrEqual", BinaryKernel.LESS_OR_EQUAL, self(), b);
    }

    /// [#lessOrEqual(Tensor)] with a number, exact also where this dtype does not have it.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    default Tensor lessOrEqual(double b) {
        return compare("lessOrEqual", BinaryKernel.LESS_OR_EQUAL, self(), b);
    }

    /// `this = b`, false where either is NaN.
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    default Tensor equalTo(Tensor b) {
        return compare("equalTo", BinaryKernel.EQUAL_TO, self(), b);
    }

    /// [#equalTo(Tensor)] with a number, exact also where this dtype does not have it.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    default Tensor equalTo(double b) {
        return compare("equalTo", BinaryKernel.EQUAL_TO, self(), b);
    }

    /// `this ≠ b`, true where either is NaN: the negation of [#equalTo(Tensor)].
    ///
    /// @param b an operand of the same dtype, any of them, that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    default Tensor notEqualTo(Tensor b) {
        return compare("notEqualTo", BinaryKernel.NOT_EQUAL_TO, self(), b);
    }

    /// [#notEqualTo(Tensor)] with a number, exact also where this dtype does not have it.
    ///
    /// @param b the number
    /// @return a new BOOL tensor of this shape
    default Tensor notEqualTo(double b) {
        return compare("notEqualTo", BinaryKernel.NOT_EQUAL_TO, self(), b);
    }

    /// `y = a ? b`, both broadcast.
    private static Tensor compare(String op, BinaryKernel comparison, Tensor first, Tensor second) {
        Tensor a = Autocast.beside(first, second);
        Tensor b = Autocast.beside(second, first);
        a.requireReadable(op);
        b.requireReadable(op);
        a.requireCommonDType(op, b);
        long[] shape = Shape.broadcast(op, a.shape, b.shape);
        Tensor y = Tensor.make(op, DType.BOOL, shape, false);
        Launch.binary(kernel(comparison, a.dtype), a, b, y);
        return y;
    }

    private static Kernel.Binary kernel(BinaryKernel comparison, DType dtype) {
        return switch (dtype) {
            case FLOAT32, FLOAT64, BFLOAT16, INT32, INT64 -> Families.kernel(comparison, dtype);
            case BOOL -> LogicKernel.of(comparison).kernel();
        };
    }

    /// `y = a ? b` for a number. One that a's dtype does not have equals no element; between two that it has, a
    /// comparison with the lower one of them gives the same result.
    private static Tensor compare(String op, BinaryKernel comparison, Tensor a, double b) {
        a.requireReadable(op);
        DType dtype = a.dtype;
        if (dtype.has(b)) {
            return compare(op, comparison, a, Tensor.constant(dtype, b));
        }
        boolean above = comparison == BinaryKernel.GREATER || comparison == BinaryKernel.GREATER_OR_EQUAL;
        boolean unequal = comparison == BinaryKernel.NOT_EQUAL_TO;
        if (unequal || comparison == BinaryKernel.EQUAL_TO || Double.isNaN(b)) {
            return same(op, a, unequal);
        }
        if (b < dtype.least() || b >= dtype.end()) {
            return same(op, a, above == b < dtype.least());
        }
        return compare(
                op,
                above ? BinaryKernel.GREATER : BinaryKernel.LESS_OR_EQUAL,
                a,
                Tensor.constant(dtype, dtype.floor(b)));
    }

    /// The same truth value for every element.
    private static Tensor same(String op, Tensor a, boolean holds) {
        return Tensor.filled(op, null, DType.BOOL, holds ? 1 : 0, a.shape);
    }
}
