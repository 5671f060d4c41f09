package org.toydiff.bench.peer;

import java.util.ArrayList;
import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.nn.Functional;

/// A small GPT over characters: A. Radford et al., "Language models are unsupervised multitask learners", 2019.
final class CharacterModel {
    private static final int CHARACTERS = 96;
    private static final int LENGTH = 128;
    private static final int WIDTH = 128;
    private static final int HEADS = 4;
    private static final int BLOCKS = 4;
    private static final double EPSILON = 1e-5;

    private final StartingParameters parameters = new StartingParameters();
    private final Tensor characters = parameters.weight(CHARACTERS, WIDTH);
    private final Tensor positions = parameters.weight(LENGTH, WIDTH);
    private final List<Block> blocks = new ArrayList<>();
    private final Norm norm;
    private final Affine toLogits;

    private CharacterModel() {
        for (int i = 0; i < BLOCKS; i++) {
            blocks.add(new Block(parameters));
        }
        norm = new Norm(parameters);
        toLogits = new Affine(parameters, WIDTH, CHARACTERS);
    }

    /// Returns the training step of a batch of texts.
    static TimedFunction training(int texts) {
        var model = new CharacterModel();
        return TimedFunction.training(model.parameters.all(), text(texts, 0), text(texts, 1), model::loss);
    }

    /// Returns characters of a text that goes on in the next row, from a position on.
    private static Tensor text(int texts, int from) {
        int[] text = new int[texts * LENGTH];
        for (int i = 0; i < text.length; i++) {
            text[i] = (int) ((i + from) * 2654435761L % 4093 % CHARACTERS);
        }
        return Tensor.of(text).reshape(texts, LENGTH);
    }

    private Tensor loss(Tensor text, Tensor next) {
        Tensor x = characters
                .indexSelect(0, text.reshape(text.size()))
                .reshape(text.size(0), LENGTH, WIDTH)
                .add(positions);
        for (Block block : blocks) {
            x = block.apply(x);
        }
        Tensor logits = toLogits.apply(norm.apply(x)).reshape(text.size(), CHARACTERS);
        return Functional.crossEntropyLoss(logits, next.reshape(text.size()));
    }

    /// A linear layer.
    private record Affine(Tensor weight, Tensor bias) {
        Affine(StartingParameters parameters, long in, long out) {
            this(parameters.weight(out, in), parameters.zeros(out));
        }

        Tensor apply(Tensor x) {
            return x.linear(weight, bias);
        }
    }

    /// A layer normalisation.
    private record Norm(Tensor weight, Tensor bias) {
        Norm(StartingParameters parameters) {
            this(parameters.ones(WIDTH), parameters.zeros(WIDTH));
        }

        Tensor apply(Tensor x) {
            return Functional.layerNorm(x, weight, bias, EPSILON);
        }
    }

    /// A block of the transformer: attention and a net of two layers, each after a normalisation and added to its
    /// input.
    private record Block(Norm first, Affine toHeads, Affine fromHeads, Norm second, Affine widen, Affine narrow) {
        Block(StartingParameters parameters) {
            this(
                    new Norm(parameters),
                    new Affine(parameters, WIDTH, 3 * WIDTH),
                    new Affine(parameters, WIDTH, WIDTH),
                    new Norm(parameters),
                    new Affine(parameters, WIDTH, 4 * WIDTH),
                    new Affine(parameters, 4 * WIDTH, WIDTH));
        }

        Tensor apply(Tensor x) {
            Tensor y = x.add(attention(first.apply(x)));
            return y.add(narrow.apply(Functional.gelu(widen.apply(second.apply(y)))));
        }

        private Tensor attention(Tensor x) {
            long texts = x.size(0);
            Tensor heads = toHeads.apply(x)
                    .reshape(texts, LENGTH, 3 * HEADS, WIDTH / HEADS)
                    .transpose(0, 2, 1, 3);
            Tensor mixed = heads.slice(1, 0, HEADS)
                    .scaledDotProductAttention(
                            heads.slice(1, HEADS, 2 * HEADS), heads.slice(1, 2 * HEADS, 3 * HEADS), null, true);
            return fromHeads.apply(mixed.transpose(0, 2, 1, 3).reshape(texts, LENGTH, WIDTH));
        }
    }
}
