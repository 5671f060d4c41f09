package org.toydiff.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.toydiff.Tensor;
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
    private final ShardRange shards;

    /// Makes the pass of one epoch.
    ///
    /// @param order a permutation of the examples, or null for the order of the data set
    /// @param shards the part of each batch that is read
    Epoch(
            Dataset dataset,
            int batchSize,
            boolean dropLast,
            List<Transform> transforms,
            long seed,
            long number,
            long[] order,
            ShardRange shards) {
        this.dataset = dataset;
        this.batchSize = batchSize;
        this.dropLast = dropLast;
        this.transforms = transforms;
        this.seed = seed;
        this.number = number;
        this.order = order;
        this.size = dataset.size();
        this.shards = shards;
    }

    /// Returns the size of the batch that begins at a position; 0 at the end of the epoch.
    int count(long position) {
        long left = Math.min(batchSize, size - position);
        return dropLast && left < batchSize ? 0 : (int) left;
    }

    /// Reads the batch that begins at a position into a buffer, or its shards that are to be read.
    Batch read(long position, BatchBuffer buffer, TensorArena home) {
        int count = count(position);
        shards.requireEnough(count);
        try (var scratch = TensorArena.ofConfined()) {
            List<Batch> parts = new ArrayList<>();
            for (int shard = shards.first(); shard < shards.end(); shard++) {
                parts.add(read(position + shards.begin(shard, count), position + shards.begin(shard + 1, count)));
            }
            return buffer.fill(home, parts.size() == 1 ? parts.getFirst() : joined(parts));
        }
    }

    /// Reads the examples of a shard. Its random transforms depend on where it begins.
    private Batch read(long from, long to) {
        Batch batch = dataset.batch(indices(from, to));
        var random = new SplitMix64(seed, number, from);
        for (Transform transform : transforms) {
            batch = transform.apply(batch, random);
        }
        return batch;
    }

    private static Batch joined(List<Batch> parts) {
        return new Batch(
                Tensor.concat(0, parts.stream().map(Batch::x).toArray(Tensor[]::new)),
                Tensor.concat(0, parts.stream().map(Batch::y).toArray(Tensor[]::new)));
    }

    private long[] indices(long from, long to) {
        if (order != null) {
            return Arrays.copyOfRange(order, (int) from, (int) to);
        }
        long[] indices = new long[(int) (to - from)];
        Arrays.setAll(indices, i -> from + i);
        return indices;
    }
}
