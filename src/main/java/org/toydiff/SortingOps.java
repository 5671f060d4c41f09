package org.toydiff;

import static org.toydiff.Rule.readsOther;

import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.launch.SortWork;

/// The ops of [Tensor] that bring elements into order.
///
/// They accept every dtype. NaN is larger than all other elements, −0 equals 0, and equal elements keep their order,
/// as in PyTorch with `stable=True`.
public sealed interface SortingOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// The elements of a tensor in order along an axis.
    ///
    /// @param values the elements, differentiable
    /// @param indices their positions along the axis before, INT64
    record Sorted(Tensor values, Tensor indices) {}

    /// The distinct elements of a tensor.
    ///
    /// @param values the elements in ascending order, `[k]`
    /// @param inverse for each element of the tensor the position of its value in `values`, INT64, of the tensor's
    ///     shape
    /// @param counts the number of times that each value occurs, INT64, `[k]`
    record Unique(Tensor values, Tensor inverse, Tensor counts) {}

    /// Sorts along an axis, the smallest element first and NaN last.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return two new tensors of this shape
    /// @throws IllegalArgumentException if the axis is out of range
    default Sorted sort(int axis) {
        return sort(axis, false);
    }

    /// Sorts along an axis.
    ///
    /// **Gradient** `g` to the position that each element came from.
    /// **Memory** two new tensors; for an axis longer than 65,472, 32 bytes for each of its positions during the call.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param descending whether the largest element comes first, after NaN
    /// @return two new tensors of this shape
    /// @throws IllegalArgumentException if the axis is out of range
    default Sorted sort(int axis, boolean descending) {
        Tensor x = self();
        x.requireReadable("sort");
        int along = Shape.axis("sort", axis, x.rank());
        boolean recorded = Tensor.recorded(x);
        Tensor values = Tensor.make("sort", x.dtype, x.shape, recorded);
        Tensor indices = Tensor.make("sort", DType.INT64, x.shape, false);
        order("sort", x, along, descending, values, indices);
        if (recorded) {
            // The inverse of a permutation is the order of its positions.
            Rule rule = readsOther((g, index) -> g.gather(along, index.argsort(along)));
            values.record("sort", null, new Rule[] {rule, null}, x, indices);
        }
        return new Sorted(values, indices);
    }

    /// Returns the positions along an axis that sort it, the smallest element's first and NaN's last. Not
    /// differentiable.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new INT64 tensor of this shape
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor argsort(int axis) {
        return argsort(axis, false);
    }

    /// Returns the positions along an axis that sort it. Not differentiable.
    ///
    /// **Memory** a new tensor; for an axis longer than 65,472, 32 bytes for each of its positions during the call.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param descending whether the position of the largest element comes first, after those of NaN
    /// @return a new INT64 tensor of this shape
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor argsort(int axis, boolean descending) {
        Tensor x = self();
        x.requireReadable("argsort");
        int along = Shape.axis("argsort", axis, x.rank());
        Tensor indices = Tensor.make("argsort", DType.INT64, x.shape, false);
        order("argsort", x, along, descending, null, indices);
        return indices;
    }

    /// Returns the distinct elements in ascending order, where each element has gone, and how often each occurs. NaN
    /// differs from NaN, so each is a value of its own, as in PyTorch. Not differentiable.
    ///
    /// **Memory** three new tensors; a sorted copy and its positions during the call. The size of the result depends
    /// on the elements: a dry run cannot predict it.
    ///
    /// @return three new tensors
    /// @throws IllegalStateException in a dry run
    default Unique unique() {
        Tensor x = self();
        x.requireReadable("unique");
        long[] n = {x.size()};
        Tensor whole = x.contiguous("unique");
        Tensor sorted = Tensor.make("unique", x.dtype, n, true);
        Tensor order = Tensor.make("unique", DType.INT64, n, true);
        order("unique", whole.view(whole.offset, n, Shape.strides(n)), 0, false, sorted, order);
        whole.freeCopyOf(x, "unique");
        sorted.requireElements("unique");
        long[] distinct = {Launch.countDistinct(sorted)};
        var unique = new Unique(
                Tensor.make("unique", x.dtype, distinct, false),
                Tensor.make("unique", DType.INT64, x.shape, false),
                Tensor.make("unique", DType.INT64, distinct, false));
        Launch.distinct(sorted, order, unique.values, unique.inverse, unique.counts);
        sorted.freeScratch("unique");
        order.freeScratch("unique");
        return unique;
    }

    /// Sorts x into `values`, which may be null, and `indices`.
    private static void order(String op, Tensor x, int along, boolean descending, Tensor values, Tensor indices) {
        long longs = x.size() == 0 ? 0 : SortWork.longs(x.shape[along]);
        Tensor records = longs == 0 ? null : Tensor.make(op, DType.INT64, new long[] {longs}, true);
        Launch.sort(x, along, descending, values, indices, records);
        if (records != null) {
            records.freeScratch(op);
        }
    }
}
