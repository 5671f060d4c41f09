package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Rotates pairs of columns of queries and keys by angles that grow with the position, so that their products
/// depend on the distance of positions alone: J. Su et al., "RoFormer: enhanced transformer with rotary position
/// embedding", 2021.
///
/// Pair i of position p turns by `p·base^(−2i/E)`. Pairs are columns 2i and 2i + 1, as in the paper, or, `halves`,
/// columns i and i + E/2, as in GPT-NeoX and in the models of Hugging Face.
///
/// **Shapes** `[…, L, E] → […, L, E]`, for up to maxLength positions. **Gradient** g, rotated back. The tables are
/// neither parameters nor part of the state.
public final class RotaryEmbedding extends Layer {
    private final Tensor cosines;
    private final Tensor sines;
    private final boolean halves;

    /// Creates a FLOAT32 layer with a base of 10,000, for pairs of adjacent columns.
    ///
    /// @param size the size of a head E, even
    /// @param maxLength the maximum number of positions
    /// @throws IllegalArgumentException if a size is not positive, or E is odd
    public RotaryEmbedding(long size, long maxLength) {
        this(DType.FLOAT32, size, maxLength, 10_000, false);
    }

    /// Creates a layer.
    ///
    /// @param dtype the floating dtype of input and output
    /// @param size the size of a head E, even
    /// @param maxLength the maximum number of positions
    /// @param base the base of the angles, positive
    /// @param halves whether pairs are columns i and i + E/2 rather than adjacent ones
    /// @throws IllegalArgumentException if a setting is out of range, E is odd, or the dtype is not floating
    public RotaryEmbedding(DType dtype, long size, long maxLength, double base, boolean halves) {
        requireFloating(dtype);
        PositionTables.require("RotaryEmbedding", maxLength, size);
        if (!(base > 0)) {
            throw new IllegalArgumentException("RotaryEmbedding: base " + base + " must be positive");
        }
        this.halves = halves;
        cosines = PositionTables.of(Tensor::cos, dtype, maxLength, size, base);
        sines = PositionTables.of(Tensor::sin, dtype, maxLength, size, base);
    }

    @Override
    protected Tensor compute(Tensor x) {
        return rotated(x, 0);
    }

    /// Rotates queries or keys of positions that begin later, after those in a [KeyValueCache] for instance.
    ///
    /// @param x queries or keys
    /// @param position the first position, from 0 on
    /// @return a new tensor of the same shape
    /// @throws IllegalArgumentException if the input does not fit, or goes beyond the last position
    public Tensor forward(Tensor x, long position) {
        try {
            return rotated(x, position);
        } catch (IllegalArgumentException e) {
            throw failure(e);
        }
    }

    private Tensor rotated(Tensor x, long position) {
        long pairs = cosines.size(1);
        if (x.rank() < 2 || x.size(-1) != 2 * pairs || position < 0 || position > cosines.size(0) - x.size(-2)) {
            throw new IllegalArgumentException("RotaryEmbedding: " + Arrays.toString(x.shape()) + " from position "
                    + position + " must be [..., L, " + 2 * pairs + "] with positions up to " + cosines.size(0));
        }
        long end = position + x.size(-2);
        Tensor cos = cosines.slice(0, position, end);
        Tensor sin = sines.slice(0, position, end);
        Tensor a = halves ? x.slice(-1, 0, pairs) : x.slice(-1, 0, 2 * pairs, 2);
        Tensor b = halves ? x.slice(-1, pairs, 2 * pairs) : x.slice(-1, 1, 2 * pairs, 2);
        Tensor first = a.multiply(cos).subtract(b.multiply(sin));
        Tensor second = a.multiply(sin).add(b.multiply(cos));
        return halves
                ? Tensor.concat(-1, first, second)
                : Tensor.stack(-1, first, second).reshape(x.shape());
    }

    @Override
    public String toString() {
        return "RotaryEmbedding(" + 2 * cosines.size(1) + ", maxLength=" + cosines.size(0) + ", halves=" + halves + ")";
    }
}
