package org.toydiff;

import static org.toydiff.Families.composed;
import static org.toydiff.Families.reduction;
import static org.toydiff.Rule.readsInputAndOutput;
import static org.toydiff.Rule.readsShape;

import org.toydiff.internal.launch.ReductionKind;
import org.toydiff.internal.launch.Shape;

/// The ops of [Tensor] that reduce axes: all of them, one, or several, dropped or kept with size 1. Neighbouring
/// axes give the same bits as one axis of their size.
///
/// They take FLOAT32 and FLOAT64. `max`, `min`, `argmax` and `argmin` take INT32 and INT64 too, and so does `sum`,
/// which also takes BOOL: such a sum is INT64, as in PyTorch, and wraps around. Nothing of these is recorded.
public sealed interface ReductionOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// Returns the sum, accumulated in double, over all axes; gradient `g` to every element.
    ///
    /// @return a new scalar
    default Tensor sum() {
        return Families.sum(self(), Families.all(self()), false);
    }

    /// Returns the sum, accumulated in double, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor sum(int axis) {
        return sum(axis, false);
    }

    /// Returns the sum, accumulated in double, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor sum(int axis, boolean keepDims) {
        return Families.sum(self(), Families.one(self(), "sum", axis), keepDims);
    }

    /// Returns the sum, accumulated in double, along several axes, which are dropped.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @return a new tensor without the axes
    /// @throws IllegalArgumentException if an axis is out of range or there twice
    default Tensor sum(int... axes) {
        return sum(axes, false);
    }

    /// Returns the sum, accumulated in double, along several axes.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @param keepDims whether the axes stay, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if an axis is out of range or there twice
    default Tensor sum(int[] axes, boolean keepDims) {
        return Families.sum(self(), Families.some(self(), "sum", axes), keepDims);
    }

    /// Returns the mean, NaN of nothing, over all axes; gradient `g / n` to every element.
    ///
    /// @return a new scalar
    default Tensor mean() {
        return mean(self(), Families.all(self()), false);
    }

    /// Returns the mean, NaN of nothing, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor mean(int axis) {
        return mean(axis, false);
    }

    /// Returns the mean, NaN of nothing, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor mean(int axis, boolean keepDims) {
        return mean(self(), Families.one(self(), "mean", axis), keepDims);
    }

    /// Returns the mean, NaN of nothing, along several axes, which are dropped.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @return a new tensor without the axes
    /// @throws IllegalArgumentException if an axis is out of range or there twice
    default Tensor mean(int... axes) {
        return mean(axes, false);
    }

    /// Returns the mean, NaN of nothing, along several axes.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @param keepDims whether the axes stay, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if an axis is out of range or there twice
    default Tensor mean(int[] axes, boolean keepDims) {
        return mean(self(), Families.some(self(), "mean", axes), keepDims);
    }

    private static Tensor mean(Tensor x, boolean[] reduced, boolean keepDims) {
        return reduction(x, "mean", reduced, keepDims, ReductionKind.MEAN, 0, readsShape((g, shape) -> g.divide(
                        (double) Shape.size(shape) / g.size())
                .stretchTo(shape)));
    }

    /// Returns the largest element, NaN if any is, over all axes; gradient `g` shared evenly among equal ones, as
    /// PyTorch's `amax`.
    ///
    /// @return a new scalar
    /// @throws IllegalArgumentException if there is nothing to reduce
    default Tensor max() {
        return max(self(), Families.all(self()), false);
    }

    /// Returns the largest element, NaN if any is, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing to reduce
    default Tensor max(int axis) {
        return max(axis, false);
    }

    /// Returns the largest element, NaN if any is, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing to reduce
    default Tensor max(int axis, boolean keepDims) {
        return max(self(), Families.one(self(), "max", axis), keepDims);
    }

    /// Returns the largest element, NaN if any is, along several axes, which are dropped.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @return a new tensor without the axes
    /// @throws IllegalArgumentException if an axis is out of range or there twice, or there is nothing to reduce
    default Tensor max(int... axes) {
        return max(axes, false);
    }

    /// Returns the largest element, NaN if any is, along several axes.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @param keepDims whether the axes stay, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if an axis is out of range or there twice, or there is nothing to reduce
    default Tensor max(int[] axes, boolean keepDims) {
        return max(self(), Families.some(self(), "max", axes), keepDims);
    }

    private static Tensor max(Tensor x, boolean[] reduced, boolean keepDims) {
        Families.requireElements(x, "max", reduced);
        return reduction(
                x, "max", reduced, keepDims, ReductionKind.MAX, 0, readsInputAndOutput(ReductionOps::shareAmongEqual));
    }

    /// Returns the smallest element, NaN if any is, over all axes; gradient `g` shared evenly among equal ones, as
    /// PyTorch's `amin`.
    ///
    /// @return a new scalar
    /// @throws IllegalArgumentException if there is nothing to reduce
    default Tensor min() {
        return min(self(), Families.all(self()), false);
    }

    /// Returns the smallest element, NaN if any is, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing to reduce
    default Tensor min(int axis) {
        return min(axis, false);
    }

    /// Returns the smallest element, NaN if any is, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing to reduce
    default Tensor min(int axis, boolean keepDims) {
        return min(self(), Families.one(self(), "min", axis), keepDims);
    }

    /// Returns the smallest element, NaN if any is, along several axes, which are dropped.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @return a new tensor without the axes
    /// @throws IllegalArgumentException if an axis is out of range or there twice, or there is nothing to reduce
    default Tensor min(int... axes) {
        return min(axes, false);
    }

    /// Returns the smallest element, NaN if any is, along several axes.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @param keepDims whether the axes stay, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if an axis is out of range or there twice, or there is nothing to reduce
    default Tensor min(int[] axes, boolean keepDims) {
        return min(self(), Families.some(self(), "min", axes), keepDims);
    }

    private static Tensor min(Tensor x, boolean[] reduced, boolean keepDims) {
        Families.requireElements(x, "min", reduced);
        return reduction(
                x, "min", reduced, keepDims, ReductionKind.MIN, 0, readsInputAndOutput(ReductionOps::shareAmongEqual));
    }

    private static Tensor shareAmongEqual(Tensor g, Tensor x, Tensor y) {
        Tensor equal = x.equalTo(y).cast(g.dtype);
        return g.divide(equal.sumTo(y.shape)).multiply(equal);
    }

    /// Returns `ln Σ eˣ` over all axes; shifted by the largest element first, so that nothing overflows; gradient
    /// `g·softmax(x)`.
    ///
    /// @return a new scalar
    default Tensor logSumExp() {
        return logSumExp(self(), Families.all(self()), false);
    }

    /// Returns `ln Σ eˣ` along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor logSumExp(int axis) {
        return logSumExp(axis, false);
    }

    /// Returns `ln Σ eˣ` along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor logSumExp(int axis, boolean keepDims) {
        return logSumExp(self(), Families.one(self(), "logSumExp", axis), keepDims);
    }

    /// Returns `ln Σ eˣ` along several axes, which are dropped.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @return a new tensor without the axes
    /// @throws IllegalArgumentException if an axis is out of range or there twice
    default Tensor logSumExp(int... axes) {
        return logSumExp(axes, false);
    }

    /// Returns `ln Σ eˣ` along several axes.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @param keepDims whether the axes stay, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if an axis is out of range or there twice
    default Tensor logSumExp(int[] axes, boolean keepDims) {
        return logSumExp(self(), Families.some(self(), "logSumExp", axes), keepDims);
    }

    /// Returns the Euclidean norm `√Σ x²` of all elements; gradient `g·x / y`, 0 where y is 0.
    ///
    /// @return a new scalar
    default Tensor norm() {
        return norm(self(), 2, Families.all(self()), false);
    }

    /// Returns the p-norm `(Σ |x|ᵖ)^(1/p)` along an axis, the largest `|x|` for p = ∞;
    /// gradient 0 where it or the element is 0.
    ///
    /// @param p the order, more than 0
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range or p is not positive
    default Tensor norm(double p, int axis, boolean keepDims) {
        return norm(self(), p, Families.one(self(), "norm", axis), keepDims);
    }

    /// Returns the p-norm `(Σ |x|ᵖ)^(1/p)` along several axes, the largest `|x|` for p = ∞; of a matrix as of the
    /// vector of its elements.
    ///
    /// @param p the order, more than 0
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @param keepDims whether the axes stay, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if an axis is out of range or there twice, or p is not positive
    default Tensor norm(double p, int[] axes, boolean keepDims) {
        return norm(self(), p, Families.some(self(), "norm", axes), keepDims);
    }

    /// Returns the position of the largest element along an axis, the first of equal ones; the first NaN counts as
    /// largest. Not differentiable.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new INT64 tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing along it
    default Tensor argmax(int axis) {
        return position(self(), "argmax", axis, ReductionKind.ARGMAX);
    }

    /// Returns the position of the smallest element along an axis, the first of equal ones; the first NaN counts as
    /// smallest. Not differentiable.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new INT64 tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing along it
    default Tensor argmin(int axis) {
        return position(self(), "argmin", axis, ReductionKind.ARGMIN);
    }

    private static Tensor position(Tensor x, String op, int axis, ReductionKind kernel) {
        boolean[] reduced = Families.one(x, op, axis);
        Families.requireElements(x, op, reduced);
        if (x.dtype.isFloating()) {
            return reduction(x, op, reduced, false, kernel, 0, null);
        }
        x.requireNumbers(op, "cast(DType.INT32) first");
        int along = Shape.axis(op, axis, x.rank());
        Tensor y = Tensor.make(op, DType.INT64, Shape.without(x.shape, along), false);
        long[] kept = Shape.kept(x.shape, reduced);
        Launch.position(kernel == ReductionKind.ARGMAX, x, along, y.view(y.offset, kept, Shape.strides(kept)));
        return y;
    }

    private static Tensor logSumExp(Tensor x, boolean[] reduced, boolean keepDims) {
        return composed(
                "logSumExp",
                x,
                reduced,
                keepDims,
                () -> shiftedLogSumExp(x, reduced),
                readsInputAndOutput(ReductionOps::logSumExpGradient));
    }

    /// `g·softmax(x)`; where all elements are −∞ none of them has a share.
    private static Tensor logSumExpGradient(Tensor g, Tensor x, Tensor y) {
        Tensor nothing = y.equalTo(Double.NEGATIVE_INFINITY);
        return g.multiply(x.subtract(Tensor.where(nothing, y.zero(), y)).exp());
    }

    private static Tensor shiftedLogSumExp(Tensor x, boolean[] reduced) {
        if (x.size() == 0) {
            return Families.sum(x, reduced, true).log();
        }
        Tensor largest = max(x, reduced, true);
        // An infinite shift would make NaN of ∞ − ∞.
        Tensor infinite = largest.abs().equalTo(Double.POSITIVE_INFINITY);
        Tensor shift = Tensor.where(infinite, largest.zero(), largest);
        return Families.sum(x.subtract(shift).exp(), reduced, true).log().add(shift);
    }

    private static Tensor norm(Tensor x, double p, boolean[] reduced, boolean keepDims) {
        x.requireFloating("norm");
        if (!(p > 0)) {
            throw new IllegalArgumentException(
                    "norm: p " + p + " is out of range; give p > 0, 2 for the Euclidean norm");
        }
        if (p == 1) {
            return Families.sum(x.abs(), reduced, keepDims);
        }
        if (p == Double.POSITIVE_INFINITY) {
            return max(x.abs(), reduced, keepDims);
        }
        if (p == 2) {
            return reduction(
                    x,
                    "norm",
                    reduced,
                    keepDims,
                    ReductionKind.NORM,
                    0,
                    readsInputAndOutput(ReductionOps::euclideanGradient));
        }
        return composed(
                "norm",
                x,
                reduced,
                keepDims,
                () -> Families.sum(x.abs().power(p), reduced, true).power(1 / p),
                readsInputAndOutput((g, in, y) -> normGradient(p, g, in, y)));
    }

    /// `g·sign(x)·(|x| / y)ᵖ⁻¹`, 0 where x or y is 0. Where x is 0 the power is of 1: that of 0 is infinite for p <
    /// 1, and so are its gradients for p < 2.
    private static Tensor normGradient(double p, Tensor g, Tensor x, Tensor y) {
        Tensor nothing = y.equalTo(0);
        Tensor part = x.abs().divide(y.oneWhere(nothing)).oneWhere(x.equalTo(0));
        return g.zeroWhere(nothing).multiply(x.sign().multiply(part.power(p - 1)));
    }

    private static Tensor euclideanGradient(Tensor g, Tensor x, Tensor y) {
        Tensor nothing = y.equalTo(0);
        return g.zeroWhere(nothing).multiply(x.divide(y.oneWhere(nothing)));
    }
}
