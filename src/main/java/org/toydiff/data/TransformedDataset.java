package org.toydiff.data;

import java.util.function.UnaryOperator;

/// Another set, whose batches go through a function.
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
