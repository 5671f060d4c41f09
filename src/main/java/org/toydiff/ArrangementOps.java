package org.toydiff;

import static org.toydiff.Rule.readsNothing;
import static org.toydiff.Rule.readsShape;

import org.toydiff.internal.launch.Shape;

/// The ops of [Tensor] that arrange its elements in a new tensor: reversed, shifted, padded, repeated, or some of
/// them replaced by zeros. They take every dtype. Values are copied, so a result's elements have the very bits of
/// the operand's.
public sealed interface ArrangementOps permits Tensor {
    /// What a padded tensor has beyond its edges.
    enum Padding {
        /// The elements from the edge inwards, without that at the edge: `c b | a b c | b a`.
        REFLECT,
        /// The element at the edge: `a a | a b c | c c`.
        REPLICATE,
        /// The elements from the other edge on: `b c | a b c | a b`.
        CIRCULAR
    }

    private Tensor self() {
        return (Tensor) this;
    }

    /// Returns the elements in reverse order along some axes; gradient `g`, reversed back.
    ///
    /// @param axes the axes, negative ones counted from the back; none for a copy
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if an axis is out of range or given twice
    default Tensor flip(int... axes) {
        Tensor x = self();
        x.requireReadable("flip");
        long[] strides = x.strides.clone();
        long start = x.offset;
        boolean[] reversed = Families.some(x, "flip", axes);
        for (int axis = 0; axis < reversed.length; axis++) {
            if (reversed[axis]) {
                start += (x.shape[axis] - 1) * strides[axis];
                strides[axis] = -strides[axis];
            }
        }
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("flip", x.dtype, x.shape, recorded);
        Launch.unary(Families.copy(x.dtype), x.view(start, x.shape, strides), y);
        int[] back = axes.clone();
        return recorded ? y.record("flip", null, readsNothing(g -> g.flip(back)), x) : y;
    }

    /// Returns the elements shifted along an axis; those shifted beyond the end come in at the beginning. Gradient
    /// `g`, shifted back.
    ///
    /// @param shift by how many positions, towards the end or, if negative, the beginning
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor roll(long shift, int axis) {
        Tensor x = self();
        x.requireReadable("roll");
        int along = Shape.axis("roll", axis, rank(x));
        long n = x.shape[along];
        long by = n == 0 ? 0 : Math.floorMod(shift, n);
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("roll", x.dtype, x.shape, recorded);
        copy(Families.part(x, along, 0, n - by), Families.part(y, along, by, n));
        copy(Families.part(x, along, n - by, n), Families.part(y, along, 0, by));
        return recorded ? y.record("roll", null, readsNothing(g -> g.roll(-by, along)), x) : y;
    }

    /// Returns this tensor with one value added before and after it along an axis; gradient `g` without the padding.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param before the positions to add before the first
    /// @param after the positions to add after the last
    /// @param value the value there, converted to this dtype
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range, a number of positions is negative, or the
    ///     result would be too large
    default Tensor pad(int axis, long before, long after, double value) {
        Tensor x = self();
        x.requireReadable("pad");
        int along = padded(x, axis, before, after);
        x.dtype.requireConvertible("pad", value);
        long n = x.shape[along];
        long[] shape = x.shape.clone();
        shape[along] = longer(x, along, before, after);
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("pad", x.dtype, shape, recorded);
        y.fill(value);
        copy(x, Families.part(y, along, before, before + n));
        return recorded ? y.record("pad", null, readsNothing(g -> g.slice(along, before, before + n)), x) : y;
    }

    /// Returns this tensor with elements of its own added before and after it along an axis; gradient `g`, added up
    /// over all places of an element.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param before the positions to add before the first
    /// @param after the positions to add after the last
    /// @param padding which elements are added
    /// @return a new tensor
    /// @throws IllegalArgumentException if the axis is out of range, a number of positions is negative, or the axis
    ///     has too few elements: more than a number of positions for [Padding#REFLECT], as many for
    ///     [Padding#CIRCULAR], one for [Padding#REPLICATE]
    default Tensor pad(int axis, long before, long after, Padding padding) {
        Tensor x = self();
        x.requireReadable("pad");
        int along = padded(x, axis, before, after);
        long n = x.shape[along];
        long least = Math.max(before, after);
        long needed =
                switch (padding) {
                    case REFLECT -> least == 0 ? 0 : least + 1;
                    case REPLICATE -> Math.min(1, least);
                    case CIRCULAR -> least;
                };
        if (n < needed) {
            throw new IllegalArgumentException("pad: axis " + along + " of " + Shape.text(x.shape) + " has " + n
                    + " positions, " + padding + " by " + before + " and " + after + " needs " + needed
                    + "; pad with a value, or by less");
        }
        longer(x, along, before, after);
        return switch (padding) {
            case REFLECT ->
                Tensor.concat(
                        along,
                        x.slice(along, Math.min(1, before), Math.min(1, before) + before)
                                .flip(along),
                        x,
                        x.slice(along, n - Math.min(1, after) - after, n - Math.min(1, after))
                                .flip(along));
            case REPLICATE -> Tensor.concat(along, edge(x, along, 0, before), x, edge(x, along, n - 1, after));
            case CIRCULAR -> Tensor.concat(along, x.slice(along, n - before, n), x, x.slice(along, 0, after));
        };
    }

    /// Entry i along an axis, stretched; nothing if it is not needed, since there may be no entry then.
    private static Tensor edge(Tensor x, int along, long i, long times) {
        if (times == 0) {
            return x.slice(along, 0, 0);
        }
        long[] shape = x.shape.clone();
        shape[along] = times;
        return x.slice(along, i, i + 1).broadcastTo(shape);
    }

    private static int padded(Tensor x, int axis, long before, long after) {
        int along = Shape.axis("pad", axis, rank(x));
        if (before < 0 || after < 0) {
            throw new IllegalArgumentException("pad: " + before + " before and " + after + " after "
                    + Shape.text(x.shape) + " must not be negative; slice makes an axis shorter");
        }
        return along;
    }

    private static long longer(Tensor x, int along, long before, long after) {
        try {
            return Math.addExact(Math.addExact(before, after), x.shape[along]);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("pad: " + Shape.text(x.shape) + " by " + before + " and " + after
                    + " is longer than a long can count; pad by less");
        }
    }

    /// Returns this tensor, repeated as a whole along each axis, as NumPy's `tile` and PyTorch's `Tensor.repeat` do;
    /// gradient `g`, summed over the copies.
    ///
    /// @param times the number of copies along each axis; if there are more than axes, axes of size 1 are put in
    ///     front, if fewer, ones
    /// @return a new tensor
    /// @throws IllegalArgumentException if a number is negative, or the result would be too large
    default Tensor tile(long... times) {
        Tensor x = self();
        int rank = Math.max(times.length, rank(x));
        x.requireReadable("tile");
        long[] apart = new long[2 * rank];
        long[] strides = new long[2 * rank];
        long[] stretched = new long[2 * rank];
        long[] shape = new long[rank];
        for (int i = 0; i < rank; i++) {
            long copies = i < rank - times.length ? 1 : times[i - (rank - times.length)];
            long size = i < rank - rank(x) ? 1 : x.shape[i - (rank - rank(x))];
            requireTimes("tile", x, copies, size);
            apart[2 * i] = 1;
            apart[2 * i + 1] = stretched[2 * i + 1] = size;
            strides[2 * i + 1] = i < rank - rank(x) ? 0 : x.strides[i - (rank - rank(x))];
            stretched[2 * i] = copies;
            shape[i] = copies * size;
        }
        return repeated("tile", x, x.view(x.offset, apart, strides), stretched, shape);
    }

    /// Returns each element several times in a row along an axis, as NumPy's `repeat` and PyTorch's
    /// `repeat_interleave` do; gradient `g`, summed over the copies.
    ///
    /// @param times the number of copies of each
    /// @param axis the axis, negative ones counted from the back
    /// @return a new tensor
    /// @throws IllegalArgumentException if the number is negative, the axis is out of range, or the result would be
    ///     too large
    default Tensor repeat(long times, int axis) {
        Tensor x = self();
        int along = Shape.axis("repeat", axis, rank(x));
        requireTimes("repeat", x, times, x.shape[along]);
        x.requireReadable("repeat");
        long[] apart = Shape.withOne(x.shape, along + 1);
        long[] stretched = apart.clone();
        stretched[along + 1] = times;
        long[] shape = x.shape.clone();
        shape[along] *= times;
        Tensor view = x.view(x.offset, apart, Shape.withOne(x.strides, along + 1));
        return repeated("repeat", x, view, stretched, shape);
    }

    /// `view`, which is x with further axes of size 1, stretched along those and read in another shape.
    private static Tensor repeated(String op, Tensor x, Tensor view, long[] stretched, long[] shape) {
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make(op, x.dtype, Shape.checked(op, x.dtype.bytes(), shape), recorded);
        copy(view, y.view(y.offset, stretched, Shape.strides(stretched)));
        long[] apart = view.shape;
        Rule rule =
                readsShape((g, original) -> g.reshape(stretched).sumTo(apart).reshape(original));
        return recorded ? y.record(op, null, rule, x) : y;
    }

    private static void requireTimes(String op, Tensor x, long times, long size) {
        if (times < 0 || Math.multiplyHigh(times, size) != 0 || times * size < 0) {
            throw new IllegalArgumentException(op + ": " + times + " copies of an axis of " + Shape.text(x.shape)
                    + " with " + size + " positions; give 0 or more, and no more than a long can count");
        }
    }

    /// Returns the elements on and above a diagonal of the last two axes, zeros below it; gradient `g` there, 0
    /// elsewhere.
    ///
    /// @param diagonal 0 for the main diagonal, more for one above, less for one below
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if this has fewer than two axes
    default Tensor triu(long diagonal) {
        return triangle("triu", self(), true, diagonal);
    }

    /// Returns the elements on and below a diagonal of the last two axes, zeros above it; gradient `g` there, 0
    /// elsewhere.
    ///
    /// @param diagonal 0 for the main diagonal, more for one above, less for one below
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if this has fewer than two axes
    default Tensor tril(long diagonal) {
        return triangle("tril", self(), false, diagonal);
    }

    private static Tensor triangle(String op, Tensor x, boolean upper, long diagonal) {
        x.requireReadable(op);
        requireMatrix(op, x);
        int rows = rank(x) - 2;
        int columns = rank(x) - 1;
        long n = x.shape[columns];
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make(op, x.dtype, x.shape, recorded);
        y.fill(0);
        long height = Shape.empty(x.shape) ? 0 : x.shape[rows];
        for (long i = 0; i < height; i++) {
            long first = Math.clamp(saturatedSum(i, diagonal), 0, n);
            long next = Math.clamp(saturatedSum(i + 1, diagonal), 0, n);
            long from = upper ? first : 0;
            long to = upper ? n : next;
            if (from < to) {
                copy(
                        Families.part(Families.part(x, rows, i, i + 1), columns, from, to),
                        Families.part(Families.part(y, rows, i, i + 1), columns, from, to));
            }
        }
        Rule rule = readsNothing(upper ? g -> g.triu(diagonal) : g -> g.tril(diagonal));
        return recorded ? y.record(op, null, rule, x) : y;
    }

    private static long saturatedSum(long i, long diagonal) {
        return diagonal > Long.MAX_VALUE - i ? Long.MAX_VALUE : i + diagonal;
    }

    /// Returns the matrix that has this vector on a diagonal and zeros elsewhere; or, of a matrix, a diagonal.
    /// Gradient `g` on the diagonal; or, of a matrix, `g` there and 0 elsewhere.
    ///
    /// @param diagonal 0 for the main diagonal, more for one above, less for one below
    /// @return a new square tensor; of a matrix, a view of the same block
    /// @throws IllegalArgumentException if this is neither a vector nor a matrix, or the diagonal is outside it
    default Tensor diag(long diagonal) {
        Tensor x = self();
        x.requireReadable("diag");
        if (rank(x) == 1) {
            long n = square(x, diagonal);
            return onDiagonal(x, new long[] {n, n}, diagonal);
        }
        if (rank(x) != 2) {
            throw new IllegalArgumentException(
                    "diag: " + Shape.text(x.shape) + " is neither a vector nor a matrix; reshape it");
        }
        if (diagonal < -x.shape[0] || diagonal > x.shape[1]) {
            throw new IllegalArgumentException("diag: " + Shape.text(x.shape) + " has no diagonal " + diagonal
                    + "; give " + -x.shape[0] + " to " + x.shape[1]);
        }
        Tensor there = diagonalOf(x, diagonal);
        return Families.view(
                x,
                "diag",
                there.offset,
                there.shape,
                there.strides,
                readsShape((g, shape) -> onDiagonal(g, shape, diagonal)));
    }

    private static long square(Tensor x, long diagonal) {
        if (diagonal == Long.MIN_VALUE || Math.abs(diagonal) > Long.MAX_VALUE - x.shape[0]) {
            throw new IllegalArgumentException("diag: diagonal " + diagonal + " of a matrix is beyond what a long can"
                    + " count; give a smaller one");
        }
        return x.shape[0] + Math.abs(diagonal);
    }

    /// Zeros of `shape` with x on a diagonal.
    private static Tensor onDiagonal(Tensor x, long[] shape, long diagonal) {
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("diag", x.dtype, shape, recorded);
        y.fill(0);
        copy(x, diagonalOf(y, diagonal));
        return recorded ? y.record("diag", null, readsNothing(g -> g.diag(diagonal)), x) : y;
    }

    private static Tensor diagonalOf(Tensor x, long diagonal) {
        long down = Math.max(0, -diagonal);
        long right = Math.max(0, diagonal);
        long n = Math.max(0, Math.min(x.shape[0] - down, x.shape[1] - right));
        long start = x.offset + down * x.strides[0] + right * x.strides[1];
        return x.view(start, new long[] {n}, new long[] {x.strides[0] + x.strides[1]});
    }

    /// Returns the product of each element of this vector with each of another: `y[i][j] = this[i]·other[j]`;
    /// gradient as of [ElementwiseOps#multiply].
    ///
    /// @param other a vector of this dtype
    /// @return a new tensor `[n, m]`
    /// @throws IllegalArgumentException if one is no vector, or the dtypes differ
    default Tensor outer(Tensor other) {
        Tensor x = self();
        if (rank(x) != 1 || rank(other) != 1) {
            throw new IllegalArgumentException("outer: " + Shape.text(x.shape) + " and " + Shape.text(other.shape)
                    + " must be vectors; reshape(-1) makes one");
        }
        return x.unsqueeze(1).multiply(other);
    }

    /// Returns the Kronecker product: each element of this tensor, times all of another, in its place; gradient as
    /// of [ElementwiseOps#multiply].
    ///
    /// @param other a tensor of this dtype; the one with fewer axes gets axes of size 1 in front
    /// @return a new tensor, whose sizes are the products of theirs
    /// @throws IllegalArgumentException if the dtypes differ, or the result would be too large
    default Tensor kron(Tensor other) {
        Tensor x = self();
        int rank = Math.max(rank(x), rank(other));
        long[] outer = new long[2 * rank];
        long[] inner = new long[2 * rank];
        long[] shape = new long[rank];
        for (int i = 0; i < rank; i++) {
            long a = i < rank - rank(x) ? 1 : x.shape[i - (rank - rank(x))];
            long b = i < rank - rank(other) ? 1 : other.shape[i - (rank - rank(other))];
            requireTimes("kron", other, a, b);
            outer[2 * i] = a;
            outer[2 * i + 1] = 1;
            inner[2 * i] = 1;
            inner[2 * i + 1] = b;
            shape[i] = a * b;
        }
        return x.reshape(outer).multiply(other.reshape(inner)).reshape(shape);
    }

    private static int rank(Tensor x) {
        return x.shape.length;
    }

    private static void requireMatrix(String op, Tensor x) {
        if (rank(x) < 2) {
            throw new IllegalArgumentException(
                    op + ": " + Shape.text(x.shape) + " has no rows and columns; reshape it");
        }
    }

    private static void copy(Tensor from, Tensor to) {
        Launch.unary(Families.copy(from.dtype), from, to);
    }
}
