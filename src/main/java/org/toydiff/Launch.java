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

    /// Whether nothing is to be computed into y: it has no memory, or this thread predicts, and then changes nothing.
    static boolean skips(Tensor y) {
        return y.storage.shapeOnly() || Scope.current().predicts();
    }

    /// `y = kernel(x)`, x broadcast to y's shape.
    static void unary(Kernel.Unary kernel, Tensor x, Tensor y) {
        if (y.size() > 0 && !skips(y)) {
            Scope.current().elements.run(kernel, x, Shape.stretched(x.shape, x.strides, y.shape), y);
        }
    }

    /// `y = kernel(a, b)`, a and b broadcast to y's shape.
    static void binary(Kernel.Binary kernel, Tensor a, Tensor b, Tensor y) {
        if (y.size() > 0 && !skips(y)) {
            long[] as = Shape.stretched(a.shape, a.strides, y.shape);
            long[] bs = Shape.stretched(b.shape, b.strides, y.shape);
            Scope.current().elements.run(kernel, a, as, b, bs, y);
        }
    }

    /// Sets every element of a contiguous floating tensor.
    static void fill(Tensor y, double value) {
        Runs.of(y.isWide()).fill(y.storage.segment(), y.offset, y.size(), value);
    }

    /// `y = x·factor`, x being contiguous or not; on the calling thread.
    static void scale(Tensor x, double factor, Tensor y) {
        if (y.size() > 0 && !skips(y)) {
            unary(Families.copy(x.dtype), x, y);
            Runs runs = Runs.of(x.isWide());
            runs.affine(y.storage.segment(), y.offset, y.size(), 0, factor, 0, y.storage.segment(), y.offset);
        }
    }

    /// Whether x can be reduced where it lies.
    static boolean reducible(Reduction reduction, Tensor x, boolean[] reduced) {
        return x.size() == 0 || Scope.current().reductions.plan(reduction, x.shape, x.strides, reduced);
    }

    /// `y = reduction(x)` over the marked axes of an x that is [#reducible]; y is contiguous and has one element
    /// for each position of the others.
    static void reduction(Reduction reduction, int ddof, Tensor x, boolean[] reduced, Tensor y) {
        if (y.size() == 0 || skips(y)) {
            return;
        }
        if (x.size() == 0) {
            fill(y, reduction == Reduction.SUM || reduction == Reduction.NORM ? 0 : Double.NaN);
            return;
        }
        ReductionWork work = Scope.current().reductions;
        work.plan(reduction, x.shape, x.strides, reduced);
        work.run(reduction, ddof, x, y);
    }

    /// The Euclidean norm of a contiguous tensor; 0 for one without memory.
    static double norm(Tensor x) {
        return x.size() == 0 || x.storage.shapeOnly()
                ? 0
                : Scope.current().reductions.norm(x);
    }

    /// `y = a·b + beta·y` for matrices that BLAS can read where they lie; y is contiguous, beta 0 or 1.
    static void product(Tensor a, Tensor b, double beta, Tensor y) {
        Scope.current().products.run(a, 0, b, 0, beta, y, 1);
    }

    /// `y = aᵀ·b + beta·y`.
    static void productOfSwapped(Tensor a, Tensor b, double beta, Tensor y) {
        Scope.current().products.run(a, true, 0, b, 0, beta, y, 1);
    }

    /// As [#product] for a batch, of which a, b and y are the first: a's are `betweenA` elements apart and b's
    /// `betweenB`, y's follow each other.
    static void products(Tensor a, long betweenA, Tensor b, long betweenB, double beta, Tensor y, long batches) {
        Scope.current().products.run(a, betweenA, b, betweenB, beta, y, batches);
    }

    /// `Σ a·b` of two vectors.
    static void dot(Tensor a, Tensor b, Tensor y) {
        if (skips(y)) {
            return;
        }
        int n = (int) a.size();
        double sum = CBlas.dot(y.isWide(), n, at(a), Products.increment(a, 0), at(b), Products.increment(b, 0));
        y.dtype.set(y.storage.segment(), y.offset, sum);
    }

    private static MemorySegment at(Tensor t) {
        return t.storage.segment().asSlice(t.offset * t.dtype.bytes());
    }
}
