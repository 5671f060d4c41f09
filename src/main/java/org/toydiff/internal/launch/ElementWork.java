package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// One elementwise op in progress: the layout of its operands, as a grid of rows and columns under outer axes, and
/// the division of the grid into parts.
///
/// Axes that are contiguous with each other in every operand are merged, so contiguous operands are one row whatever
/// their rank, and a bias added to a matrix is a grid whose second operand repeats its row. One object per thread,
/// reused for every op: launching an op allocates nothing.
public final class ElementWork extends Work {
    /// Elements per part; anything smaller stays on the calling thread. An addition takes some 10 µs for them,
    /// several times the cost of handing a part over.
    private static final long PART = 1 << 15;

    private Kernel.Unary unary;
    private Kernel.Binary binary;
    private boolean inOrder;
    private MemorySegment a;
    private MemorySegment b;
    private MemorySegment y;

    // The grid: its sizes, and each operand's strides between rows and between columns.
    private long n1;
    private long n2;
    private long ai;
    private long aj;
    private long bi;
    private long bj;
    private long yi;
    private long yj;

    // The grid's start in each operand, and the size of a part.
    private long a0;
    private long b0;
    private long y0;
    private long rows;
    private long columns;
    private long across;

    /// Computes `y = kernel(x)` over a shape. Offsets and strides are in elements; the strides of x are those under
    /// which it reads as that shape.
    public void run(
            Kernel.Unary kernel,
            MemorySegment x,
            long xAt,
            long[] xs,
            MemorySegment y,
            long yAt,
            long[] ys,
            long[] shape) {
        unary = kernel;
        binary = null;
        a = x;
        b = x;
        this.y = y;
        int outer = plan(shape, ys, xs, xs);
        walk(shape, ys, xs, xs, 0, outer, xAt, xAt, yAt);
        forget();
    }

    /// Computes `y = kernel(a, b)` over a shape. Offsets and strides are in elements; the strides of a and b are
    /// those under which they read as that shape.
    public void run(
            Kernel.Binary kernel,
            MemorySegment a,
            long aAt,
            long[] as,
            MemorySegment b,
            long bAt,
            long[] bs,
            MemorySegment y,
            long yAt,
            long[] ys,
            long[] shape) {
        unary = null;
        binary = kernel;
        this.a = a;
        this.b = b;
        this.y = y;
        int outer = plan(shape, ys, as, bs);
        walk(shape, ys, as, bs, 0, outer, aAt, bAt, yAt);
        forget();
    }

    /// As the other, on the calling thread alone and in row-major order: for a kernel that writes some elements more
    /// than once.
    public void runInOrder(
            Kernel.Binary kernel,
            MemorySegment a,
            long aAt,
            long[] as,
            MemorySegment b,
            long bAt,
            long[] bs,
            MemorySegment y,
            long yAt,
            long[] ys,
            long[] shape) {
        inOrder = true;
        try {
            run(kernel, a, aAt, as, b, bAt, bs, y, yAt, ys, shape);
        } finally {
            inOrder = false;
        }
    }

    private void forget() {
        a = null;
        b = null;
        y = null;
    }

    /// Merges the innermost axes into columns and the next ones into rows.
    ///
    /// @return the number of axes left outside the grid
    private int plan(long[] shape, long[] ys, long[] as, long[] bs) {
        int axis = skipOnes(shape, shape.length);
        n1 = 1;
        ai = bi = yi = 0;
        n2 = 1;
        aj = bj = yj = 1;
        if (axis > 0) {
            axis--;
            n2 = shape[axis];
            aj = as[axis];
            bj = bs[axis];
            yj = ys[axis];
            for (axis = skipOnes(shape, axis);
                    axis > 0 && follows(ys, axis, n2 * yj) && follows(as, axis, n2 * aj) && follows(bs, axis, n2 * bj);
                    axis = skipOnes(shape, axis - 1)) {
                n2 *= shape[axis - 1];
            }
        }
        if (axis > 0) {
            axis--;
            n1 = shape[axis];
            ai = as[axis];
            bi = bs[axis];
            yi = ys[axis];
            for (axis = skipOnes(shape, axis);
                    axis > 0 && follows(ys, axis, n1 * yi) && follows(as, axis, n1 * ai) && follows(bs, axis, n1 * bi);
                    axis = skipOnes(shape, axis - 1)) {
                n1 *= shape[axis - 1];
            }
        }
        columns = Math.min(n2, PART);
        rows = Math.max(1, PART / columns);
        across = parts(n2, columns);
        return axis;
    }

    private static int skipOnes(long[] shape, int axis) {
        int at = axis;
        while (at > 0 && shape[at - 1] == 1) {
            at--;
        }
        return at;
    }

    private static boolean follows(long[] strides, int axis, long stride) {
        return strides[axis - 1] == stride;
    }

    private void walk(
            long[] shape, long[] ys, long[] as, long[] bs, int axis, int outer, long aAt, long bAt, long yAt) {
        if (axis < outer) {
            for (long i = 0; i < shape[axis]; i++) {
                walk(shape, ys, as, bs, axis + 1, outer, aAt + i * as[axis], bAt + i * bs[axis], yAt + i * ys[axis]);
            }
            return;
        }
        a0 = aAt;
        b0 = bAt;
        y0 = yAt;
        if (inOrder || n1 * n2 <= PART) {
            run(0, 0, n1, n2);
        } else {
            Workers.run(this, parts(n1, rows) * across);
        }
    }

    @Override
    protected void part(long index) {
        long i = index / across * rows;
        long j = index % across * columns;
        run(i, j, Math.min(rows, n1 - i), Math.min(columns, n2 - j));
    }

    private void run(long i, long j, long height, long width) {
        long aAt = a0 + i * ai + j * aj;
        long yAt = y0 + i * yi + j * yj;
        if (unary != null) {
            unary.run(a, aAt, ai, aj, y, yAt, yi, yj, height, width);
        } else {
            binary.run(a, aAt, ai, aj, b, b0 + i * bi + j * bj, bi, bj, y, yAt, yi, yj, height, width);
        }
    }
}
