package org.toydiff.data;

import java.util.Arrays;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// The examples of one data set followed by those of another.
record ConcatDataset(Dataset first, Dataset second) implements Dataset {
    @Override
    public long size() {
        return Math.addExact(first.size(), second.size());
    }

    @Override
    public Batch batch(long... indices) {
        TensorRows.requireInside("batch", indices, size());
        long border = first.size();
        long[] before = Arrays.stream(indices).filter(i -> i < border).toArray();
        long[] after = Arrays.stream(indices)
                .filter(i -> i >= border)
                .map(i -> i - border)
                .toArray();
        if (after.length == 0) {
            return first.batch(before);
        }
        if (before.length == 0) {
            return second.batch(after);
        }
        TensorArena home = TensorArena.innermost();
        try (var scratch = TensorArena.ofConfined()) {
            Batch a = first.batch(before);
            Batch b = second.batch(after);
            return new Batch(merged(home, indices, border, a.x(), b.x()), merged(home, indices, border, a.y(), b.y()));
        }
    }

    /// Interleaves the rows of a, for the positions before the border, with the rows of b, for those from it on.
    private static Tensor merged(TensorArena home, long[] indices, long border, Tensor a, Tensor b) {
        long[] shape = a.shape();
        shape[0] = b.shape()[0];
        if (a.dtype() != b.dtype() || !Arrays.equals(shape, b.shape())) {
            throw new IllegalArgumentException("concat: examples of " + TensorRows.describe(a) + " and of "
                    + TensorRows.describe(b) + " do not make one set");
        }
        shape[0] = indices.length;
        var rowsOfA = new TensorRows(a);
        var rowsOfB = new TensorRows(b);
        var merged = new TensorRows(Tensor.empty(home, a.dtype(), shape));
        long fromA = 0;
        for (int i = 0; i < indices.length; i++) {
            if (indices[i] < border) {
                merged.copy(rowsOfA, fromA++, i);
            } else {
                merged.copy(rowsOfB, i - fromA, i);
            }
        }
        return merged.tensor();
    }
}
