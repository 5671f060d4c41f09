package org.toydiff.data;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.stream.Stream;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Reads the examples of a [Dataset] in batches, one epoch for each iteration.
///
/// ```java
/// try (var loader = DataLoader.of(train, 128).shuffle(1).transform(new Normalize(0.286, 0.353)).prefetch(2)) {
///     for (int epoch = 0; epoch < 10; epoch++) {
///         for (Batch batch : loader) {
///             …
///         }
///     }
/// }
/// ```
///
/// **A batch is valid until the next one is requested or the iteration ends**: its tensors are reused for later
/// batches. [Batch#copyTo(java.lang.foreign.Arena)] keeps one.
///
/// **Memory** Batches are made in scratch memory and copied to tensors that are allocated once. Without
/// [#prefetch(int)] these live in the arena that is innermost when the first batch is requested, and all work is
/// done on the calling thread. With it they live in an arena of the background thread, which is closed when the
/// iteration ends: after its last batch, at the next call of [#iterator()], or by [#close()].
///
/// **Heap** With prefetching, the calling thread makes objects for an iteration (some 2 KB) and none for a batch; the
/// background thread makes those of the data set and the transforms: some 3 KB for a batch of 64 from a
/// [TensorDataset]. The tensors of a batch serve for later ones of its shape, unless they track gradients.
///
/// **State** A loader can be saved after any batch by [#stateDict()] and continued from there in another process,
/// with bit-identical batches. Settings follow the convention of [org.toydiff.data]. For one thread at a time.
public final class DataLoader implements Iterable<Batch>, Stateful, AutoCloseable {
    private static final String SEED = "seed";
    private static final String EPOCH = "epoch";
    private static final String POSITION = "position";
    private static final String SIZE = "size";
    private static final String SHUFFLE = "shuffle";

    private final Dataset dataset;
    private final int batchSize;

    private boolean dropLast;

    /// The order of the epoch, rewritten for each, or null for the order of the data set.
    private long[] order;

    private List<Transform> transforms = List.of();
    private int prefetch;
    private ShardRange shards = ShardRange.ALL;

    private long seed;
    private long epoch;

    /// The number of examples of the epoch that were returned.
    private long position;

    /// The number of examples of the batch returned last.
    private int examples;

    /// Whether an iteration reached the position, so that a new one begins the next epoch.
    private boolean begun;

    private final BatchBuffer buffer = new BatchBuffer();
    private Iteration current;

    private DataLoader(Dataset dataset, int batchSize) {
        this.dataset = dataset;
        this.batchSize = batchSize;
    }

    /// Makes a loader that takes the examples in the order of the data set, on the calling thread. The last batch is
    /// smaller where the batch size does not divide the number of examples.
    ///
    /// @param dataset the examples
    /// @param batchSize the number of examples in a batch, positive
    /// @return the loader, whose methods named after the other settings change those
    /// @throws IllegalArgumentException if the batch size is not positive
    public static DataLoader of(Dataset dataset, int batchSize) {
        if (batchSize <= 0) {
            throw new IllegalArgumentException("DataLoader: batch size " + batchSize + " must be positive");
        }
        return new DataLoader(Objects.requireNonNull(dataset, "dataset"), batchSize);
    }

    /// Begins a change of a setting. The batches of an epoch, and a saved position in it, depend on the settings; an
    /// epoch whose iteration was ended early is over.
    private void begin(String setting) {
        boolean resumed = position > 0 && !begun;
        if (current != null || resumed) {
            throw new IllegalStateException("DataLoader: " + setting + " cannot change while an epoch is under way; set"
                    + " it before iterator() and loadStateDict, or when the epoch has ended");
        }
        skipRest();
    }

    /// Shuffles the examples of each epoch, by the seed and the number of the epoch.
    ///
    /// The order is the Fisher–Yates shuffle with the generator SplitMix64. The seed is also that of random
    /// transforms; it is 0 without this call. **Memory** 8 bytes of heap for each example, once.
    ///
    /// @param seed any number
    /// @return this
    /// @throws IllegalArgumentException if there are more examples than an array can hold
    /// @throws IllegalStateException if an epoch is under way
    public DataLoader shuffle(long seed) {
        long[] order = SplitMix64.order("DataLoader: shuffle", size());
        begin("shuffle");
        this.order = order;
        this.seed = seed;
        return this;
    }

    /// Leaves out the last batch of an epoch if it is smaller than the others.
    ///
    /// @return this
    /// @throws IllegalStateException if an epoch is under way
    public DataLoader dropLast() {
        begin("dropLast");
        this.dropLast = true;
        return this;
    }

    /// Adds transforms, which change every batch in the order in which they were added.
    ///
    /// @param transforms the transforms
    /// @return this
    /// @throws IllegalStateException if an epoch is under way
    public DataLoader transform(Transform... transforms) {
        begin("transform");
        this.transforms =
                Stream.concat(this.transforms.stream(), Stream.of(transforms)).toList();
        return this;
    }

    /// Makes batches ahead on a background thread, a daemon, which waits while enough are ready.
    ///
    /// The batches are the same as without. The data set must be readable on another thread: its tensors live in a
    /// [TensorArena#ofShared()]. **Memory** one batch more than are made ahead, and scratch memory for one.
    ///
    /// @param batches the number of batches made ahead, 0 for none
    /// @return this
    /// @throws IllegalArgumentException if the number is negative or above 1024
    /// @throws IllegalStateException if an epoch is under way
    public DataLoader prefetch(int batches) {
        if (batches < 0 || batches > 1024) {
            throw new IllegalArgumentException("DataLoader: prefetch " + batches + " must be within 0 to 1024");
        }
        begin("prefetch");
        this.prefetch = batches;
        return this;
    }

    /// Reads of each batch only some shards, for one of several processes. Each shard is transformed by itself, so that
    /// its examples do not depend on the number of processes. [Batch#size()] is then the number of examples that are
    /// read, and [#examples()] that of the whole batch. A batch with fewer examples than shards is refused when it is
    /// read.
    ///
    /// @param shards the shards that are read; `ShardRange.of(0, 1, 1)` reads whole batches again
    /// @return this
    /// @throws IllegalStateException if an iteration is under way
    public DataLoader shards(ShardRange shards) {
        Objects.requireNonNull(shards, "shards");
        // Positions count whole batches, so a saved one may be under way.
        if (current != null) {
            throw new IllegalStateException(
                    "DataLoader: shards cannot change during an iteration; set them before iterator() or after its end");
        }
        this.shards = shards;
        return this;
    }

    /// {@return the number of examples of the batch returned last, with those of shards that were not read; 0
    /// before the first}
    public int examples() {
        return examples;
    }

    /// {@return the number of examples of the data set, 0 or more}
    public long size() {
        return dataset.size();
    }

    /// {@return the number of batches of an epoch, 0 or more}
    public long batches() {
        return dropLast ? size() / batchSize : Math.ceilDiv(size(), (long) batchSize);
    }

    /// {@return the number of the epoch under way, or of the next one if none is, from 0 on}
    public long epoch() {
        return epoch;
    }

    /// Begins an epoch: the next one, or the rest of one that [#loadStateDict(Map)] restored. Ends an iteration
    /// under way and leaves out the rest of its epoch.
    ///
    /// @return its batches, each valid until the next is requested. `next` throws IllegalStateException once another
    ///     iteration has begun, or if the thread is interrupted while it waits, and rethrows exceptions of the data
    ///     set and the transforms, whichever thread they were thrown on
    @Override
    public Iterator<Batch> iterator() {
        close();
        skipRest();
        begun = true;
        current = new Iteration();
        return current;
    }

    /// Leaves out the rest of an epoch whose iteration has ended.
    private void skipRest() {
        if (begun && position > 0) {
            epoch++;
            position = 0;
        }
    }

    /// Ends the iteration under way, if any: stops the background thread and frees its memory. The loader can be
    /// iterated again.
    ///
    /// A data set that is reading a batch has 10 seconds to return; after that, or at once if the calling thread is
    /// interrupted, the background thread is interrupted and has one more second. The calling thread stays
    /// interrupted.
    ///
    /// @throws IllegalStateException if an op on another thread is using a batch: call again when it has ended; or
    ///     if the data set has not returned in time: the background thread frees its memory and ends as soon as it
    ///     does
    @Override
    public void close() {
        if (current != null) {
            current.source.close();
            current = null;
        }
    }

    /// Returns the position of the loader: `seed`, `epoch`, and `position`, the number of examples of the epoch that
    /// were returned; with the settings that give these a meaning: `size`, the number of examples of the data set,
    /// and `shuffle`, 1 or 0.
    ///
    /// @return new INT64 tensors `[1]` in the innermost arena
    @Override
    public Map<String, Tensor> stateDict() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        state.put(SEED, Tensor.of(new long[] {seed}, 1));
        state.put(EPOCH, Tensor.of(new long[] {epoch}, 1));
        state.put(POSITION, Tensor.of(new long[] {position}, 1));
        state.put(SIZE, Tensor.of(new long[] {size()}, 1));
        state.put(SHUFFLE, Tensor.of(new long[] {order == null ? 0 : 1}, 1));
        return state;
    }

    /// Continues from a state: the next iteration returns the batches that would have followed it. Ends an iteration
    /// under way.
    ///
    /// @param state the [#stateDict()] of a loader of the same data set and transforms, shuffled if and only if this
    ///     one is; the batch sizes may differ
    /// @throws IllegalArgumentException if an entry is missing or unknown, the data set had another size, or one of
    ///     the loaders shuffles and the other does not
    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        requireState(state);
        close();
        seed = number(state, SEED);
        epoch = number(state, EPOCH);
        position = number(state, POSITION);
        begun = false;
    }

    private void requireState(Map<String, Tensor> state) {
        try (var scratch = TensorArena.ofConfined()) {
            Stateful.requireFits("DataLoader: loadStateDict", stateDict(), state);
        }
        List<String> problems = new ArrayList<>();
        if (number(state, SIZE) != size()) {
            problems.add("the state is of a set of " + number(state, SIZE) + " examples, but this one has " + size());
        }
        if (number(state, SHUFFLE) != (order == null ? 0 : 1)) {
            problems.add(
                    order == null
                            ? "the state is of a loader that shuffles, but this one does not; call shuffle(seed) on this one"
                            : "the state is of a loader that does not shuffle, but this one does; make this one"
                                    + " without shuffle(seed)");
        }
        if (number(state, EPOCH) < 0) {
            problems.add("epoch " + number(state, EPOCH) + " is negative");
        }
        if (number(state, POSITION) < 0 || number(state, POSITION) > size()) {
            problems.add("position " + number(state, POSITION) + " is not in a set of " + size() + " examples");
        }
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException("DataLoader: loadStateDict: " + String.join("; ", problems));
        }
    }

    private static long number(Map<String, Tensor> state, String name) {
        return state.get(name).toLongArray()[0];
    }

    private Epoch epochNow() {
        if (order != null) {
            SplitMix64.permute(order, seed, epoch);
        }
        return new Epoch(dataset, batchSize, dropLast, transforms, seed, epoch, order, shards);
    }

    private final class Iteration implements Iterator<Batch> {
        private final Epoch batches = epochNow();
        private final BatchSource source =
                prefetch > 0 ? new Prefetcher(batches, position, prefetch, Prefetcher.PATIENCE) : new Direct(batches);
        private boolean ended;

        @Override
        public boolean hasNext() {
            if (ended) {
                return false;
            }
            requireCurrent();
            if (batches.count(position) == 0) {
                close();
                ended = true;
                epoch++;
                position = 0;
                begun = false;
            }
            return !ended;
        }

        @Override
        public Batch next() {
            if (!hasNext()) {
                throw new NoSuchElementException("next: the epoch has no batch left");
            }
            Batch batch = source.next(position);
            examples = batches.count(position);
            position += examples;
            return batch;
        }

        private void requireCurrent() {
            if (current != this) {
                throw new IllegalStateException("next: close(), loadStateDict or another iteration of the loader has"
                        + " ended this one; call iterator() for a new one");
            }
        }
    }

    /// Makes each batch when it is requested.
    private final class Direct implements BatchSource {
        private final Epoch batches;

        Direct(Epoch batches) {
            this.batches = batches;
        }

        @Override
        public Batch next(long position) {
            return batches.read(position, buffer, TensorArena.innermost());
        }

        @Override
        public void close() {
            // The batches live in the caller's arena.
        }
    }
}
