package org.toydiff.data;

import java.util.Arrays;
import java.util.List;
import org.toydiff.Tensor;

/// A data set whose examples are the rows of two tensors. It does not copy the tensors, which may lie over a mapped
/// file ([org.toydiff.MappedFile]) and must outlive it.
public final class TensorDataset implements Dataset {
    private final Tensor x;
    private final Tensor y;
    private final List<String> classes;

    /// Makes a data set of inputs and targets.
    ///
    /// **Memory** nothing for row-major tensors; others are copied, once, to the innermost arena. If several threads
    /// read the set, one of a prefetching [DataLoader] included, the tensors must live in a
    /// [org.toydiff.TensorArena#ofShared()].
    ///
    /// @param x the inputs, `[n, …]`
    /// @param y the targets, `[n]` or `[n, …]`
    /// @throws IllegalArgumentException if the sizes of their first axes differ, or one is a scalar
    public TensorDataset(Tensor x, Tensor y) {
        this(x, y, List.of());
    }

    /// @param classes the names of the classes in the order of the labels, empty if they have none
    TensorDataset(Tensor x, Tensor y, List<String> classes) {
        if (x.rank() == 0 || y.rank() == 0 || x.shape()[0] != y.shape()[0]) {
            throw new IllegalArgumentException("TensorDataset: x " + Arrays.toString(x.shape()) + " and y "
                    + Arrays.toString(y.shape()) + " must have first axes of one size, the number of examples");
        }
        this.x = rowMajor(x);
        this.y = rowMajor(y);
        this.classes = classes;
    }

    /// {@return the names of the classes in the order of the labels, if they were read by [CsvFile#textLabels(String)];
    /// otherwise an empty list}
    public List<String> classes() {
        return classes;
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
