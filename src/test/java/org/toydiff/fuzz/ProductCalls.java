package org.toydiff.fuzz;

import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.toydiff.Activation;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Calls of products, over every rank that they take, with the naive loop beside them.
final class ProductCalls {
    private ProductCalls() {}

    static List<Row> rows() {
        return List.of(
                new Row("matmul", 16, ProductCalls::matmul),
                new Row("linear", 10, ProductCalls::linear),
                new Row("fma", 6, ProductCalls::fma),
                new Row("scaledDotProductAttention", 4, ProductCalls::attention),
                new Row("einsum", 6, ProductCalls::einsum),
                new Row("crossEntropy", 4, ProductCalls::crossEntropy));
    }

    private static Dense sizes(Dense x) {
        return Reference.map(x, Math::abs);
    }

    /// A floating variable whose product is not too large.
    private static Held left(Machine m, Choice c) {
        return c.coin() ? m.floating(c, held -> held.size() <= 300) : m.fresh(c, c.floating(), c.shape(1 + c.below(4)));
    }

    /// A right operand for a: one that is there by chance, or a new one of any rank.
    private static Held right(Machine m, Choice c, Held a) {
        if (c.oneIn(12)) {
            return m.floating(c, held -> held.size() <= 300);
        }
        long inner = a.rank() == 0 ? 1 : a.shape()[a.rank() - 1];
        if (c.oneIn(5)) {
            return m.fresh(c, a.dtype(), inner);
        }
        long[] leading = a.rank() <= 2
                ? c.shape(c.of(0, 0, 1, 2))
                : c.oneIn(3) ? new long[0] : c.shrunk(Arrays.copyOf(a.shape(), a.rank() - 2));
        long[] shape = Arrays.copyOf(leading, leading.length + 2);
        shape[leading.length] = inner;
        shape[leading.length + 1] = c.size();
        return m.fresh(c, a.dtype(), shape);
    }

    private static boolean tooLarge(Held a, Held b) {
        return (long) a.size() * b.size() > 200_000;
    }

    private static void matmul(Machine m, Choice c) {
        Held a = left(m, c);
        Held b = right(m, c, a);
        if (tooLarge(a, b)) {
            return;
        }
        ElementCalls.attempt(m, c, a + ".matmul(" + b + ")", a, b)
                .expects(() -> {
                    ElementCalls.requireFloating(a, b);
                    return Reference.matmul(a.known, b.known);
                })
                .within(() -> Reference.matmul(sizes(a.known), sizes(b.known)))
                .gives(() -> a.tensor.matmul(b.tensor));
    }

    private static void einsum(Machine m, Choice c) {
        Held a = left(m, c);
        Held b = right(m, c, a);
        if (tooLarge(a, b) || broadcastsWithin(a, b)) {
            return;
        }
        ElementCalls.attempt(m, c, "Tensor.einsum(\"...ij,...jk\", " + a + ", " + b + ")", a, b)
                .expects(() -> {
                    ElementCalls.requireFloating(a, b);
                    Dense.require(a.rank() >= 2 && b.rank() >= 2);
                    return Reference.matmul(a.known, b.known);
                })
                .within(() -> Reference.matmul(sizes(a.known), sizes(b.known)))
                .gives(() -> Tensor.einsum("...ij,...jk", a.tensor, b.tensor));
    }

    /// Whether the inner axes differ and one is of size 1, which einsum broadcasts and matmul does not.
    private static boolean broadcastsWithin(Held a, Held b) {
        if (a.rank() < 2 || b.rank() < 2) {
            return false;
        }
        long inner = a.shape()[a.rank() - 1];
        long other = b.shape()[b.rank() - 2];
        return inner != other && (inner == 1 || other == 1);
    }

    private static void fma(Machine m, Choice c) {
        Held a = left(m, c);
        Held b = right(m, c, a);
        if (tooLarge(a, b)) {
            return;
        }
        Held addend = addend(m, c, a, b);
        ElementCalls.attempt(m, c, a + ".fma(" + b + ", " + addend + ")", a, b, addend)
                .expects(() -> {
                    ElementCalls.requireFloating(a, b, addend);
                    Dense product = Reference.matmul(a.known, b.known);
                    Dense sum = Reference.zip(product, addend.known, Double::sum);
                    Dense.require(Arrays.equals(sum.shape(), product.shape()));
                    return sum;
                })
                .within(() -> Reference.zip(
                        Reference.matmul(sizes(a.known), sizes(b.known)), sizes(addend.known), Double::sum))
                .gives(() -> a.tensor.fma(b.tensor, addend.tensor));
    }

    private static Held addend(Machine m, Choice c, Held a, Held b) {
        try {
            return m.fresh(
                    c, a.dtype(), c.shrunk(Reference.matmul(a.known, b.known).shape()));
        } catch (Dense.Misfit misfit) {
            return m.floating(c);
        }
    }

    private static void linear(Machine m, Choice c) {
        Held x = left(m, c);
        long in = x.rank() == 0 ? 1 : x.shape()[x.rank() - 1];
        long out = c.size();
        Held weight = c.oneIn(15) ? right(m, c, x) : m.fresh(c, x.dtype(), out, in);
        Held bias = c.oneIn(4) ? null : m.fresh(c, x.dtype(), c.oneIn(15) ? c.size() : out);
        if (tooLarge(x, weight)) {
            return;
        }
        Held[] operands = bias == null ? new Held[] {x, weight} : new Held[] {x, weight, bias};
        Activation activation = c.of(null, null, Activation.RELU, Activation.TANH, Activation.SIGMOID);
        String text =
                x + ".linear(" + weight + ", " + bias + (activation == null ? "" : ", Activation." + activation) + ")";
        Tensor b = bias == null ? null : bias.tensor;
        ElementCalls.attempt(m, c, text, operands)
                .expects(() -> {
                    ElementCalls.requireFloating(operands);
                    Dense y = Reference.linear(x.known, weight.known, bias == null ? null : bias.known);
                    return activation == null ? y : Reference.map(y, of(activation));
                })
                .within(() -> Reference.map(
                        Reference.linear(sizes(x.known), sizes(weight.known), bias == null ? null : sizes(bias.known)),
                        size -> activation == null ? size : 1 + size))
                .gives(() -> activation == null
                        ? x.tensor.linear(weight.tensor, b)
                        : x.tensor.linear(weight.tensor, b, activation));
    }

    private static DoubleUnaryOperator of(Activation activation) {
        return switch (activation) {
            case RELU -> y -> y < 0 ? 0 : y;
            case TANH -> Math::tanh;
            case SIGMOID -> y -> 1 / (1 + Math.exp(-y));
        };
    }

    /// Keys and values of leading axes that broadcast, and now and then of sizes that do not fit.
    private static void attention(Machine m, Choice c) {
        Held q = left(m, c);
        long columns = q.rank() == 0 || c.oneIn(15) ? c.size() : q.shape()[q.rank() - 1];
        long keys = c.size();
        Held k = m.fresh(c, q.dtype(), matrices(c, q, keys, columns));
        Held v = m.fresh(c, q.dtype(), matrices(c, q, c.oneIn(15) ? c.size() : keys, c.size()));
        if (tooLarge(q, k) || tooLarge(q, v)) {
            return;
        }
        boolean causal = c.coin();
        ElementCalls.attempt(
                        m, c, q + ".scaledDotProductAttention(" + k + ", " + v + ", null, " + causal + ")", q, k, v)
                .expects(() -> {
                    ElementCalls.requireFloating(q, k, v);
                    Dense.require(q.rank() >= 2 && k.rank() >= 2 && v.rank() >= 2 && columns > 0);
                    Dense.require(columns == q.shape()[q.rank() - 1]);
                    Dense.require(k.shape()[k.rank() - 2] == v.shape()[v.rank() - 2]);
                    Reference.broadcast(leading(q), Reference.broadcast(leading(k), leading(v)));
                    return null;
                })
                .gives(() -> q.tensor.scaledDotProductAttention(k.tensor, v.tensor, null, causal));
    }

    private static long[] leading(Held x) {
        return Arrays.copyOf(x.shape(), Math.max(0, x.rank() - 2));
    }

    private static long[] matrices(Choice c, Held beside, long rows, long columns) {
        long[] axes = c.shrunk(leading(beside));
        long[] shape = Arrays.copyOf(axes, axes.length + 2);
        shape[axes.length] = rows;
        shape[axes.length + 1] = columns;
        return shape;
    }

    private static void crossEntropy(Machine m, Choice c) {
        Held logits = m.fresh(c, c.floating(), c.shape(c.oneIn(15) ? 3 : 2));
        if (logits.rank() < 2) {
            return;
        }
        long classes = logits.shape()[1];
        double[] labels = new double[(int) (c.oneIn(15) ? c.size() : logits.shape()[0])];
        boolean beyond = classes == 0 || c.oneIn(15);
        boolean ignores = c.oneIn(3);
        long ignored = c.below((int) classes + 1);
        Arrays.setAll(labels, i -> c.below((int) classes + (beyond ? 1 : 0)));
        Held target = m.of(c, c.of(DType.INT32, DType.INT64), labels, labels.length);
        new Attempt(m, c, logits + ".crossEntropy(" + target + (ignores ? ", " + ignored : "") + ")")
                .reads(logits, target)
                .expects(() -> {
                    Dense.require(logits.rank() == 2 && labels.length == logits.shape()[0]);
                    for (double label : labels) {
                        Dense.require(label < classes || ignores && label == ignored);
                    }
                    return null;
                })
                .gives(() -> ignores
                        ? logits.tensor.crossEntropy(target.tensor, (int) ignored)
                        : logits.tensor.crossEntropy(target.tensor));
    }
}
