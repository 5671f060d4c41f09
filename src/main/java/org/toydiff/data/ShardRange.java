package org.toydiff.data;

/// The shards of a batch that one of several processes computes: neighbouring ones. All batches are divided into
/// the same number of shards, of about the same size.
///
/// @param first the first shard of the range
/// @param end the shard after the last
/// @param shards the number of shards of a batch
public record ShardRange(int first, int end, int shards) {
    /// A batch as a whole.
    static final ShardRange ALL = new ShardRange(0, 1, 1);

    /// Checks a range.
    ///
    /// @throws IllegalArgumentException if it is empty or not within the shards
    public ShardRange {
        if (first < 0 || end <= first || end > shards) {
            throw new IllegalArgumentException("DataLoader: shards: from " + first + " to before " + end
                    + " is no range of " + shards + " shards");
        }
    }

    /// {@return the shards of a process: those from `⌊rank·shards / ranks⌋` to before `⌊(rank + 1)·shards / ranks⌋`}
    ///
    /// @param rank the process, from 0 on
    /// @param ranks the number of processes
    /// @param shards the number of shards of a batch, the number of processes or more
    /// @throws IllegalArgumentException if the process has no shard
    public static ShardRange of(int rank, int ranks, int shards) {
        return new ShardRange(part(rank, ranks, shards), part(rank + 1, ranks, shards), shards);
    }

    private static int part(int rank, int ranks, int shards) {
        return (int) ((long) rank * shards / ranks);
    }

    /// {@return the number of shards in the range}
    public int count() {
        return end - first;
    }

    /// {@return the first example of a shard: `⌊shard·examples / shards⌋`}
    ///
    /// @param shard the shard, or the number of all for the end of the last
    /// @param examples the number of examples of the whole batch
    public long begin(int shard, long examples) {
        return shard * examples / shards;
    }

    void requireEnough(int examples) {
        if (examples < shards) {
            throw new IllegalArgumentException(
                    "DataLoader: a batch of " + examples + " examples cannot be divided into " + shards
                            + " shards; leave a last batch out with dropLast(), or use fewer shards");
        }
    }
}
