package org.toydiff;

import static org.toydiff.Rule.readsOther;
import static org.toydiff.Rule.readsOtherAndShape;

import org.toydiff.internal.launch.Shape;

/// The ops of [Tensor] that read elements at positions given by an index, or return positions.
public sealed interface IndexingOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// The largest elements along an axis, in descending order.
    ///
    /// @param values the elements, differentiable
    /// @param indices their positions along the axis, INT64
    record TopK(Tensor values, Tensor indices) {}

    /// Returns the elements, of any dtype, at given positions along an axis: `y[i][j] = this[i][index[i][j]]` for axis
    /// 1; gradient `g` added at those positions.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param index INT32 or INT64 positions, of this rank, no longer than this along the other axes
    /// @return a new tensor of the index's shape
    /// @throws IllegalArgumentException if the axis or a position is out of range, or the shapes do not fit
    default Tensor gather(int axis, Tensor index) {
        Tensor x = self();
        x.requireReadable("gather");
        index.requireReadable("gather");
        int along = Shape.axis("gather", axis, x.rank());
        requireIndex(x, along, index);
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("gather", x.dtype, index.shape, recorded);
        IndexLaunch.gather(x, along, index, y);
        Rule rule = readsOtherAndShape((g, i, shape) -> scatterAdd(g, along, i, shape));
        return recorded ? y.record("gather", null, new Rule[] {rule, null}, x, index) : y;
    }

    /// Returns entries along an axis, at given positions and in their order: rows of a table for axis 0; gradient
    /// `g` added at those positions.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param index INT32 or INT64 positions, `[n]`; one may occur more than once
    /// @return a new tensor, n long along the axis
    /// @throws IllegalArgumentException if the axis or a position is out of range, or the index has not one axis
    default Tensor indexSelect(int axis, Tensor index) {
        Tensor x = self();
        x.requireReadable("indexSelect");
        index.requireReadable("indexSelect");
        int along = Shape.axis("indexSelect", axis, x.rank());
        requirePositions("indexSelect", index, x, along);
        if (index.rank() != 1) {
            throw new IllegalArgumentException("indexSelect: the index " + Shape.text(index.shape)
                    + " must have one axis; reshape it, or use gather");
        }
        long[] shape = x.shape.clone();
        shape[along] = index.size();
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("indexSelect", x.dtype, shape, recorded);
        IndexLaunch.indexSelect(x, along, index, y);
        Rule rule = readsOtherAndShape((g, i, original) -> indexAdd(g, along, i, original));
        return recorded ? y.record("indexSelect", null, new Rule[] {rule, null}, x, index) : y;
    }

    /// Returns the k largest elements, of any dtype, along an axis in descending order, the first of equal ones first,
    /// NaN counting as largest; gradient `g` at their positions, 0 elsewhere.
    ///
    /// @param k the number of elements
    /// @param axis the axis, negative ones counted from the back
    /// @return two new tensors, k long along the axis
    /// @throws IllegalArgumentException if the axis is out of range or has fewer positions
    default TopK topk(long k, int axis) {
        Tensor x = self();
        x.requireReadable("topk");
        int along = Shape.axis("topk", axis, x.rank());
        if (k < 0 || k > x.shape[along]) {
            throw new IllegalArgumentException("topk: there are no " + k + " along axis " + axis + " of "
                    + Shape.text(x.shape) + "; give 0 to " + x.shape[along]);
        }
        long[] shape = x.shape.clone();
        shape[along] = k;
        Tensor indices = Tensor.make("topk", DType.INT64, shape, false);
        Launch.topk(x, along, indices);
        return new TopK(x.gather(along, indices), indices);
    }

    private static void requirePositions(String op, Tensor index, Tensor x, int along) {
        if (index.dtype != DType.INT32 && index.dtype != DType.INT64) {
            throw new IllegalArgumentException(
                    op + ": the index " + Shape.text(index.shape) + " is " + index.dtype + "; cast it to INT64");
        }
        if (!index.storage.isAbstract()) {
            long[] shape = x.shape;
            // One object for all replays.
            TensorBase.Visitor inRange = (i, position) -> {
                if (position < 0 || position >= shape[along]) {
                    throw new IllegalArgumentException(op + ": index " + (long) position + " is out of range for axis "
                            + along + " of " + Shape.text(shape));
                }
            };
            Recorder.check(op, index, positions -> positions.forEach(inRange));
        }
    }

    /// Zeros of `shape` with each element of x added at its position: gather's gradient, whose own gradient is
    /// gather.
    private static Tensor scatterAdd(Tensor x, int along, Tensor index, long[] shape) {
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("scatterAdd", x.dtype, shape, recorded).fill(0);
        IndexLaunch.scatterAdd(x, along, index, y);
        Rule rule = readsOther((g, i) -> g.gather(along, i));
        return recorded ? y.record("scatterAdd", null, new Rule[] {rule, null}, x, index) : y;
    }

    /// Zeros of `shape` with each entry of x along an axis added at its position, in their order: indexSelect's
    /// gradient, whose own gradient is indexSelect.
    private static Tensor indexAdd(Tensor x, int along, Tensor index, long[] shape) {
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("indexAdd", x.dtype, shape, recorded).fill(0);
        IndexLaunch.indexAdd(x, along, index, y);
        Rule rule = readsOther((g, i) -> g.indexSelect(along, i));
        return recorded ? y.record("indexAdd", null, new Rule[] {rule, null}, x, index) : y;
    }

    private static void requireIndex(Tensor x, int along, Tensor index) {
        boolean fits = index.rank() == x.rank();
        for (int i = 0; fits && i < x.rank(); i++) {
            fits = i == along || index.shape[i] <= x.shape[i];
        }
        if (!fits) {
            throw new IllegalArgumentException("gather: the index " + Shape.text(index.shape) + " does not fit "
                    + Shape.text(x.shape) + "; it must have the same rank and be no longer along the other axes");
        }
        requirePositions("gather", index, x, along);
    }
}
