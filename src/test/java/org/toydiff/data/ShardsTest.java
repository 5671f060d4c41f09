package org.toydiff.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// A loader that reads some shards of each batch, for one of several processes.
class ShardsTest {
    private static final int EXAMPLES = 23;
    private static final int BATCH = 9;
    private static final int SHARDS = 4;

    private static TensorDataset data() {
        Tensor x = Tensor.arange(0, EXAMPLES, 1).reshape(EXAMPLES, 1);
        return new TensorDataset(x, x);
    }

    /// Adds a random number to all examples that are transformed together.
    private static DataLoader loader(int prefetch) {
        return DataLoader.of(data(), BATCH)
                .shuffle(3)
                .transform((batch, random) -> new Batch(batch.x().add(random.nextInt(1000)), batch.y()))
                .prefetch(prefetch);
    }

    /// Reads an epoch by several loaders, and puts their parts together.
    private static List<float[]> epoch(int processes, int prefetch) {
        List<DataLoader> loaders = new ArrayList<>();
        List<Iterator<Batch>> iterators = new ArrayList<>();
        for (int i = 0; i < processes; i++) {
            loaders.add(loader(prefetch).shards(ShardRange.of(i, processes, SHARDS)));
            iterators.add(loaders.getLast().iterator());
        }
        List<float[]> batches = new ArrayList<>();
        while (iterators.getFirst().hasNext()) {
            Tensor[] parts = new Tensor[processes];
            for (int i = 0; i < processes; i++) {
                parts[i] = iterators.get(i).next().x();
            }
            batches.add(Tensor.concat(0, parts).toFloatArray());
            assertEquals(batches.getLast().length, loaders.getFirst().examples());
        }
        loaders.forEach(DataLoader::close);
        return batches;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void theExamplesDoNotDependOnTheNumberOfProcesses(int prefetch) {
        try (var arena = TensorArena.ofShared()) {
            List<float[]> expected = epoch(1, prefetch);
            assertEquals(3, expected.size());
            for (int processes = 2; processes <= SHARDS; processes++) {
                List<float[]> actual = epoch(processes, prefetch);
                assertEquals(expected.size(), actual.size());
                for (int i = 0; i < expected.size(); i++) {
                    assertArrayEquals(expected.get(i), actual.get(i));
                }
            }
        }
    }

    @Test
    void aPositionCountsWholeBatches() {
        try (var arena = TensorArena.ofShared()) {
            DataLoader first = loader(0).shards(new ShardRange(1, 3, SHARDS));
            Iterator<Batch> batches = first.iterator();
            batches.next();
            DataLoader second = loader(0).shards(new ShardRange(1, 3, SHARDS));
            second.loadStateDict(first.stateDict());
            assertArrayEquals(
                    batches.next().x().toFloatArray(),
                    second.iterator().next().x().toFloatArray());
            first.close();
            second.close();
        }
    }

    @Test
    void wrongRangesAndSmallBatchesAreRefused() {
        try (var arena = TensorArena.ofShared()) {
            DataLoader loader = loader(0);
            assertThrows(IllegalArgumentException.class, () -> new ShardRange(0, 0, 2));
            assertThrows(IllegalArgumentException.class, () -> new ShardRange(-1, 1, 2));
            assertThrows(IllegalArgumentException.class, () -> new ShardRange(0, 3, 2));
            loader.shards(new ShardRange(0, 1, BATCH + 1));
            Iterator<Batch> batches = loader.iterator();
            var e = assertThrows(IllegalArgumentException.class, batches::next);
            assertEquals(
                    "DataLoader: a batch of 9 examples cannot be divided into 10 shards; leave a last batch out with"
                            + " dropLast(), or use fewer shards",
                    e.getMessage());
            assertThrows(IllegalStateException.class, () -> loader.shards(new ShardRange(0, 1, 2)));
            loader.close();
        }
    }
}
