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

/// Gives the examples of a [Dataset] in batches, an epoch for each iteration.
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
/// **A batch is valid until the next one is asked for or the iteration ends**: its tensors are used again for
/// the one after. [Batch#copyTo(java.lang.foreign.Arena)] keeps one.
///
/// **Memory** Batches are made in scratch memory and copied to tensors that are made once. Without
/// [#prefetch(int)] these live in the arena that is innermost when the first batch is asked for, and all work
/// is done on the calling thread. With it they live in an arena of the background thread's, which is freed when
/// the iteration ends: after its last batch, at the next call of [#iterator()], or by [#close()].
///
/// **State** A loader can be saved after any batch, [#stateDict()], and go on from there in another process, to
/// the bit. To be used by one thread at a time.
public final class DataLoader implements Iterable<Batch>, Stateful, AutoCloseable {
    private static final String SEED = "seed";
    private static final String EPOCH = "epoch";
    private static final String POSITION = "position";
    private static final String SIZE = "size";
    private static final String SHUFFLE = "shuffle";

    private final Dataset dataset;
    private final int batchSize;

    private boolean dropLast;

    /// Where each epoch's order is written, or null for the order of the data set.
    private long[] order;

    private List<Transform> transforms = List.of();
    private int prefetch;

    private long seed;
    private long epoch;

    /// How many examples of the epoch were given.
    private long position;

    /// Whether an iteration has begun at the position, so that a new one begins the next epoch.
    private boolean begun;

    private final BatchBuffer slot = new BatchBuffer();
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

    /// Begins a change of a setting. Batches under way are of one order and one pipeline, and so is a saved position;
    /// an epoch that was left early is over.
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
        long[] order = SplitMix64.order("shuffle", size());
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

    /// How many examples the data set has.
    ///
    /// @return the number, 0 or more
    public long size() {
        return dataset.size();
    }

    /// How many batches an epoch has.
    ///
    /// @return the number, 0 or more
    public long batches() {
        return dropLast ? size() / batchSize : Math.ceilDiv(size(), (long) batchSize);
    }

    /// Which epoch the batches are of: the one under way, or the next when none is.
    ///
    /// @return its number, from 0 on
    public long epoch() {
        return epoch;
    }

    /// Begins an epoch: the next one, or the rest of one that [#loadStateDict(Map)] put back. An iteration
    /// under way ends, and the rest of its epoch is left out.
    ///
    /// @return its batches, each valid until the next is asked for. `next` throws IllegalStateException once
    ///     another iteration has begun, or if the thread is interrupted while it waits, and passes on what the
    ///     data set or a transform threw, on whichever thread
    @Override
    public Iterator<Batch> iterator() {
        close();
        skipRest();
        begun = true;
        current = new Iteration();
        return current;
    }

    /// Leaves out the rest of an epoch whose iteration was ended.
    private void skipRest() {
        if (begun && position > 0) {
            epoch++;
            position = 0;
        }
    }

    /// Ends the iteration under way, if there is one: stops the background thread and frees its memory. The
    /// loader can be iterated again.
    ///
    /// A data set that is reading a batch has 10 seconds to return; after that, or at once when the calling thread
    /// is interrupted, the background thread is interrupted and has one second more. The calling thread keeps its
    /// interrupt.
    ///
    /// @throws IllegalStateException if an op on another thread is using a batch: call it again after that; or if
    ///     the data set has not returned in that time: the background thread frees its memory and ends as soon as
    ///     it does
    @Override
    public void close() {
        if (current != null) {
            current.source.close();
            current = null;
        }
    }

    /// Where the loader stands: `seed`, `epoch`, and `position`, the examples of the epoch that were given; and
    /// what these mean nothing without: `size`, the examples of the data set, and `shuffle`, 1 or 0.
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

    /// Goes on from a state: the next iteration gives the batches that would have followed it. An iteration
    /// under way ends.
    ///
    /// @param state what [#stateDict()] gave, of a loader of the same data set with the same transforms, shuffled
    ///     or not as this one is; the batch size may be another
    /// @throws IllegalArgumentException if something is missing or unknown, the data set had another size, or the
    ///     loader shuffled and this one does not, or the other way round
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
            problems.add("it is of a set of " + number(state, SIZE) + " examples, and this one has " + size());
        }
        if (number(state, SHUFFLE) != (order == null ? 0 : 1)) {
            problems.add(
                    order == null
                            ? "it is of a loader that shuffles, and this one does not; call shuffle(seed) on this one"
                            : "it is of a loader that does not shuffle, and this one does; make this one"
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
        return new Epoch(dataset, batchSize, dropLast, transforms, seed, epoch, order);
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
            position += batches.count(position);
            return batch;
        }

        private void requireCurrent() {
            if (current != this) {
                throw new IllegalStateException("next: this iteration was ended by close(), loadStateDict or another"
                        + " iteration of its loader; call iterator() for a new one");
            }
        }
    }

    /// Makes each batch when it is asked for.
    private final class Direct implements BatchSource {
        private final Epoch batches;

        Direct(Epoch batches) {
            this.batches = batches;
        }

        @Override
        public Batch next(long position) {
            return batches.read(position, slot, TensorArena.innermost());
        }

        @Override
        public void close() {
            // Its memory is that of the caller's arena.
        }
    }
}
