package org.toydiff;

import static org.toydiff.Rule.readsNothing;
import static org.toydiff.Rule.readsOther;

import java.util.Arrays;
import org.toydiff.internal.blas.CBlas;

/// Matrix products: shapes as in NumPy, arithmetic by BLAS.
///
/// BLAS reads a matrix whose rows or whose columns are contiguous; anything else is copied first, and the
/// copy freed right after.
final class Products {
    private Products() {}

    static Tensor matmul(Tensor a, Tensor b) {
        a.requireOperand("matmul", b);
        if (a.rank() == 0 || b.rank() == 0) {
            throw new IllegalArgumentException("matmul: " + Shape.text(a.shape) + " and " + Shape.text(b.shape)
                    + " do not multiply (a scalar has no axes; use multiply)");
        }
        requireInner("matmul", a, b);
        if (a.rank() == 1) {
            return b.rank() == 1 ? dot(a, b) : vectorMatrix(a, b);
        }
        return b.rank() == 1 ? matrixVector(a, b) : matrices(a, b);
    }

    /// `a·b + c`, c broadcast to the product's shape: the product is accumulated onto c by BLAS.
    static Tensor fma(Tensor a, Tensor b, Tensor c) {
        a.requireOperand("fma", b);
        a.requireOperand("fma", c);
        if (a.rank() < 2 || b.rank() < 2) {
            return matmul(a, b).add(c);
        }
        requireInner("fma", a, b);
        long[] shape = shape("fma", a, b);
        if (!Shape.broadcasts(c.shape, shape)) {
            throw new IllegalArgumentException("fma: c " + Shape.text(c.shape) + " does not broadcast to the product "
                    + Shape.text(shape) + " of " + Shape.text(a.shape) + " and " + Shape.text(b.shape));
        }
        boolean recorded = Tensor.recorded(a, b, c);
        Tensor y = Tensor.make("fma", a.dtype, shape, recorded);
        Launch.unary(Families.copy(a.dtype), c, y);
        multiply(a, b, 1, y);
        return recorded ? y.record("fma", null, rules(a, b, readsNothing(g -> g)), a, b, c) : y;
    }

    /// For a rule's last product: `a·b`, added by BLAS onto the gradient that it contributes to when the
    /// engine offers one.
    static Tensor accumulate(Tensor a, Tensor b) {
        Backward backward = Scope.current().backward;
        if (backward != null && a.rank() == 2 && b.rank() == 2) {
            Tensor into = backward.takeOffer(a.dtype, a.shape[0], b.shape[1]);
            if (into != null) {
                multiply(a, b, backward.offerBeta(), into);
                return into;
            }
        }
        return matmul(a, b);
    }

    private static Tensor matrices(Tensor a, Tensor b) {
        boolean recorded = Tensor.recorded(a, b);
        Tensor y = Tensor.make("matmul", a.dtype, shape("matmul", a, b), recorded);
        multiply(a, b, 0, y);
        return recorded ? y.record("matmul", null, rules(a, b), a, b) : y;
    }

    private static Rule[] rules(Tensor a, Tensor b, Rule... more) {
        Rule toA = readsOther((g, other) -> accumulate(g, other.swapped()));
        // One matrix used by a whole batch: its gradient is one product over all rows, not a batch of products
        // to be summed.
        Rule toB = b.rank() == 2 && a.rank() > 2
                ? readsOther((g, other) -> accumulate(rows(other).swapped(), rows(g)))
                : readsOther((g, other) -> accumulate(other.swapped(), g));
        Rule[] rules = Arrays.copyOf(new Rule[] {toA, toB}, 2 + more.length);
        System.arraycopy(more, 0, rules, 2, more.length);
        return rules;
    }

    private static Tensor dot(Tensor a, Tensor b) {
        boolean recorded = Tensor.recorded(a, b);
        Tensor y = Tensor.make("matmul", a.dtype, Shape.SCALAR, recorded);
        requireSizes("matmul", a, b);
        Tensor x = spaced(a);
        Tensor z = spaced(b);
        if (!y.storage.shapeOnly()) {
            CBlas.require();
        }
        Launch.dot(x, z, y);
        free(x, a);
        free(z, b);
        Rule rule = readsOther((g, other) -> g.multiply(other));
        return recorded ? y.record("matmul", null, new Rule[] {rule, rule}, a, b) : y;
    }

    private static Tensor matrixVector(Tensor a, Tensor b) {
        boolean recorded = Tensor.recorded(a, b);
        Tensor y = Tensor.make("matmul", a.dtype, Arrays.copyOf(a.shape, a.rank() - 1), recorded);
        multiply(a, b.inserted(1), 0, y.inserted(y.rank()));
        Rule toA = readsOther((g, x) -> g.inserted(g.rank()).multiply(x));
        Rule toB = readsOther((g, matrix) -> rows(matrix).swapped().matmul(g.reshape(g.size())));
        return recorded ? y.record("matmul", null, new Rule[] {toA, toB}, a, b) : y;
    }

    private static Tensor vectorMatrix(Tensor a, Tensor b) {
        boolean recorded = Tensor.recorded(a, b);
        long[] shape = Arrays.copyOf(b.shape, b.rank() - 1);
        shape[b.rank() - 2] = b.shape[b.rank() - 1];
        Tensor y = Tensor.make("matmul", a.dtype, shape, recorded);
        multiply(a.inserted(0), b, 0, y.inserted(y.rank() - 1));
        Rule toA = readsOther((g, matrix) -> matrix.matmul(g.inserted(g.rank())).squeezed());
        Rule toB = readsOther((g, x) -> x.inserted(1).multiply(g.inserted(g.rank() - 1)));
        return recorded ? y.record("matmul", null, new Rule[] {toA, toB}, a, b) : y;
    }

    /// All leading axes as one.
    private static Tensor rows(Tensor t) {
        return t.reshape(count(t), t.shape[t.rank() - 1]);
    }

    private static long[] shape(String op, Tensor a, Tensor b) {
        long[] leadingA = Arrays.copyOf(a.shape, a.rank() - 2);
        long[] leadingB = Arrays.copyOf(b.shape, b.rank() - 2);
        long[] leading;
        try {
            leading = Shape.broadcast(op, leadingA, leadingB);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(op + ": the leading axes of " + Shape.text(a.shape) + " and "
                    + Shape.text(b.shape) + " do not broadcast (" + Shape.text(leadingA) + " and "
                    + Shape.text(leadingB) + ")");
        }
        long[] shape = Arrays.copyOf(leading, leading.length + 2);
        shape[leading.length] = a.shape[a.rank() - 2];
        shape[leading.length + 1] = b.shape[b.rank() - 1];
        return shape;
    }

    private static void requireInner(String op, Tensor a, Tensor b) {
        long m = a.shape[a.rank() - 1];
        long n = b.shape[Math.max(0, b.rank() - 2)];
        if (m != n) {
            throw new IllegalArgumentException(op + ": " + Shape.text(a.shape) + " and " + Shape.text(b.shape)
                    + " do not multiply (inner sizes " + m + " and " + n + ")");
        }
    }

    /// `y = a·b + beta·y` over broadcast leading axes.
    private static void multiply(Tensor a, Tensor b, double beta, Tensor y) {
        requireSizes("matmul", a, b);
        Tensor x = readable(a);
        Tensor z = readable(b);
        if (!y.storage.shapeOnly()) {
            CBlas.require();
            if (z.rank() == 2 && x.rank() > 2 && x.isContiguous()) {
                Launch.gemm(flat(x), z, beta, flat(y));
            } else {
                batch(x, z, beta, y);
            }
        }
        free(x, a);
        free(z, b);
    }

    private static void batch(Tensor a, Tensor b, double beta, Tensor y) {
        if (y.rank() == 2) {
            Launch.gemm(a, b, beta, y);
            return;
        }
        int rank = y.rank();
        for (long i = 0; i < y.shape[0]; i++) {
            batch(entry(a, i, rank), entry(b, i, rank), beta, entry(y, i, rank));
        }
    }

    /// Entry i along the leading axis of a tensor that has one, else the tensor itself: what broadcasting sees
    /// there.
    private static Tensor entry(Tensor t, long i, int rank) {
        return t.rank() < rank ? t : t.entry(t.shape[0] == 1 ? 0 : i);
    }

    private static Tensor flat(Tensor t) {
        long[] shape = {count(t), t.shape[t.rank() - 1]};
        return t.view(t.offset, shape, Shape.strides(shape));
    }

    private static long count(Tensor t) {
        return Shape.size(Arrays.copyOf(t.shape, t.rank() - 1));
    }

    /// The tensor, or a copy when BLAS cannot read its matrices where they lie.
    private static Tensor readable(Tensor t) {
        int rank = t.rank();
        long rows = t.shape[rank - 2];
        long columns = t.shape[rank - 1];
        long down = t.strides[rank - 2];
        long across = t.strides[rank - 1];
        return plain(rows, columns, down, across) || plain(columns, rows, across, down) ? t : copy(t);
    }

    private static Tensor spaced(Tensor vector) {
        long stride = vector.strides[0];
        return vector.size() <= 1 || (stride > 0 && stride <= Integer.MAX_VALUE) ? vector : copy(vector);
    }

    private static Tensor copy(Tensor t) {
        Tensor copy = Tensor.make("matmul", t.dtype, t.shape, true);
        Launch.unary(Families.copy(t.dtype), t, copy);
        return copy;
    }

    private static void free(Tensor used, Tensor given) {
        if (used != given) {
            used.storage.disposable = true;
            used.storage.freeIfUnused("matmul", 0);
        }
    }

    private static boolean plain(long rows, long columns, long down, long across) {
        return (columns == 1 || across == 1)
                && (rows == 1 || (down >= Math.max(1, columns) && down <= Integer.MAX_VALUE));
    }

    /// Whether BLAS is to read a matrix with its rows and columns exchanged.
    static boolean transposed(Tensor matrix) {
        return !plain(matrix.shape[0], matrix.shape[1], matrix.strides[0], matrix.strides[1]);
    }

    /// BLAS's leading dimension: the distance between rows of the matrix as it lies in memory.
    static int leading(Tensor t, boolean transposed) {
        int row = transposed ? 1 : 0;
        long least = t.shape[1 - row];
        return (int) Math.max(1, t.shape[row] == 1 ? least : t.strides[row]);
    }

    private static void requireSizes(String op, Tensor a, Tensor b) {
        for (Tensor t : new Tensor[] {a, b}) {
            for (long n : t.shape) {
                if (n > Integer.MAX_VALUE) {
                    throw new IllegalArgumentException(op + ": " + Shape.text(a.shape) + " and " + Shape.text(b.shape)
                            + " have an axis longer than 2^31 - 1, which is what BLAS counts to; slice it");
                }
            }
        }
    }
}
