package org.toydiff;

import static org.toydiff.Families.reduction;
import static org.toydiff.Rule.readsInput;
import static org.toydiff.Rule.readsInputAndOutput;
import static org.toydiff.Rule.readsShape;

import java.util.Arrays;
import java.util.Objects;
import org.toydiff.internal.launch.Reduction;
import org.toydiff.internal.launch.Shape;

/// The ops of [Tensor] that see more than one element at a time: products, reductions, views. One row each.
abstract sealed class TensorOps extends ElementOps permits Tensor {
    /// `y = this·b + c`, one pass of BLAS that accumulates onto c; gradients as [#matmul(Tensor)], and `g` to
    /// c.
    ///
    /// @param b a matrix, or a batch of them
    /// @param c a tensor that broadcasts to the product's shape
    /// @return a new tensor
    /// @throws IllegalArgumentException if the inner sizes differ, or c does not broadcast to the product
    public Tensor fma(Tensor b, Tensor c) {
        return Products.fma(self(), b, c);
    }

    /// Matrix product `y = this·b`.
    ///
    /// **Shapes** `[…,m,k] · […,k,n] → […,m,n]`; leading axes broadcast. A 1-D operand is a row before and a column
    /// after, and its axis is dropped, as in NumPy: `[k] · [k] → []`.
    /// **Gradient** `g·bᵀ` to this, `thisᵀ·g` to b.
    /// **Memory** a new tensor in the innermost arena; an operand whose rows and columns are both spaced is
    /// copied for the call.
    ///
    /// @param b the right operand, of the same dtype
    /// @return a new tensor
    /// @throws IllegalArgumentException if the inner sizes differ, or the leading axes do not broadcast
    public Tensor matmul(Tensor b) {
        return Products.matmul(self(), b);
    }

    /// A linear layer `y = this·weightᵀ + bias`, as PyTorch's.
    ///
    /// **Shapes** `[…,in] · [out,in] + [out] → […,out]`; a vector `[in]` is one example.
    /// **Gradient** `g·weight` to this, `gᵀ·this` to weight, the sum of g's rows to bias.
    /// **Memory** a new tensor in the innermost arena; the bias is added to each tile of the product while that is
    /// in the cache.
    ///
    /// @param weight the weight, of the same dtype
    /// @param bias the bias, of the same dtype, or null for none
    /// @return a new tensor
    /// @throws IllegalArgumentException if the shapes do not fit
    public Tensor linear(Tensor weight, Tensor bias) {
        return linear(self(), weight, bias, null);
    }

    /// [#linear(Tensor, Tensor)] and an activation of it in the same pass: what the activation is given is never
    /// stored. Gradients are those of the two ops one after the other.
    ///
    /// @param weight the weight, of the same dtype
    /// @param bias the bias, of the same dtype, or null for none
    /// @param activation what is applied to the result
    /// @return a new tensor
    /// @throws IllegalArgumentException if the shapes do not fit
    public Tensor linear(Tensor weight, Tensor bias, Activation activation) {
        return linear(self(), weight, bias, Objects.requireNonNull(activation, "activation"));
    }

    private static Tensor linear(Tensor x, Tensor weight, Tensor bias, Activation activation) {
        boolean vector = x.rank() == 1 && weight.rank() == 2 && x.shape[0] == weight.shape[1];
        return vector
                ? Products.linear(x.reshape(1, x.shape[0]), weight, bias, activation)
                        .reshape(weight.shape[0])
                : Products.linear(x, weight, bias, activation);
    }

    /// `eˣ / Σ eˣ` along an axis; shifted by the largest element first, so that large elements do not overflow;
    /// gradient `y·(g − Σ g·y)`.
    ///
    /// @param axis the axis that sums to 1, negative ones counted from the back
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor softmax(int axis) {
        return Softmax.softmax(self(), axis);
    }

    /// `ln softmax` along an axis, computed without forming the softmax, so that small probabilities keep their
    /// digits; gradient `g − softmax·Σ g`.
    ///
    /// @param axis the axis of the softmax, negative ones counted from the back
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor logSoftmax(int axis) {
        return Softmax.logSoftmax(self(), axis);
    }

    /// Cross entropy of each row with its label, `−ln softmax(this)[label]`, in one pass; gradient
    /// `g·(softmax(this) − 1 at the label)`.
    ///
    /// **Memory** a new tensor `[n]`; the softmax is computed anew in backward and not kept.
    ///
    /// @param labels the class of each row, `[n]`, INT32 or INT64
    /// @return a new tensor `[n]`, for a `[n, classes]` of logits
    /// @throws IllegalArgumentException if the shapes do not fit or a label is none of the classes
    public Tensor crossEntropy(Tensor labels) {
        return Softmax.crossEntropy(self(), labels);
    }

    /// Applies an op of one's own.
    ///
    /// **Shapes** as the op says. **Gradient** as its rule says, to inputs that are floating.
    /// **Memory** a new tensor in the innermost arena, of the first input's dtype; inputs that are not contiguous
    /// are copied for the call.
    ///
    /// @param op the op
    /// @param inputs its operands, the first of them FLOAT32 or FLOAT64
    /// @return a new tensor
    /// @throws IllegalArgumentException if there are no inputs or more than 30, or the op holds a tensor
    public static Tensor custom(CustomOp op, Tensor... inputs) {
        return Custom.apply(op, inputs);
    }

    // Reductions: over all axes, over one, over one that stays with size 1.

    /// The sum, accumulated in double, over all axes; gradient `g` to every element.
    ///
    /// @return a new scalar
    public Tensor sum() {
        return sum(Families.all(self()), false);
    }

    /// The sum, accumulated in double, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor sum(int axis) {
        return sum(axis, false);
    }

    /// The sum, accumulated in double, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor sum(int axis, boolean keepDims) {
        return sum(Families.one(self(), "sum", axis), keepDims);
    }

    Tensor sum(boolean[] reduced, boolean keepDims) {
        return reduction(
                self(), "sum", reduced, keepDims, Reduction.SUM, 0, readsShape((g, shape) -> g.broadcastTo(shape)));
    }

    /// The mean, NaN of nothing, over all axes; gradient `g / n` to every element.
    ///
    /// @return a new scalar
    public Tensor mean() {
        return mean(Families.all(self()), false);
    }

    /// The mean, NaN of nothing, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor mean(int axis) {
        return mean(axis, false);
    }

    /// The mean, NaN of nothing, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor mean(int axis, boolean keepDims) {
        return mean(Families.one(self(), "mean", axis), keepDims);
    }

    private Tensor mean(boolean[] reduced, boolean keepDims) {
        return reduction(self(), "mean", reduced, keepDims, Reduction.MEAN, 0, readsShape((g, shape) -> g.divide(
                        (double) Shape.size(shape) / g.size())
                .broadcastTo(shape)));
    }

    /// The largest element, NaN if any is, over all axes; gradient `g` shared evenly among equal ones, as
    /// PyTorch's `amax`.
    ///
    /// @return a new scalar
    /// @throws IllegalArgumentException if there is nothing to reduce
    public Tensor max() {
        return max(Families.all(self()), false);
    }

    /// The largest element, NaN if any is, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing to reduce
    public Tensor max(int axis) {
        return max(axis, false);
    }

    /// The largest element, NaN if any is, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing to reduce
    public Tensor max(int axis, boolean keepDims) {
        return max(Families.one(self(), "max", axis), keepDims);
    }

    Tensor max(boolean[] reduced, boolean keepDims) {
        requireElements("max", reduced);
        return reduction(
                self(), "max", reduced, keepDims, Reduction.MAX, 0, readsInputAndOutput(TensorOps::shareAmongEqual));
    }

    /// The smallest element, NaN if any is, over all axes; gradient `g` shared evenly among equal ones, as
    /// PyTorch's `amin`.
    ///
    /// @return a new scalar
    /// @throws IllegalArgumentException if there is nothing to reduce
    public Tensor min() {
        return min(Families.all(self()), false);
    }

    /// The smallest element, NaN if any is, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing to reduce
    public Tensor min(int axis) {
        return min(axis, false);
    }

    /// The smallest element, NaN if any is, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing to reduce
    public Tensor min(int axis, boolean keepDims) {
        return min(Families.one(self(), "min", axis), keepDims);
    }

    private Tensor min(boolean[] reduced, boolean keepDims) {
        requireElements("min", reduced);
        return reduction(
                self(), "min", reduced, keepDims, Reduction.MIN, 0, readsInputAndOutput(TensorOps::shareAmongEqual));
    }

    private static Tensor shareAmongEqual(Tensor g, Tensor x, Tensor y) {
        Tensor equal = x.equalTo(y).cast(g.dtype);
        return g.divide(equal.sumTo(y.shape)).multiply(equal);
    }

    /// The standard deviation, divided by n as in NumPy, over all axes; gradient `g·(x − mean) / (n·y)`, 0
    /// where y is 0.
    ///
    /// @return a new scalar
    public Tensor std() {
        return std(Families.all(self()), false);
    }

    /// The standard deviation, divided by n as in NumPy, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor std(int axis) {
        return std(axis, false);
    }

    /// The standard deviation, divided by n as in NumPy, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor std(int axis, boolean keepDims) {
        return std(Families.one(self(), "std", axis), keepDims);
    }

    /// The standard deviation along an axis; infinite where n is no more than ddof, or NaN where the elements are equal
    /// as well, as in PyTorch, whose gradients it has there.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @param ddof what the count n is reduced by before dividing: 0 as in NumPy, 1 for PyTorch's unbiased
    ///     estimate
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range or ddof is negative
    public Tensor std(int axis, boolean keepDims, int ddof) {
        return std(Families.one(self(), "std", axis), keepDims, ddof);
    }

    private Tensor std(boolean[] reduced, boolean keepDims) {
        return std(reduced, keepDims, 0);
    }

    private Tensor std(boolean[] reduced, boolean keepDims, int ddof) {
        requireDdof("std", ddof);
        return reduction(self(), "std", reduced, keepDims, Reduction.STD, ddof, readsInputAndOutput((g, x, y) -> {
            double n = (double) x.size() / y.size();
            Tensor constant = y.equalTo(0);
            Tensor scale = g.zeroWhere(constant).divide(y.oneWhere(constant).multiply(n - ddof));
            return x.subtract(x.sumTo(y.shape).divide(n)).multiply(scale);
        }));
    }

    /// The variance, divided by n as in NumPy, over all axes; gradient `2·g·(x − mean) / n`.
    ///
    /// @return a new scalar
    public Tensor var() {
        return var(Families.all(self()), false, 0);
    }

    /// The variance, divided by n as in NumPy, along an axis, which is dropped.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor var(int axis) {
        return var(axis, false, 0);
    }

    /// The variance, divided by n as in NumPy, along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor var(int axis, boolean keepDims) {
        return var(axis, keepDims, 0);
    }

    /// The variance along an axis; infinite where n is no more than ddof, or NaN where the elements are equal as well,
    /// as in PyTorch, whose gradients it has there.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @param ddof what the count n is reduced by before dividing: 0 as in NumPy, 1 for PyTorch's unbiased estimate
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range or ddof is negative
    public Tensor var(int axis, boolean keepDims, int ddof) {
        return var(Families.one(self(), "var", axis), keepDims, ddof);
    }

    private Tensor var(boolean[] reduced, boolean keepDims, int ddof) {
        requireDdof("var", ddof);
        return reduction(self(), "var", reduced, keepDims, Reduction.VAR, ddof, readsInput((g, x) -> {
            double n = (double) x.size() / g.size();
            return x.subtract(x.sumTo(g.shape).divide(n)).multiply(g.multiply(2 / (n - ddof)));
        }));
    }

    private static void requireDdof(String op, int ddof) {
        if (ddof < 0) {
            throw new IllegalArgumentException(op + ": ddof " + ddof + " is negative; use 0 or 1");
        }
    }

    /// `ln Σ eˣ` along an axis, which is dropped; shifted by the largest element first, so that nothing overflows;
    /// gradient `g·softmax(x)`.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor logSumExp(int axis) {
        return logSumExp(axis, false);
    }

    /// `ln Σ eˣ` along an axis.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor logSumExp(int axis, boolean keepDims) {
        return Norms.logSumExp(self(), Families.one(self(), "logSumExp", axis), keepDims);
    }

    /// The Euclidean norm `√Σ x²` of all elements; gradient `g·x / y`, 0 where y is 0.
    ///
    /// @return a new scalar
    public Tensor norm() {
        return Norms.norm(self(), 2, Families.all(self()), false);
    }

    /// The p-norm `(Σ |x|ᵖ)^(1/p)` along an axis, the largest `|x|` for p = ∞;
    /// gradient 0 where it or the element is 0.
    ///
    /// @param p the order, more than 0
    /// @param axis the axis, negative ones counted from the back
    /// @param keepDims whether the axis stays, with size 1
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range or p is not positive
    public Tensor norm(double p, int axis, boolean keepDims) {
        return Norms.norm(self(), p, Families.one(self(), "norm", axis), keepDims);
    }

    private void requireElements(String op, boolean[] reduced) {
        for (int i = 0; i < reduced.length; i++) {
            if (reduced[i] && self().shape[i] == 0) {
                throw new IllegalArgumentException(op + ": axis " + i + " of " + Shape.text(self().shape)
                        + " has size 0, and nothing has no " + op);
            }
        }
    }

    /// The position of the largest element along an axis, the first of equal ones; the first NaN counts as
    /// largest. Not differentiable.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new INT64 tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing along it
    public Tensor argmax(int axis) {
        boolean[] reduced = Families.one(self(), "argmax", axis);
        requireElements("argmax", reduced);
        return reduction(self(), "argmax", reduced, false, Reduction.ARGMAX, 0, null);
    }

    /// The position of the smallest element along an axis, the first of equal ones; the first NaN counts as
    /// smallest. Not differentiable.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a new INT64 tensor without the axis
    /// @throws IllegalArgumentException if the axis is out of range or there is nothing along it
    public Tensor argmin(int axis) {
        boolean[] reduced = Families.one(self(), "argmin", axis);
        requireElements("argmin", reduced);
        return reduction(self(), "argmin", reduced, false, Reduction.ARGMIN, 0, null);
    }

    /// The k largest elements along an axis in descending order, the first of equal ones first, NaN counting as
    /// largest; gradient `g` at their positions, 0 elsewhere.
    ///
    /// @param k how many
    /// @param axis the axis, negative ones counted from the back
    /// @return two new tensors, k long along the axis
    /// @throws IllegalArgumentException if the axis is out of range or has fewer positions, or k is beyond 2^31 − 9
    public TopK topk(long k, int axis) {
        return Selection.topk(self(), k, axis);
    }

    /// The elements as another dtype; gradient `g` cast back, between floating dtypes.
    ///
    /// Rounds to the nearest float; cuts towards zero for whole numbers; BOOL is "not 0". NaN and what is
    /// out of range have no whole number.
    ///
    /// @param dtype the dtype of the result
    /// @return a new tensor, or this when it has the dtype already
    /// @throws IllegalArgumentException if an element has no value of a whole-number dtype
    public Tensor cast(DType dtype) {
        return Conversions.cast(self(), dtype);
    }

    // Views: another sight of the same block.

    /// The same elements in another shape: a view where strides allow it, else a copy; gradient `g` in this
    /// shape.
    ///
    /// @param shape the sizes; one of them may be -1, to be worked out
    /// @return a view or a new tensor
    /// @throws IllegalArgumentException if the sizes do not multiply to this size
    public Tensor reshape(long... shape) {
        return Views.reshape(self(), shape);
    }

    /// The same elements without an axis of size 1: a view; gradient `g` with the axis put back.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @return a view of the same block; this itself where the axis has another size, as in PyTorch
    /// @throws IllegalArgumentException if the axis is out of range
    public Tensor squeeze(int axis) {
        return Views.squeeze(self(), axis);
    }

    /// The same elements with one more axis, of size 1: a view; gradient `g` without it.
    ///
    /// @param axis where the new axis is put, negative ones counted from the back of the result
    /// @return a view of the same block
    /// @throws IllegalArgumentException if the axis is out of range for the result
    public Tensor unsqueeze(int axis) {
        return Views.unsqueeze(self(), axis);
    }

    /// The axes in reverse order: a view.
    ///
    /// @return a view of the same block
    public Tensor transpose() {
        int[] axes = new int[self().rank()];
        Arrays.setAll(axes, i -> axes.length - 1 - i);
        return transpose(axes);
    }

    /// The axes in another order: a view; gradient `g` with the axes put back.
    ///
    /// @param axes every axis once, negative ones counted from the back
    /// @return a view of the same block
    /// @throws IllegalArgumentException if the axes are not a permutation
    public Tensor transpose(int... axes) {
        return Views.transpose(self(), axes);
    }

    /// Positions `from` to `to − 1` along an axis: a view; gradient `g` there and 0 elsewhere.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param from the first position, negative ones counted from the end
    /// @param to one past the last position, negative ones counted from the end
    /// @return a view of the same block
    /// @throws IllegalArgumentException if the axis or a position is out of range
    public Tensor slice(int axis, long from, long to) {
        return Views.slice(self(), axis, from, to);
    }

    /// Entry `index` along the first axis, which is dropped: a view; gradient `g` there and 0 elsewhere.
    ///
    /// @param index the position, negative ones counted from the end
    /// @return a view of the same block
    /// @throws IllegalArgumentException if this is a scalar or the position is out of range
    public Tensor get(long index) {
        return Views.get(self(), index);
    }

    /// This tensor stretched to a larger shape by NumPy's rule: a view with stride 0; gradient `g` summed over
    /// what was stretched.
    ///
    /// @param shape the shape to stretch to
    /// @return a view of the same block
    /// @throws IllegalArgumentException if this shape does not stretch to it
    public Tensor broadcastTo(long... shape) {
        return Views.broadcastTo(self(), shape);
    }

    /// The elements at given positions along an axis: `y[i][j] = this[i][index[i][j]]` for axis 1; gradient
    /// `g` added at those positions.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param index INT32 or INT64 positions, of this rank, no longer than this along the other axes
    /// @return a new tensor of the index's shape
    /// @throws IllegalArgumentException if the axis or a position is out of range, or the shapes do not fit
    public Tensor gather(int axis, Tensor index) {
        return Indexing.gather(self(), axis, index);
    }

    /// Entries along an axis, at given positions and in their order: rows of a table for axis 0; gradient `g` added
    /// at those positions.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param index INT32 or INT64 positions, `[n]`; one may occur more than once
    /// @return a new tensor, n long along the axis
    /// @throws IllegalArgumentException if the axis or a position is out of range, or the index has not one axis
    public Tensor indexSelect(int axis, Tensor index) {
        return Indexing.indexSelect(self(), axis, index);
    }

    /// Tensors one after another along an axis that they have; gradient to each its part of `g`.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param parts tensors of one dtype whose other axes are equal
    /// @return a new tensor
    /// @throws IllegalArgumentException if there are none, dtypes or other axes differ, or the axis is out of range
    public static Tensor concat(int axis, Tensor... parts) {
        return Joining.concat(axis, parts);
    }

    /// Tensors of one shape side by side along a new axis; gradient to each its part of `g`.
    ///
    /// @param axis where the new axis is put, negative ones counted from the back of the result
    /// @param parts tensors of one dtype and shape
    /// @return a new tensor
    /// @throws IllegalArgumentException if there are none, dtypes or shapes differ, or the axis is out of range
    public static Tensor stack(int axis, Tensor... parts) {
        return Joining.stack(axis, parts);
    }

    /// The sum over whatever axes broadcasting from `shape` to this shape stretched; this itself when none.
    Tensor sumTo(long[] shape) {
        if (Arrays.equals(self().shape, shape)) {
            return self();
        }
        Tensor sum = sum(stretchedFrom(shape), true);
        return self().rank() == shape.length ? sum : sum.reshape(shape);
    }

    /// Marks the axes that broadcasting from `shape` to this shape stretched.
    boolean[] stretchedFrom(long[] shape) {
        int extra = self().rank() - shape.length;
        boolean[] stretched = new boolean[self().rank()];
        for (int i = 0; i < stretched.length; i++) {
            stretched[i] = i < extra || (shape[i - extra] == 1 && self().shape[i] != 1);
        }
        return stretched;
    }
}
