package org.toydiff;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.CBlas;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.Runs;

/// The one place where kernels and products start. Shapes are already checked and outputs made; a tensor
/// without memory (in a prediction) launches nothing.
///
/// Small work stays on the calling thread; large work is cut into parts for [org.toydiff.internal.workers.Workers].
final class Launch {
    private Launch() {}

    /// `y = kernel(x)`, x broadcast to y's shape.
    static void unary(Kernel.Unary kernel, Tensor x, Tensor y) {
        if (!y.storage.shapeOnly() && y.size() > 0) {
            Scope.current().elements.run(kernel, x, Shape.stretched(x.shape, x.strides, y.shape), y);
        }
    }

    /// `y = kernel(a, b)`, a and b broadcast to y's shape.
    static void binary(Kernel.Binary kernel, Tensor a, Tensor b, Tensor y) {
        if (!y.storage.shapeOnly() && y.size() > 0) {
            long[] as = Shape.stretched(a.shape, a.strides, y.shape);
            long[] bs = Shape.stretched(b.shape, b.strides, y.shape);
            Scope.current().elements.run(kernel, a, as, b, bs, y);
        }
    }

    /// Sets every element of a contiguous floating tensor.
    static void fill(Tensor y, double value) {
        Runs.of(y.isWide()).fill(y.storage.segment(), y.offset, y.size(), value);
    }

    /// Whether x can be reduced where it lies.
    static boolean reducible(Reduction reduction, Tensor x, boolean[] reduced) {
        return x.size() == 0 || Scope.current().reductions.plan(reduction, x.shape, x.strides, reduced);
    }

    /// `y = reduction(x)` over the marked axes of an x that is [#reducible]; y is contiguous and has one element for
    /// each position of the others.
    static void reduction(Reduction reduction, int ddof, Tensor x, boolean[] reduced, Tensor y) {
        if (y.storage.shapeOnly() || y.size() == 0) {
            return;
        }
        if (x.size() == 0) {
            fill(y, reduction == Reduction.SUM ? 0 : Double.NaN);
            return;
        }
        ReductionWork work = Scope.current().reductions;
        work.plan(reduction, x.shape, x.strides, reduced);
        work.run(reduction, ddof, x, y);
    }

    /// The product that [Products] launches next: what follows its tiles is set on it first.
    static ProductWork product() {
        return Scope.current().products;
    }

    /// `Σ a·b` of two vectors.
    static void dot(Tensor a, Tensor b, Tensor y) {
        if (y.storage.shapeOnly()) {
            return;
        }
        double sum =
                CBlas.dot(y.dtype == DType.FLOAT64, (int) a.size(), at(a), (int) Math.max(1, a.strides[0]), at(b), (int)
                        Math.max(1, b.strides[0]));
        y.dtype.set(y.storage.segment(), y.offset, sum);
    }

    private static MemorySegment at(Tensor t) {
        return t.storage.segment().asSlice(t.offset * t.dtype.bytes());
    }
}
