package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Attention of several heads to projections of queries, keys and values, projected again, as PyTorch's
/// MultiheadAttention: A. Vaswani et al., "Attention is all you need", 2017.
///
/// **Shapes** queries `[L, N, E]`, keys and values `[S, N, E]`, output `[L, N, E]`; with `batchFirst` `[N, L, E]`
/// and `[N, S, E]`; of one example `[L, E]` and `[S, E]`. `in_proj_weight` is `[3·E, E]`, the rows for queries,
/// keys and values one after another, `in_proj_bias` `[3·E]`, `out_proj.weight` `[E, E]` and `out_proj.bias` `[E]`.
/// E is the embedding size, of which each head has an equal part. Where keys or values have other sizes, kdim and vdim,
/// there are three weights instead: `q_proj_weight` `[E, E]`, `k_proj_weight` `[E, kdim]`, `v_proj_weight` `[E, vdim]`.
/// **Masks** are PyTorch's for this layer: a BOOL one is true for a key that takes **no** part, unlike that of
/// [Tensor#scaledDotProductAttention(Tensor, Tensor, Tensor, boolean)].
/// **Memory** the projections and the output of attention; no scores. Heads are views, which attention reads where
/// they lie. A call that returns the weights forms them.
/// **Initial values** the weights of the inputs by [Initializers#xavierUniform(Tensor)], biases 0, `out_proj.weight` as
/// [Linear]'s.
public final class MultiheadAttention extends Layer {
    private final long size;
    private final long heads;
    private final double dropout;
    private final boolean batchFirst;
    private final long kdim;
    private final long vdim;

    /// One weight for all three projections, or one for each.
    private final Tensor[] weights;
    private final Tensor bias;
    private final Linear projection;

    /// The output and the weights of a call.
    ///
    /// @param output the output, as `forward` returns it
    /// @param weights the weights of the keys `[N, L, S]`, the mean of all heads, or `[N, H, L, S]`; of one example
    ///     without N
    public record Weighted(Tensor output, Tensor weights) {}

    /// Creates a FLOAT32 layer with biases and without dropout, for inputs `[L, N, E]`.
    ///
    /// @param size the embedding size E
    /// @param heads the number of heads, which divides E
    /// @throws IllegalArgumentException if a size is not positive, or E is not a multiple of the heads
    public MultiheadAttention(long size, long heads) {
        this(size, heads, 0, false);
    }

    /// Creates a FLOAT32 layer with biases.
    ///
    /// @param size the embedding size E
    /// @param heads the number of heads, which divides E
    /// @param dropout the probability of dropping a weight of a key in training, in [0, 1]
    /// @param batchFirst whether inputs are `[N, L, E]`
    /// @throws IllegalArgumentException if a setting is out of range, or E is not a multiple of the heads
    public MultiheadAttention(long size, long heads, double dropout, boolean batchFirst) {
        this(DType.FLOAT32, size, heads, dropout, batchFirst, true);
    }

    /// Creates a layer with or without biases.
    ///
    /// @param dtype the floating dtype of inputs, output and parameters
    /// @param size the embedding size E
    /// @param heads the number of heads, which divides E
    /// @param dropout the probability of dropping a weight of a key in training, in [0, 1]
    /// @param batchFirst whether inputs are `[N, L, E]`
    /// @param bias whether the projections have biases
    /// @throws IllegalArgumentException if a setting is out of range, E is not a multiple of the heads, or the dtype
    ///     is not floating
    public MultiheadAttention(DType dtype, long size, long heads, double dropout, boolean batchFirst, boolean bias) {
        this(dtype, size, heads, dropout, batchFirst, bias, size, size);
    }

    /// Creates a layer whose keys and values have sizes of their own.
    ///
    /// @param dtype the floating dtype of inputs, output and parameters
    /// @param size the embedding size E, that of queries and output
    /// @param heads the number of heads, which divides E
    /// @param dropout the probability of dropping a weight of a key in training, in [0, 1]
    /// @param batchFirst whether inputs are `[N, L, E]`
    /// @param bias whether the projections have biases
    /// @param kdim the size of a key
    /// @param vdim the size of a value
    /// @throws IllegalArgumentException if a setting is out of range, E is not a multiple of the heads, or the dtype
    ///     is not floating
    public MultiheadAttention(
            DType dtype,
            long size,
            long heads,
            double dropout,
            boolean batchFirst,
            boolean bias,
            long kdim,
            long vdim) {
        requireFloating(dtype);
        if (size <= 0 || heads <= 0 || size % heads != 0) {
            throw new IllegalArgumentException("MultiheadAttention: an embedding of " + size + " does not divide into "
                    + heads + " heads; give positive sizes, one a multiple of the other");
        }
        if (size > Long.MAX_VALUE / 3) {
            throw new IllegalArgumentException("MultiheadAttention: three projections to an embedding of " + size
                    + " have more rows than a long can count; give a smaller one");
        }
        this.size = size;
        this.heads = heads;
        this.dropout = Functional.requireProbability("MultiheadAttention", dropout);
        this.batchFirst = batchFirst;
        this.kdim = Functional.requirePositive("MultiheadAttention", "kdim", kdim);
        this.vdim = Functional.requirePositive("MultiheadAttention", "vdim", vdim);
        this.weights = kdim == size && vdim == size
                ? new Tensor[] {weight(dtype, "in_proj_weight", 3 * size, size)}
                : new Tensor[] {
                    weight(dtype, "q_proj_weight", size, size),
                    weight(dtype, "k_proj_weight", size, kdim),
                    weight(dtype, "v_proj_weight", size, vdim)
                };
        this.bias = bias ? parameter("in_proj_bias", Tensor.zeros(dtype, 3 * size)) : null;
        this.projection = child("out_proj", new Linear(dtype, size, size, bias));
        if (bias) {
            Initializers.zeros(projection.namedParameters().get("bias"));
        }
    }

    private Tensor weight(DType dtype, String name, long rows, long columns) {
        return parameter(name, Initializers.xavierUniform(Tensor.empty(dtype, rows, columns)));
    }

    /// Attends to the input itself, without masks.
    @Override
    protected Tensor compute(Tensor x) {
        return attend(x, x, x, null, null, false);
    }

    /// Attends to keys and values, without masks.
    ///
    /// @param query the queries
    /// @param key the keys
    /// @param value the values
    /// @return the output
    /// @throws IllegalArgumentException if an input does not fit
    public Tensor forward(Tensor query, Tensor key, Tensor value) {
        return forward(query, key, value, null, null, false);
    }

    /// Attends to keys and values.
    ///
    /// @param query the queries
    /// @param key the keys
    /// @param value the values
    /// @param keyPaddingMask `[N, S]`, or `[S]` for one example: BOOL, true for a key that takes no part, or terms
    ///     of its scores; null for none
    /// @param mask `[L, S]`, or `[N·H, L, S]`: BOOL, true for a key that takes no part, or terms of the scores;
    ///     null for none
    /// @param causal whether query i sees the keys up to i alone, in addition to the masks; takes no memory
    /// @return the output
    /// @throws IllegalArgumentException if an input does not fit
    public Tensor forward(Tensor query, Tensor key, Tensor value, Tensor keyPaddingMask, Tensor mask, boolean causal) {
        try {
            return attend(query, key, value, keyPaddingMask, mask, causal);
        } catch (IllegalArgumentException e) {
            throw failure(e);
        }
    }

    /// Attends to the input itself and to the earlier inputs, whose keys and values a cache has: one step of
    /// generation. Position i sees the earlier ones and those up to i. Call it in a region without gradients.
    ///
    /// @param x one position or several, which follow those in the cache
    /// @param cache the keys and values so far, to which those of x are appended; used by this layer alone
    /// @return the output for x
    /// @throws IllegalArgumentException if the input does not fit the layer or the cache
    /// @throws IllegalStateException if the cache has no room for x
    public Tensor forward(Tensor x, KeyValueCache cache) {
        try {
            requireInputs(x, x, x);
            Tensor q = split(project(x, 0));
            cache.append(split(project(x, 1)), split(project(x, 2)));
            return projection.forward(merge(cache.attend(q)));
        } catch (IllegalArgumentException e) {
            throw failure(e);
        }
    }

    /// As `forward`, and also returns the attention weights. **Memory** the weights of all heads.
    ///
    /// @param query the queries
    /// @param key the keys
    /// @param value the values
    /// @param keyPaddingMask as `forward` takes it
    /// @param mask as `forward` takes it
    /// @param causal as `forward` takes it
    /// @param averaged whether to return the mean of the weights of all heads
    /// @return the output and the weights; a query that sees no key has weights of NaN
    /// @throws IllegalArgumentException if an input does not fit
    public Weighted forwardWithWeights(
            Tensor query,
            Tensor key,
            Tensor value,
            Tensor keyPaddingMask,
            Tensor mask,
            boolean causal,
            boolean averaged) {
        try {
            requireInputs(query, key, value);
            Tensor q = split(project(query, 0));
            Tensor k = split(project(key, 1));
            Tensor scores = q.multiply(scale()).matmul(k.movedim(-1, -2));
            Tensor terms = terms(keyPaddingMask, mask, q, k);
            Tensor masked = terms == null ? scores : scores.add(terms);
            Tensor seen = causal ? masked.add(lowestWhere(later(q, k), q)) : masked;
            Tensor weights = dropped(seen.softmax(-1));
            Tensor output = projection.forward(merge(weights.matmul(split(project(value, 2)))));
            return new Weighted(output, averaged ? weights.mean(-3) : weights);
        } catch (IllegalArgumentException e) {
            throw failure(e);
        }
    }

    private Tensor attend(Tensor query, Tensor key, Tensor value, Tensor keyPaddingMask, Tensor mask, boolean causal) {
        requireInputs(query, key, value);
        Tensor q = split(project(query, 0));
        Tensor k = split(project(key, 1));
        Tensor v = split(project(value, 2));
        Tensor.CausalVariant variant = causal ? Tensor.CausalVariant.UPPER_LEFT : Tensor.CausalVariant.NONE;
        double p = isTraining() ? dropout : 0;
        Tensor seen = keysThatTakePart(keyPaddingMask, mask, q, k);
        return projection.forward(merge(q.scaledDotProductAttention(k, v, seen, p, variant, scale(), false)));
    }

    private double scale() {
        return 1 / Math.sqrt((double) size / heads);
    }

    private Tensor dropped(Tensor weights) {
        return isTraining() && dropout > 0 ? Functional.dropout(weights, dropout) : weights;
    }

    private void requireInputs(Tensor query, Tensor key, Tensor value) {
        boolean fits = (query.rank() == 2 || query.rank() == 3)
                && isLike(query, query, size)
                && isLike(query, key, kdim)
                && isLike(query, value, vdim)
                && key.size(positions()) == value.size(positions());
        if (!fits) {
            throw new IllegalArgumentException("MultiheadAttention: inputs " + Arrays.toString(query.shape()) + ", "
                    + Arrays.toString(key.shape()) + " and " + Arrays.toString(value.shape()) + " must be "
                    + shapes(batchFirst ? "[N, L, " : "[L, N, ", batchFirst ? "[N, S, " : "[S, N, ") + ", or "
                    + shapes("[L, ", "[S, ") + " of one example");
        }
    }

    /// The axis of positions.
    private int positions() {
        return batchFirst ? -2 : 0;
    }

    /// Whether an input has the rank and the batch of the queries, and so many columns.
    private boolean isLike(Tensor query, Tensor x, long columns) {
        int batch = batchFirst ? 0 : 1;
        return x.rank() == query.rank()
                && x.size(-1) == columns
                && (x.rank() == 2 || x.size(batch) == query.size(batch));
    }

    private String shapes(String ofQueries, String ofKeys) {
        return ofQueries + size + "], " + ofKeys + kdim + "] and " + ofKeys + vdim + "]";
    }

    // Heads.

    /// Projects to queries, keys or values (`part` 0 to 2).
    private Tensor project(Tensor x, int part) {
        long from = part * size;
        Tensor weight = weights.length == 1 ? weights[0].slice(0, from, from + size) : weights[part];
        return x.linear(weight, bias == null ? null : bias.slice(0, from, from + size));
    }

    /// Returns a view `[N, H, L, E/H]`, or `[H, L, E/H]` of one example.
    private Tensor split(Tensor x) {
        if (x.rank() == 2) {
            return x.reshape(x.size(0), heads, size / heads).transpose(1, 0, 2);
        }
        Tensor split = x.reshape(x.size(0), x.size(1), heads, size / heads);
        return batchFirst ? split.transpose(0, 2, 1, 3) : split.transpose(1, 2, 0, 3);
    }

    /// Reverses [#split]: a view, as attention lays its output out as its queries are.
    private Tensor merge(Tensor y) {
        if (y.rank() == 3) {
            return y.transpose(1, 0, 2).reshape(y.size(1), size);
        }
        Tensor merged = batchFirst ? y.transpose(0, 2, 1, 3) : y.transpose(2, 0, 1, 3);
        return merged.reshape(merged.size(0), merged.size(1), size);
    }

    // Masks.

    /// Returns a mask for attention: BOOL, true for keys that take part, if both masks are, else terms.
    private Tensor keysThatTakePart(Tensor keyPaddingMask, Tensor mask, Tensor q, Tensor k) {
        Tensor padding = paddingOfHeads(keyPaddingMask, q, k);
        Tensor scores = maskOfHeads(mask, q, k);
        if (padding == null && scores == null) {
            return null;
        }
        boolean ofTerms = isOfTerms(padding) || isOfTerms(scores);
        if (ofTerms) {
            return terms(keyPaddingMask, mask, q, k);
        }
        Tensor left = padding == null ? scores : scores == null ? padding : padding.logicalOr(scores);
        return left.logicalNot();
    }

    /// Returns the sum of the terms of both masks, or null.
    private Tensor terms(Tensor keyPaddingMask, Tensor mask, Tensor q, Tensor k) {
        Tensor padding = asTerms(paddingOfHeads(keyPaddingMask, q, k), q);
        Tensor scores = asTerms(maskOfHeads(mask, q, k), q);
        return padding == null ? scores : scores == null ? padding : padding.add(scores);
    }

    private static boolean isOfTerms(Tensor mask) {
        return mask != null && mask.dtype() != DType.BOOL;
    }

    private static Tensor asTerms(Tensor mask, Tensor q) {
        return mask == null || isOfTerms(mask) ? mask : lowestWhere(mask, q);
    }

    private static Tensor lowestWhere(Tensor mask, Tensor q) {
        Tensor zero = Tensor.zeros(q.dtype());
        return Tensor.where(mask, Tensor.full(q.dtype(), Double.NEGATIVE_INFINITY), zero);
    }

    private static Tensor later(Tensor q, Tensor k) {
        Tensor queries = Tensor.arange(DType.INT64, 0, q.size(-2), 1).unsqueeze(1);
        return Tensor.arange(DType.INT64, 0, k.size(-2), 1).greater(queries);
    }

    private void requireMask(String name, Tensor mask) {
        DType dtype = weights[0].dtype();
        if (mask.dtype() != DType.BOOL && mask.dtype() != dtype) {
            throw new IllegalArgumentException("MultiheadAttention: " + name + " " + Arrays.toString(mask.shape())
                    + " is " + mask.dtype() + "; cast it to BOOL, or to " + dtype + " if it has terms of the scores");
        }
    }

    /// Returns the mask of keys as `[N, 1, 1, S]`, or `[1, 1, S]`.
    private Tensor paddingOfHeads(Tensor mask, Tensor q, Tensor k) {
        if (mask == null) {
            return null;
        }
        requireMask("keyPaddingMask", mask);
        long keys = k.size(-2);
        boolean fits =
                mask.rank() == q.rank() - 2 && mask.size(-1) == keys && (mask.rank() == 1 || mask.size(0) == q.size(0));
        if (!fits) {
            throw new IllegalArgumentException("MultiheadAttention: keyPaddingMask " + Arrays.toString(mask.shape())
                    + " must be " + (q.rank() == 3 ? "[" : "[" + q.size(0) + ", ") + keys + "]");
        }
        return mask.unsqueeze(-2).unsqueeze(-2);
    }

    /// Returns the mask of scores as `[L, S]`, `[H, L, S]` or `[N, H, L, S]`.
    private Tensor maskOfHeads(Tensor mask, Tensor q, Tensor k) {
        if (mask == null) {
            return null;
        }
        requireMask("mask", mask);
        long queries = q.size(-2);
        long keys = k.size(-2);
        long all = (q.rank() == 3 ? 1 : q.size(0)) * heads;
        boolean fits = (mask.rank() == 2 || (mask.rank() == 3 && mask.size(0) == all))
                && mask.size(-2) == queries
                && mask.size(-1) == keys;
        if (!fits) {
            throw new IllegalArgumentException("MultiheadAttention: mask " + Arrays.toString(mask.shape())
                    + " must be [" + queries + ", " + keys + "] or [" + all + ", " + queries + ", " + keys + "]");
        }
        return mask.rank() == 2 || q.rank() == 3 ? mask : mask.reshape(q.size(0), heads, queries, keys);
    }

    @Override
    public String toString() {
        String sizes = weights.length == 1 ? "" : ", kdim=" + kdim + ", vdim=" + vdim;
        return "MultiheadAttention(" + size + ", heads=" + heads + ", dropout=" + dropout + ", batchFirst=" + batchFirst
                + sizes + ")";
    }
}
