package org.toydiff;

import static org.toydiff.Rule.readsInput;
import static org.toydiff.Rule.readsInputAndOutput;
import static org.toydiff.Rule.readsNothing;
import static org.toydiff.Rule.readsOther;

import org.toydiff.internal.launch.ScanWork;
import org.toydiff.internal.launch.Shape;

/// The ops of [Tensor] that go along an axis from element to element: cumulative sums and products, products, and
/// differences.
///
/// They go in order, floats with a double that is rounded to each result, and integers and BOOL with a long that
/// wraps around, to INT64 results. The gradient of a product to an element is the product of those before it and of
/// those after it: nothing is divided, so it is right at zeros.
public sealed interface CumulativeOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// Returns the sums of the elements up to each one along an axis; gradient the same of `g` from the back.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor of this shape, INT64 where this is INT32, INT64 or BOOL
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor cumsum(int axis) {
        Tensor x = self();
        x.requireReadable("cumsum");
        return cumsum(x, Shape.axis("cumsum", axis, x.rank()), false);
    }

    /// Returns the products of the elements up to each one along an axis; gradient to each element
    /// `Σ gᵢ·(product up to i of the others)`.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor of this shape, INT64 where this is INT32, INT64 or BOOL
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor cumprod(int axis) {
        Tensor x = self();
        x.requireReadable("cumprod");
        return cumprod(x, Shape.axis("cumprod", axis, x.rank()), false);
    }

    /// Returns the product, 1 of nothing, over all axes; gradient `g·(product of the others)` to each element.
    ///
    /// **Memory** a new tensor; of a tensor that is not contiguous also a copy.
    ///
    /// @return a new scalar, INT64 where this is INT32, INT64 or BOOL
    default Tensor prod() {
        Tensor x = self();
        x.requireReadable("prod");
        return prod(x.reshape(x.size()), 0, false);
    }

    /// Returns the product, 1 of nothing, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis, INT64 where this is INT32, INT64 or BOOL
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor prod(int axis) {
        return prod(axis, false);
    }

    /// Returns the product, 1 of nothing, along an axis; gradient `g·(product of the others)` to each element.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor, INT64 where this is INT32, INT64 or BOOL
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor prod(int axis, boolean keepDims) {
        Tensor x = self();
        x.requireReadable("prod");
        return prod(x, Shape.axis("prod", axis, x.rank()), keepDims);
    }

    /// Returns the product, 1 of nothing, along several axes, which are dropped.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @return a new tensor without the axes, INT64 where this is INT32, INT64 or BOOL
    /// @throws IllegalArgumentException if an axis is out of range or there twice
    default Tensor prod(int... axes) {
        return prod(axes, false);
    }

    /// Returns the product, 1 of nothing, along several axes; gradient `g·(product of the others)` to each element.
    ///
    /// **Memory** a new tensor; also a copy, unless the axes are one after another in memory.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @param keepDims whether the axes stay, with size 1
    /// @return a new tensor, INT64 where this is INT32, INT64 or BOOL
    /// @throws IllegalArgumentException if an axis is out of range or there twice
    default Tensor prod(int[] axes, boolean keepDims) {
        Tensor x = self();
        x.requireReadable("prod");
        boolean[] reduced = Families.some(x, "prod", axes);
        long[] others = Shape.dropped(x.shape, reduced);
        long[] runs = Shape.withOne(others, others.length);
        runs[others.length] = Shape.reducedSize(x.shape, reduced);
        Tensor y = prod(x.transpose(Families.keptFirstAxes(reduced)).reshape(runs), others.length, false);
        return keepDims ? y.reshape(Shape.kept(x.shape, reduced)) : y;
    }

    /// Returns the differences of neighbours along an axis, `yᵢ = xᵢ₊₁ − xᵢ`, and of BOOL whether they differ, as
    /// NumPy and PyTorch do; gradient `gᵢ₋₁ − gᵢ`.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor, shorter by one along the axis, but never shorter than 0
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor diff(int axis) {
        Tensor x = self();
        int along = Shape.axis("diff", axis, x.rank());
        long n = x.shape[along];
        Tensor next = x.slice(along, Math.min(1, n), n);
        Tensor own = x.slice(along, 0, Math.max(0, n - 1));
        return x.dtype == DType.BOOL ? next.notEqualTo(own) : next.subtract(own);
    }

    private static Tensor cumsum(Tensor x, int along, boolean reverse) {
        return scan("cumsum", ScanWork.Kind.CUMSUM, x, along, reverse, readsNothing(g -> cumsum(g, along, !reverse)));
    }

    private static Tensor cumprod(Tensor x, int along, boolean reverse) {
        Rule rule = readsInputAndOutput((g, in, y) -> {
            Tensor before = shifted(y, along, !reverse, 1);
            return before.multiply(recurrence(g, shifted(in, along, reverse, 0), along, !reverse));
        });
        return scan("cumprod", ScanWork.Kind.CUMPROD, x, along, reverse, rule);
    }

    private static Tensor scan(String op, ScanWork.Kind kind, Tensor x, int along, boolean reverse, Rule rule) {
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make(op, result(x), x.shape, recorded);
        Launch.scan(kind, reverse, x, along, null, y);
        return recorded ? y.record(op, null, rule, x) : y;
    }

    private static DType result(Tensor x) {
        return x.dtype.isFloating() ? x.dtype : DType.INT64;
    }

    private static Tensor prod(Tensor given, int along, boolean keepDims) {
        Tensor x = Autocast.toFloat32(given);
        long[] kept = Shape.withOne(Shape.without(x.shape, along), along);
        long[] shape = keepDims ? kept : Shape.without(x.shape, along);
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("prod", result(x), shape, recorded);
        Launch.scan(ScanWork.Kind.PROD, false, x, along, null, y.view(y.offset, kept, Shape.strides(kept)));
        Rule rule = readsInput((g, in) -> g.multiply(shifted(cumprod(in, along, false), along, true, 1))
                .multiply(shifted(cumprod(in, along, true), along, false, 1)));
        return recorded ? y.record("prod", kept, rule, x) : y;
    }

    /// `yᵢ = bᵢ + aᵢ·yᵢ₋₁` along an axis, or `yᵢ = bᵢ + aᵢ·yᵢ₊₁` in reverse. The gradient to b goes back through the
    /// same coefficients, and every gradient of a cumulative product is made of such ones.
    private static Tensor recurrence(Tensor b, Tensor a, int along, boolean reverse) {
        boolean recorded = Tensor.recorded(b, a);
        Tensor y = Tensor.make("recurrence", b.dtype, b.shape, recorded);
        Launch.scan(ScanWork.Kind.RECURRENCE, reverse, b, along, a, y);
        Rule toB = readsOther((g, other) -> recurrence(g, shifted(other, along, reverse, 0), along, !reverse));
        Rule toA = readsInputAndOutput((g, own, out) -> recurrence(g, shifted(own, along, reverse, 0), along, !reverse)
                .multiply(shifted(out, along, !reverse, 0)));
        return recorded ? y.record("recurrence", null, toB, toA, b, a) : y;
    }

    /// x with its entries one place later along an axis, or earlier, and one value in the place that is left.
    private static Tensor shifted(Tensor x, int along, boolean later, double value) {
        long n = x.shape[along];
        if (n == 0) {
            return x;
        }
        Tensor first = Tensor.full(x.dtype, value, Shape.withOne(Shape.without(x.shape, along), along));
        return later
                ? Tensor.concat(along, first, x.slice(along, 0, n - 1))
                : Tensor.concat(along, x.slice(along, 1, n), first);
    }
}
