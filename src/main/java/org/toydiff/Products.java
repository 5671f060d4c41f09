package org.toydiff;

import static org.toydiff.Rule.multipliesOther;
import static org.toydiff.Rule.readsNothing;

import java.util.Arrays;
import org.toydiff.Rule.Destination;
import org.toydiff.internal.blas.CBlas;
import org.toydiff.internal.launch.MatrixLayout;
import org.toydiff.internal.launch.Shape;

/// Launches the products of [ProductOps], and puts a gradient rule's product where the engine wants it.
///
/// BLAS reads a matrix whose rows or whose columns are contiguous; any other one is copied first, and the copy freed
/// right after.
final class Products {
    /// The shape and the strides of a matrix of one element.
    private static final long[] ONE = {1, 1};

    private Products() {}

    /// `x·weightᵀ + bias`, each tile of it through the activation: two nodes that share one block, because no rule
    /// reads the activation's input. `bias` and `activation` may be null. Backward reads `kept`, which is x or what x
    /// was cast from.
    static Tensor linear(Tensor x, Tensor kept, Tensor weight, Tensor bias, Activation activation) {
        boolean recorded = bias == null ? Tensor.recorded(x, weight) : Tensor.recorded(x, weight, bias);
        Tensor transposed = weight.matrixTranspose();
        Tensor y = Tensor.make("linear", x.dtype, shape("linear", x, transposed), recorded);
        multiplyThen(bias, activation, x, transposed, y);
        if (recorded) {
            Rule[] rules = bias == null ? LINEAR : LINEAR_WITH_BIAS;
            Tensor[] inputs = bias == null ? new Tensor[] {kept, weight} : new Tensor[] {kept, weight, bias};
            y.record("linear", null, rules, inputs);
        }
        if (activation == null) {
            return y;
        }
        Tensor activated = y.view();
        return recorded ? activated.record(activation.op, null, activation.rules, y) : activated;
    }

    private static final Rule[] LINEAR = {
        multipliesOther((g, weight, to) -> product(g, weight, to)),
        multipliesOther((g, kept, to) -> weightGradient(g, kept.cast(g.dtype), to))
    };

    private static Tensor weightGradient(Tensor g, Tensor x, Destination to) {
        return x.rank() == 2 ? productOfSwapped(g, x, to) : productOfSwapped(rows(g), rows(x), to);
    }

    private static final Rule[] LINEAR_WITH_BIAS = {LINEAR[0], LINEAR[1], readsNothing(g -> g)};

    /// A rule's last product, `a·b`: put through an activation's gradient over that activation's output, or added by
    /// BLAS onto the gradient that it contributes to, where `to` has room for one of the two.
    static Tensor product(Tensor a, Tensor b, Destination to) {
        if (a.rank() == 2 && b.rank() == 2) {
            Tensor over = to.over(a.dtype, a.shape[0], b.shape[1]);
            if (over != null) {
                multiplyThrough(to.activation(), a, b, over);
                return over;
            }
            if (to.precedesActivation(a.dtype, a.shape[0], b.shape[1])) {
                return multiplyBefore(to.activation(), a, b);
            }
            double beta = to.beta();
            Tensor onto = to.gradient(a.dtype, a.shape[0], b.shape[1]);
            if (onto != null) {
                multiply(a, b, beta, onto);
                return onto;
            }
        }
        return a.matmul(b);
    }

    /// As [#product], of `aᵀ·b`.
    private static Tensor productOfSwapped(Tensor a, Tensor b, Destination to) {
        double beta = to.beta();
        Tensor onto = !isReadable(a) || !isReadable(b) ? null : to.gradient(a.dtype, a.shape[1], b.shape[1]);
        if (onto == null) {
            return product(a.transposeLast(), b, to);
        }
        requireSizes("matmul", a, b);
        if (!onto.storage.isAbstract() && onto.size() > 0) {
            CBlas.require();
            ProductLaunch.productOfSwapped(a, b, beta, onto);
        }
        return onto;
    }

    /// All leading axes as one.
    static Tensor rows(Tensor t) {
        return t.reshape(count(t), t.shape[t.rank() - 1]);
    }

    static long[] shape(String op, Tensor a, Tensor b) {
        if (a.rank() == 2 && b.rank() == 2) {
            return new long[] {a.shape[0], b.shape[1]};
        }
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

    /// `y = activation(a·b + bias)`, the last two of which may be null.
    private static void multiplyThen(Tensor bias, Activation activation, Tensor a, Tensor b, Tensor y) {
        ProductLaunch.beginThen(bias, activation, y);
        try {
            multiply(a, b, 0, y);
        } finally {
            ProductLaunch.endThen();
        }
    }

    /// The gradient `a·b` through an activation, over its output y.
    private static void multiplyThrough(Activation activation, Tensor a, Tensor b, Tensor y) {
        ProductLaunch.beginThrough(activation, y);
        try {
            multiply(a, b, 0, y);
        } finally {
            ProductLaunch.endThen();
        }
    }

    /// A new tensor `a·b`, from which an activation's gradient gives the bits of [#multiplyThrough].
    private static Tensor multiplyBefore(Activation activation, Tensor a, Tensor b) {
        Tensor y = Tensor.make("matmul", a.dtype, shape("matmul", a, b), true);
        ProductLaunch.beginBeforeGradient(activation);
        try {
            multiply(a, b, 0, y);
        } finally {
            ProductLaunch.endThen();
        }
        return y;
    }

    /// `y = a·b + beta·y` over broadcast leading axes.
    static void multiply(Tensor a, Tensor b, double beta, Tensor y) {
        requireSizes("matmul", a, b);
        Tensor x = readable(a);
        Tensor z = readable(b);
        if (!y.storage.isAbstract() && y.size() > 0) {
            CBlas.require();
            if (z.rank() == 2 && x.rank() > 2 && x.isContiguous()) {
                ProductLaunch.product(flat(x), z, beta, flat(y));
            } else {
                batch(x, z, beta, y);
            }
        }
        x.freeCopyOf(a, "matmul");
        z.freeCopyOf(b, "matmul");
    }

    /// `y = Σ a·b` of two vectors.
    static void dot(Tensor a, Tensor b, Tensor y) {
        requireSizes("matmul", a, b);
        long k = a.size();
        Tensor row = a.view(a.offset, new long[] {1, k}, new long[] {0, a.strides[0]});
        Tensor column = b.view(b.offset, new long[] {k, 1}, new long[] {b.strides[0], 0});
        multiply(row, column, 0, y.view(y.offset, ONE, ONE));
    }

    /// One launch for all leading axes, along which a and b are stretched in place.
    private static void batch(Tensor a, Tensor b, double beta, Tensor y) {
        int leading = y.rank() - 2;
        if (leading == 0) {
            ProductLaunch.product(a, b, beta, y);
            return;
        }
        long[] axes = Arrays.copyOf(y.shape, leading);
        ProductLaunch.products(
                matrix(a), leadingStrides(a, axes), matrix(b), leadingStrides(b, axes), beta, matrix(y), axes);
    }

    private static long[] leadingStrides(Tensor t, long[] axes) {
        int leading = t.rank() - 2;
        return Shape.stretched(Arrays.copyOf(t.shape, leading), Arrays.copyOf(t.strides, leading), axes);
    }

    /// The first of its matrices.
    private static Tensor matrix(Tensor t) {
        int rank = t.rank();
        return t.view(
                t.offset, Arrays.copyOfRange(t.shape, rank - 2, rank), Arrays.copyOfRange(t.strides, rank - 2, rank));
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
        return isReadable(t) ? t : t.contiguousCopy("matmul");
    }

    private static boolean isReadable(Tensor t) {
        return MatrixLayout.isReadable(t.shape, t.strides);
    }

    private static void requireSizes(String op, Tensor a, Tensor b) {
        if (hasLongAxis(a) || hasLongAxis(b)) {
            throw new IllegalArgumentException(op + ": " + Shape.text(a.shape) + " and " + Shape.text(b.shape)
                    + " have an axis longer than 2^31 - 1, and BLAS counts no further; slice it");
        }
    }

    private static boolean hasLongAxis(Tensor t) {
        for (long n : t.shape) {
            if (n > Integer.MAX_VALUE) {
                return true;
            }
        }
        return false;
    }
}
