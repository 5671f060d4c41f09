package org.toydiff;

import static org.toydiff.Families.view;
import static org.toydiff.Rule.readsNothing;
import static org.toydiff.Rule.readsShape;
import static org.toydiff.Rule.readsShapeAndWritesTo;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
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

    /// Returns the same elements with some successive axes merged into one: a view where strides allow it, else a
    /// copy; gradient `g` in this shape.
    ///
    /// @param start the first axis to merge, negative ones counted from the back
    /// @param end the last axis to merge, negative ones counted from the back
    /// @return a view or a new tensor; of a scalar, a vector of one element
    /// @throws IllegalArgumentException if an axis is out of range, or the last one is before the first
    default Tensor flatten(int start, int end) {
        Tensor x = self();
        if (rank() == 0) {
            return reshape(1);
        }
        int first = Shape.axis("flatten", start, rank());
        int last = Shape.axis("flatten", end, rank());
        if (last < first) {
            throw new IllegalArgumentException("flatten: axis " + end + " of " + Shape.text(x.shape)
                    + " is before axis " + start + "; give the first one first");
        }
        long[] shape = new long[rank() - (last - first)];
        System.arraycopy(x.shape, 0, shape, 0, first);
        shape[first] = Shape.size(Arrays.copyOfRange(x.shape, first, last + 1));
        System.arraycopy(x.shape, last + 1, shape, first + 1, rank() - last - 1);
        return reshape(shape);
    }

    /// Returns the same elements without the axes of size 1: a view where strides allow it, else a copy; gradient
    /// `g` in this shape.
    ///
    /// @return a view of the same block
    default Tensor squeeze() {
        return reshape(Arrays.stream(self().shape).filter(n -> n != 1).toArray());
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

    /// Returns the axes with one moved to another position: a view; gradient `g` with the axis moved back.
    ///
    /// @param from the axis, negative ones counted from the back
    /// @param to its position in the result, negative ones counted from the back
    /// @return a view of the same block
    /// @throws IllegalArgumentException if an axis or a position is out of range
    default Tensor movedim(int from, int to) {
        int source = Shape.axis("movedim", from, rank());
        int destination = Shape.axis("movedim", to, rank());
        List<Integer> axes = new ArrayList<>(IntStream.range(0, rank()).boxed().toList());
        axes.add(destination, axes.remove(source));
        return transpose(axes.stream().mapToInt(axis -> axis).toArray());
    }

    /// Returns positions `from` to `to − 1` along an axis: a view; gradient `g` there and 0 elsewhere.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param from the first position, negative ones counted from the end
    /// @param to one past the last position, negative ones counted from the end
    /// @return a view of the same block
    /// @throws IllegalArgumentException if the axis or a position is out of range
    default Tensor slice(int axis, long from, long to) {
        return slice(axis, from, to, 1);
    }

    /// Returns every `step`-th position from `from` to `to − 1` along an axis: a view; gradient `g` there and 0
    /// elsewhere. [ArrangementOps#flip] reverses an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param from the first position, negative ones counted from the end
    /// @param to one past the last possible position, negative ones counted from the end
    /// @param step the distance from each position to the next, at least 1
    /// @return a view of the same block
    /// @throws IllegalArgumentException if the axis or a position is out of range, or the step is not positive
    default Tensor slice(int axis, long from, long to, long step) {
        Tensor x = self();
        int i = Shape.axis("slice", axis, rank());
        long n = x.shape[i];
        long first = from < 0 ? from + n : from;
        long end = to < 0 ? to + n : to;
        if (first < 0 || first > end || end > n) {
            throw new IllegalArgumentException("slice: " + from + " to " + to + " is out of range for axis " + axis
                    + " of " + Shape.text(x.shape) + ", which has " + n + " positions");
        }
        if (step < 1) {
            throw new IllegalArgumentException("slice: step " + step + " along axis " + axis + " of "
                    + Shape.text(x.shape) + " must be at least 1; flip reverses an axis");
        }
        long[] shape = x.shape.clone();
        shape[i] = Math.ceilDiv(end - first, step);
        long[] strides = x.strides.clone();
        // With one position or none, the stride is never used and must not overflow.
        strides[i] *= shape[i] > 1 ? step : 1;
        return view(
                x,
                "slice",
                x.offset + first * x.strides[i],
                shape,
                strides,
                readsShapeAndWritesTo((g, original, onto) -> embed(g, original, i, first, step, onto)));
    }

    /// Returns successive parts along an axis: views, each of the given size but for the last, which has the rest;
    /// gradient of each as of [#slice].
    ///
    /// @param size the number of positions of a part, at least 1
    /// @param axis the axis, negative ones counted from the back
    /// @return views of the same block; of an axis without positions, one
    /// @throws IllegalArgumentException if the axis is out of range, or the size is not positive
    default List<Tensor> split(long size, int axis) {
        Tensor x = self();
        int along = Shape.axis("split", axis, rank());
        if (size < 1) {
            throw new IllegalArgumentException(
                    "split: parts of " + size + " positions of " + Shape.text(x.shape) + "; give at least 1");
        }
        long n = x.shape[along];
        List<Tensor> parts = new ArrayList<>();
        long from = 0;
        do {
            long to = n - from > size ? from + size : n;
            parts.add(x.slice(along, from, to));
            from = to;
        } while (from < n);
        return List.copyOf(parts);
    }

    /// Returns successive parts of equal size along an axis, the last one smaller: views, as many as asked for or,
    /// as in PyTorch, fewer if the positions do not suffice; gradient of each as of [#slice].
    ///
    /// @param chunks the number of parts, at least 1
    /// @param axis the axis, negative ones counted from the back
    /// @return views of the same block
    /// @throws IllegalArgumentException if the axis is out of range, or the number is not positive
    default List<Tensor> chunk(long chunks, int axis) {
        Tensor x = self();
        int along = Shape.axis("chunk", axis, rank());
        if (chunks < 1) {
            throw new IllegalArgumentException(
                    "chunk: " + chunks + " parts of " + Shape.text(x.shape) + "; give at least 1");
        }
        return x.split(Math.max(1, Math.ceilDiv(x.shape[along], chunks)), along);
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
                readsShapeAndWritesTo((g, original, onto) -> embed(g.unsqueeze(0), original, 0, i, 1, onto)));
    }

    /// Zeros of `shape` with x at every `step`-th position from `from` on along an axis: the gradient of a slice,
    /// whose own gradient is a slice. Where another gradient of that shape waits, x is added to it there.
    private static Tensor embed(Tensor x, long[] shape, int axis, long from, long step, Rule.Destination to) {
        boolean recorded = Tensor.recorded(x);
        boolean waits = to.beta() == 1;
        Tensor onto = recorded ? null : to.gradient(x.dtype);
        if (onto != null && waits) {
            Families.accumulate(part(onto, x.shape, axis, from, step), x);
            return onto;
        }
        Tensor y = onto != null ? onto : Tensor.make("embed", x.dtype, shape, recorded);
        y.fill(0);
        Launch.unary(Families.copy(x.dtype), x, part(y, x.shape, axis, from, step));
        long n = x.shape[axis];
        long end = n == 0 ? from : from + (n - 1) * step + 1;
        return recorded ? y.record("embed", null, readsNothing(g -> g.slice(axis, from, end, step)), x) : y;
    }

    /// A view of every `step`-th position from `from` on along an axis.
    private static Tensor part(Tensor y, long[] shape, int axis, long from, long step) {
        long[] strides = y.strides.clone();
        strides[axis] *= shape[axis] > 1 ? step : 1;
        return y.view(y.offset + from * y.strides[axis], shape, strides);
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
        return x.stretchTo(sizes);
    }
}
