package org.toydiff;

import static org.toydiff.Rule.readsNothing;
import static org.toydiff.Rule.readsShape;

import java.util.Arrays;
import org.toydiff.internal.launch.Shape;

/// Ops that move no elements: they see the same block through another offset, shape and strides.
final class Views {
    private Views() {}

    /// The gradient of whatever keeps the elements in their order.
    private static final Rule RESHAPE = readsShape((g, original) -> g.reshape(original));

    static Tensor reshape(Tensor x, long[] asked) {
        x.requireReadable("reshape");
        long[] shape = resolved(x, asked);
        long[] strides = Shape.reshaped(x.shape, x.strides, shape);
        if (strides != null) {
            return Families.view(x, "reshape", x.offset, shape, strides, RESHAPE);
        }
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("reshape", x.dtype, shape, recorded);
        Launch.unary(Families.copy(x.dtype), x, y.view(y.offset, x.shape, Shape.strides(x.shape)));
        return recorded ? y.record("reshape", null, new Rule[] {RESHAPE}, x) : y;
    }

    private static long[] resolved(Tensor x, long[] asked) {
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

    static Tensor transpose(Tensor x, int[] axes) {
        int rank = x.rank();
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
        return Families.view(x, "transpose", x.offset, shape, strides, new Back(back));
    }

    /// Undoes a permutation of axes.
    private record Back(int[] axes) implements Rule.ReadsNothing {
        @Override
        public Tensor of(Tensor g) {
            return g.transpose(axes);
        }
    }

    /// The last two axes exchanged.
    static Tensor transposeLast(Tensor x) {
        return Families.view(
                x,
                "transpose",
                x.offset,
                transposeLast(x.shape),
                transposeLast(x.strides),
                readsNothing(g -> transposeLast(g)));
    }

    /// A copy with the last two exchanged.
    static long[] transposeLast(long[] axes) {
        long[] exchanged = axes.clone();
        exchanged[axes.length - 1] = axes[axes.length - 2];
        exchanged[axes.length - 2] = axes[axes.length - 1];
        return exchanged;
    }

    static Tensor slice(Tensor x, int axis, long from, long to) {
        int i = Shape.axis("slice", axis, x.rank());
        long n = x.shape[i];
        long first = from < 0 ? from + n : from;
        long end = to < 0 ? to + n : to;
        if (first < 0 || first > end || end > n) {
            throw new IllegalArgumentException("slice: " + from + " to " + to + " is out of range for axis " + axis
                    + " of " + Shape.text(x.shape) + ", which has " + n + " positions");
        }
        long[] shape = x.shape.clone();
        shape[i] = end - first;
        return Families.view(
                x,
                "slice",
                x.offset + first * x.strides[i],
                shape,
                x.strides,
                readsShape((g, original) -> embed(g, original, i, first)));
    }

    static Tensor get(Tensor x, long index) {
        if (x.rank() == 0) {
            throw new IllegalArgumentException("get: a scalar has no axis to index; use item()");
        }
        long n = x.shape[0];
        long i = index < 0 ? index + n : index;
        if (i < 0 || i >= n) {
            throw new IllegalArgumentException("get: index " + index + " is out of range for " + Shape.text(x.shape)
                    + ", which has " + n + " entries");
        }
        return Families.view(
                x,
                "get",
                x.offset + i * x.strides[0],
                Arrays.copyOfRange(x.shape, 1, x.rank()),
                Arrays.copyOfRange(x.strides, 1, x.rank()),
                readsShape((g, original) -> embed(g.unsqueeze(0), original, 0, i)));
    }

    /// Zeros of `shape` with x from position `from` on along an axis: the gradient of a slice, whose own
    /// gradient is a slice.
    private static Tensor embed(Tensor x, long[] shape, int axis, long from) {
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("embed", x.dtype, shape, recorded);
        y.fill(0);
        long[] part = x.shape;
        Launch.unary(Families.copy(x.dtype), x, y.view(y.offset + from * y.strides[axis], part, y.strides));
        long to = from + x.shape[axis];
        return recorded ? y.record("embed", null, new Rule[] {readsNothing(g -> g.slice(axis, from, to))}, x) : y;
    }

    static Tensor broadcastTo(Tensor x, long[] asked) {
        long[] shape = Shape.checked("broadcastTo", x.dtype.bytes(), asked.clone());
        if (!Shape.broadcasts(x.shape, shape)) {
            throw new IllegalArgumentException(
                    "broadcastTo: " + Shape.text(x.shape) + " does not stretch to " + Shape.text(shape));
        }
        return Families.view(
                x,
                "broadcastTo",
                x.offset,
                shape,
                Shape.stretched(x.shape, x.strides, shape),
                readsShape((g, original) -> g.sumTo(original)));
    }

    static Tensor squeeze(Tensor x, int axis) {
        x.requireReadable("squeeze");
        int at = Shape.axis("squeeze", axis, x.rank());
        if (x.shape[at] != 1) {
            return x;
        }
        return Families.view(x, "squeeze", x.offset, without(x.shape, at), without(x.strides, at), RESHAPE);
    }

    private static long[] without(long[] axes, int at) {
        long[] others = Arrays.copyOf(axes, axes.length - 1);
        System.arraycopy(axes, at + 1, others, at, others.length - at);
        return others;
    }

    static Tensor unsqueeze(Tensor x, int axis) {
        int at = Shape.axis("unsqueeze", axis, x.rank() + 1);
        return Families.view(x, "unsqueeze", x.offset, withOne(x.shape, at), withOne(x.strides, at), RESHAPE);
    }

    private static long[] withOne(long[] axes, int at) {
        long[] more = new long[axes.length + 1];
        System.arraycopy(axes, 0, more, 0, at);
        more[at] = 1;
        System.arraycopy(axes, at, more, at + 1, axes.length - at);
        return more;
    }
}
