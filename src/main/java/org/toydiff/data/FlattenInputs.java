package org.toydiff.data;

import java.util.random.RandomGenerator;
import org.toydiff.Tensor;

/// Flattens every input, `[n, …]` to `[n, elements]`, as the layer [org.toydiff.nn.Flatten] does inside a model.
public final class FlattenInputs implements Transform {
    /// Makes a transform for inputs of any shape.
    public FlattenInputs() {}

    @Override
    public Batch apply(Batch batch, RandomGenerator random) {
        Tensor x = batch.x();
        long n = batch.size();
        return new Batch(x.reshape(n, n == 0 ? 0 : x.size() / n), batch.y());
    }
}
