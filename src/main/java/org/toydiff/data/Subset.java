package org.toydiff.data;

import java.util.function.LongUnaryOperator;

/// A selection of another data set's examples.
///
/// @param position maps a position in this set to the position in the source
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
