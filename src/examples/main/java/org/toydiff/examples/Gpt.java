package org.toydiff.examples;

import java.util.ArrayList;
import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.nn.Embedding;
import org.toydiff.nn.Functional;
import org.toydiff.nn.KeyValueCache;
import org.toydiff.nn.Layer;
import org.toydiff.nn.LayerNorm;
import org.toydiff.nn.Linear;
import org.toydiff.nn.MultiheadAttention;
import org.toydiff.nn.Sequential;

/// A decoder of the kind of GPT-2: A. Radford et al., "Language models are unsupervised multitask learners", 2019.
///
/// Symbols `[N, L]` become scores of the next symbol, `[N, L, symbols]`. Position i sees those up to itself.
final class Gpt extends Layer {
    private static final double INITIAL_DEVIATION = 0.02;

    /// The sizes of a model.
    ///
    /// @param symbols the number of distinct symbols
    /// @param context the greatest length of a sequence
    /// @param layers the number of blocks
    /// @param heads the heads of each block's attention
    /// @param width the size of the vector that stands for a symbol
    record Sizes(int symbols, int context, int layers, int heads, int width) {}

    private final Sizes sizes;
    private final Embedding symbols;
    private final Embedding positions;
    private final List<Block> blocks = new ArrayList<>();
    private final Sequential stack;
    private final LayerNorm norm;
    private final Linear head;

    Gpt(Sizes sizes) {
        this.sizes = sizes;
        symbols = child("symbols", new Embedding(sizes.symbols, sizes.width));
        positions = child("positions", new Embedding(sizes.context, sizes.width));
        for (int i = 0; i < sizes.layers; i++) {
            blocks.add(new Block(sizes.width, sizes.heads));
        }
        stack = child("blocks", new Sequential(blocks.toArray(Layer[]::new)));
        norm = child("norm", new LayerNorm(sizes.width));
        head = child("head", new Linear(sizes.width, sizes.symbols, false));
        for (Embedding table : List.of(symbols, positions)) {
            Tensor weight = table.parameters().getFirst();
            weight.copyFrom(Tensor.randn(weight.shape()).multiply(INITIAL_DEVIATION));
        }
    }

    /// One block: attention and a network of two layers, each of which adds to what it reads.
    private static final class Block extends Layer {
        private final LayerNorm norm1;
        private final MultiheadAttention attention;
        private final LayerNorm norm2;
        private final Linear up;
        private final Linear down;

        Block(int width, int heads) {
            norm1 = child("norm1", new LayerNorm(width));
            attention = child("attention", new MultiheadAttention(width, heads, 0, true));
            norm2 = child("norm2", new LayerNorm(width));
            up = child("up", new Linear(width, 4L * width));
            down = child("down", new Linear(4L * width, width));
        }

        @Override
        protected Tensor compute(Tensor x) {
            Tensor y = norm1.forward(x);
            return network(x.add(attention.forward(y, y, y, null, null, true)));
        }

        Tensor next(Tensor x, KeyValueCache cache) {
            return network(x.add(attention.forward(norm1.forward(x), cache)));
        }

        private Tensor network(Tensor x) {
            return x.add(down.forward(Functional.gelu(up.forward(norm2.forward(x)))));
        }
    }

    @Override
    protected Tensor compute(Tensor x) {
        return head.forward(norm.forward(stack.forward(embedded(x, 0))));
    }

    /// Scores the symbol after each of some that follow those in the caches: one step of generation.
    Tensor next(Tensor x, List<KeyValueCache> caches) {
        Tensor y = embedded(x, caches.getFirst().length());
        for (int i = 0; i < blocks.size(); i++) {
            y = blocks.get(i).next(y, caches.get(i));
        }
        return head.forward(norm.forward(y));
    }

    private Tensor embedded(Tensor x, long from) {
        Tensor places = Tensor.arange(x.dtype(), from, from + x.size(1), 1);
        return symbols.forward(x).add(positions.forward(places));
    }

    /// Makes empty caches for one sequence.
    List<KeyValueCache> caches() {
        List<KeyValueCache> caches = new ArrayList<>();
        for (int i = 0; i < sizes.layers; i++) {
            caches.add(new KeyValueCache(1, sizes.heads, sizes.context, sizes.width / sizes.heads));
        }
        return caches;
    }

    int context() {
        return sizes.context;
    }
}
