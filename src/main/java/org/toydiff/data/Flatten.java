package org.toydiff.data;

import java.util.random.RandomGenerator;
import org.toydiff.Tensor;

/// Every input as one row: `[n, …]` to `[n, elements]`.
public final class Flatten implements Transform {
    /// Of inputs of any shape.
    public Flatten() {}

    @Override
    public Batch apply(Batch batch, RandomGenerator random) {
        Tensor x = batch.x();
        long n = batch.size();
        return new Batch(x.reshape(n, n == 0 ? 0 : x.size() / n), batch.y());
    }
}
