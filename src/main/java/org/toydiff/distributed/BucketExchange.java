package org.toydiff.distributed;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.internal.mpi.Communicator;
import org.toydiff.internal.mpi.Transfer;

/// Sends the gradients of a bucket to the ranks that update the elements, adds up those received, and later sends the
/// updated elements to all ranks.
final class BucketExchange {
    private final Layout layout;
    private final Layout.Bucket bucket;
    private final int rank;

    /// The gradients of this rank's elements, and those of each parameter among them.
    private final Tensor[] ownParts;

    private final Tensor own;

    /// Where each sum is put to be sent, by rank and place of the parameter; with one process the own parts.
    private final Tensor[][][] sent;

    /// The received sums of this rank's elements, in the order of the tree, and the additions after each.
    private final List<Tensor> received = new ArrayList<>();

    private int[] additions;

    /// The updated elements: those of this rank, and those of each rank of each parameter.
    private Tensor[] updated;

    private Tensor[][] collected;
    private Transfer sums;
    private Transfer parameters;

    /// Memory for the elements that one bucket sends and receives at a time.
    record Staging(MemorySegment sent, MemorySegment received) {
        static Staging of(Layout layout, TensorArena home) {
            long bytes = layout.largestTransfer();
            return new Staging(home.allocate(bytes, 64), home.allocate(bytes, 64));
        }
    }

    /// @param staging null for one process
    BucketExchange(Layout layout, Layout.Bucket bucket, int rank, Staging staging) {
        this.layout = layout;
        this.bucket = bucket;
        this.rank = rank;
        this.own = Tensor.zeros(bucket.dtype(), layout.end(bucket, rank));
        ownParts = parts(own, 0, rank);
        this.sent = new Tensor[layout.mostNodes][layout.ranks][];
        if (staging == null) {
            sent[0][0] = ownParts;
        } else {
            divide(staging);
        }
    }

    private void divide(Staging staging) {
        DType dtype = bucket.dtype();
        MemorySegment from = staging.sent.asSlice(0, layout.sent(bucket) * dtype.bytes());
        MemorySegment to = staging.received.asSlice(0, from.byteSize());
        Tensor sending = Tensor.wrap(from, dtype, layout.sent(bucket));
        Tensor receiving = Tensor.wrap(to, dtype, layout.sent(bucket));
        List<ShardTree.Node> nodes = new ArrayList<>();
        for (int r = 0; r < layout.ranks; r++) {
            for (int node = 0; node < layout.mostNodes; node++) {
                long block = (r * layout.mostNodes + node) * bucket.block();
                sent[node][r] = parts(sending, block, r);
                if (node < layout.nodes.get(r).size()) {
                    nodes.add(layout.nodes.get(r).get(node));
                    received.add(receiving.slice(0, block, block + own.size()));
                }
            }
        }
        additions = ShardTree.additions(nodes, layout.shards);
        sums = Communicator.nonblockingAllToAll(from, to, this::add);
        updated = parts(sending, 0, rank);
        collected = new Tensor[layout.ranks][];
        for (int r = 0; r < layout.ranks; r++) {
            collected[r] = parts(receiving, r * bucket.block(), r);
        }
        long part = bucket.block() * dtype.bytes();
        parameters = Communicator.nonblockingAllGather(from.asSlice(0, part), to.asSlice(0, layout.ranks * part));
    }

    private Tensor[] parts(Tensor all, long block, int r) {
        Tensor[] parts = new Tensor[bucket.count()];
        Arrays.setAll(parts, place -> part(all, block, bucket.parameter(place), r));
        return parts;
    }

    private Tensor part(Tensor all, long block, int parameter, int r) {
        long begin = block + layout.offset(parameter, r);
        return all.slice(0, begin, begin + layout.to(parameter, r) - layout.from(parameter, r));
    }

    /// {@return where a sum of a parameter is put for a rank}
    Tensor sent(int node, int rank, int parameter) {
        return sent[node][rank][bucket.place(parameter)];
    }

    /// {@return the gradient of this rank's elements of a parameter}
    Tensor own(int parameter) {
        return ownParts[bucket.place(parameter)];
    }

    /// {@return the gradient of this rank's elements of all parameters}
    Tensor own() {
        return own;
    }

    /// {@return the transfer of the gradients, null for one process}
    Transfer sums() {
        return sums;
    }

    /// {@return the transfer of the updated elements, null for one process}
    Transfer parameters() {
        return parameters;
    }

    private void add() {
        ShardTree.add(received, additions);
        own.copyFrom(received.getFirst());
    }

    /// Puts this rank's elements of a parameter where they are sent from.
    void putUpdated(int parameter, Tensor elements) {
        updated[bucket.place(parameter)].copyFrom(elements);
    }

    /// {@return where the elements of a parameter arrived from a rank}
    Tensor collected(int parameter, int rank) {
        return collected[rank][bucket.place(parameter)];
    }
}
