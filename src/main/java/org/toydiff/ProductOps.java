package org.toydiff;

import static org.toydiff.Rule.multipliesOther;
import static org.toydiff.Rule.readsNothing;
import static org.toydiff.Rule.readsOther;

import java.util.Arrays;
import java.util.Objects;
import org.toydiff.internal.launch.Shape;

/// The matrix products of [Tensor]: shapes as in NumPy, arithmetic by BLAS.
public sealed interface ProductOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// `y = this·b + c`, one pass of BLAS that accumulates onto c; gradients as [#matmul(Tensor)], and `g` to
    /// c.
    ///
    /// @param b a matrix, or a batch of them
    /// @param c a tensor that broadcasts to the product's shape
    /// @return a new tensor
    /// @throws IllegalArgumentException if the inner sizes differ, or c does not broadcast to the product
    default Tensor fma(Tensor b, Tensor c) {
        return fma(Autocast.toBfloat16(self()), Autocast.toBfloat16(b), Autocast.toBfloat16(c));
    }

    private static Tensor fma(Tensor a, Tensor b, Tensor c) {
        a.requireOperand("fma", b);
        a.requireOperand("fma", c);
        if (a.rank() < 2 || b.rank() < 2) {
            return a.matmul(b).add(c);
        }
        requireInner("fma", a, b);
        long[] shape = Products.shape("fma", a, b);
        if (!Shape.broadcasts(c.shape, shape)) {
            throw new IllegalArgumentException("fma: c " + Shape.text(c.shape) + " does not broadcast to the product "
                    + Shape.text(shape) + " of " + Shape.text(a.shape) + " and " + Shape.text(b.shape));
        }
        boolean recorded = Tensor.recorded(a, b, c);
        Tensor y = Tensor.make("fma", a.dtype, shape, recorded);
        Launch.unary(Families.copy(a.dtype), c, y);
        Products.multiply(a, b, 1, y);
        return recorded ? y.record("fma", null, rules(a, b, readsNothing(g -> g)), a, b, c) : y;
    }

    /// Matrix product `y = this·b`.
    ///
    /// **Shapes** `[…,m,k] · […,k,n] → […,m,n]`; leading axes broadcast. A 1-D operand is a row before and a column
    /// after, and its axis is dropped, as in NumPy: `[k] · [k] → []`.
    /// **Gradient** `g·bᵀ` to this, `thisᵀ·g` to b.
    /// **Memory** a new tensor in the innermost arena; an operand whose rows and columns are both spaced is
    /// copied for the call.
    /// **Accuracy** a long inner axis is summed in up to 8 chunks, or 64 where an operand is a vector, which are added
    /// in a fixed tree: the bits are the same for any number of threads.
    ///
    /// @param b the right operand, of the same dtype
    /// @return a new tensor
    /// @throws IllegalArgumentException if the inner sizes differ, or the leading axes do not broadcast
    default Tensor matmul(Tensor b) {
        return matmul(Autocast.toBfloat16(self()), Autocast.toBfloat16(b));
    }

    private static Tensor matmul(Tensor a, Tensor b) {
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

    /// Linear layer `y = this·weightᵀ + bias`, as PyTorch's.
    ///
    /// **Shapes** `[…,in] · [out,in] + [out] → […,out]`; a vector `[in]` is one example.
    /// **Gradient** `g·weight` to this, `gᵀ·this` to weight, the sum of g's rows to bias.
    /// **Memory** a new tensor in the innermost arena; the bias is added to each tile of the product while that is
    /// in the cache.
    ///
    /// @param weight the weight, of the same dtype
    /// @param bias the bias, of the same dtype, or null for none
    /// @return a new tensor
    /// @throws IllegalArgumentException if the shapes do not fit
    default Tensor linear(Tensor weight, Tensor bias) {
        return linear(self(), weight, bias, null);
    }

    /// [#linear(Tensor, Tensor)] and an activation of it in the same pass: the activation's input is never stored.
    /// Gradients are those of the two ops one after the other.
    ///
    /// @param weight the weight, of the same dtype
    /// @param bias the bias, of the same dtype, or null for none
    /// @param activation the activation of the result
    /// @return a new tensor
    /// @throws IllegalArgumentException if the shapes do not fit
    default Tensor linear(Tensor weight, Tensor bias, Activation activation) {
        return linear(self(), weight, bias, Objects.requireNonNull(activation, "activation"));
    }

    private static Tensor linear(Tensor x, Tensor weight, Tensor bias, Activation activation) {
        if (x.rank() == 1 && weight.rank() == 2 && x.shape[0] == weight.shape[1]) {
            return linear(x.reshape(1, x.shape[0]), weight, bias, activation).reshape(weight.shape[0]);
        }
        Tensor operand = Autocast.toBfloat16(x);
        Tensor matrix = Autocast.toBfloat16(weight);
        Tensor vector = bias == null ? null : Autocast.toBfloat16(bias);
        requireLinear(operand, matrix, vector);
        // An input outside of the graph stays where it is: backward casts it again, instead of keeping a second one.
        Tensor kept = operand == x || Tensor.recorded(x) ? operand : x;
        Tensor y = Products.linear(operand, kept, matrix, vector, activation);
        operand.freeCopyOf(kept, "linear");
        return y;
    }

    private static void requireLinear(Tensor x, Tensor weight, Tensor bias) {
        x.requireOperand("linear", weight);
        if (bias != null) {
            x.requireOperand("linear", bias);
        }
        boolean fits = weight.rank() == 2
                && x.rank() >= 2
                && x.shape[x.rank() - 1] == weight.shape[1]
                && (bias == null || (bias.rank() == 1 && bias.shape[0] == weight.shape[0]));
        if (!fits) {
            throw new IllegalArgumentException("linear: x " + Shape.text(x.shape) + ", weight "
                    + Shape.text(weight.shape) + (bias == null ? "" : " and bias " + Shape.text(bias.shape))
                    + " do not fit; they are [..., in], [out, in]" + (bias == null ? "" : " and [out]"));
        }
    }

    private static Tensor matrices(Tensor a, Tensor b) {
        boolean recorded = Tensor.recorded(a, b);
        Tensor y = Tensor.make("matmul", a.dtype, Products.shape("matmul", a, b), recorded);
        Products.multiply(a, b, 0, y);
        return recorded ? y.record("matmul", null, rules(a, b), a, b) : y;
    }

    private static Rule[] rules(Tensor a, Tensor b, Rule... more) {
        Rule toA = multipliesOther((g, other, to) -> Products.product(g, other.transposeLast(), to));
        // One matrix used by a whole batch: its gradient is one product over all rows, not a batch of products
        // to be summed.
        Rule toB = b.rank() == 2 && a.rank() > 2
                ? multipliesOther(
                        (g, other, to) -> Products.product(Products.rows(other).transposeLast(), Products.rows(g), to))
                : multipliesOther((g, other, to) -> Products.product(other.transposeLast(), g, to));
        Rule[] rules = Arrays.copyOf(new Rule[] {toA, toB}, 2 + more.length);
        System.arraycopy(more, 0, rules, 2, more.length);
        return rules;
    }

    private static Tensor dot(Tensor a, Tensor b) {
        boolean recorded = Tensor.recorded(a, b);
        Tensor y = Tensor.make("matmul", a.dtype, Shape.SCALAR, recorded);
        Products.dot(a, b, y);
        Rule rule = readsOther((g, other) -> g.multiply(other));
        return recorded ? y.record("matmul", null, new Rule[] {rule, rule}, a, b) : y;
    }

    private static Tensor matrixVector(Tensor a, Tensor b) {
        boolean recorded = Tensor.recorded(a, b);
        Tensor y = Tensor.make("matmul", a.dtype, Arrays.copyOf(a.shape, a.rank() - 1), recorded);
        Products.multiply(a, b.unsqueeze(1), 0, y.unsqueeze(-1));
        Rule toA = readsOther((g, x) -> g.unsqueeze(-1).multiply(x));
        Rule toB =
                readsOther((g, matrix) -> Products.rows(matrix).transposeLast().matmul(g.reshape(g.size())));
        return recorded ? y.record("matmul", null, new Rule[] {toA, toB}, a, b) : y;
    }

    private static Tensor vectorMatrix(Tensor a, Tensor b) {
        boolean recorded = Tensor.recorded(a, b);
        long[] shape = Arrays.copyOf(b.shape, b.rank() - 1);
        shape[b.rank() - 2] = b.shape[b.rank() - 1];
        Tensor y = Tensor.make("matmul", a.dtype, shape, recorded);
        Products.multiply(a.unsqueeze(0), b, 0, y.unsqueeze(-2));
        Rule toA = readsOther((g, matrix) -> matrix.matmul(g.unsqueeze(-1)).squeeze(-1));
        Rule toB = readsOther((g, x) -> x.unsqueeze(1).multiply(g.unsqueeze(-2)));
        return recorded ? y.record("matmul", null, new Rule[] {toA, toB}, a, b) : y;
    }

    private static void requireInner(String op, Tensor a, Tensor b) {
        long m = a.shape[a.rank() - 1];
        long n = b.shape[Math.max(0, b.rank() - 2)];
        if (m != n) {
            throw new IllegalArgumentException(op + ": " + Shape.text(a.shape) + " and " + Shape.text(b.shape)
                    + " do not multiply (inner sizes " + m + " and " + n + ")");
        }
    }
}
