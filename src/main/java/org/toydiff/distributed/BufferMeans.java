package org.toydiff.distributed;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Updates;

/// The buffers of a model, such as the running statistics of normalization, in a step of several shards. Each shard
/// starts from the values before the step; the result is the mean of the values after each shard. Running statistics
/// are linear in the statistics of a batch, so this is as if they had followed the mean of the shards' statistics.
/// Integers count steps: they are the same after each shard, and have no mean.
final class BufferMeans {
    private final List<Tensor> buffers;
    private final List<Tensor> before = new ArrayList<>();

    /// Those buffers that have a mean.
    private final List<Tensor> averaged;

    private final StepRecord record;

    /// The sums of the shards so far by their place on the stack, see [ShardTree], and each buffer's part of them.
    private final Tensor[] sums;

    private final Tensor[][] parts;

    /// The means of all shards.
    private final Tensor[] means;

    /// The number of additions after each shard.
    private final int[] additionsAfter;

    private int height;

    /// @param record by which the sums are sent
    BufferMeans(List<Tensor> buffers, Layout layout, int rank, StepRecord record) {
        this.buffers = buffers;
        this.record = record;
        averaged = buffers.stream().filter(BufferMeans::hasMean).toList();
        buffers.forEach(buffer -> before.add(Tensor.zerosLike(buffer)));
        sums = new Tensor[layout.depth(rank) + 1];
        parts = new Tensor[sums.length][];
        for (int place = 0; place < sums.length; place++) {
            sums[place] = Tensor.zeros(DType.FLOAT64, elements(buffers));
            parts[place] = parts(sums[place]);
        }
        means = parts(record.means());
        additionsAfter = ShardTree.additions(layout.shardsOf.get(rank));
    }

    /// {@return the number of elements that have a mean}
    static long elements(Collection<Tensor> buffers) {
        return buffers.stream()
                .filter(BufferMeans::hasMean)
                .mapToLong(Tensor::size)
                .sum();
    }

    private static boolean hasMean(Tensor buffer) {
        return buffer.dtype().isFloating();
    }

    /// {@return the elements of each buffer that has a mean, as its shape}
    private Tensor[] parts(Tensor all) {
        Tensor[] parts = new Tensor[averaged.size()];
        long at = 0;
        for (int i = 0; i < parts.length; i++) {
            Tensor buffer = averaged.get(i);
            parts[i] = all.slice(0, at, at + buffer.size()).reshape(buffer.shape());
            at += buffer.size();
        }
        return parts;
    }

    /// Begins a step.
    void begin() {
        height = 0;
        for (int i = 0; i < buffers.size(); i++) {
            before.get(i).copyFrom(buffers.get(i));
        }
    }

    /// Restores the buffers as they were before the step.
    void restore() {
        for (int i = 0; i < buffers.size(); i++) {
            buffers.get(i).copyFrom(before.get(i));
        }
    }

    /// Adds the buffers as they are after a shard, which is counted from this process's first.
    void add(int shard) {
        if (averaged.isEmpty()) {
            return;
        }
        try (var scratch = TensorArena.ofConfined()) {
            for (int i = 0; i < averaged.size(); i++) {
                parts[height][i].copyFrom(averaged.get(i).cast(DType.FLOAT64));
            }
        }
        height++;
        for (int i = additionsAfter[shard]; i > 0; i--, height--) {
            Updates.add(sums[height - 2], sums[height - 1]);
        }
    }

    /// Puts the sums into the record.
    void send() {
        for (int node = 0; node < height; node++) {
            record.ownBuffers(node).copyFrom(sums[node]);
        }
    }

    /// Sets the buffers to the mean over all shards.
    void receive() {
        if (averaged.isEmpty()) {
            return;
        }
        record.computeMeans();
        try (var scratch = TensorArena.ofConfined()) {
            for (int i = 0; i < averaged.size(); i++) {
                averaged.get(i).copyFrom(means[i].cast(averaged.get(i).dtype()));
            }
        }
    }
}
