package org.toydiff.distributed;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Updates;
import org.toydiff.data.ShardRange;
import org.toydiff.internal.mpi.Communicator;
import org.toydiff.internal.mpi.Transfer;

/// The results of a backward, besides gradients, that the processes exchange at its end: one row of doubles for each.
///
/// A row is a flag, the losses and weights of the shards, whether each parameter has a gradient, and the sums of the
/// buffers of the model.
final class StepRecord {
    private final Layout layout;
    private final int mostShards;
    private final int parameters;
    private final long bufferElements;
    private final long row;
    private final MemorySegment own;
    private final MemorySegment all;

    /// The buffers' sums of this rank by node, and all sums in the order of the tree.
    private final Tensor[] ownSums;

    private final List<Tensor> sums = new ArrayList<>();
    private final int[] additions;

    /// The number of additions after each shard, and the numbers to be added.
    private final int[] shardAdditions;

    private final double[] terms;

    /// Null for one process.
    private final Transfer transfer;

    StepRecord(Layout layout, int parameters, long bufferElements, TensorArena home) {
        this.layout = layout;
        this.mostShards = Math.ceilDiv(layout.shards, layout.ranks);
        this.parameters = parameters;
        this.bufferElements = bufferElements;
        this.row = row(layout, parameters, bufferElements);
        this.all = home.allocate(layout.ranks * row * Double.BYTES, 64);
        boolean alone = layout.ranks == 1;
        this.own = alone ? all : home.allocate(row * Double.BYTES, 64);
        this.transfer = alone ? null : Communicator.nonblockingAllGather(own, all);
        this.ownSums = new Tensor[layout.mostNodes];
        for (int node = 0; node < ownSums.length; node++) {
            ownSums[node] = sums(own, 0, node);
        }
        List<ShardTree.Node> nodes = layout.nodes.stream().flatMap(List::stream).toList();
        for (int r = 0; r < layout.ranks; r++) {
            for (int node = 0; node < layout.nodes.get(r).size(); node++) {
                sums.add(sums(all, r, node));
            }
        }
        this.additions = ShardTree.additions(nodes, layout.shards);
        this.shardAdditions = ShardTree.additions(ShardRange.of(0, 1, layout.shards));
        this.terms = new double[layout.shards];
    }

    /// {@return the number of doubles of a row}
    static long row(Layout layout, int parameters, long bufferElements) {
        return 1 + 2L * Math.ceilDiv(layout.shards, layout.ranks) + parameters + layout.mostNodes * bufferElements;
    }

    private Tensor sums(MemorySegment rows, int r, int node) {
        long at = (r * row + buffers() + node * bufferElements) * Double.BYTES;
        return Tensor.wrap(rows.asSlice(at, bufferElements * Double.BYTES), DType.FLOAT64, bufferElements);
    }

    private int loss() {
        return 1;
    }

    private int weight() {
        return loss() + mostShards;
    }

    private int present() {
        return weight() + mostShards;
    }

    private int buffers() {
        return present() + parameters;
    }

    /// {@return the transfer of the rows, null for one process}
    Transfer transfer() {
        return transfer;
    }

    void setFlag(boolean flag) {
        own.set(JAVA_DOUBLE, 0, flag ? 1 : 0);
    }

    void setShard(int index, double loss, double weight) {
        own.setAtIndex(JAVA_DOUBLE, loss() + index, loss);
        own.setAtIndex(JAVA_DOUBLE, weight() + index, weight);
    }

    void setPresent(int parameter, boolean present) {
        own.setAtIndex(JAVA_DOUBLE, present() + parameter, present ? 1 : 0);
    }

    /// {@return where this rank puts a sum of the buffers}
    Tensor ownBuffers(int node) {
        return ownSums[node];
    }

    private double get(int r, int index) {
        return all.getAtIndex(JAVA_DOUBLE, r * row + index);
    }

    private boolean any(int index) {
        boolean any = false;
        for (int r = 0; r < layout.ranks; r++) {
            any |= get(r, index) != 0;
        }
        return any;
    }

    /// {@return whether any rank has set its flag}
    boolean flag() {
        return any(0);
    }

    /// {@return whether a parameter has a gradient in any rank}
    boolean present(int parameter) {
        return any(present() + parameter);
    }

    /// {@return the sum of the weights of all shards}
    double weights() {
        return sum(true);
    }

    /// {@return the sum of the losses of all shards, each times its weight}
    double losses() {
        return sum(false);
    }

    private double sum(boolean weights) {
        for (int r = 0; r < layout.ranks; r++) {
            ShardRange shards = layout.shardsOf.get(r);
            for (int shard = shards.first(); shard < shards.end(); shard++) {
                double weight = get(r, weight() + shard - shards.first());
                double loss = get(r, loss() + shard - shards.first());
                // A shard without weight may have no loss: the mean over no examples is NaN.
                terms[shard] = weights ? weight : weight == 0 ? 0 : weight * loss;
            }
        }
        return ShardTree.add(terms, shardAdditions);
    }

    /// {@return where [#computeMeans] puts the means of the buffers}
    Tensor means() {
        return sums.getFirst();
    }

    /// Computes the means of the buffers over all shards.
    void computeMeans() {
        ShardTree.add(sums, additions);
        Updates.scale(means(), 1.0 / layout.shards);
    }
}
