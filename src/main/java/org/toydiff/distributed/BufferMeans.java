package org.toydiff.distributed;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Updates;

/// The buffers of a model, the running statistics of normalization for instance, in a step of several shards: every
/// shard starts from those before the step, and afterwards they are the mean of what the shards have made of them.
/// As running statistics are linear in the statistics of a batch, that is as if they had followed the mean of
/// these. Integers are counts of steps, which one shard has as all have.
final class BufferMeans {
    private final List<Tensor> buffers;
    private final List<Tensor> before = new ArrayList<>();

    /// The sums of the shards so far by their place on the stack, see [ShardTree], and the parts of each buffer.
    private final Tensor[] sums;

    private final int shards;
    private final long elements;
    private ShardTree tree;
    private int height;

    BufferMeans(List<Tensor> buffers, Layout layout, int rank) {
        this.buffers = buffers;
        this.shards = layout.shards;
        this.elements = elements(buffers);
        buffers.forEach(buffer -> before.add(Tensor.zerosLike(buffer)));
        sums = new Tensor[layout.depth(rank) + 1];
        for (int place = 0; place < sums.length; place++) {
            sums[place] = Tensor.zeros(DType.FLOAT64, elements);
        }
    }

    /// {@return the number of elements that have a mean}
    long elements() {
        return elements;
    }

    static long elements(Collection<Tensor> buffers) {
        return buffers.stream()
                .filter(BufferMeans::hasMean)
                .mapToLong(Tensor::size)
                .sum();
    }

    private static boolean hasMean(Tensor buffer) {
        return buffer.dtype().isFloating();
    }

    /// Begins a step.
    void begin() {
        tree = new ShardTree(shards);
        height = 0;
        for (int i = 0; i < buffers.size(); i++) {
            before.get(i).copyFrom(buffers.get(i));
        }
    }

    /// Restores what was before the step.
    void restore() {
        for (int i = 0; i < buffers.size(); i++) {
            buffers.get(i).copyFrom(before.get(i));
        }
    }

    /// Adds what the buffers are after a shard.
    void add(int shard) {
        if (elements == 0) {
            return;
        }
        try (var scratch = TensorArena.ofConfined()) {
            put(sums[height]);
        }
        height++;
        for (int i = tree.push(new ShardTree.Node(shard, 0)); i > 0; i--, height--) {
            Updates.add(sums[height - 2], sums[height - 1]);
        }
    }

    private void put(Tensor sum) {
        long at = 0;
        for (Tensor buffer : buffers) {
            if (hasMean(buffer)) {
                Tensor flat = buffer.reshape(buffer.size());
                sum.slice(0, at, at + buffer.size()).copyFrom(flat.cast(DType.FLOAT64));
                at += buffer.size();
            }
        }
    }

    /// Puts the sums into the record.
    void send(StepRecord record) {
        for (int node = 0; node < height; node++) {
            record.ownBuffers(node).copyFrom(sums[node]);
        }
    }

    /// Sets the buffers to the mean over all shards.
    void receive(StepRecord record) {
        if (elements == 0) {
            return;
        }
        Tensor mean = record.meanBuffers();
        long at = 0;
        try (var scratch = TensorArena.ofConfined()) {
            for (Tensor buffer : buffers) {
                if (hasMean(buffer)) {
                    Tensor part = mean.slice(0, at, at + buffer.size());
                    buffer.copyFrom(part.cast(buffer.dtype()).reshape(buffer.shape()));
                    at += buffer.size();
                }
            }
        }
    }
}
