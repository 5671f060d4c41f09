package org.toydiff.data;

/// Neighbouring shards of a batch: all batches are divided into the same number of shards, of about the same size.
///
/// @param first the first shard of the range
/// @param end the shard after the last
/// @param shards the number of shards of a batch
record ShardRange(int first, int end, int shards) {
    /// A batch as a whole.
    static final ShardRange ALL = new ShardRange(0, 1, 1);

    ShardRange {
        if (first < 0 || end <= first || end > shards) {
            throw new IllegalArgumentException("DataLoader: shards: from " + first + " to before " + end
                    + " is no range of " + shards + " shards");
        }
    }

    /// {@return the first example of a shard of a batch}
    long begin(int shard, int examples) {
        return (long) shard * examples / shards;
    }

    void requireEnough(int examples) {
        if (examples < shards) {
            throw new IllegalArgumentException(
                    "DataLoader: a batch of " + examples + " examples cannot be divided into " + shards
                            + " shards; leave a last batch out with dropLast(), or use fewer shards");
        }
    }
}
