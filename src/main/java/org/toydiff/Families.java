package org.toydiff;

import java.util.Arrays;
import java.util.function.Supplier;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.CastKernels;
import org.toydiff.internal.kernels.CopyKernels;
import org.toydiff.internal.kernels.IntegerKernels;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.UnaryKernel;
import org.toydiff.internal.launch.ReductionKind;
import org.toydiff.internal.launch.Shape;

/// The families of ops: each owns the checks, output shapes, allocation and recording that its ops share. A row adds
/// a name, kernels and rules.
final class Families {
    private Families() {}

    /// `y = f(x)`, element by element; of integers too, if they have the kernel.
    static Tensor unary(Tensor x, String op, UnaryKernel kernel, Rule rule) {
        if (x.dtype.isInteger() && IntegerKernels.has(kernel)) {
            x.requireReadable(op);
            Tensor y = Tensor.make(op, x.dtype, x.shape, false);
            Launch.unary(IntegerKernels.of(kernel, x.dtype == DType.INT64), x, y);
            return y;
        }
        x.requireFloating(op);
        boolean recorded = Tensor.recorded(x);
        Tensor y = x.isDying() ? x.view() : Tensor.make(op, x.dtype, x.shape, recorded);
        Launch.unary(x.dtype.kind.of(kernel), x, y);
        return recorded ? y.record(op, null, rule, x) : y;
    }

    /// `y = f(a, b)`, element by element, both broadcast; of integers too, if they have the kernel.
    static Tensor binary(Tensor a, Tensor b, String op, BinaryKernel kernel, Rule toA, Rule toB) {
        if (a.dtype.isInteger() && IntegerKernels.has(kernel)) {
            return integers(a, b, op, kernel(kernel, a.dtype));
        }
        Tensor first = Autocast.beside(a, b);
        Tensor second = Autocast.beside(b, a);
        first.requireOperand(op, second);
        return broadcasting(first, second, op, kernel(kernel, first.dtype), toA, toB);
    }

    /// The kernel for numbers of a dtype, which has it.
    static Kernel.Binary kernel(BinaryKernel kernel, DType dtype) {
        return dtype.isInteger() ? IntegerKernels.of(kernel, dtype == DType.INT64) : dtype.kind.of(kernel);
    }

    /// `y = f(a, b)` of integers, for a kernel that is already chosen.
    static Tensor integers(Tensor a, Tensor b, String op, Kernel.Binary kernel) {
        a.requireReadable(op);
        b.requireReadable(op);
        a.requireCommonDType(op, b);
        return broadcasting(a, b, op, kernel, null, null);
    }

    /// A scalar of x's dtype for the other side of a binary op. Integers take whole numbers in their range only.
    static Tensor constant(Tensor x, String op, double value) {
        x.requireReadable(op);
        if (!x.dtype.isFloating() && !x.dtype.has(value)) {
            throw new IllegalArgumentException(op + ": " + value + " is no " + x.dtype + ", the dtype of "
                    + Shape.text(x.shape) + "; cast(DType.FLOAT64) first, or give a whole number in its range");
        }
        return Tensor.constant(x.dtype, value);
    }

    /// As [#binary], for a kernel that is already chosen and whose b may be of another dtype.
    static Tensor broadcasting(Tensor a, Tensor b, String op, Kernel.Binary kernel, Rule toA, Rule toB) {
        long[] shape = Shape.broadcast(op, a.shape, b.shape);
        boolean recorded = Tensor.recorded(a, b);
        boolean overwrites = a.isDying() && Arrays.equals(a.shape, shape);
        Tensor y = overwrites ? a.view() : Tensor.make(op, a.dtype, shape, recorded);
        Launch.binary(kernel, a, b, y);
        return recorded ? y.record(op, null, toA, toB, a, b) : y;
    }

    /// `y = f(x)` over the marked axes, which the result has at size 1 or not at all.
    static Tensor reduction(
            Tensor x, String op, boolean[] reduced, boolean keepDims, ReductionKind kernel, int ddof, Rule rule) {
        if (kernel.takesIntegers() && !x.dtype.isFloating()) {
            return integerReduction(x, op, reduced, keepDims, kernel);
        }
        x.requireFloating(op);
        long[] shape = Shape.reduced(x.shape, reduced, keepDims);
        // A scalar broadcasts to any shape as it is.
        long[] kept = keepDims || shape.length == 0 ? shape : Shape.kept(x.shape, reduced);
        long[] ruleShape = kept == shape ? null : kept;
        boolean recorded = rule != null && Tensor.recorded(x);
        Tensor y = Tensor.make(op, kernel.isPosition() ? DType.INT64 : x.dtype, shape, recorded);
        if (Launch.reducible(kernel, x, kept)) {
            Launch.reduction(kernel, ddof, x, kept, y);
        } else {
            Tensor sorted = keptFirst(x, reduced);
            Tensor copy = sorted.contiguousCopy(op);
            Launch.reduction(kernel, ddof, copy, Shape.kept(copy.shape, keptFirst(reduced)), y);
            copy.freeCopyOf(x, op);
        }
        return recorded ? y.record(op, ruleShape, rule, x) : y;
    }

    /// The sum over the marked axes; INT64 of integers and truth values.
    static Tensor sum(Tensor x, boolean[] reduced, boolean keepDims) {
        return reduction(x, "sum", reduced, keepDims, ReductionKind.SUM, 0, SUM);
    }

    /// The sum of integers, or the number of true elements, over the marked axes: INT64, wrapping around; or the
    /// largest or smallest integer, of x's dtype.
    static Tensor integerReduction(Tensor x, String op, boolean[] reduced, boolean keepDims, ReductionKind kernel) {
        x.requireReadable(op);
        boolean sums = kernel == ReductionKind.SUM;
        if (!sums) {
            x.requireNumbers(op, kernel == ReductionKind.MAX ? "use any" : "use all");
        }
        long[] shape = Shape.reduced(x.shape, reduced, keepDims);
        Tensor y = Tensor.make(op, sums ? DType.INT64 : x.dtype, shape, false);
        Launch.integerReduction(kernel, x, reduced, y);
        return y;
    }

    /// A reduction made of other ops, recorded as one, so that none of their results is kept. `kept` computes it
    /// with the reduced axes at size 1.
    static Tensor composed(String op, Tensor x, boolean[] reduced, boolean keepDims, Supplier<Tensor> kept, Rule rule) {
        x.requireFloating(op);
        long[] keptShape = Shape.kept(x.shape, reduced);
        long[] shape = keepDims ? keptShape : Shape.dropped(x.shape, reduced);
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make(op, x.dtype, shape, recorded);
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            Launch.unary(copy(x.dtype), kept.get(), y.view(y.offset, keptShape, Shape.strides(keptShape)));
        }
        long[] ruleShape = keepDims || shape.length == 0 ? null : keptShape;
        return recorded ? y.record(op, ruleShape, rule, x) : y;
    }

    /// The kept axes in their order, then the reduced ones.
    private static Tensor keptFirst(Tensor x, boolean[] reduced) {
        int[] axes = keptFirstAxes(reduced);
        long[] shape = new long[x.rank()];
        long[] strides = new long[x.rank()];
        Arrays.setAll(shape, i -> x.shape[axes[i]]);
        Arrays.setAll(strides, i -> x.strides[axes[i]]);
        return x.view(x.offset, shape, strides);
    }

    /// The positions of the kept axes in their order, then of the reduced ones.
    static int[] keptFirstAxes(boolean[] reduced) {
        int[] axes = new int[reduced.length];
        int n = 0;
        for (boolean last : new boolean[] {false, true}) {
            for (int axis = 0; axis < reduced.length; axis++) {
                if (reduced[axis] == last) {
                    axes[n++] = axis;
                }
            }
        }
        return axes;
    }

    private static boolean[] keptFirst(boolean[] reduced) {
        boolean[] sorted = reduced.clone();
        int n = reduced.length;
        for (boolean each : reduced) {
            n -= each ? 1 : 0;
        }
        Arrays.fill(sorted, 0, n, false);
        Arrays.fill(sorted, n, sorted.length, true);
        return sorted;
    }

    /// `into = x`, summed over the axes that broadcasting stretched from into's shape, if x can be reduced in place.
    ///
    /// @return whether it was
    static boolean sumInto(Tensor into, Tensor x) {
        if (!into.isContiguous() || !Launch.reducible(ReductionKind.SUM, x, into.shape)) {
            return false;
        }
        Launch.reduction(ReductionKind.SUM, 0, x, into.shape, into);
        return true;
    }

    /// The gradient of a sum.
    private static final Rule SUM = Rule.readsShape((g, shape) -> g.stretchTo(shape));

    /// Axes marked for a reduction over all, or over one.
    static boolean[] all(Tensor x) {
        boolean[] reduced = new boolean[x.rank()];
        Arrays.fill(reduced, true);
        return reduced;
    }

    static boolean[] one(Tensor x, String op, int axis) {
        boolean[] reduced = new boolean[x.rank()];
        reduced[Shape.axis(op, axis, x.rank())] = true;
        return reduced;
    }

    /// Axes marked by an op on some.
    static boolean[] some(Tensor x, String op, int... axes) {
        boolean[] reduced = new boolean[x.rank()];
        for (int axis : axes) {
            int at = Shape.axis(op, axis, x.rank());
            if (reduced[at]) {
                throw new IllegalArgumentException(op + ": axes " + Arrays.toString(axes) + " of " + Shape.text(x.shape)
                        + " name axis " + at + " twice; name each once");
            }
            reduced[at] = true;
        }
        return reduced;
    }

    /// Throws, naming `op`, if there is nothing along one of the marked axes.
    static void requireElements(Tensor x, String op, boolean[] reduced) {
        for (int i = 0; i < reduced.length; i++) {
            if (reduced[i] && x.shape[i] == 0) {
                throw new IllegalArgumentException(
                        op + ": axis " + i + " of " + Shape.text(x.shape) + " has size 0, and nothing has no " + op);
            }
        }
    }

    /// Positions `from` to `to − 1` along an axis: a view, outside the graph.
    static Tensor part(Tensor x, int along, long from, long to) {
        long[] shape = x.shape.clone();
        shape[along] = to - from;
        return x.view(x.offset + from * x.strides[along], shape, x.strides);
    }

    /// A view of x's block; `rule` undoes it.
    static Tensor view(Tensor x, String op, long offset, long[] shape, long[] strides, Rule rule) {
        x.requireReadable(op);
        Tensor y = x.view(offset, shape, strides);
        return Tensor.recorded(x) ? y.record(op, null, rule, x) : y;
    }

    /// The diagonal of two axes of x, which becomes the last axis in their place: a view.
    static Tensor diagonal(Tensor x, int first, int second) {
        Tensor there = diagonalOf(x, first, second);
        return view(
                x,
                "diagonal",
                there.offset,
                there.shape,
                there.strides,
                Rule.readsShape((g, shape) -> onDiagonal(g, shape, first, second)));
    }

    /// Zeros of `shape` with x on the diagonal of two axes.
    private static Tensor onDiagonal(Tensor x, long[] shape, int first, int second) {
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make("diagonal", x.dtype, shape, recorded).fill(0);
        Launch.unary(copy(x.dtype), x, diagonalOf(y, first, second));
        return recorded ? y.record("diagonal", null, Rule.readsNothing(g -> diagonal(g, first, second)), x) : y;
    }

    private static Tensor diagonalOf(Tensor x, int first, int second) {
        long[] shape = new long[x.rank() - 1];
        long[] strides = new long[x.rank() - 1];
        int n = 0;
        for (int axis = 0; axis < x.rank(); axis++) {
            if (axis != first && axis != second) {
                shape[n] = x.shape[axis];
                strides[n++] = x.strides[axis];
            }
        }
        shape[n] = Math.min(x.shape[first], x.shape[second]);
        strides[n] = x.strides[first] + x.strides[second];
        return x.view(x.offset, shape, strides);
    }

    /// `into += x`, x broadcast to its shape.
    static void accumulate(Tensor into, Tensor x) {
        Launch.binary(into.dtype.kind.of(BinaryKernel.ADD), into, x, into);
    }

    /// The elements as another dtype, outside of the graph.
    static Tensor cast(Tensor x, DType dtype) {
        DType from = x.dtype;
        Tensor y = Tensor.make("cast", dtype, x.shape, true);
        try {
            Launch.unary(CastKernels.of(from.kind.element, dtype.kind.element), x, y);
            if (y.size() > 0 && dtype.isInteger()) {
                Recorder.explain((a, b, failure) -> inconvertible(a, dtype, failure));
            }
        } catch (ArithmeticException e) {
            y.storage.free("cast", 0);
            throw inconvertible(x, dtype, e);
        }
        return y;
    }

    private static RuntimeException inconvertible(Tensor x, DType dtype, ArithmeticException failure) {
        x.forEach((i, value) -> dtype.requireConvertible("cast", value));
        return failure;
    }

    /// The kernel that copies elements of a dtype to where a mask is set.
    static Kernel.Binary put(DType dtype) {
        return CopyKernels.of(dtype.bytes()).put();
    }

    /// The kernel that copies elements of a dtype.
    static Kernel.Unary copy(DType dtype) {
        return CopyKernels.of(dtype.bytes()).copy;
    }
}
