package org.toydiff.train;

import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.data.ShardRange;
import org.toydiff.distributed.ProcessGroup;

/// The processes of a training: they compute the same; files and progress are those of rank 0.
final class Ranks {
    /// The longest message that reaches the other processes.
    private static final int MESSAGE = 1000;

    /// Reads or writes files.
    @FunctionalInterface
    interface FileAction {
        void run() throws IOException;
    }

    private final ProcessGroup group;

    /// Those of this process.
    private final ShardRange shards;

    /// @param shards the number of shards of a batch
    Ranks(ProcessGroup group, int shards) {
        this.group = group;
        this.shards = ShardRange.of(group.rank(), group.size(), shards);
    }

    /// {@return a training of this process alone}
    static Ranks alone() {
        return new Ranks(ProcessGroup.single(), 1);
    }

    boolean isFirst() {
        return group.rank() == 0;
    }

    ProcessGroup group() {
        return group;
    }

    /// {@return the shards of this process}
    ShardRange shards() {
        return shards;
    }

    /// Makes a loader read the shards of this process.
    void share(DataLoader loader) {
        if (shards.shards() > 1) {
            loader.shards(shards);
        }
    }

    /// Makes a loader read whole batches again.
    void unshare(DataLoader loader) {
        if (shards.shards() > 1) {
            loader.shards(ShardRange.of(0, 1, 1));
        }
    }

    /// Runs one action in rank 0, another one in the others meanwhile, and fails everywhere if rank 0 fails.
    void firstAlone(FileAction first, FileAction others) throws IOException {
        String failure = "";
        IOException own = null;
        try {
            (isFirst() ? first : others).run();
        } catch (IOException e) {
            own = e;
            failure = e.toString();
        }
        String ofFirst = isAlone() ? "" : broadcast(failure);
        if (own != null) {
            throw own;
        }
        if (!ofFirst.isEmpty()) {
            throw new IOException("rank 0 of " + group.size() + " failed: " + ofFirst);
        }
    }

    /// Runs an action in rank 0 and then in the others, as [#firstAlone].
    void firstBefore(FileAction action) throws IOException {
        firstAlone(action, () -> {});
        if (!isFirst()) {
            action.run();
        }
    }

    boolean isAlone() {
        return group.size() == 1;
    }

    private String broadcast(String text) {
        try (var scratch = TensorArena.ofConfined()) {
            int[] characters = text.chars().limit(MESSAGE).toArray();
            Tensor message = Tensor.of(Arrays.copyOf(characters, MESSAGE), MESSAGE);
            group.broadcast(message, 0);
            var received = new StringBuilder();
            for (long character : message.toLongArray()) {
                if (character != 0) {
                    received.append((char) character);
                }
            }
            return received.toString();
        }
    }

    /// {@return whether a value is true in any process}
    boolean any(boolean value) {
        if (isAlone()) {
            return value;
        }
        try (var scratch = TensorArena.ofConfined()) {
            Tensor count = Tensor.of(new int[] {value ? 1 : 0}, 1);
            group.allReduce(count);
            return count.item() > 0;
        }
    }

    /// Throws unless all processes have the same numbers, whose names are the keys.
    void requireSame(Map<String, Long> numbers) {
        if (isAlone()) {
            return;
        }
        try (var scratch = TensorArena.ofConfined()) {
            Tensor own = Tensor.of(
                    numbers.values().stream().mapToLong(Long::longValue).toArray(), numbers.size());
            Tensor all = Tensor.zeros(own.dtype(), group.size(), numbers.size());
            group.allGather(own, all);
            int column = 0;
            for (String name : numbers.keySet()) {
                requireSame(name, all.slice(1, column, column + 1).toLongArray());
                column++;
            }
        }
    }

    private static void requireSame(String name, long[] ofRanks) {
        if (Arrays.stream(ofRanks).anyMatch(number -> number != ofRanks[0])) {
            var message = new StringBuilder("fit: the processes differ in " + name + ":");
            for (int rank = 0; rank < ofRanks.length; rank++) {
                message.append(rank == 0 ? " rank " : ", rank ")
                        .append(rank)
                        .append(": ")
                        .append(ofRanks[rank]);
            }
            throw new IllegalStateException(
                    message
                            + "; every process needs the same settings and the same files, checkpoints on a shared file system");
        }
    }

    /// {@return the rows of all processes in the innermost arena, of which this process has those of its shards}
    ///
    /// @param rows the number of rows of all
    Tensor gather(Tensor own, long rows) {
        if (isAlone()) {
            return own;
        }
        long[] rowsOf = new long[group.size()];
        Arrays.setAll(rowsOf, rank -> rows(ShardRange.of(rank, rowsOf.length, shards.shards()), rows));
        long[] shape = own.shape();
        shape[0] = Arrays.stream(rowsOf).max().orElseThrow();
        Tensor part = Tensor.zeros(own.dtype(), shape);
        part.slice(0, 0, own.size(0)).copyFrom(own);
        long[] all = new long[shape.length + 1];
        all[0] = group.size();
        System.arraycopy(shape, 0, all, 1, shape.length);
        Tensor whole = Tensor.zeros(own.dtype(), all);
        group.allGather(part, whole);
        Tensor[] parts = new Tensor[rowsOf.length];
        Arrays.setAll(parts, rank -> whole.get(rank).slice(0, 0, rowsOf[rank]));
        return Tensor.concat(0, parts);
    }

    private static long rows(ShardRange shards, long rows) {
        return shards.begin(shards.end(), rows) - shards.begin(shards.first(), rows);
    }

    /// {@return the rows of a shard of this process}
    ///
    /// @param own those of all its shards
    /// @param rows the number of rows of all processes
    Tensor rowsOf(int shard, Tensor own, long rows) {
        long before = shards.begin(shards.first(), rows);
        return MicroBatches.part(own, shards.begin(shard, rows) - before, shards.begin(shard + 1, rows) - before);
    }
}
