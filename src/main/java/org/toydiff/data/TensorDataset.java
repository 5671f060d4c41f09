package org.toydiff.data;

import java.util.Arrays;
import org.toydiff.Tensor;

/// Examples that are the rows of two tensors. Not copied: the tensors may lie over a mapped file
/// ([org.toydiff.MappedFile]), and must outlive the set.
public final class TensorDataset implements Dataset {
    private final Tensor x;
    private final Tensor y;

    /// Of inputs and targets.
    ///
    /// **Memory** nothing for row-major tensors; another is copied, once, to the innermost arena. For use on
    /// several threads, by a prefetching [DataLoader] too, they must live in a
    /// [org.toydiff.TensorArena#ofShared()].
    ///
    /// @param x the inputs, `[n, …]`
    /// @param y the targets, `[n]` or `[n, …]`
    /// @throws IllegalArgumentException if the sizes of their first axes differ, or one has no axis
    public TensorDataset(Tensor x, Tensor y) {
        if (x.rank() == 0 || y.rank() == 0 || x.shape()[0] != y.shape()[0]) {
            throw new IllegalArgumentException("TensorDataset: x " + Arrays.toString(x.shape()) + " and y "
                    + Arrays.toString(y.shape()) + " must have a first axis of one size, the examples");
        }
        this.x = rowMajor(x);
        this.y = rowMajor(y);
    }

    private static Tensor rowMajor(Tensor tensor) {
        Tensor plain = tensor.detach();
        return plain.reshape(plain.size()).reshape(plain.shape());
    }

    @Override
    public long size() {
        return x.shape()[0];
    }

    @Override
    public Batch batch(long... indices) {
        TensorRows.requireInside("batch", indices, size());
        return new Batch(gathered(x, indices), gathered(y, indices));
    }

    private static Tensor gathered(Tensor all, long[] indices) {
        var from = new TensorRows(all);
        long[] shape = all.shape();
        shape[0] = indices.length;
        var to = new TensorRows(Tensor.empty(all.dtype(), shape));
        for (int i = 0; i < indices.length; i++) {
            to.copy(from, indices[i], i);
        }
        return to.tensor();
    }
}
