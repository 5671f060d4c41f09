package org.toydiff.nn;

import java.util.function.UnaryOperator;
import org.toydiff.Activation;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Self-attention and a feed-forward network of two layers for each position, each added to its input and
/// normalised, as PyTorch's TransformerEncoderLayer: A. Vaswani et al., "Attention is all you need", 2017.
///
/// `x = norm1(x + attention(x))`, `y = norm2(x + linear2(activation(linear1(x))))`; with `normFirst`
/// `x = x + attention(norm1(x))`, `y = x + linear2(activation(linear1(norm2(x))))`: R. Xiong et al., "On layer
/// normalization in the transformer architecture", 2020.
///
/// **Shapes** `[L, N, E] → [L, N, E]`, with `batchFirst` `[N, L, E] → [N, L, E]`; of one example `[L, E]`.
/// **Parameters** those of [MultiheadAttention] `self_attn`, of [Linear] `linear1` and `linear2`, and of
/// [LayerNorm] `norm1` and `norm2`.
/// **Dropout** in training: of the attention weights, after either part, and after the activation.
public final class TransformerEncoderLayer extends Layer {
    private final MultiheadAttention attention;
    private final Linear linear1;
    private final Linear linear2;
    private final LayerNorm norm1;
    private final LayerNorm norm2;
    private final double dropout;
    private final boolean normFirst;

    /// Null for relu, which is applied to each tile of the product.
    private final UnaryOperator<Tensor> activation;

    /// Creates a FLOAT32 layer with a network of 2,048 units, relu, and a dropout of 0.1, for inputs `[L, N, E]`.
    ///
    /// @param size the embedding size E
    /// @param heads the number of heads, which divides E
    /// @throws IllegalArgumentException if a size is not positive, or E is not a multiple of the heads
    public TransformerEncoderLayer(long size, long heads) {
        this(size, heads, 2048, 0.1, false, false);
    }

    /// Creates a FLOAT32 layer with relu.
    ///
    /// @param size the embedding size E
    /// @param heads the number of heads, which divides E
    /// @param units the number of units between the two linear layers
    /// @param dropout the probability of every dropout, in [0, 1]
    /// @param batchFirst whether inputs are `[N, L, E]`
    /// @param normFirst whether to normalise before each part and not after the addition
    /// @throws IllegalArgumentException if a setting is out of range, or E is not a multiple of the heads
    public TransformerEncoderLayer(
            long size, long heads, long units, double dropout, boolean batchFirst, boolean normFirst) {
        this(DType.FLOAT32, size, heads, units, dropout, null, 1e-5, batchFirst, normFirst);
    }

    /// Creates a layer.
    ///
    /// @param dtype the floating dtype of input, output and parameters
    /// @param size the embedding size E
    /// @param heads the number of heads, which divides E
    /// @param units the number of units between the two linear layers
    /// @param dropout the probability of every dropout, in [0, 1]
    /// @param activation the activation between the linear layers, [Functional#gelu(Tensor)] for instance; null for
    ///     relu
    /// @param epsilon ε of the normalisations
    /// @param batchFirst whether inputs are `[N, L, E]`
    /// @param normFirst whether to normalise before each part and not after the addition
    /// @throws IllegalArgumentException if a setting is out of range, E is not a multiple of the heads, or the dtype
    ///     is not floating
    public TransformerEncoderLayer(
            DType dtype,
            long size,
            long heads,
            long units,
            double dropout,
            UnaryOperator<Tensor> activation,
            double epsilon,
            boolean batchFirst,
            boolean normFirst) {
        Functional.requirePositive("TransformerEncoderLayer", "units", units);
        Functional.requireEpsilon("TransformerEncoderLayer", epsilon);
        this.dropout = Functional.requireProbability("TransformerEncoderLayer", dropout);
        this.activation = activation;
        this.normFirst = normFirst;
        attention = child("self_attn", new MultiheadAttention(dtype, size, heads, dropout, batchFirst, true));
        linear1 = child("linear1", new Linear(dtype, size, units));
        linear2 = child("linear2", new Linear(dtype, units, size));
        norm1 = child("norm1", new LayerNorm(dtype, new long[] {size}, epsilon));
        norm2 = child("norm2", new LayerNorm(dtype, new long[] {size}, epsilon));
    }

    @Override
    protected Tensor compute(Tensor x) {
        return encode(x, null, null, false);
    }

    /// Encodes a sequence with masks.
    ///
    /// @param x the input
    /// @param mask `[L, L]`, or `[N·H, L, L]`: BOOL, true for a key that takes no part, or terms of the scores;
    ///     null for none
    /// @param keyPaddingMask `[N, L]`: BOOL, true for a position that takes no part, or terms; null for none
    /// @param causal whether a position sees those up to itself alone, in addition to the masks; takes no memory
    /// @return the output
    /// @throws IllegalArgumentException if an input does not fit
    public Tensor forward(Tensor x, Tensor mask, Tensor keyPaddingMask, boolean causal) {
        try {
            return encode(x, mask, keyPaddingMask, causal);
        } catch (IllegalArgumentException e) {
            throw failure(e);
        }
    }

    private Tensor encode(Tensor x, Tensor mask, Tensor keyPaddingMask, boolean causal) {
        if (normFirst) {
            Tensor attended = x.add(attended(norm1.forward(x), mask, keyPaddingMask, causal));
            return attended.add(network(norm2.forward(attended)));
        }
        Tensor attended = norm1.forward(x.add(attended(x, mask, keyPaddingMask, causal)));
        return norm2.forward(attended.add(network(attended)));
    }

    private Tensor attended(Tensor x, Tensor mask, Tensor keyPaddingMask, boolean causal) {
        boolean plain = mask == null && keyPaddingMask == null && !causal;
        // By the method of one input, so that a summary has a row for it.
        return dropped(plain ? attention.forward(x) : attention.forward(x, x, x, keyPaddingMask, mask, causal));
    }

    private Tensor network(Tensor x) {
        Tensor units = activation == null ? linear1.forward(x, Activation.RELU) : activation.apply(linear1.forward(x));
        return dropped(linear2.forward(dropped(units)));
    }

    private Tensor dropped(Tensor x) {
        return isTraining() && dropout > 0 ? Functional.dropout(x, dropout) : x;
    }
}
