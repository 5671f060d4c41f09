package org.toydiff.data;

import java.util.Arrays;
import java.util.List;
import org.toydiff.TensorArena;

/// One pass over a data set: assigns examples to batches, and reads them.
final class Epoch {
    private final Dataset dataset;
    private final int batchSize;
    private final boolean dropLast;
    private final List<Transform> transforms;
    private final long seed;
    private final long number;
    private final long[] order;
    private final long size;

    /// Makes the pass of one epoch.
    ///
    /// @param order a permutation of the examples, or null for the order of the data set
    Epoch(
            Dataset dataset,
            int batchSize,
            boolean dropLast,
            List<Transform> transforms,
            long seed,
            long number,
            long[] order) {
        this.dataset = dataset;
        this.batchSize = batchSize;
        this.dropLast = dropLast;
        this.transforms = transforms;
        this.seed = seed;
        this.number = number;
        this.order = order;
        this.size = dataset.size();
    }

    /// Returns the size of the batch that begins at a position; 0 at the end of the epoch.
    int count(long position) {
        long left = Math.min(batchSize, size - position);
        return dropLast && left < batchSize ? 0 : (int) left;
    }

    /// Reads the batch that begins at a position into a buffer.
    Batch read(long position, BatchBuffer buffer, TensorArena home) {
        try (var scratch = TensorArena.ofConfined()) {
            Batch batch = dataset.batch(indices(position));
            var random = new SplitMix64(seed, number, position);
            for (Transform transform : transforms) {
                batch = transform.apply(batch, random);
            }
            return buffer.fill(home, batch);
        }
    }

    private long[] indices(long position) {
        int count = count(position);
        if (order != null) {
            return Arrays.copyOfRange(order, (int) position, (int) position + count);
        }
        long[] indices = new long[count];
        Arrays.setAll(indices, i -> position + i);
        return indices;
    }
}
