package org.toydiff.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.Tensor;

/// Batches, their order and its saved state.
class DataLoaderTest extends LoaderTest {
    @Test
    void withoutShufflingExamplesComeInOrder() {
        DataLoader loader = DataLoader.of(images(10), 3);
        assertEquals(4, loader.batches());
        assertEquals(10, loader.size());
        assertArrayEquals(LongStream.range(0, 10).toArray(), epoch(loader));
        List<Long> sizes = new ArrayList<>();
        loader.forEach(batch -> sizes.add(batch.size()));
        assertEquals(List.of(3L, 3L, 3L, 1L), sizes);
        assertEquals(2, loader.epoch());
    }

    @Test
    void theLastBatchIsLeftOutOnlyIfItIsSmaller() {
        assertEquals(9, epoch(DataLoader.of(images(10), 3).dropLast()).length);
        assertEquals(3, DataLoader.of(images(10), 3).dropLast().batches());
        assertEquals(9, epoch(DataLoader.of(images(9), 3).dropLast()).length);
        assertEquals(0, epoch(DataLoader.of(images(2), 3).dropLast()).length);
        assertEquals(0, DataLoader.of(images(2), 3).dropLast().batches());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void everyEpochHasAnotherOrder(int prefetch) {
        DataLoader loader = DataLoader.of(images(30), 3).shuffle(7).prefetch(prefetch);
        DataLoader same = DataLoader.of(images(30), 3).shuffle(7).prefetch(prefetch);
        DataLoader other = DataLoader.of(images(30), 3).shuffle(8).prefetch(prefetch);
        List<String> orders = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            assertEquals(i, loader.epoch());
            long[] order = epoch(loader);
            long[] expected = new long[30];
            SplitMix64.permute(expected, 7, i);
            assertArrayEquals(expected, order);
            assertArrayEquals(order, epoch(same));
            assertNotEquals(Arrays.toString(order), Arrays.toString(epoch(other)));
            orders.add(Arrays.toString(order));
            Arrays.sort(order);
            assertArrayEquals(LongStream.range(0, 30).toArray(), order);
        }
        assertEquals(3, orders.stream().distinct().count());
    }

    @Test
    void settingsHoldFromTheNextEpochOn() {
        DataLoader loader = DataLoader.of(images(10), 3);
        assertArrayEquals(LongStream.range(0, 10).toArray(), epoch(loader));
        assertSame(loader, loader.dropLast());
        assertSame(loader, loader.transform(new FlattenInputs()));
        assertSame(loader, loader.shuffle(7));
        assertSame(loader, loader.prefetch(2));
        assertEquals(1, loader.epoch());
        List<Long> targets = new ArrayList<>();
        for (Batch batch : loader) {
            assertArrayEquals(new long[] {3, 6}, batch.x().shape());
            targets.addAll(LongStream.of(batch.y().toLongArray()).boxed().toList());
        }
        long[] order = new long[10];
        SplitMix64.permute(order, 7, 1);
        assertEquals(LongStream.of(order).limit(9).boxed().toList(), targets);
    }

    @Test
    void settingsCannotChangeWhileAnEpochIsUnderWay() {
        DataLoader loader = DataLoader.of(images(10), 3).shuffle(1);
        Iterator<Batch> batches = loader.iterator();
        batches.next();
        String state = text(loader);
        requireFixed(loader);
        assertEquals(state, text(loader));
        assertTrue(batches.hasNext(), "the iteration goes on");

        DataLoader resumed = DataLoader.of(images(10), 3).shuffle(2);
        resumed.loadStateDict(loader.stateDict());
        requireFixed(resumed);
        assertEquals(state, text(resumed));
        epoch(resumed);
        resumed.dropLast();

        // The rest of an epoch that was ended early is left out, as by the next iteration.
        loader.close();
        assertEquals(1, loader.dropLast().epoch());
        assertEquals(9, epoch(loader).length);
        assertEquals(2, loader.epoch());
    }

    private static void requireFixed(DataLoader loader) {
        Map<String, Runnable> settings = Map.of(
                "shuffle", () -> loader.shuffle(5),
                "dropLast", loader::dropLast,
                "transform", () -> loader.transform(new FlattenInputs()),
                "prefetch", () -> loader.prefetch(1));
        settings.forEach((name, setting) -> assertEquals(
                "DataLoader: " + name + " cannot change while an epoch is under way; set it before iterator() and"
                        + " loadStateDict, or when the epoch has ended",
                assertThrows(IllegalStateException.class, setting::run).getMessage()));
    }

    @Test
    void aSetWithoutExamplesHasNoBatches() {
        for (int prefetch : new int[] {0, 1}) {
            DataLoader loader =
                    DataLoader.of(images(3).slice(0, 0), 2).shuffle(1).prefetch(prefetch);
            assertEquals(0, loader.batches());
            assertEquals(0, epoch(loader).length);
            assertEquals(1, loader.epoch());
        }
    }

    @Test
    void settingsOutOfRangeAreRefused() {
        DataLoader loader = DataLoader.of(images(1), 1);
        assertEquals(
                "DataLoader: batch size 0 must be positive",
                assertThrows(IllegalArgumentException.class, () -> DataLoader.of(images(1), 0))
                        .getMessage());
        for (int batches : new int[] {-1, 1025}) {
            assertEquals(
                    "DataLoader: prefetch " + batches + " must be within 0 to 1024",
                    assertThrows(IllegalArgumentException.class, () -> loader.prefetch(batches))
                            .getMessage());
        }
        assertThrows(NullPointerException.class, () -> DataLoader.of(null, 1));
    }

    private static DataLoader augmented(int prefetch) {
        return DataLoader.of(images(20), 3)
                .shuffle(5)
                .transform(new RandomHorizontalFlip(), new RandomCrop(2, 1))
                .transform(new Normalize(3, 2), new FlattenInputs())
                .prefetch(prefetch);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 100})
    void prefetchingGivesTheSameBatchesToTheBit(int prefetch) {
        DataLoader plain = augmented(0);
        DataLoader ahead = augmented(prefetch);
        List<List<String>> epochs = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            epochs.add(rest(plain.iterator()));
            assertEquals(epochs.get(i), rest(ahead.iterator()));
            assertEquals(7, epochs.get(i).size());
        }
        assertEquals(3, epochs.stream().distinct().count());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3})
    void aLoaderSavedAfterAnyBatchContinuesToTheBit(int prefetch) {
        List<String> whole = new ArrayList<>();
        List<Map<String, Tensor>> states = new ArrayList<>();
        DataLoader loader = augmented(prefetch);
        states.add(loader.stateDict());
        for (int epoch = 0; epoch < 2; epoch++) {
            for (Batch batch : loader) {
                whole.add(text(batch));
                states.add(loader.stateDict());
            }
        }
        states.add(loader.stateDict());
        for (int i = 0; i < states.size(); i++) {
            DataLoader resumed = augmented(prefetch).shuffle(99);
            resumed.loadStateDict(states.get(i));
            List<String> rest = new ArrayList<>();
            while (resumed.epoch() < 2) {
                rest.addAll(rest(resumed.iterator()));
            }
            assertEquals(whole.subList(Math.min(i, whole.size()), whole.size()), rest, "saved after " + i);
        }
    }

    @Test
    void theEndOfAnEpochCanBeSavedWithAndWithoutTheLastBatch() {
        DataLoader loader = DataLoader.of(images(5), 2).dropLast();
        Iterator<Batch> batches = loader.iterator();
        batches.next();
        batches.next();
        DataLoader resumed = DataLoader.of(images(5), 2).dropLast();
        resumed.loadStateDict(loader.stateDict());
        assertFalse(resumed.iterator().hasNext());
        assertEquals(1, resumed.epoch());
        assertFalse(batches.hasNext());
        assertFalse(batches.hasNext());
        assertEquals(1, loader.epoch());
    }

    @Test
    void anotherBatchSizeContinuesAtTheSameExample() {
        DataLoader loader = DataLoader.of(images(10), 4).shuffle(3);
        loader.iterator().next();
        DataLoader resumed = DataLoader.of(images(10), 5).shuffle(0);
        resumed.loadStateDict(loader.stateDict());
        long[] order = new long[10];
        SplitMix64.permute(order, 3, 0);
        assertArrayEquals(
                Arrays.copyOfRange(order, 4, 9), resumed.iterator().next().y().toLongArray());
    }

    @Test
    void theStateIsFiveNumbers() {
        DataLoader loader = DataLoader.of(images(10), 4).shuffle(-3);
        epoch(loader);
        loader.iterator().next();
        Map<String, Tensor> state = loader.stateDict();
        assertEquals(List.of("seed", "epoch", "position", "size", "shuffle"), List.copyOf(state.keySet()));
        assertArrayEquals(new long[] {-3}, state.get("seed").toLongArray());
        assertArrayEquals(new long[] {1}, state.get("epoch").toLongArray());
        assertArrayEquals(new long[] {4}, state.get("position").toLongArray());
        assertArrayEquals(new long[] {10}, state.get("size").toLongArray());
        assertArrayEquals(new long[] {1}, state.get("shuffle").toLongArray());
    }

    private static Tensor number(long number) {
        return Tensor.of(new long[] {number}, 1);
    }

    @Test
    void aStateThatDoesNotFitChangesNothing() {
        DataLoader loader = DataLoader.of(images(10), 4).shuffle(1);
        Iterator<Batch> batches = loader.iterator();
        batches.next();
        String state = text(loader);
        Map<String, Map<String, Tensor>> refused = Map.of(
                "epoch is missing; position is missing; size is missing; shuffle is missing; speed is unknown",
                Map.of("seed", number(1), "speed", number(1)),
                "seed is [] int64 and not [1] int64; epoch is [1] float32 and not [1] int64",
                with(Map.of("seed", number(1).reshape(), "epoch", Tensor.ones(1))),
                "epoch -1 is negative",
                with(Map.of("epoch", number(-1))),
                "position 11 is not in a set of 10 examples",
                with(Map.of("position", number(11))),
                "position -1 is not in a set of 10 examples",
                with(Map.of("position", number(-1))),
                "the state is of a set of 9 examples, but this one has 10",
                DataLoader.of(images(9), 4).shuffle(1).stateDict(),
                "the state is of a loader that does not shuffle, but this one does; make this one without shuffle(seed)",
                DataLoader.of(images(10), 4).stateDict());
        refused.forEach((message, wrong) -> assertEquals(
                "DataLoader: loadStateDict: " + message,
                assertThrows(IllegalArgumentException.class, () -> loader.loadStateDict(wrong))
                        .getMessage()));
        assertEquals(state, text(loader));
        assertTrue(batches.hasNext(), "the iteration goes on");
    }

    @Test
    void theStateOfALoaderThatShufflesIsRefusedByOneThatDoesNot() {
        Map<String, Tensor> shuffled = DataLoader.of(images(10), 4).shuffle(1).stateDict();
        DataLoader loader = DataLoader.of(images(10), 4);
        assertEquals(
                "DataLoader: loadStateDict: the state is of a loader that shuffles, but this one does not; call shuffle(seed) on this one",
                assertThrows(IllegalArgumentException.class, () -> loader.loadStateDict(shuffled))
                        .getMessage());
    }

    /// A state that fits [#images(int)] of 10, shuffled, with some of it replaced.
    private static Map<String, Tensor> with(Map<String, Tensor> replaced) {
        Map<String, Tensor> state =
                new HashMap<>(DataLoader.of(images(10), 4).shuffle(1).stateDict());
        state.putAll(replaced);
        return state;
    }

    private static String text(DataLoader loader) {
        List<String> numbers = new ArrayList<>();
        loader.stateDict().forEach((name, tensor) -> numbers.add(name + Arrays.toString(tensor.toLongArray())));
        return numbers.toString();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void anIterationThatIsLeftGivesWayToTheNextEpoch(int prefetch) {
        DataLoader loader = DataLoader.of(images(9), 3).shuffle(1).prefetch(prefetch);
        for (int i = 0; i < 3; i++) {
            Iterator<Batch> left = loader.iterator();
            left.next();
            Iterator<Batch> next = loader.iterator();
            assertEquals(
                    "next: close(), loadStateDict or another iteration of the loader has ended this one;"
                            + " call iterator() for a new one",
                    assertThrows(IllegalStateException.class, left::next).getMessage());
            assertThrows(IllegalStateException.class, left::hasNext);
            assertEquals(2 * i + 1, loader.epoch());
            long[] order = new long[9];
            SplitMix64.permute(order, 1, 2 * i + 1);
            assertArrayEquals(Arrays.copyOf(order, 3), next.next().y().toLongArray());
        }
        loader.close();
        assertEquals(List.of(), loaderThreads());
        loader.close();
    }

    @Test
    void anIterationThatGaveNothingIsNoEpoch() {
        DataLoader loader = DataLoader.of(images(9), 3);
        loader.iterator().hasNext();
        loader.iterator();
        assertEquals(0, loader.epoch());
        assertArrayEquals(new long[] {0, 1, 2}, loader.iterator().next().y().toLongArray());
    }

    @Test
    void pastTheEndThereIsNoBatch() {
        for (int prefetch : new int[] {0, 2}) {
            Iterator<Batch> batches =
                    DataLoader.of(images(2), 2).prefetch(prefetch).iterator();
            batches.next();
            assertThrows(NoSuchElementException.class, batches::next);
            assertThrows(NoSuchElementException.class, batches::next);
            assertFalse(batches.hasNext());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void everyBatchOfEveryEpochDrawsItsRandomNumbers(int prefetch) {
        List<Long> drawn = new ArrayList<>();
        Transform spy = (batch, random) -> {
            drawn.add(random.nextLong());
            return batch;
        };
        DataLoader loader =
                DataLoader.of(images(5), 2).shuffle(3).transform(spy).prefetch(prefetch);
        List<Long> expected = new ArrayList<>();
        for (int epoch = 0; epoch < 2; epoch++) {
            epoch(loader);
            for (long position : new long[] {0, 2, 4}) {
                expected.add(new SplitMix64(3, epoch, position).nextLong());
            }
        }
        assertEquals(expected, drawn);
        assertEquals(6, drawn.stream().distinct().count());
    }

    @Test
    void tensorsServeForLaterBatchesUnlessTheyTrackGradients() {
        List<Tensor> xs = new ArrayList<>();
        for (Batch batch : DataLoader.of(images(15), 4)) {
            xs.add(batch.x());
            assertFalse(batch.x().tracksGradient());
            if (xs.size() == 2) {
                batch.x().trackGradient();
            }
        }
        assertSame(xs.get(0), xs.get(1));
        assertNotSame(xs.get(1), xs.get(2));
        assertArrayEquals(new long[] {3, 2, 3}, xs.get(3).shape());
        assertArrayEquals(new long[] {4, 2, 3}, xs.get(2).shape());
    }
}
