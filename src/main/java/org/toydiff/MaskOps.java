package org.toydiff;

import static org.toydiff.Rule.readsOtherAndShape;

import org.toydiff.internal.launch.Shape;

/// The ops of [Tensor] that read or replace the elements where a mask is set, NumPy's `x[mask]` and `x[mask] = …`.
/// They accept every dtype, and masks that are BOOL and broadcast to the tensor's shape.
public sealed interface MaskOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// Returns the elements where a mask is set, in row-major order, as PyTorch's `masked_select`; gradient `g` at
    /// their positions, 0 elsewhere.
    ///
    /// **Memory** a new tensor; of this and of the mask a copy during the call, unless they are contiguous and of one
    /// shape. The size of the result depends on the mask, so a dry run refuses a mask that was made in it.
    ///
    /// @param mask BOOL, broadcasts to this shape
    /// @return a new tensor `[k]`, for a mask that is set k times
    /// @throws IllegalArgumentException if the mask is not BOOL or does not broadcast to this shape
    /// @throws IllegalStateException in a dry run, if the mask has no elements
    default Tensor select(Tensor mask) {
        Tensor x = self();
        x.requireReadable("select");
        requireMask("select", mask, x.shape);
        return selected(x, mask, count("select", mask, x));
    }

    /// Returns these elements, with others in the places where a mask is set, in row-major order: NumPy's
    /// `x[mask] = values` on a copy. Gradient `g` to these elements where the mask is not set, else 0; to the values
    /// the elements of `g` where it is set.
    ///
    /// **Memory** a new tensor, and one more of its size during the call, or where gradients are tracked until backward
    /// frees it; of the mask a copy, unless it is contiguous and has this shape.
    ///
    /// @param mask BOOL, broadcasts to this shape
    /// @param values `[k]`, of this dtype, for a mask that is set k times
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if the mask is not BOOL or does not broadcast to this shape, or there are not
    ///     as many values as places
    default Tensor put(Tensor mask, Tensor values) {
        Tensor x = self();
        x.requireReadable("put");
        values.requireReadable("put");
        x.requireSameDType("put", values);
        requireMask("put", mask, x.shape);
        if (values.rank() != 1) {
            throw new IllegalArgumentException("put: the values " + Shape.text(values.shape)
                    + " must have one axis; reshape them, or use where for values of the mask's shape");
        }
        requireAsMany(values, mask, x);
        Tensor scattered = scattered(values, mask, x.shape);
        Tensor y = Tensor.where(mask, scattered, x);
        if (!y.tracksGradient()) {
            scattered.freeScratch("put");
        }
        return y;
    }

    /// Returns these elements, with one value in the places where a mask is set, as PyTorch's `masked_fill`; gradient
    /// `g` where the mask is not set, else 0.
    ///
    /// @param mask BOOL, broadcasts to this shape
    /// @param value the value, converted to this dtype
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if the mask is not BOOL or does not broadcast to this shape, or this dtype has
    ///     no such value
    default Tensor put(Tensor mask, double value) {
        Tensor x = self();
        x.requireReadable("put");
        x.dtype.requireConvertible("put", value);
        requireMask("put", mask, x.shape);
        return Tensor.where(mask, Tensor.constant(x.dtype, value), x);
    }

    /// Returns the indices of the elements that are not zero, in row-major order; NaN is not zero. Not differentiable.
    ///
    /// **Memory** a new tensor; a copy during the call, unless this is contiguous. The size of the result depends on
    /// the elements, so a dry run refuses a tensor that was made in it.
    ///
    /// @return a new INT64 tensor `[k, rank]`, one row for each of k elements
    /// @throws IllegalStateException in a dry run, if this has no elements
    default Tensor nonzero() {
        Tensor x = self();
        x.requireReadable("nonzero");
        Tensor whole = x.contiguous("nonzero");
        whole.requireElements("nonzero");
        Tensor y = Tensor.make("nonzero", DType.INT64, new long[] {Launch.countNonzero(whole), x.rank()}, false);
        Launch.nonzero(whole, y);
        whole.freeCopyOf(x, "nonzero");
        return y;
    }

    private static void requireMask(String op, Tensor mask, long[] shape) {
        mask.requireReadable(op);
        if (mask.dtype != DType.BOOL || !Shape.broadcasts(mask.shape, shape)) {
            throw new IllegalArgumentException(op + ": the mask " + Shape.text(mask.shape) + " " + mask.dtype
                    + " does not fit " + Shape.text(shape) + "; it must be BOOL and broadcast to that shape");
        }
    }

    /// How often a mask is set, stretched to the elements.
    private static long count(String op, Tensor mask, Tensor x) {
        Tensor whole = mask.contiguous(op);
        whole.requireElements(op);
        // Stretching repeats each place of the mask as often as any other.
        long n = x.size() == 0 ? 0 : Launch.countNonzero(whole) * (x.size() / mask.size());
        whole.freeCopyOf(mask, op);
        return n;
    }

    private static void requireAsMany(Tensor values, Tensor mask, Tensor x) {
        // In a prediction sizes alone count.
        long n = Launch.skips(mask) ? values.size() : count("put", mask, x);
        if (n != values.size()) {
            throw new IllegalArgumentException("put: the mask " + Shape.text(mask.shape) + " is set " + n
                    + " times and there are " + values.size() + " values; give one for each place");
        }
    }

    /// A view of a mask in the shape of the elements.
    private static Tensor stretched(Tensor mask, long[] shape) {
        return mask.view(mask.offset, shape, Shape.stretched(mask.shape, mask.strides, shape));
    }

    /// The n elements of x where a mask is set.
    private static Tensor selected(Tensor x, Tensor mask, long n) {
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("select", x.dtype, new long[] {n}, recorded);
        Tensor stretched = stretched(mask, x.shape);
        Tensor elements = x.contiguous("select");
        Tensor places = stretched.contiguous("select");
        Launch.select(elements, places, y);
        elements.freeCopyOf(x, "select");
        places.freeCopyOf(stretched, "select");
        Rule rule = readsOtherAndShape((g, other, shape) -> scattered(g, other, shape));
        return recorded ? y.record("select", null, new Rule[] {rule, null}, x, mask) : y;
    }

    /// Zeros of `shape` with the elements of a vector where a mask is set: select's gradient, whose own gradient is
    /// select.
    private static Tensor scattered(Tensor values, Tensor mask, long[] shape) {
        boolean recorded = Tensor.recorded(values);
        Tensor y = Tensor.make("put", values.dtype, shape, true).fill(0);
        Tensor stretched = stretched(mask, shape);
        Tensor elements = values.contiguous("put");
        Tensor places = stretched.contiguous("put");
        Launch.scatter(elements, places, y);
        elements.freeCopyOf(values, "put");
        places.freeCopyOf(stretched, "put");
        Rule rule = readsOtherAndShape((g, other, vector) -> selected(g, other, vector[0]));
        return recorded ? y.record("put", null, new Rule[] {rule, null}, values, mask) : y;
    }
}
