package org.toydiff;

import java.util.Arrays;
import org.toydiff.internal.kernels.AnyKernels;
import org.toydiff.internal.kernels.DoubleKernels;
import org.toydiff.internal.kernels.FloatKernels;
import org.toydiff.internal.kernels.Kernel;

/// What ops of one kind have in common: their checks, output shapes, allocation and recording. A row adds a
/// name, kernels and rules.
final class Families {
    private Families() {}

    /// `y = f(x)`, element by element.
    static Tensor unary(Tensor x, String op, Kernel.Unary float32, Kernel.Unary float64, Rule rule) {
        x.requireFloating(op);
        boolean recorded = Tensor.recorded(x);
        Tensor y = x.overwritable ? x.overwritten() : Tensor.make(op, x.dtype, x.shape, recorded);
        Launch.unary(x.dtype == DType.FLOAT32 ? float32 : float64, x, y);
        return recorded ? y.record(op, null, new Rule[] {rule}, x) : y;
    }

    /// `y = f(a, b)`, element by element, both broadcast.
    static Tensor binary(
            Tensor a, Tensor b, String op, Kernel.Binary float32, Kernel.Binary float64, Rule toA, Rule toB) {
        a.requireOperand(op, b);
        return broadcasting(a, b, op, a.dtype == DType.FLOAT32 ? float32 : float64, toA, toB);
    }

    /// As [#binary], for a kernel that is already chosen and whose b may be of another dtype.
    static Tensor broadcasting(Tensor a, Tensor b, String op, Kernel.Binary kernel, Rule toA, Rule toB) {
        long[] shape = Shape.broadcast(op, a.shape, b.shape);
        boolean recorded = Tensor.recorded(a, b);
        Tensor y = a.overwritable && Arrays.equals(a.shape, shape)
                ? a.overwritten()
                : Tensor.make(op, a.dtype, shape, recorded);
        Launch.binary(kernel, a, b, y);
        return recorded ? y.record(op, null, new Rule[] {toA, toB}, a, b) : y;
    }

    /// A mask: `y = a ? b` for some comparison, both broadcast.
    static Tensor comparison(
            Tensor a,
            Tensor b,
            String op,
            Kernel.Binary float32,
            Kernel.Binary float64,
            Kernel.Binary bool,
            Kernel.Binary int32,
            Kernel.Binary int64) {
        a.requireReadable(op);
        b.requireReadable(op);
        a.requireSameDType(op, b);
        long[] shape = Shape.broadcast(op, a.shape, b.shape);
        Tensor y = Tensor.make(op, DType.BOOL, shape, false);
        Launch.binary(
                switch (a.dtype) {
                    case FLOAT32 -> float32;
                    case FLOAT64 -> float64;
                    case BOOL -> bool;
                    case INT32 -> int32;
                    case INT64 -> int64;
                },
                a,
                b,
                y);
        return y;
    }

    /// `y = f(x)` over the marked axes, which the result has at size 1 or not at all.
    static Tensor reduction(
            Tensor x,
            String op,
            boolean[] reduced,
            boolean keepDims,
            Kernel.Reduction float32,
            Kernel.Reduction float64,
            DType result,
            Rule rule) {
        x.requireFloating(op);
        long[] kept = Shape.kept(x.shape, reduced);
        long[] shape = keepDims ? kept : Shape.dropped(x.shape, reduced);
        boolean recorded = rule != null && Tensor.recorded(x);
        Tensor y = Tensor.make(op, result, shape, recorded);
        Tensor laned = Launch.lanes(x.shape, x.strides, reduced) != null ? x : Tensor.make(op, x.dtype, x.shape, true);
        if (laned != x) {
            Launch.unary(copy(x.dtype), x, laned);
        }
        Launch.reduction(x.dtype == DType.FLOAT32 ? float32 : float64, laned, reduced, y);
        if (laned != x) {
            laned.storage.disposable = true;
            laned.storage.freeIfUnused(op, 0);
        }
        return recorded ? y.record(op, keepDims ? null : kept, new Rule[] {rule}, x) : y;
    }

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

    /// Another sight of x's block; `rule` undoes it.
    static Tensor view(Tensor x, String op, long offset, long[] shape, long[] strides, Rule rule) {
        x.requireReadable(op);
        Tensor y = x.view(offset, shape, strides);
        return Tensor.recorded(x) ? y.record(op, null, new Rule[] {rule}, x) : y;
    }

    /// `into += x`, x broadcast to its shape.
    static void accumulate(Tensor into, Tensor x) {
        Launch.binary(into.dtype == DType.FLOAT32 ? FloatKernels::add : DoubleKernels::add, into, x, into);
    }

    /// The kernel that copies elements of a dtype.
    static Kernel.Unary copy(DType dtype) {
        return switch (dtype.bytes()) {
            case 1 -> AnyKernels::copy1;
            case 4 -> AnyKernels::copy4;
            default -> AnyKernels::copy8;
        };
    }
}
