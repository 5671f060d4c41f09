package org.toydiff.nn;

import java.util.Arrays;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Adds sines and cosines of the position: `sin(p·10000^(−2i/E))` to column 2i and the cosine to column 2i + 1 of
/// position p: A. Vaswani et al., "Attention is all you need", 2017, section 3.5.
///
/// **Shapes** `[…, L, E] → […, L, E]`, for L up to maxLength. The table is neither a parameter nor part of the
/// state.
public final class PositionalEncoding extends Layer {
    private static final double BASE = 10_000;

    private final Tensor table;

    /// Creates a FLOAT32 layer.
    ///
    /// @param size the embedding size E, even
    /// @param maxLength the maximum length
    /// @throws IllegalArgumentException if a size is not positive, or E is odd
    public PositionalEncoding(long size, long maxLength) {
        this(DType.FLOAT32, size, maxLength);
    }

    /// Creates a layer.
    ///
    /// @param dtype the floating dtype of input and output
    /// @param size the embedding size E, even
    /// @param maxLength the maximum length
    /// @throws IllegalArgumentException if a size is not positive, E is odd, or the dtype is not floating
    public PositionalEncoding(DType dtype, long size, long maxLength) {
        requireFloating(dtype);
        PositionTables.require("PositionalEncoding", maxLength, size);
        table = Tensor.empty(dtype, maxLength, size);
        Tensor pairs = table.reshape(maxLength, size / 2, 2);
        pairs.slice(2, 0, 1)
                .copyFrom(PositionTables.of(Tensor::sin, dtype, maxLength, size, BASE)
                        .unsqueeze(2));
        pairs.slice(2, 1, 2)
                .copyFrom(PositionTables.of(Tensor::cos, dtype, maxLength, size, BASE)
                        .unsqueeze(2));
    }

    @Override
    protected Tensor compute(Tensor x) {
        if (x.rank() < 2 || x.size(-1) != table.size(1) || x.size(-2) > table.size(0)) {
            throw new IllegalArgumentException("PositionalEncoding: " + Arrays.toString(x.shape())
                    + " must be [..., L, " + table.size(1) + "] with L up to " + table.size(0));
        }
        return x.add(table.slice(0, 0, x.size(-2)));
    }

    @Override
    public String toString() {
        return "PositionalEncoding(" + table.size(1) + ", maxLength=" + table.size(0) + ")";
    }
}
