package org.toydiff;

import java.util.Arrays;
import java.util.Objects;
import org.toydiff.AttentionLaunch.Settings;
import org.toydiff.internal.launch.Shape;

/// Attention of a [Tensor], the queries.
public sealed interface AttentionOps permits Tensor {
    /// The keys that a query may see by its position: all, or as in PyTorch's
    /// `torch.nn.attention.bias.CausalVariant`.
    enum CausalVariant {
        /// All keys.
        NONE,

        /// Query i sees the keys up to i: the first query and the first key are at the same position. PyTorch's
        /// `is_causal`.
        UPPER_LEFT,

        /// The last query sees all keys, and each query before it one less: the last query and the last key are at the
        /// same position, as they are if the keys of earlier positions are cached.
        LOWER_RIGHT;

        /// The last key that query i sees is `i +` this.
        long diagonal(long queries, long keys) {
            return switch (this) {
                case NONE -> keys;
                case UPPER_LEFT -> 0;
                case LOWER_RIGHT -> keys - queries;
            };
        }
    }

    private Tensor self() {
        return (Tensor) this;
    }

    /// Scaled dot-product attention, `softmax(q·kᵀ/√E + mask)·v` of these queries: A. Vaswani et al., "Attention is
    /// all you need", 2017. This is the other method with a scale of `1/√E`, without dropout or grouped heads, and with
    /// [CausalVariant#UPPER_LEFT] if `causal`.
    ///
    /// @param key the keys, `[…,H,S,E]`
    /// @param value the values, `[…,H,S,V]`
    /// @param mask BOOL, true for a key that takes part, or terms added to the scores; null for none
    /// @param causal whether query i sees the keys up to i alone
    /// @return a new tensor `[…,H,L,V]`, for queries `[…,H,L,E]`
    /// @throws IllegalArgumentException if shapes or dtypes do not fit
    default Tensor scaledDotProductAttention(Tensor key, Tensor value, Tensor mask, boolean causal) {
        Tensor q = self();
        double scale = q.rank() == 0 ? 1 : 1 / Math.sqrt(q.shape[q.rank() - 1]);
        CausalVariant variant = causal ? CausalVariant.UPPER_LEFT : CausalVariant.NONE;
        return attention(q, key, value, mask, 0, variant, scale, false);
    }

    /// Scaled dot-product attention, `softmax(scale·q·kᵀ + mask)·v` of these queries, as PyTorch's
    /// `scaled_dot_product_attention`. A query that sees no key has zeros in the result and in its gradient.
    ///
    /// **Shapes** `[…,H,L,E]`, `[…,H,S,E]`, `[…,H,S,V] → […,H,L,V]`; leading axes broadcast, and there may be none.
    /// **Gradient** to all three; also to a mask of terms that tracks gradients, in which case the scores are formed.
    /// **Memory** a new tensor, laid out as the queries are, and one number for each of its rows, which backward reads:
    /// scores exist in blocks of 256 by 512 at most. Operands whose rows are contiguous are read where they lie, those
    /// of other layouts copied for the call. Second derivatives form the scores.
    /// **Dtypes** BFLOAT16 is computed in FLOAT32, from casts of the operands, and rounded once; an [Autocast] region
    /// casts the operands to BFLOAT16.
    /// **Accuracy** blocks are cut by shape alone: the bits are the same for any number of threads.
    ///
    /// @param key the keys, of the same dtype
    /// @param value the values, of the same dtype
    /// @param mask BOOL, true for a key that takes part, or terms added to the scores, of the dtype of the queries; it
    ///     broadcasts to `[…,H,L,S]`. Null for none
    /// @param dropout the probability of setting a probability to 0, the others being divided by 1 − p, as
    ///     [Tensor#dropout(double)] does
    /// @param causal which keys a query may see by its position; those that the mask leaves out are not seen either
    /// @param scale the factor of the scores
    /// @param enableGqa whether keys and values may have fewer heads, of which each serves as many successive heads of
    ///     queries: J. Ainslie et al., "GQA: training generalized multi-query transformer models", 2023
    /// @return a new tensor
    /// @throws IllegalArgumentException if shapes or dtypes do not fit, the queries have no columns, or the
    ///     dropout is not a probability
    default Tensor scaledDotProductAttention(
            Tensor key,
            Tensor value,
            Tensor mask,
            double dropout,
            CausalVariant causal,
            double scale,
            boolean enableGqa) {
        return attention(self(), key, value, mask, dropout, causal, scale, enableGqa);
    }

    /// The name of the op.
    private static String op() {
        return "scaledDotProductAttention";
    }

    /// The name of its gradient.
    private static String gradientOp() {
        return "scaledDotProductAttentionGradient";
    }

    private static Tensor attention(
            Tensor query,
            Tensor key,
            Tensor value,
            Tensor mask,
            double dropout,
            CausalVariant causal,
            double scale,
            boolean gqa) {
        Objects.requireNonNull(causal, "causal");
        Sampling.requireProbability(op(), dropout);
        Tensor q = Autocast.toBfloat16(query);
        Tensor k = Autocast.toBfloat16(key);
        Tensor v = Autocast.toBfloat16(value);
        q.requireOperand(op(), k);
        q.requireOperand(op(), v);
        long[] axes = leadingAxes(q, k, v, gqa);
        int group = gqa ? (int) (q.shape[q.rank() - 3] / k.shape[k.rank() - 3]) : 1;
        int rank = axes.length + 2;
        long queries = q.shape[q.rank() - 2];
        long keys = k.shape[k.rank() - 2];
        var settings = new Settings(
                group, causal.diagonal(queries, keys), scale, dropout == 0 ? null : Sampling.dropoutMask(dropout, q));
        long[] shared = axes.clone();
        if (gqa) {
            shared[rank - 3] /= group;
        }
        Tensor bias = mask == null ? null : stretchedMask(q, mask, axes, queries, keys);
        return attention(settings, stretched(q, axes), stretched(k, shared), stretched(v, shared), bias);
    }

    private static Tensor attention(Settings settings, Tensor q, Tensor k, Tensor v, Tensor mask) {
        if (q.dtype == DType.BFLOAT16) {
            boolean terms = mask != null && mask.dtype != DType.BOOL;
            Tensor wide = attention(
                    settings,
                    q.cast(DType.FLOAT32),
                    k.cast(DType.FLOAT32),
                    v.cast(DType.FLOAT32),
                    terms ? mask.cast(DType.FLOAT32) : mask);
            return wide.cast(DType.BFLOAT16);
        }
        if (mask != null && Tensor.recorded(mask)) {
            return grouped(
                    dropped(settings, probabilities(settings, q, k, mask)).matmul(perGroup(settings, v)), q, v);
        }
        boolean recorded = Tensor.recorded(q, k, v);
        Tensor y = laidOutAs(op(), q, v.shape[v.rank() - 1], recorded);
        Tensor sums = recorded ? Tensor.makeSaved("logSumExp", q.dtype, Arrays.copyOf(q.shape, q.rank() - 1)) : null;
        Tensor queries = readable(q);
        Tensor keys = readable(k);
        Tensor values = readable(v);
        AttentionLaunch.forward(settings, queries, keys, values, mask, y, sums);
        queries.freeCopyOf(q, op());
        keys.freeCopyOf(k, op());
        values.freeCopyOf(v, op());
        if (!recorded) {
            return y;
        }
        Tensor[] inputs = mask == null ? new Tensor[] {q, k, v, sums} : new Tensor[] {q, k, v, sums, mask};
        Rule rule = Rule.jointReadingOutput((g, in, out, wanted) -> gradients(settings, g, in, out, wanted));
        Rule[] rules = new Rule[inputs.length];
        Arrays.fill(rules, rule);
        return y.record(op(), null, rules, inputs);
    }

    // Checks.

    /// Returns the leading axes of the scores, or throws if the operands do not fit.
    private static long[] leadingAxes(Tensor q, Tensor k, Tensor v, boolean gqa) {
        int least = gqa ? 3 : 2;
        if (q.rank() < least || k.rank() < least || v.rank() < least) {
            throw unfit(q, k, v, gqa ? "with grouped heads all have at least 3 axes" : "all have at least 2 axes");
        }
        long columns = q.shape[q.rank() - 1];
        if (columns != k.shape[k.rank() - 1]) {
            throw unfit(q, k, v, "queries and keys differ in the last axis");
        }
        if (k.shape[k.rank() - 2] != v.shape[v.rank() - 2]) {
            throw unfit(q, k, v, "there is not one value for each key");
        }
        if (columns < 1) {
            throw unfit(q, k, v, "queries have no columns");
        }
        requireCountable(q, k, v);
        int ignored = gqa ? 3 : 2;
        long[] axes;
        try {
            long[] ofShared = Shape.broadcast(op(), leading(k, ignored), leading(v, ignored));
            axes = Shape.broadcast(op(), leading(q, ignored), ofShared);
        } catch (IllegalArgumentException e) {
            throw unfit(q, k, v, "the leading axes do not broadcast");
        }
        return gqa ? withHeads(q, k, v, axes) : axes;
    }

    private static long[] withHeads(Tensor q, Tensor k, Tensor v, long[] axes) {
        long heads = q.shape[q.rank() - 3];
        long shared = k.shape[k.rank() - 3];
        if (shared != v.shape[v.rank() - 3] || shared == 0 || heads == 0 || heads % shared != 0) {
            throw unfit(q, k, v, "the heads of queries are not a multiple of those of keys and values");
        }
        long[] all = Arrays.copyOf(axes, axes.length + 1);
        all[axes.length] = heads;
        return all;
    }

    private static void requireCountable(Tensor q, Tensor k, Tensor v) {
        for (Tensor t : new Tensor[] {q, k, v}) {
            if (Math.max(t.shape[t.rank() - 1], t.shape[t.rank() - 2]) > 1 << 30) {
                throw unfit(q, k, v, "an axis is longer than 2^30");
            }
        }
    }

    private static IllegalArgumentException unfit(Tensor q, Tensor k, Tensor v, String why) {
        return new IllegalArgumentException(op() + ": queries " + Shape.text(q.shape) + ", keys " + Shape.text(k.shape)
                + " and values " + Shape.text(v.shape) + " do not fit, [..., L, E], [..., S, E] and [..., S, V]: "
                + why);
    }

    private static long[] leading(Tensor t, int last) {
        return Arrays.copyOf(t.shape, t.rank() - last);
    }

    /// Returns the mask as a view of the shape of the scores.
    private static Tensor stretchedMask(Tensor q, Tensor given, long[] axes, long queries, long keys) {
        Tensor mask = Autocast.toBfloat16(given);
        mask.requireReadable(op());
        if (mask.dtype != DType.BOOL && mask.dtype != q.dtype) {
            throw new IllegalArgumentException(op() + ": the mask " + Shape.text(mask.shape) + " is " + mask.dtype
                    + "; cast it to BOOL, or to " + q.dtype + ", the dtype of the scores");
        }
        long[] scores = withLast(axes, queries, keys);
        if (!Shape.broadcasts(mask.shape, scores)) {
            throw new IllegalArgumentException(op() + ": the mask " + Shape.text(mask.shape)
                    + " does not broadcast to the scores " + Shape.text(scores));
        }
        return Arrays.equals(mask.shape, scores) ? mask : mask.stretchTo(scores);
    }

    // Layouts.

    private static long[] withLast(long[] axes, long rows, long columns) {
        long[] shape = Arrays.copyOf(axes, axes.length + 2);
        shape[axes.length] = rows;
        shape[axes.length + 1] = columns;
        return shape;
    }

    private static Tensor stretched(Tensor t, long[] axes) {
        long[] shape = withLast(axes, t.shape[t.rank() - 2], t.shape[t.rank() - 1]);
        return Arrays.equals(t.shape, shape) ? t : t.stretchTo(shape);
    }

    /// Returns the tensor, or a copy for the call where its rows are not contiguous.
    private static Tensor readable(Tensor t) {
        int rank = t.rank();
        long columns = t.shape[rank - 1];
        long down = t.strides[rank - 2];
        boolean rows = t.shape[rank - 2] <= 1 || (down >= columns && down <= Integer.MAX_VALUE);
        return rows && (columns == 1 || t.strides[rank - 1] == 1) ? t : t.contiguousCopy(op());
    }

    /// Returns a new tensor of x's shape but for the number of columns, whose axes follow each other in memory as those
    /// of x do: what is computed from a transposed view is transposed back without a copy.
    private static Tensor laidOutAs(String op, Tensor x, long columns, boolean recorded) {
        int rank = x.rank();
        int[] order = byStride(x);
        long[] shape = new long[rank];
        for (int i = 0; i < rank; i++) {
            shape[i] = order[i] == rank - 1 ? columns : x.shape[order[i]];
        }
        Tensor y = Tensor.make(op, x.dtype, shape, recorded);
        long[] sizes = new long[rank];
        long[] strides = new long[rank];
        boolean inOrder = true;
        for (int i = 0; i < rank; i++) {
            sizes[order[i]] = y.shape[i];
            strides[order[i]] = y.strides[i];
            inOrder &= order[i] == i;
        }
        return inOrder ? y : y.view(y.offset, sizes, strides);
    }

    /// Returns the axes by descending stride, except that the columns are last.
    private static int[] byStride(Tensor x) {
        int last = x.rank() - 1;
        int[] order = new int[last + 1];
        order[last] = last;
        for (int axis = 0; axis < last; axis++) {
            int at = axis;
            while (at > 0 && x.strides[order[at - 1]] < x.strides[axis] && x.strides[order[at - 1]] > 0) {
                order[at] = order[at - 1];
                at--;
            }
            order[at] = axis;
        }
        return order;
    }

    // Gradients.

    private static Tensor[] gradients(Settings settings, Tensor g, Tensor[] in, Tensor y, boolean[] wanted) {
        Tensor mask = in.length > 4 ? in[4] : null;
        if (Tensor.recorded(g) | Tensor.recorded(in[0], in[1], in[2])) {
            return composedGradients(settings, g, in[0], in[1], in[2], mask, in.length);
        }
        Tensor[] operands = {readable(g), readable(in[0]), readable(in[1]), readable(in[2])};
        Tensor[] to = new Tensor[in.length];
        for (int i = 0; i < 3; i++) {
            to[i] = wanted[i] ? laidOutAs(gradientOp(), in[i], in[i].shape[in[i].rank() - 1], false) : null;
        }
        AttentionLaunch.backward(
                settings, operands[0], operands[1], operands[2], operands[3], mask, y, in[3], to[0], to[1], to[2]);
        operands[0].freeCopyOf(g, op());
        for (int i = 0; i < 3; i++) {
            operands[1 + i].freeCopyOf(in[i], op());
        }
        return to;
    }

    /// The gradients as ops that form the scores, so that they can be differentiated again.
    private static Tensor[] composedGradients(
            Settings settings, Tensor g, Tensor q, Tensor k, Tensor v, Tensor mask, int inputs) {
        Tensor p = probabilities(settings, q, k, mask);
        Tensor queries = ofGroups(settings, q, k);
        Tensor upstream = ofGroups(settings, g, k);
        Tensor toP = dropped(settings, upstream.matmul(perGroup(settings, v).transposeLast()));
        Tensor toScores =
                p.multiply(toP.subtract(toP.multiply(p).sum(-1, true))).multiply(settings.scale());
        Tensor[] to = new Tensor[inputs];
        to[0] = toScores.matmul(perGroup(settings, k)).reshape(q.shape);
        to[1] = overGroup(settings, toScores.transposeLast().matmul(queries));
        to[2] = overGroup(settings, dropped(settings, p).transposeLast().matmul(upstream));
        return to;
    }

    /// The probabilities `[…,H,L,S]`, or `[…,Hk,group,L,S]` where heads share keys. Rows without a key are 0.
    private static Tensor probabilities(Settings settings, Tensor q, Tensor k, Tensor mask) {
        Tensor scores = ofGroups(settings, q, k)
                .matmul(perGroup(settings, k).transposeLast())
                .multiply(settings.scale());
        int rank = q.rank();
        long queries = q.shape[rank - 2];
        long keys = k.shape[rank - 2];
        if (mask != null && mask.dtype != DType.BOOL) {
            scores = scores.add(ofGroups(settings, mask, k));
        }
        Tensor left = settings.diagonal() >= keys ? null : later(settings.diagonal(), queries, keys);
        if (mask != null && mask.dtype == DType.BOOL) {
            Tensor masked = ofGroups(settings, mask, k).logicalNot();
            left = left == null ? masked : left.logicalOr(masked);
        }
        Tensor lowest = Tensor.constant(q.dtype, Double.NEGATIVE_INFINITY);
        Tensor seen = left == null ? scores : Tensor.where(left, lowest, scores);
        if (keys == 0) {
            return seen;
        }
        Tensor unseen = seen.detach().max(-1, true).equalTo(Double.NEGATIVE_INFINITY);
        return seen.zeroWhere(unseen).softmax(-1).zeroWhere(unseen);
    }

    private static Tensor dropped(Settings settings, Tensor x) {
        if (settings.dropout() == null) {
            return x;
        }
        Tensor factors = Tensor.make("ones", x.dtype, x.shape, true).fill(1);
        AttentionLaunch.factors(settings.dropout(), factors);
        return x.multiply(factors);
    }

    /// A mask of the keys that are too late for a query.
    private static Tensor later(long diagonal, long queries, long keys) {
        Tensor last =
                Tensor.arange(DType.INT64, diagonal, queries + diagonal, 1).unsqueeze(1);
        return Tensor.arange(DType.INT64, 0, keys, 1).greater(last);
    }

    /// Splits the heads of queries, or of the scores, into those of keys and the group of each.
    private static Tensor ofGroups(Settings settings, Tensor x, Tensor k) {
        if (settings.group() == 1) {
            return x;
        }
        int rank = x.rank();
        long[] shape = Arrays.copyOf(x.shape, rank + 1);
        shape[rank - 3] = k.shape[rank - 3];
        shape[rank - 2] = settings.group();
        shape[rank - 1] = x.shape[rank - 2];
        shape[rank] = x.shape[rank - 1];
        return x.reshape(shape);
    }

    private static Tensor perGroup(Settings settings, Tensor x) {
        return settings.group() == 1 ? x : x.unsqueeze(-3);
    }

    private static Tensor overGroup(Settings settings, Tensor x) {
        return settings.group() == 1 ? x : x.sum(-3);
    }

    private static Tensor grouped(Tensor y, Tensor q, Tensor v) {
        long[] shape = q.shape.clone();
        shape[q.rank() - 1] = v.shape[v.rank() - 1];
        return y.reshape(shape);
    }
}
