package org.toydiff.data;

import java.util.function.LongUnaryOperator;

/// Some examples of another set; `position` says where the i-th is there.
record Subset(Dataset source, long size, LongUnaryOperator position) implements Dataset {
    @Override
    public Batch batch(long... indices) {
        TensorRows.requireInside("batch", indices, size);
        long[] there = new long[indices.length];
        for (int i = 0; i < there.length; i++) {
            there[i] = position.applyAsLong(indices[i]);
        }
        return source.batch(there);
    }
}
