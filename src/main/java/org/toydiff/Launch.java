package org.toydiff;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.blas.CBlas;
import org.toydiff.internal.kernels.Kernel;

/// The one place where kernels and products start. Shapes are already checked and outputs made; a tensor
/// without memory (in a prediction) launches nothing.
///
/// Axes that lie in memory as one are run as one; the rest are walked, innermost in the kernel.
final class Launch {
    private Launch() {}

    /// `y = kernel(x)`, x broadcast to y's shape.
    static void unary(Kernel.Unary kernel, Tensor x, Tensor y) {
        if (y.storage.shapeOnly() || y.size() == 0) {
            return;
        }
        long[] xs = Shape.stretched(x.shape, x.strides, y.shape);
        int inner = inner(y.shape, y.strides, xs, xs);
        walk(kernel, x.storage.segment(), x.offset, xs, y.storage.segment(), y.offset, y.strides, y.shape, 0, inner);
    }

    private static void walk(
            Kernel.Unary kernel,
            MemorySegment x,
            long x0,
            long[] xs,
            MemorySegment y,
            long y0,
            long[] ys,
            long[] shape,
            int axis,
            int inner) {
        if (axis == inner) {
            kernel.run(x, x0, last(xs, inner), y, y0, count(shape, inner));
            return;
        }
        for (long i = 0; i < shape[axis]; i++) {
            walk(kernel, x, x0 + i * xs[axis], xs, y, y0 + i * ys[axis], ys, shape, axis + 1, inner);
        }
    }

    /// `y = kernel(a, b)`, a and b broadcast to y's shape.
    static void binary(Kernel.Binary kernel, Tensor a, Tensor b, Tensor y) {
        if (y.storage.shapeOnly() || y.size() == 0) {
            return;
        }
        long[] as = Shape.stretched(a.shape, a.strides, y.shape);
        long[] bs = Shape.stretched(b.shape, b.strides, y.shape);
        int inner = inner(y.shape, y.strides, as, bs);
        walk(kernel, a.storage.segment(), a.offset, as, b.storage.segment(), b.offset, bs, y, y.offset, 0, inner);
    }

    private static void walk(
            Kernel.Binary kernel,
            MemorySegment a,
            long a0,
            long[] as,
            MemorySegment b,
            long b0,
            long[] bs,
            Tensor y,
            long y0,
            int axis,
            int inner) {
        if (axis == inner) {
            long n = count(y.shape, inner);
            kernel.run(a, a0, last(as, inner), b, b0, last(bs, inner), y.storage.segment(), y0, n);
            return;
        }
        for (long i = 0; i < y.shape[axis]; i++) {
            walk(
                    kernel,
                    a,
                    a0 + i * as[axis],
                    as,
                    b,
                    b0 + i * bs[axis],
                    bs,
                    y,
                    y0 + i * y.strides[axis],
                    axis + 1,
                    inner);
        }
    }

    /// The first of the innermost axes that all operands see as one evenly spaced run, contiguous in the
    /// output; the rank when the output's last axis is not contiguous, so that elements go one by one.
    private static int inner(long[] shape, long[] ys, long[] as, long[] bs) {
        int axis = shape.length;
        if (axis == 0 || (ys[axis - 1] != 1 && shape[axis - 1] != 1)) {
            return axis;
        }
        axis--;
        while (axis > 0
                && ys[axis - 1] == ys[axis] * shape[axis]
                && as[axis - 1] == as[axis] * shape[axis]
                && bs[axis - 1] == bs[axis] * shape[axis]) {
            axis--;
        }
        return axis;
    }

    private static long count(long[] shape, int inner) {
        long n = 1;
        for (int axis = inner; axis < shape.length; axis++) {
            n *= shape[axis];
        }
        return n;
    }

    private static long last(long[] strides, int inner) {
        return inner == strides.length ? 1 : strides[strides.length - 1];
    }

    /// `y = kernel(x)` over the marked axes; y is contiguous and has one element for each position of the
    /// others.
    ///
    /// The marked axes must lie in at most two evenly spaced runs ([#lanes]).
    static void reduction(Kernel.Reduction kernel, Tensor x, boolean[] reduced, Tensor y) {
        if (y.storage.shapeOnly() || y.size() == 0) {
            return;
        }
        long[] lanes = lanes(x.shape, x.strides, reduced);
        reduce(kernel, x, x.offset, reduced, 0, lanes, y, y.offset, y.size());
    }

    private static void reduce(
            Kernel.Reduction kernel,
            Tensor x,
            long x0,
            boolean[] reduced,
            int axis,
            long[] lanes,
            Tensor y,
            long y0,
            long outputs) {
        if (axis == reduced.length) {
            kernel.run(x.storage.segment(), x0, lanes[0], lanes[1], lanes[2], lanes[3], y.storage.segment(), y0);
        } else if (reduced[axis]) {
            reduce(kernel, x, x0, reduced, axis + 1, lanes, y, y0, outputs);
        } else {
            long below = outputs / x.shape[axis];
            for (long i = 0; i < x.shape[axis]; i++) {
                reduce(kernel, x, x0 + i * x.strides[axis], reduced, axis + 1, lanes, y, y0 + i * below, below);
            }
        }
    }

    /// The marked axes as `{count, stride, count, stride}`, outer run first, or null when they need more than
    /// two runs.
    static long[] lanes(long[] shape, long[] strides, boolean[] reduced) {
        long[] lanes = {1, 0, 1, 0};
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            if (!reduced[axis] || shape[axis] == 1) {
                continue;
            }
            if (lanes[2] == 1) {
                lanes[2] = shape[axis];
                lanes[3] = strides[axis];
            } else if (lanes[0] == 1 && strides[axis] == lanes[2] * lanes[3]) {
                lanes[2] *= shape[axis];
            } else if (lanes[0] == 1) {
                lanes[0] = shape[axis];
                lanes[1] = strides[axis];
            } else if (strides[axis] == lanes[0] * lanes[1]) {
                lanes[0] *= shape[axis];
            } else {
                return null;
            }
        }
        return lanes;
    }

    /// `y = a·b + beta·y` for matrices that BLAS can read where they lie; y is contiguous, beta 0 or 1.
    static void gemm(Tensor a, Tensor b, double beta, Tensor y) {
        if (y.storage.shapeOnly() || y.size() == 0) {
            return;
        }
        if (a.shape[1] == 0) {
            if (beta == 0) {
                whole(y).fill((byte) 0);
            }
            return;
        }
        if (y.shape[1] == 1) {
            gemv(a, b, 0, beta, y);
            return;
        }
        if (y.shape[0] == 1) {
            gemv(b, a, 1, beta, y);
            return;
        }
        boolean ta = Products.transposed(a);
        boolean tb = Products.transposed(b);
        CBlas.gemm(
                y.dtype == DType.FLOAT64,
                ta,
                tb,
                (int) y.shape[0],
                (int) y.shape[1],
                (int) a.shape[1],
                at(a),
                leading(a, ta),
                at(b),
                leading(b, tb),
                beta,
                whole(y),
                leading(y, false));
    }

    /// `y = A·x + beta·y` or `y = Aᵀ·x + beta·y`, `axis` being the axis of the matrix that the result runs
    /// along.
    private static void gemv(Tensor matrix, Tensor vector, int axis, double beta, Tensor y) {
        boolean transposed = Products.transposed(matrix);
        MemorySegment out = whole(y);
        if (beta == 0) {
            // y is a recycled block and may hold NaN; this does not rely on how a library reads beta = 0.
            out.fill((byte) 0);
        }
        CBlas.gemv(
                y.dtype == DType.FLOAT64,
                transposed != (axis == 1),
                (int) matrix.shape[transposed ? 1 : 0],
                (int) matrix.shape[transposed ? 0 : 1],
                at(matrix),
                leading(matrix, transposed),
                at(vector),
                (int) Math.max(1, vector.strides[axis]),
                beta,
                out);
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

    private static MemorySegment whole(Tensor contiguous) {
        int bytes = contiguous.dtype.bytes();
        return contiguous.storage.segment().asSlice(contiguous.offset * bytes, contiguous.size() * bytes);
    }

    private static MemorySegment at(Tensor t) {
        return t.storage.segment().asSlice(t.offset * t.dtype.bytes());
    }

    /// BLAS's leading dimension: the distance between rows of the matrix as it lies in memory.
    private static int leading(Tensor t, boolean transposed) {
        int row = transposed ? 1 : 0;
        long least = t.shape[1 - row];
        return (int) Math.max(1, t.shape[row] == 1 ? least : t.strides[row]);
    }
}
