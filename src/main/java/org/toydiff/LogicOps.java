package org.toydiff;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.IntegerKernels;
import org.toydiff.internal.kernels.LogicKernel;
import org.toydiff.internal.launch.ReductionKind;
import org.toydiff.internal.launch.Shape;

/// The logic of [Tensor]: ops on BOOL, and the number of elements that are not 0. None is differentiable.
public sealed interface LogicOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// `this ∧ b`: whether both are true.
    ///
    /// @param b a BOOL operand that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    /// @throws IllegalArgumentException if a dtype is not BOOL
    default Tensor logicalAnd(Tensor b) {
        return logic("logicalAnd", self(), b, LogicKernel.AND);
    }

    /// `this ∨ b`: whether one of them is true, or both are.
    ///
    /// @param b a BOOL operand that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    /// @throws IllegalArgumentException if a dtype is not BOOL
    default Tensor logicalOr(Tensor b) {
        return logic("logicalOr", self(), b, LogicKernel.OR);
    }

    /// `this ⊕ b`: whether exactly one of them is true.
    ///
    /// @param b a BOOL operand that broadcasts with this
    /// @return a new BOOL tensor of the broadcast shape
    /// @throws IllegalArgumentException if a dtype is not BOOL
    default Tensor logicalXor(Tensor b) {
        return logic("logicalXor", self(), b, LogicKernel.XOR);
    }

    /// `¬this`: whether it is false.
    ///
    /// @return a new BOOL tensor of this shape
    /// @throws IllegalArgumentException if the dtype is not BOOL
    default Tensor logicalNot() {
        requireTruth("logicalNot", self());
        return logic("logicalNot", self(), Tensor.constant(DType.BOOL, 0), LogicKernel.EQUAL_TO);
    }

    /// Returns whether any element is true; false of nothing.
    ///
    /// @return a new BOOL scalar
    /// @throws IllegalArgumentException if the dtype is not BOOL
    default Tensor any() {
        return any(self(), Families.all(self()), false);
    }

    /// Returns whether any element is true along an axis, which is dropped; false of nothing.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new BOOL tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or the dtype is not BOOL
    default Tensor any(int axis) {
        return any(axis, false);
    }

    /// Returns whether any element is true along an axis; false of nothing.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new BOOL tensor
    /// @throws IllegalArgumentException if the axis is out of range or the dtype is not BOOL
    default Tensor any(int axis, boolean keepDims) {
        return any(self(), Families.one(self(), "any", axis), keepDims);
    }

    private static Tensor any(Tensor x, boolean[] reduced, boolean keepDims) {
        return counted("any", x, reduced, keepDims, BinaryKernel.GREATER, 0);
    }

    /// Returns whether all elements are true; true of nothing.
    ///
    /// @return a new BOOL scalar
    /// @throws IllegalArgumentException if the dtype is not BOOL
    default Tensor all() {
        return all(self(), Families.all(self()), false);
    }

    /// Returns whether all elements are true along an axis, which is dropped; true of nothing.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new BOOL tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or the dtype is not BOOL
    default Tensor all(int axis) {
        return all(axis, false);
    }

    /// Returns whether all elements are true along an axis; true of nothing.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new BOOL tensor
    /// @throws IllegalArgumentException if the axis is out of range or the dtype is not BOOL
    default Tensor all(int axis, boolean keepDims) {
        return all(self(), Families.one(self(), "all", axis), keepDims);
    }

    private static Tensor all(Tensor x, boolean[] reduced, boolean keepDims) {
        return counted("all", x, reduced, keepDims, BinaryKernel.EQUAL_TO, Shape.reducedSize(x.shape, reduced));
    }

    /// Returns the number of elements that are not 0, of any dtype; NaN is not 0.
    ///
    /// @return a new INT64 scalar
    default Tensor countNonzero() {
        return countNonzero(self(), Families.all(self()), false);
    }

    /// Returns the number of elements that are not 0 along an axis, which is dropped; of any dtype.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new INT64 tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor countNonzero(int axis) {
        return countNonzero(axis, false);
    }

    /// Returns the number of elements that are not 0 along an axis, of any dtype.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new INT64 tensor
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor countNonzero(int axis, boolean keepDims) {
        return countNonzero(self(), Families.one(self(), "countNonzero", axis), keepDims);
    }

    private static Tensor countNonzero(Tensor x, boolean[] reduced, boolean keepDims) {
        x.requireReadable("countNonzero");
        if (x.dtype == DType.BOOL) {
            return sum("countNonzero", x, reduced, keepDims);
        }
        long[] shape = Shape.reduced(x.shape, reduced, keepDims);
        Tensor y = Tensor.make("countNonzero", DType.INT64, shape, false);
        try (var scratch = TensorArena.ofConfined()) {
            Launch.integerReduction(ReductionKind.SUM, x.cast(DType.BOOL), reduced, y);
        }
        return y;
    }

    private static Tensor sum(String op, Tensor x, boolean[] reduced, boolean keepDims) {
        return Families.integerReduction(x, op, reduced, keepDims, ReductionKind.SUM);
    }

    /// Whether the number of true elements over the marked axes is more than, or equal to, `count`.
    private static Tensor counted(
            String op, Tensor x, boolean[] reduced, boolean keepDims, BinaryKernel comparison, double count) {
        requireTruth(op, x);
        long[] shape = Shape.reduced(x.shape, reduced, keepDims);
        Tensor y = Tensor.make(op, DType.BOOL, shape, false);
        try (var scratch = TensorArena.ofConfined()) {
            Tensor trues = sum(op, x, reduced, keepDims);
            Launch.binary(IntegerKernels.of(comparison, true), trues, Tensor.constant(DType.INT64, count), y);
        }
        return y;
    }

    private static Tensor logic(String op, Tensor a, Tensor b, LogicKernel kernel) {
        requireTruth(op, a);
        requireTruth(op, b);
        Tensor y = Tensor.make(op, DType.BOOL, Shape.broadcast(op, a.shape, b.shape), false);
        Launch.binary(kernel.kernel(), a, b, y);
        return y;
    }

    private static void requireTruth(String op, Tensor x) {
        x.requireReadable(op);
        if (x.dtype != DType.BOOL) {
            throw new IllegalArgumentException(op + ": takes BOOL, and " + Shape.text(x.shape) + " is " + x.dtype
                    + "; compare it, or cast it to BOOL");
        }
    }
}
