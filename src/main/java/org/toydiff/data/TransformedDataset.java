package org.toydiff.data;

import java.util.function.UnaryOperator;

/// A data set whose batches are those of another, changed by a function.
record TransformedDataset(Dataset source, UnaryOperator<Batch> function) implements Dataset {
    @Override
    public long size() {
        return source.size();
    }

    @Override
    public Batch batch(long... indices) {
        return function.apply(source.batch(indices));
    }
}
