package org.toydiff;

import static org.toydiff.Families.reduction;
import static org.toydiff.Rule.readsInput;
import static org.toydiff.Rule.readsInputAndOutput;

import java.util.Arrays;
import org.toydiff.internal.launch.ReductionKind;
import org.toydiff.internal.launch.Shape;

/// The ops of [Tensor] that describe how its elements are distributed: variance, quantiles and counts. The mean is
/// among [ReductionOps].
public sealed interface StatisticsOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// The counts of elements in bins.
    ///
    /// @param counts the number of elements in each bin, INT64, `[bins]`
    /// @param edges the edges of the bins in ascending order, `[bins + 1]`: of the tensor's dtype if that is floating,
    ///     else FLOAT64
    record Histogram(Tensor counts, Tensor edges) {}

    /// Returns the standard deviation, divided by n as in NumPy, over all axes; gradient `g·(x − mean) / (n·y)`, 0
    /// where y is 0.
    ///
    /// @return a new scalar
    default Tensor std() {
        return std(self(), Families.all(self()), false, 0);
    }

    /// Returns the standard deviation, divided by n as in NumPy, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor std(int axis) {
        return std(axis, false);
    }

    /// Returns the standard deviation, divided by n as in NumPy, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor std(int axis, boolean keepDims) {
        return std(self(), Families.one(self(), "std", axis), keepDims, 0);
    }

    /// Returns the standard deviation along an axis; infinite where n is no more than ddof, or NaN where the
    /// elements are equal as well, as in PyTorch, whose gradients it has there.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @param ddof delta degrees of freedom: the divisor is n − ddof; 0 as in NumPy, 1 for PyTorch's unbiased
    ///     estimate
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range or ddof is negative
    default Tensor std(int axis, boolean keepDims, int ddof) {
        return std(self(), Families.one(self(), "std", axis), keepDims, ddof);
    }

    /// Returns the standard deviation, divided by n as in NumPy, along several axes, which are dropped.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @return a new tensor without the axes
    /// @throws IllegalArgumentException if an axis is out of range or there twice
    default Tensor std(int... axes) {
        return std(axes, false, 0);
    }

    /// Returns the standard deviation along several axes; where n is no more than ddof as along one.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @param keepDims whether the axes stay, with size 1
    /// @param ddof delta degrees of freedom: the divisor is n − ddof
    /// @return a new tensor
    /// @throws IllegalArgumentException if an axis is out of range or there twice, or ddof is negative
    default Tensor std(int[] axes, boolean keepDims, int ddof) {
        return std(self(), Families.some(self(), "std", axes), keepDims, ddof);
    }

    private static Tensor std(Tensor x, boolean[] reduced, boolean keepDims, int ddof) {
        requireDdof("std", ddof);
        return reduction(x, "std", reduced, keepDims, ReductionKind.STD, ddof, readsInputAndOutput((g, in, y) -> {
            double n = (double) in.size() / y.size();
            Tensor constant = y.equalTo(0);
            Tensor scale = g.zeroWhere(constant).divide(y.oneWhere(constant).multiply(n - ddof));
            return in.subtract(in.sumTo(y.shape).divide(n)).multiply(scale);
        }));
    }

    /// Returns the variance, divided by n as in NumPy, over all axes; gradient `2·g·(x − mean) / n`.
    ///
    /// @return a new scalar
    default Tensor var() {
        return var(self(), Families.all(self()), false, 0);
    }

    /// Returns the variance, divided by n as in NumPy, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor var(int axis) {
        return var(axis, false, 0);
    }

    /// Returns the variance, divided by n as in NumPy, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor var(int axis, boolean keepDims) {
        return var(axis, keepDims, 0);
    }

    /// Returns the variance along an axis; infinite where n is no more than ddof, or NaN where the elements are
    /// equal as well, as in PyTorch, whose gradients it has there.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @param ddof delta degrees of freedom: the divisor is n − ddof; 0 as in NumPy, 1 for PyTorch's unbiased
    ///     estimate
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range or ddof is negative
    default Tensor var(int axis, boolean keepDims, int ddof) {
        return var(self(), Families.one(self(), "var", axis), keepDims, ddof);
    }

    /// Returns the variance, divided by n as in NumPy, along several axes, which are dropped.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @return a new tensor without the axes
    /// @throws IllegalArgumentException if an axis is out of range or there twice
    default Tensor var(int... axes) {
        return var(axes, false, 0);
    }

    /// Returns the variance along several axes; where n is no more than ddof as along one.
    ///
    /// @param axes the axes in any order, negative ones counted from the back; none for the elements themselves
    /// @param keepDims whether the axes stay, with size 1
    /// @param ddof delta degrees of freedom: the divisor is n − ddof
    /// @return a new tensor
    /// @throws IllegalArgumentException if an axis is out of range or there twice, or ddof is negative
    default Tensor var(int[] axes, boolean keepDims, int ddof) {
        return var(self(), Families.some(self(), "var", axes), keepDims, ddof);
    }

    private static Tensor var(Tensor x, boolean[] reduced, boolean keepDims, int ddof) {
        requireDdof("var", ddof);
        return reduction(x, "var", reduced, keepDims, ReductionKind.VAR, ddof, readsInput((g, in) -> {
            double n = (double) in.size() / g.size();
            return in.subtract(in.sumTo(g.shape).divide(n)).multiply(g.multiply(2 / (n - ddof)));
        }));
    }

    private static void requireDdof(String op, int ddof) {
        if (ddof < 0) {
            throw new IllegalArgumentException(op + ": ddof " + ddof + " is negative; use 0 or 1");
        }
    }

    /// Returns the median over all axes; see [#median(int, boolean)].
    ///
    /// @return a new scalar
    /// @throws IllegalArgumentException if there are no elements
    default Tensor median() {
        Tensor x = self();
        x.requireReadable("median");
        return x.reshape(x.size()).median(0);
    }

    /// Returns the median along an axis, which is dropped; see [#median(int, boolean)].
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing along it
    default Tensor median(int axis) {
        return median(axis, false);
    }

    /// Returns the median along an axis: of an even number of elements the lower of the middle two, as in PyTorch;
    /// NumPy's, their mean, is `quantile(0.5)`. NaN if any element is; gradient `g` to the element that was taken: of
    /// equal ones that which a stable sort puts there.
    ///
    /// **Memory** a new tensor and the positions of the medians; the positions in order during the call.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor of this dtype, which may be any
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing along it
    default Tensor median(int axis, boolean keepDims) {
        Tensor x = self();
        x.requireReadable("median");
        int along = Quantiles.nonEmptyAxis("median", x, axis);
        Tensor y = x.gather(along, Quantiles.positions("median", x, along, (x.shape[along] - 1) / 2));
        return keepDims ? y : y.squeeze(along);
    }

    /// Returns a quantile over all axes; see [#quantile(double, int, boolean)].
    ///
    /// @param q the quantile, 0 to 1
    /// @return a new scalar
    /// @throws IllegalArgumentException if there are no elements or q is out of range
    default Tensor quantile(double q) {
        Tensor x = self();
        x.requireFloating("quantile");
        return x.reshape(x.size()).quantile(q, 0);
    }

    /// Returns a quantile along an axis, which is dropped; see [#quantile(double, int, boolean)].
    ///
    /// @param q the quantile, 0 to 1
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis or q is out of range or there is nothing along it
    default Tensor quantile(double q, int axis) {
        return quantile(q, axis, false);
    }

    /// Returns a quantile along an axis: of n elements in order the one at position `q·(n − 1)`, between two of them
    /// interpolated linearly, as in NumPy and PyTorch. NaN if any element is; gradient to those two their weights
    /// times `g`.
    ///
    /// **Memory** a new tensor, the two elements and their positions; the positions in order during the call.
    ///
    /// @param q the quantile, 0 to 1
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis or q is out of range or there is nothing along it
    default Tensor quantile(double q, int axis, boolean keepDims) {
        Tensor x = Autocast.toFloat32(self());
        x.requireFloating("quantile");
        int along = Quantiles.nonEmptyAxis("quantile", x, axis);
        Quantiles.requireQuantile("quantile", q);
        double rank = q * (x.shape[along] - 1);
        long lower = (long) rank;
        long upper = (long) Math.ceil(rank);
        long[] ranks = upper > lower ? new long[] {lower, upper} : new long[] {lower};
        Tensor y = x.gather(along, Quantiles.positions("quantile", x, along, ranks));
        if (upper > lower) {
            y = Quantiles.interpolated(y.slice(along, 0, 1), y.slice(along, 1, 2), rank - lower);
        }
        return keepDims ? y : y.squeeze(along);
    }

    /// Returns several quantiles over all axes; see [#quantile(double\[\], int, boolean)].
    ///
    /// @param q the quantiles, each 0 to 1
    /// @return a new tensor `[k]`, for k quantiles
    /// @throws IllegalArgumentException if there are no elements or one of q is out of range
    default Tensor quantile(double[] q) {
        Tensor x = self();
        x.requireFloating("quantile");
        return x.reshape(x.size()).quantile(q, 0);
    }

    /// Returns several quantiles along an axis, which is dropped; see [#quantile(double\[\], int, boolean)].
    ///
    /// @param q the quantiles, each 0 to 1
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor `[k, …]`, for k quantiles, without the axis
    /// @throws IllegalArgumentException if the axis or one of q is out of range or there is nothing along it
    default Tensor quantile(double[] q, int axis) {
        return quantile(q, axis, false);
    }

    /// Returns several quantiles along an axis, those of each q as [#quantile(double, int, boolean)] gives them, in
    /// front of the other axes, as in NumPy and PyTorch. The elements are sorted once. Gradient to each element the
    /// sum over the quantiles of its weights times `g`.
    ///
    /// **Memory** a new tensor, and about a dozen of its size for the elements, their positions and the
    /// interpolation between them; the positions in order during the call.
    ///
    /// @param q the quantiles, each 0 to 1, in any order
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor `[k, …]`, for k quantiles
    /// @throws IllegalArgumentException if the axis or one of q is out of range or there is nothing along it
    default Tensor quantile(double[] q, int axis, boolean keepDims) {
        Tensor x = self();
        x.requireFloating("quantile");
        int along = Quantiles.nonEmptyAxis("quantile", x, axis);
        int k = q.length;
        long[] ranks = new long[2 * k];
        double[] weights = new double[k];
        for (int i = 0; i < k; i++) {
            Quantiles.requireQuantile("quantile", q[i]);
            double rank = q[i] * (x.shape[along] - 1);
            ranks[i] = (long) rank;
            ranks[k + i] = (long) Math.ceil(rank);
            weights[i] = rank - ranks[i];
        }
        Tensor pairs = x.gather(along, Quantiles.positions("quantile", x, along, ranks))
                .movedim(along, 0);
        long[] column = new long[x.rank()];
        Arrays.fill(column, 1);
        column[0] = k;
        Tensor y = Quantiles.interpolated(
                pairs.slice(0, 0, k), pairs.slice(0, k, 2 * k), Tensor.of(DType.FLOAT64, weights, column));
        return keepDims ? y.unsqueeze(along + 1) : y;
    }

    /// Returns how often each integer occurs; see [#bincount(long)].
    ///
    /// @return a new INT64 tensor `[largest element + 1]`
    /// @throws IllegalArgumentException if this is not a vector of INT32 or INT64, or has a negative element
    /// @throws IllegalStateException in a dry run, if this has no elements
    default Tensor bincount() {
        return bincount(0);
    }

    /// Returns how often each integer from 0 on occurs, as PyTorch's and NumPy's `bincount`. Not differentiable.
    ///
    /// **Memory** a new tensor; a copy during the call, unless this is contiguous. The size of the result depends on
    /// the elements, so a dry run refuses a tensor that was made in it.
    ///
    /// @param minLength the size of the result, unless there is a larger element
    /// @return a new INT64 tensor `[max(largest element + 1, minLength)]`
    /// @throws IllegalArgumentException if this is not a vector of INT32 or INT64, has a negative element, or the
    ///     length is negative
    /// @throws IllegalStateException in a dry run, if this has no elements
    default Tensor bincount(long minLength) {
        Tensor x = self();
        x.requireReadable("bincount");
        if (x.rank() != 1 || (x.dtype != DType.INT32 && x.dtype != DType.INT64)) {
            throw new IllegalArgumentException("bincount: " + Shape.text(x.shape) + " " + x.dtype
                    + " is not a vector of integers; reshape(-1) it, and cast it to INT64");
        }
        Shape.checked("bincount", Long.BYTES, new long[] {minLength});
        Tensor whole = x.contiguous("bincount");
        whole.requireElements("bincount");
        long size = Math.max(minLength, largest(whole) + 1);
        Tensor counts =
                Tensor.make("bincount", DType.INT64, new long[] {size}, false).fill(0);
        Launch.bincount(whole, counts);
        whole.freeCopyOf(x, "bincount");
        return counts;
    }

    /// The largest element of a vector of integers from 0 on, −1 of nothing.
    private static long largest(Tensor x) {
        long largest = -1;
        for (long i = 0; i < x.size(); i++) {
            long element = x.dtype.getLong(x.storage.segment(), x.offset + i);
            if (element < 0) {
                throw new IllegalArgumentException("bincount: element " + element + " at position " + i
                        + " is negative; count from 0, or use histogram");
            }
            largest = Math.max(largest, element);
        }
        Shape.checked("bincount", Long.BYTES, new long[] {Math.max(0, largest)});
        return largest;
    }

    /// Returns the histogram of all elements over equal bins between the smallest and the largest one;
    /// see [#histogram(long, double, double)].
    ///
    /// @param bins the number of bins, 1 or more
    /// @return two new tensors
    /// @throws IllegalArgumentException if there are no bins, or an element is NaN or infinite
    default Histogram histogram(long bins) {
        Tensor x = self();
        x.requireReadable("histogram");
        Tensor whole = x.contiguous("histogram");
        boolean known = x.size() > 0 && !whole.storage.isAbstract();
        if (known) {
            whole.requireElements("histogram");
        }
        double min = known ? Launch.smallest(whole) : 0;
        double max = known ? Launch.largest(whole) : 1;
        Histogram histogram = histogram(whole, bins, min, max);
        whole.freeCopyOf(x, "histogram");
        return histogram;
    }

    /// Returns the histogram of all elements over equal bins, as `numpy.histogram`: a bin has the elements from its
    /// left edge on and below its right one, the last bin those at its right edge too. Elements outside of the range,
    /// and NaN, are not counted; a range of one value is widened by ½ on both sides. Not differentiable.
    ///
    /// **Memory** two new tensors; a copy during the call, unless this is contiguous.
    ///
    /// @param bins the number of bins, 1 or more
    /// @param min the left edge of the first bin
    /// @param max the right edge of the last bin
    /// @return two new tensors
    /// @throws IllegalArgumentException if there are no bins, or the range is not finite or ends before it begins
    default Histogram histogram(long bins, double min, double max) {
        Tensor x = self();
        x.requireReadable("histogram");
        Tensor whole = x.contiguous("histogram");
        Histogram histogram = histogram(whole, bins, min, max);
        whole.freeCopyOf(x, "histogram");
        return histogram;
    }

    private static Histogram histogram(Tensor x, long bins, double min, double max) {
        if (bins < 1) {
            throw new IllegalArgumentException("histogram: " + bins + " bins; give 1 or more");
        }
        // The width of a range as large as all doubles is infinite; NaN fits no comparison.
        if (!(max - min >= 0 && max - min < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("histogram: " + min + " to " + max
                    + " is no finite range; give one, and elements outside of it are not counted");
        }
        double first = min == max ? min - 0.5 : min;
        double last = min == max ? max + 0.5 : max;
        double width = (last - first) / bins;
        DType dtype = x.dtype.isFloating() ? x.dtype : DType.FLOAT64;
        Tensor edges = Tensor.make("histogram", dtype, new long[] {bins + 1}, false);
        edges.setAll(i -> i == bins ? last : first + i * width);
        Tensor counts =
                Tensor.make("histogram", DType.INT64, new long[] {bins}, false).fill(0);
        Launch.histogram(x, edges, counts);
        return new Histogram(counts, edges);
    }
}
