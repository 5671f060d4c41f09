package org.toydiff.distributed;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.Updates;
import org.toydiff.data.ShardRange;

/// The division of the parameters' elements among the ranks, and the buckets in which they are sent. It follows from
/// shapes and counts alone, so that it is the same in every process.
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

    /// The shards of each rank.
    final List<ShardRange> shardsOf = new ArrayList<>();

    /// The sums of each rank, in order.
    final List<List<ShardTree.Node>> nodes = new ArrayList<>();

    /// The most sums that a rank sends of one parameter.
    final int mostNodes;

    private final long[] sizes;
    private final int[] firstOfTurn;

    /// Consecutive parameters of one dtype that are sent together, the last one first.
    ///
    /// @param last the number of the last parameter
    /// @param first the number of the first parameter
    /// @param block the largest number of elements that a rank has
    record Bucket(DType dtype, int last, int first, long block) {
        /// {@return the number of parameters}
        int count() {
            return last - first + 1;
        }

        /// {@return the parameter at a place in the order of sending}
        int parameter(int place) {
            return last - place;
        }

        /// {@return the place of a parameter in the order of sending}
        int place(int parameter) {
            return last - parameter;
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
        for (int last = sizes.length - 1; last >= 0; last = buckets.getLast().first() - 1) {
            add(last, firstOfBucket(parameters, last), parameters.get(last).dtype());
        }
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

    /// {@return the first parameter of the bucket of a last one}
    private int firstOfBucket(List<Tensor> parameters, int last) {
        DType dtype = parameters.get(last).dtype();
        long bytes = sizes[last] * dtype.bytes();
        int first = last;
        while (first > 0 && parameters.get(first - 1).dtype() == dtype) {
            bytes += sizes[first - 1] * dtype.bytes();
            if (bytes > BUCKET_BYTES) {
                return first;
            }
            first--;
        }
        return first;
    }

    private void add(int last, int first, DType dtype) {
        long block = 0;
        for (int rank = 0; rank < ranks; rank++) {
            block = Math.max(block, elements(last, first, rank));
        }
        var bucket = new Bucket(dtype, last, first, block);
        Arrays.fill(bucketOf, first, last + 1, bucket);
        buckets.add(bucket);
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

    /// {@return the number of elements that a rank has of the parameters from the last to the first}
    private long elements(int last, int first, int rank) {
        long elements = 0;
        for (int i = last; i >= first; i--) {
            elements += to(i, rank) - from(i, rank);
        }
        return elements;
    }

    /// {@return where the elements of a parameter begin among those of its bucket that a rank has}
    long offset(int parameter, int rank) {
        return elements(bucketOf[parameter].last, parameter + 1, rank);
    }

    /// {@return the number of elements of a bucket that a rank has}
    long end(Bucket bucket, int rank) {
        return elements(bucket.last, bucket.first, rank);
    }

    /// {@return the number of elements of a bucket that are sent, or received, in one transfer}
    long sent(Bucket bucket) {
        return ranks * mostNodes * bucket.block;
    }

    /// {@return the bytes that are sent, or received, in the largest transfer}
    long largestTransfer() {
        return buckets.stream()
                .mapToLong(bucket -> sent(bucket) * bucket.dtype().bytes())
                .max()
                .orElse(0);
    }

    /// {@return the most sums that a rank keeps of each parameter while it computes its next shard}
    int depth(int rank) {
        int[] additions = ShardTree.additions(shardsOf.get(rank));
        int height = 0;
        int depth = 0;
        for (int shard = 0; shard < additions.length - 1; shard++) {
            height += 1 - additions[shard];
            depth = Math.max(depth, height);
        }
        return depth;
    }
}
