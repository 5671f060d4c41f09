package org.toydiff.nn;

import org.toydiff.DType;
import org.toydiff.Tensor;

/// Looks up a row of a table for each index.
///
/// **Shapes** INT32 or INT64 `[…] → […, dimension]`; `weight` is `[count, dimension]`. It and the output have the
/// layer's dtype.
/// **Initial values** normal, mean 0 and standard deviation 1, as PyTorch's Embedding.
public final class Embedding extends Layer {
    private final Tensor weight;

    /// Creates a FLOAT32 table.
    ///
    /// @param count the number of rows
    /// @param dimension the size of a row
    /// @throws IllegalArgumentException if a size is not positive
    public Embedding(long count, long dimension) {
        this(DType.FLOAT32, count, dimension);
    }

    /// Creates a table.
    ///
    /// @param dtype a floating dtype
    /// @param count the number of rows
    /// @param dimension the size of a row
    /// @throws IllegalArgumentException if a size is not positive or the dtype is not floating
    public Embedding(DType dtype, long count, long dimension) {
        requireFloating(dtype);
        if (count <= 0 || dimension <= 0) {
            throw new IllegalArgumentException("Embedding: sizes " + count + " and " + dimension + " must be positive");
        }
        this.weight = parameter("weight", Tensor.randn(dtype, count, dimension));
    }

    @Override
    protected Tensor compute(Tensor index) {
        long[] shape = new long[index.rank() + 1];
        System.arraycopy(index.shape(), 0, shape, 0, index.rank());
        shape[index.rank()] = weight.size(1);
        return weight.indexSelect(0, index.reshape(index.size())).reshape(shape);
    }

    @Override
    public String toString() {
        return "Embedding(" + weight.size(0) + ", " + weight.size(1) + ")";
    }
}
