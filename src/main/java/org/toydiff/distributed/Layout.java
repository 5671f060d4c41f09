package org.toydiff.distributed;

import java.util.ArrayList;
import java.util.List;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.Updates;
import org.toydiff.data.ShardRange;

/// Who has which elements of the parameters, and how these are sent: all that follows from shapes and numbers
/// alone, and is the same in every process.
///
/// The elements of a parameter are divided among the ranks in units of [Updates#UNIT], from which norms are added up;
/// the ranks that get one more take turns. Parameters are sent in buckets, the last parameter first, because backward
/// completes its gradient first.
final class Layout {
    /// Bytes of a bucket, or of one parameter that is larger: enough to make a message's latency small, and little
    /// enough to send most of the gradients while backward goes on.
    private static final long BUCKET_BYTES = 1 << 21;

    final int ranks;
    final int shards;
    final List<Bucket> buckets = new ArrayList<>();

    /// The bucket of each parameter.
    final Bucket[] bucketOf;

    /// The place of each parameter in its bucket.
    final int[] placeOf;

    /// The shards of each rank.
    final List<ShardRange> shardsOf = new ArrayList<>();

    /// The sums of each rank, in order.
    final List<List<ShardTree.Node>> nodes = new ArrayList<>();

    /// The most sums that a rank sends of one parameter.
    final int mostNodes;

    private final long[] sizes;
    private final int[] firstOfTurn;

    /// Parameters that are sent together, of one dtype.
    static final class Bucket {
        final DType dtype;
        final List<Integer> parameters = new ArrayList<>();

        /// The elements that a rank has at most.
        long block;

        private long bytes;

        private Bucket(DType dtype) {
            this.dtype = dtype;
        }
    }

    /// @param parameters those that are trained, in the optimizer's order
    Layout(List<Tensor> parameters, int ranks, int shards) {
        if (shards < ranks) {
            throw new IllegalArgumentException("DataParallel: " + shards + " shards are too few for " + ranks
                    + " processes, each of which needs one at least; use a multiple of " + ranks);
        }
        this.ranks = ranks;
        this.shards = shards;
        this.sizes = parameters.stream().mapToLong(Tensor::size).toArray();
        this.firstOfTurn = turns();
        this.bucketOf = new Bucket[sizes.length];
        this.placeOf = new int[sizes.length];
        for (int i = sizes.length - 1; i >= 0; i--) {
            add(i, parameters.get(i).dtype());
        }
        buckets.forEach(this::setBlock);
        for (int rank = 0; rank < ranks; rank++) {
            shardsOf.add(ShardRange.of(rank, ranks, shards));
            nodes.add(ShardTree.nodes(shardsOf.get(rank)));
        }
        this.mostNodes = nodes.stream().mapToInt(List::size).max().orElseThrow();
    }

    private int[] turns() {
        int[] turns = new int[sizes.length];
        int turn = 0;
        for (int i = 0; i < sizes.length; i++) {
            turns[i] = turn;
            turn = (int) ((turn + units(i)) % ranks);
        }
        return turns;
    }

    private void add(int parameter, DType dtype) {
        Bucket last = buckets.isEmpty() ? null : buckets.getLast();
        long bytes = sizes[parameter] * dtype.bytes();
        if (last == null || last.dtype != dtype || last.bytes + bytes > BUCKET_BYTES) {
            last = new Bucket(dtype);
            buckets.add(last);
        }
        placeOf[parameter] = last.parameters.size();
        last.parameters.add(parameter);
        last.bytes += bytes;
        bucketOf[parameter] = last;
    }

    private void setBlock(Bucket bucket) {
        for (int rank = 0; rank < ranks; rank++) {
            bucket.block = Math.max(bucket.block, end(bucket, rank));
        }
    }

    /// {@return the number of units of the parameters before each, and of all}
    int[] firstUnits() {
        int[] first = new int[sizes.length + 1];
        for (int i = 0; i < sizes.length; i++) {
            first[i + 1] = Math.addExact(first[i], Math.toIntExact(units(i)));
        }
        return first;
    }

    private long units(int parameter) {
        return Math.ceilDiv(sizes[parameter], (long) Updates.UNIT);
    }

    /// {@return the first element of a parameter that a rank has}
    long from(int parameter, int rank) {
        long units = units(parameter);
        long each = units / ranks;
        int more = (int) (units % ranks);
        // Of the ranks before this one, those that get one more.
        int begin = firstOfTurn[parameter];
        long extra = 0;
        for (int r = 0; r < rank; r++) {
            extra += Math.floorMod(r - begin, ranks) < more ? 1 : 0;
        }
        return Math.min(sizes[parameter], (rank * each + extra) * Updates.UNIT);
    }

    /// {@return the end of the elements of a parameter that a rank has}
    long to(int parameter, int rank) {
        return rank == ranks - 1 ? sizes[parameter] : from(parameter, rank + 1);
    }

    /// {@return where the elements of a parameter begin among those of its bucket that a rank has}
    long offset(int parameter, int rank) {
        long offset = 0;
        for (int before : bucketOf[parameter].parameters) {
            if (before == parameter) {
                break;
            }
            offset += to(before, rank) - from(before, rank);
        }
        return offset;
    }

    /// {@return the number of elements of a bucket that a rank has}
    long end(Bucket bucket, int rank) {
        int last = bucket.parameters.getLast();
        return offset(last, rank) + to(last, rank) - from(last, rank);
    }

    /// {@return the number of elements of a bucket that are sent, or received, in one transfer}
    long sent(Bucket bucket) {
        return ranks * mostNodes * bucket.block;
    }

    /// {@return the bytes that are sent, or received, in the largest transfer}
    long largestTransfer() {
        return buckets.stream()
                .mapToLong(bucket -> sent(bucket) * bucket.dtype.bytes())
                .max()
                .orElse(0);
    }

    /// {@return the most sums that a rank keeps of each parameter while it computes its next shard}
    int depth(int rank) {
        var tree = new ShardTree(shards);
        int depth = 0;
        ShardRange own = shardsOf.get(rank);
        for (int shard = own.first(); shard < own.end() - 1; shard++) {
            tree.push(new ShardTree.Node(shard, 0));
            depth = Math.max(depth, tree.nodes().size());
        }
        return depth;
    }
}
