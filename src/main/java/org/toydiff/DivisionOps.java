package org.toydiff;

import static org.toydiff.Families.binary;
import static org.toydiff.Rule.readsInputs;
import static org.toydiff.Rule.readsNothing;

import java.util.Arrays;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.IntegerKernels;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.launch.Shape;

/// The quotients and remainders of a [Tensor] that [ElementwiseOps#divide] does not give, element by element: of
/// integers as Python's and as C's, and of floats. Integers are not differentiable, and refuse a divisor of 0.
public sealed interface DivisionOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// `y = ⌊this / b⌋`: the quotient rounded towards −∞, as Python's `//`, even where `this / b` is rounded up to
    /// the next integer; gradient 0. Of the least integer and −1 it wraps around.
    ///
    /// @param b divisors of the same dtype that broadcast with this
    /// @return a new tensor of the broadcast shape
    /// @throws IllegalArgumentException if the dtypes differ, or this is BOOL
    /// @throws ArithmeticException if an integer divisor is 0; the message names its position in the result
    default Tensor floorDivide(Tensor b) {
        return self().dtype.isFloating()
                ? binary(self(), b, "floorDivide", BinaryKernel.FLOOR_DIVIDE, Tensor.ZERO, Tensor.ZERO)
                : divided("floorDivide", self(), b, IntegerKernels.floorDivide(isLong()));
    }

    /// [#floorDivide(Tensor)] with a constant of this dtype.
    ///
    /// @param b the divisor
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if this is BOOL, or its dtype does not have the divisor
    /// @throws ArithmeticException if this is an integer tensor and the divisor 0
    default Tensor floorDivide(double b) {
        return floorDivide(divisor("floorDivide", b));
    }

    /// `y = this − ⌊this / b⌋·b`: the remainder with the sign of b, as Python's `%`. Of floats, rounded once where
    /// the signs differ, else exact; NaN where b is 0 or this infinite. Gradient `g` to this, `−g·⌊this / b⌋` to b.
    ///
    /// @param b divisors of the same dtype that broadcast with this
    /// @return a new tensor of the broadcast shape
    /// @throws IllegalArgumentException if the dtypes differ, or this is BOOL
    /// @throws ArithmeticException if an integer divisor is 0; the message names its position in the result
    default Tensor remainder(Tensor b) {
        if (!self().dtype.isFloating()) {
            return divided("remainder", self(), b, IntegerKernels.remainder(isLong()));
        }
        return binary(
                self(),
                b,
                "remainder",
                BinaryKernel.REMAINDER,
                readsNothing(g -> g),
                readsInputs((g, d, a) -> g.multiply(a.floorDivide(d)).negative()));
    }

    /// [#remainder(Tensor)] with a constant of this dtype.
    ///
    /// @param b the divisor
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if this is BOOL, or its dtype does not have the divisor
    /// @throws ArithmeticException if this is an integer tensor and the divisor 0
    default Tensor remainder(double b) {
        return remainder(divisor("remainder", b));
    }

    /// `y = this − trunc(this / b)·b`: the remainder with the sign of this, as C's `fmod` and Java's `%`, exact. Of
    /// floats, NaN where b is 0 or this infinite. Gradient `g` to this, `−g·trunc(this / b)` to b.
    ///
    /// @param b divisors of the same dtype that broadcast with this
    /// @return a new tensor of the broadcast shape
    /// @throws IllegalArgumentException if the dtypes differ, or this is BOOL
    /// @throws ArithmeticException if an integer divisor is 0; the message names its position in the result
    default Tensor fmod(Tensor b) {
        if (!self().dtype.isFloating()) {
            return divided("fmod", self(), b, IntegerKernels.fmod(isLong()));
        }
        return binary(self(), b, "fmod", BinaryKernel.FMOD, readsNothing(g -> g), readsInputs((g, d, a) -> g.multiply(
                        a.divide(d).trunc())
                .negative()));
    }

    /// [#fmod(Tensor)] with a constant of this dtype.
    ///
    /// @param b the divisor
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if this is BOOL, or its dtype does not have the divisor
    /// @throws ArithmeticException if this is an integer tensor and the divisor 0
    default Tensor fmod(double b) {
        return fmod(divisor("fmod", b));
    }

    private boolean isLong() {
        return self().dtype == DType.INT64;
    }

    private Tensor divisor(String op, double value) {
        if (self().dtype == DType.BOOL) {
            self().requireInteger(op);
        }
        return Families.constant(self(), op, value);
    }

    private static Tensor divided(String op, Tensor a, Tensor b, Kernel.Binary kernel) {
        a.requireInteger(op);
        b.requireReadable(op);
        a.requireCommonDType(op, b);
        Tensor y = Tensor.make(op, a.dtype, Shape.broadcast(op, a.shape, b.shape), true);
        try {
            Launch.binary(kernel, a, b, y);
            if (y.size() > 0) {
                Recorder.explain((x, z, failure) -> divisionByZero(op, x, z, y.shape));
            }
        } catch (ArithmeticException e) {
            y.storage.free(op, 0);
            throw divisionByZero(op, a, b, y.shape);
        }
        return y;
    }

    private static ArithmeticException divisionByZero(String op, Tensor a, Tensor b, long[] shape) {
        long[] at = new long[shape.length];
        Tensor divisors = b.broadcastTo(shape);
        while (divisors.at(at) != 0) {
            advance(at, shape);
        }
        return new ArithmeticException(op + ": " + Shape.text(a.shape) + " by " + Shape.text(b.shape) + " "
                + b.dtype + " divides by 0 at " + Arrays.toString(at)
                + "; replace the zeros first, by Tensor.where for instance");
    }

    /// Moves to the next position in row-major order.
    private static void advance(long[] at, long[] shape) {
        int axis = shape.length - 1;
        while (++at[axis] == shape[axis]) {
            at[axis--] = 0;
        }
    }
}
