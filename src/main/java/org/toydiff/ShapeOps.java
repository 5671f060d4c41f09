package org.toydiff;

import static org.toydiff.Families.view;
import static org.toydiff.Rule.readsNothing;
import static org.toydiff.Rule.readsShape;

import java.util.Arrays;
import org.toydiff.internal.launch.Shape;

/// The shape of a [Tensor], and the ops that change it. They move no elements: each returns a view of the same
/// block, with another offset, shape and strides, unless its documentation says otherwise.
public sealed interface ShapeOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// {@return the size of each axis, as a copy; empty for a scalar}
    default long[] shape() {
        return self().shape.clone();
    }

    /// {@return the number of elements: the product of the sizes, 1 for a scalar}
    default long size() {
        return Shape.size(self().shape);
    }

    /// {@return the size of one axis}
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @throws IllegalArgumentException if the axis is out of range
    default long size(int axis) {
        return self().shape[Shape.axis("size", axis, rank())];
    }

    /// {@return the number of axes, 0 for a scalar}
    default int rank() {
        return self().shape.length;
    }

    /// Returns the same elements in another shape: a view where strides allow it, else a copy; gradient `g` in this
    /// shape.
    ///
    /// @param shape the sizes; one of them may be -1, to be inferred
    /// @return a view or a new tensor
    /// @throws IllegalArgumentException if the sizes do not multiply to this size
    default Tensor reshape(long... shape) {
        Tensor x = self();
        x.requireReadable("reshape");
        long[] sizes = inferred(x, shape);
        long[] strides = Shape.reshaped(x.shape, x.strides, sizes);
        Rule rule = readsShape((g, original) -> g.reshape(original));
        if (strides != null) {
            return view(x, "reshape", x.offset, sizes, strides, rule);
        }
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("reshape", x.dtype, sizes, recorded);
        Launch.unary(Families.copy(x.dtype), x, y.view(y.offset, x.shape, Shape.strides(x.shape)));
        return recorded ? y.record("reshape", null, rule, x) : y;
    }

    /// The shape asked for, with the size that is -1 inferred.
    private static long[] inferred(Tensor x, long[] asked) {
        long[] shape = asked.clone();
        int unknown = -1;
        long known = 1;
        for (int i = 0; i < shape.length; i++) {
            if (shape[i] == -1 && unknown < 0) {
                unknown = i;
            } else if (shape[i] < 0) {
                throw new IllegalArgumentException("reshape: " + Shape.text(x.shape) + " to " + Shape.text(asked)
                        + ": sizes must not be negative, save one -1");
            } else {
                known = Math.multiplyHigh(known, shape[i]) == 0 ? known * shape[i] : -1;
            }
        }
        if (unknown >= 0 && known > 0 && x.size() % known == 0) {
            shape[unknown] = x.size() / known;
            known *= shape[unknown];
        }
        if (known != x.size() || (unknown >= 0 && shape[unknown] < 0)) {
            throw new IllegalArgumentException("reshape: " + Shape.text(x.shape) + " has " + x.size()
                    + " elements and does not fit " + Shape.text(asked));
        }
        return Shape.checked("reshape", x.dtype.bytes(), shape);
    }

    /// Returns the same elements without an axis of size 1: a view; gradient `g` with the axis put back.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a view of the same block; this itself where the axis has another size, as in PyTorch
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor squeeze(int axis) {
        Tensor x = self();
        x.requireReadable("squeeze");
        int at = Shape.axis("squeeze", axis, rank());
        if (x.shape[at] != 1) {
            return x;
        }
        return view(
                x,
                "squeeze",
                x.offset,
                Shape.without(x.shape, at),
                Shape.without(x.strides, at),
                readsShape((g, original) -> g.reshape(original)));
    }

    /// Returns the same elements with one more axis, of size 1: a view; gradient `g` without it.
    ///
    /// @param axis the position of the new axis, negative ones counted from the back of the result
    /// @return a view of the same block
    /// @throws IllegalArgumentException if the axis is out of range for the result
    default Tensor unsqueeze(int axis) {
        Tensor x = self();
        int at = Shape.axis("unsqueeze", axis, rank() + 1);
        return view(
                x,
                "unsqueeze",
                x.offset,
                Shape.withOne(x.shape, at),
                Shape.withOne(x.strides, at),
                readsShape((g, original) -> g.reshape(original)));
    }

    /// Returns the axes in reverse order: a view.
    ///
    /// @return a view of the same block
    default Tensor transpose() {
        int[] axes = new int[rank()];
        Arrays.setAll(axes, i -> axes.length - 1 - i);
        return transpose(axes);
    }

    /// Returns the axes in another order: a view; gradient `g` with the axes put back.
    ///
    /// @param axes every axis once, negative ones counted from the back
    /// @return a view of the same block
    /// @throws IllegalArgumentException if the axes are not a permutation
    default Tensor transpose(int... axes) {
        Tensor x = self();
        int rank = rank();
        long[] shape = new long[rank];
        long[] strides = new long[rank];
        int[] back = new int[rank];
        boolean[] seen = new boolean[rank];
        boolean valid = axes.length == rank;
        for (int i = 0; valid && i < rank; i++) {
            int axis = Shape.axis("transpose", axes[i], rank);
            valid = !seen[axis];
            seen[axis] = true;
            shape[i] = x.shape[axis];
            strides[i] = x.strides[axis];
            back[axis] = i;
        }
        if (!valid) {
            throw new IllegalArgumentException("transpose: axes " + Arrays.toString(axes) + " of " + Shape.text(x.shape)
                    + " must name each of its " + rank + " axes once");
        }
        return view(x, "transpose", x.offset, shape, strides, readsNothing(g -> g.transpose(back)));
    }

    /// Returns positions `from` to `to − 1` along an axis: a view; gradient `g` there and 0 elsewhere.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param from the first position, negative ones counted from the end
    /// @param to one past the last position, negative ones counted from the end
    /// @return a view of the same block
    /// @throws IllegalArgumentException if the axis or a position is out of range
    default Tensor slice(int axis, long from, long to) {
        Tensor x = self();
        int i = Shape.axis("slice", axis, rank());
        long n = x.shape[i];
        long first = from < 0 ? from + n : from;
        long end = to < 0 ? to + n : to;
        if (first < 0 || first > end || end > n) {
            throw new IllegalArgumentException("slice: " + from + " to " + to + " is out of range for axis " + axis
                    + " of " + Shape.text(x.shape) + ", which has " + n + " positions");
        }
        long[] shape = x.shape.clone();
        shape[i] = end - first;
        return view(
                x,
                "slice",
                x.offset + first * x.strides[i],
                shape,
                x.strides,
                readsShape((g, original) -> embed(g, original, i, first)));
    }

    /// Returns entry `index` along the first axis, which is dropped: a view; gradient `g` there and 0 elsewhere.
    ///
    /// @param index the position, negative ones counted from the end
    /// @return a view of the same block
    /// @throws IllegalArgumentException if this is a scalar or the position is out of range
    default Tensor get(long index) {
        Tensor x = self();
        if (rank() == 0) {
            throw new IllegalArgumentException("get: a scalar has no axis to index; use item()");
        }
        long n = x.shape[0];
        long i = index < 0 ? index + n : index;
        if (i < 0 || i >= n) {
            throw new IllegalArgumentException("get: index " + index + " is out of range for " + Shape.text(x.shape)
                    + ", which has " + n + " entries");
        }
        return view(
                x,
                "get",
                x.offset + i * x.strides[0],
                Shape.without(x.shape, 0),
                Shape.without(x.strides, 0),
                readsShape((g, original) -> embed(g.unsqueeze(0), original, 0, i)));
    }

    /// Zeros of `shape` with x from position `from` on along an axis: the gradient of a slice, whose own gradient is
    /// a slice.
    private static Tensor embed(Tensor x, long[] shape, int axis, long from) {
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("embed", x.dtype, shape, recorded);
        y.fill(0);
        Launch.unary(Families.copy(x.dtype), x, y.view(y.offset + from * y.strides[axis], x.shape, y.strides));
        long to = from + x.shape[axis];
        return recorded ? y.record("embed", null, readsNothing(g -> g.slice(axis, from, to)), x) : y;
    }

    /// Returns this tensor stretched to a larger shape by NumPy's rule: a view with stride 0; gradient `g` summed
    /// over the stretched axes.
    ///
    /// @param shape the shape to stretch to
    /// @return a view of the same block
    /// @throws IllegalArgumentException if this shape does not stretch to it
    default Tensor broadcastTo(long... shape) {
        Tensor x = self();
        long[] sizes = Shape.checked("broadcastTo", x.dtype.bytes(), shape.clone());
        if (!Shape.broadcasts(x.shape, sizes)) {
            throw new IllegalArgumentException(
                    "broadcastTo: " + Shape.text(x.shape) + " does not stretch to " + Shape.text(sizes));
        }
        return view(
                x,
                "broadcastTo",
                x.offset,
                sizes,
                Shape.stretched(x.shape, x.strides, sizes),
                readsShape((g, original) -> g.sumTo(original)));
    }
}
