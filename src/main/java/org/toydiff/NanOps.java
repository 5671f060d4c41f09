package org.toydiff;

import static org.toydiff.Families.composed;
import static org.toydiff.Rule.readsInput;

import org.toydiff.internal.launch.Shape;

/// The reductions of [Tensor] that leave out NaN, as NumPy's and PyTorch's functions of these names.
///
/// `nanMean` and `nanQuantile` take FLOAT32 and FLOAT64; `nanSum` and `nanMedian` take every dtype, as `sum` and
/// `median` do.
public sealed interface NanOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// Returns the sum of the elements that are not NaN over all axes; see [#nanSum(int\[\], boolean)].
    ///
    /// @return a new scalar
    default Tensor nanSum() {
        return nanSum(self(), Families.all(self()), false);
    }

    /// Returns the sum of the elements that are not NaN along an axis, which is dropped; see [#nanSum(int\[\],
    /// boolean)].
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor nanSum(int axis) {
        return nanSum(axis, false);
    }

    /// Returns the sum of the elements that are not NaN along an axis; see [#nanSum(int\[\], boolean)].
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor nanSum(int axis, boolean keepDims) {
        return nanSum(self(), Families.one(self(), "nanSum", axis), keepDims);
    }

    /// Returns the sum of the elements that are not NaN along several axes, which are dropped; see [#nanSum(int\[\],
    /// boolean)].
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @return a new tensor without the axes
    /// @throws IllegalArgumentException if an axis is out of range or there twice
    default Tensor nanSum(int... axes) {
        return nanSum(axes, false);
    }

    /// Returns the sum, accumulated in double, of the elements that are not NaN along several axes, 0 of none;
    /// gradient `g` to each of them, 0 to NaN.
    ///
    /// **Memory** a new tensor; of floats another one of this size during the call.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @param keepDims whether the axes stay, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if an axis is out of range or there twice
    default Tensor nanSum(int[] axes, boolean keepDims) {
        return nanSum(self(), Families.some(self(), "nanSum", axes), keepDims);
    }

    private static Tensor nanSum(Tensor x, boolean[] reduced, boolean keepDims) {
        return x.dtype.isFloating()
                ? composed("nanSum", x, reduced, keepDims, () -> sum(x, reduced), readsInput((g, in) -> kept(g, in)))
                : Families.sum(x, reduced, keepDims);
    }

    /// Returns the mean of the elements that are not NaN over all axes; see [#nanMean(int\[\], boolean)].
    ///
    /// @return a new scalar
    default Tensor nanMean() {
        return nanMean(self(), Families.all(self()), false);
    }

    /// Returns the mean of the elements that are not NaN along an axis, which is dropped; see [#nanMean(int\[\],
    /// boolean)].
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor nanMean(int axis) {
        return nanMean(axis, false);
    }

    /// Returns the mean of the elements that are not NaN along an axis; see [#nanMean(int\[\], boolean)].
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor nanMean(int axis, boolean keepDims) {
        return nanMean(self(), Families.one(self(), "nanMean", axis), keepDims);
    }

    /// Returns the mean of the elements that are not NaN along several axes, which are dropped; see [#nanMean(int\[\],
    /// boolean)].
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @return a new tensor without the axes
    /// @throws IllegalArgumentException if an axis is out of range or there twice
    default Tensor nanMean(int... axes) {
        return nanMean(axes, false);
    }

    /// Returns the mean of the n elements that are not NaN along several axes, NaN of none; gradient `g / n` to each
    /// of them, 0 to NaN.
    ///
    /// **Memory** a new tensor; another one of this size during the call.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @param keepDims whether the axes stay, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if an axis is out of range or there twice
    default Tensor nanMean(int[] axes, boolean keepDims) {
        return nanMean(self(), Families.some(self(), "nanMean", axes), keepDims);
    }

    private static Tensor nanMean(Tensor x, boolean[] reduced, boolean keepDims) {
        return composed(
                "nanMean",
                x,
                reduced,
                keepDims,
                () -> sum(x, reduced).divide(count(x, reduced).cast(x.dtype)),
                readsInput((g, in) -> kept(
                        g.divide(count(in, Shape.stretchedAxes(g.shape, in.shape))
                                .cast(g.dtype)),
                        in)));
    }

    /// The sum of the elements that are not NaN.
    private static Tensor sum(Tensor x, boolean[] reduced) {
        return Families.sum(kept(x, x), reduced, true);
    }

    /// The elements of `values`, which broadcasts with x, and 0 where x is NaN.
    private static Tensor kept(Tensor values, Tensor x) {
        return Tensor.where(x.isNan(), values.zero(), values);
    }

    /// The number of elements that are not NaN, INT64.
    private static Tensor count(Tensor x, boolean[] reduced) {
        return Families.sum(x.isNan().logicalNot(), reduced, true);
    }

    /// Returns the median of the elements that are not NaN over all axes; see [#nanMedian(int, boolean)].
    ///
    /// @return a new scalar
    /// @throws IllegalArgumentException if there are no elements
    default Tensor nanMedian() {
        Tensor x = self();
        x.requireReadable("nanMedian");
        return x.reshape(x.size()).nanMedian(0);
    }

    /// Returns the median of the elements that are not NaN along an axis, which is dropped; see
    /// [#nanMedian(int, boolean)].
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing along it
    default Tensor nanMedian(int axis) {
        return nanMedian(axis, false);
    }

    /// Returns the median of the elements that are not NaN along an axis, NaN of none: of an even number of elements
    /// the lower of the middle two. Gradient `g` to the element that was taken, as of [StatisticsOps#median(int,
    /// boolean)].
    ///
    /// **Memory** a new tensor and the positions of the medians; the positions in order during the call.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor of this dtype, which may be any
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing along it
    default Tensor nanMedian(int axis, boolean keepDims) {
        Tensor x = self();
        x.requireReadable("nanMedian");
        int along = Quantiles.nonEmptyAxis("nanMedian", x, axis);
        Tensor positions = Tensor.make("nanMedian", DType.INT64, Quantiles.length(x, along, 1), false);
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            positions.copyFrom(x.argsort(along).gather(along, lastRank(x, along).floorDivide(2)));
        }
        Tensor y = x.gather(along, positions);
        return keepDims ? y : y.squeeze(along);
    }

    /// The rank of the largest element along an axis, which stays, INT64; 0 of none, where the first is NaN.
    private static Tensor lastRank(Tensor x, int along) {
        return count(x, Families.one(x, "lastRank", along)).subtract(1).maximum(0);
    }

    /// Returns a quantile of the elements that are not NaN over all axes; see [#nanQuantile(double, int, boolean)].
    ///
    /// @param q the quantile, 0 to 1
    /// @return a new scalar
    /// @throws IllegalArgumentException if there are no elements or q is out of range
    default Tensor nanQuantile(double q) {
        Tensor x = self();
        x.requireFloating("nanQuantile");
        return x.reshape(x.size()).nanQuantile(q, 0);
    }

    /// Returns a quantile of the elements that are not NaN along an axis, which is dropped; see
    /// [#nanQuantile(double, int, boolean)].
    ///
    /// @param q the quantile, 0 to 1
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis or q is out of range or there is nothing along it
    default Tensor nanQuantile(double q, int axis) {
        return nanQuantile(q, axis, false);
    }

    /// Returns a quantile of the elements that are not NaN along an axis, NaN of none: of n of them in order the one
    /// at position `q·(n − 1)`, between two of them interpolated linearly. Gradient to those two their weights times
    /// `g`.
    ///
    /// **Memory** a new tensor, the two elements with their positions and weights; the positions in order during the
    /// call.
    ///
    /// @param q the quantile, 0 to 1
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis or q is out of range or there is nothing along it
    default Tensor nanQuantile(double q, int axis, boolean keepDims) {
        Tensor x = self();
        x.requireFloating("nanQuantile");
        int along = Quantiles.nonEmptyAxis("nanQuantile", x, axis);
        Quantiles.requireQuantile("nanQuantile", q);
        Tensor positions = Tensor.make("nanQuantile", DType.INT64, Quantiles.length(x, along, 2), false);
        Tensor weight = Tensor.make("nanQuantile", DType.FLOAT64, Quantiles.length(x, along, 1), false);
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            Tensor rank = lastRank(x, along).cast(DType.FLOAT64).multiply(q);
            Tensor ranks = Tensor.concat(along, rank.floor(), rank.ceil()).cast(DType.INT64);
            positions.copyFrom(x.argsort(along).gather(along, ranks));
            weight.copyFrom(rank.subtract(rank.floor()));
        }
        Tensor pair = x.gather(along, positions);
        Tensor y = Quantiles.interpolated(pair.slice(along, 0, 1), pair.slice(along, 1, 2), weight);
        return keepDims ? y : y.squeeze(along);
    }
}
