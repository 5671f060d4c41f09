package org.toydiff.data;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.MemoryLimitException;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.io.MalformedFileException;

/// Batches, their order and its saved state, and the thread that makes them ahead.
@Timeout(60)
class DataLoaderTest extends ArenaTest {
    private static final String THREAD = "toydiff-loader";

    DataLoaderTest() {
        super(TensorArena::ofShared);
    }

    @AfterEach
    void noThreadIsLeftBehind() {
        assertEquals(List.of(), loaderThreads());
    }

    private static List<Thread> loaderThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals(THREAD))
                .toList();
    }

    /// The loader's thread, once it has nothing more to do.
    private static Thread waiting() {
        Thread thread = loaderThreads().getFirst();
        while (thread.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        return thread;
    }

    /// Images of 2 × 3, of which number i has the pixels 6·i to 6·i + 5, and the target i.
    private static Dataset images(int n) {
        return new TensorDataset(Tensor.arange(0, 6.0 * n, 1).reshape(n, 2, 3), Tensor.arange(DType.INT64, 0, n, 1));
    }

    /// Returns the contents of a batch as text, to compare.
    private static String text(Batch batch) {
        return Arrays.toString(batch.x().shape())
                + Arrays.toString(batch.x().toFloatArray())
                + Arrays.toString(batch.y().toLongArray());
    }

    private static List<String> rest(Iterator<Batch> batches) {
        List<String> texts = new ArrayList<>();
        batches.forEachRemaining(batch -> texts.add(text(batch)));
        return texts;
    }

    private static long[] epoch(DataLoader loader) {
        List<Long> targets = new ArrayList<>();
        for (Batch batch : loader) {
            long[] numbers = batch.y().toLongArray();
            for (int i = 0; i < numbers.length; i++) {
                assertEquals(6 * numbers[i], batch.x().at(i, 0, 0));
                targets.add(numbers[i]);
            }
        }
        return targets.stream().mapToLong(Long::longValue).toArray();
    }

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
    void batchesAreMadeOnTheCallingThreadUnlessPrefetched() {
        List<String> threads = new ArrayList<>();
        Transform spy = (batch, random) -> {
            threads.add(
                    Thread.currentThread().getName() + Thread.currentThread().isDaemon());
            return batch;
        };
        String here = Thread.currentThread().getName() + Thread.currentThread().isDaemon();
        epoch(DataLoader.of(images(2), 3).transform(spy));
        epoch(DataLoader.of(images(2), 3).transform(spy).prefetch(1));
        assertEquals(List.of(here, THREAD + true), threads);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void theThreadMakesNoMoreBatchesThanRequestedAndThenWaits(int ahead) {
        var made = new AtomicInteger();
        Dataset counting = images(100).map(batch -> {
            made.incrementAndGet();
            return batch;
        });
        try (var loader = DataLoader.of(counting, 3).prefetch(ahead)) {
            Iterator<Batch> batches = loader.iterator();
            waiting();
            assertEquals(ahead + 1, made.get());
            batches.next();
            Thread thread = waiting();
            assertEquals(ahead + 1, made.get(), "one is with the caller");
            Batch held = batches.next();
            waiting();
            assertEquals(ahead + 2, made.get());
            var threads = ManagementFactory.getThreadMXBean();
            long used = threads.getThreadCpuTime(thread.threadId());
            String content = text(held);
            for (int i = 0; i < 1000; i++) {
                assertEquals(content, text(held), "a batch stays until the next is asked for");
            }
            assertEquals(Thread.State.WAITING, thread.getState());
            assertEquals(used, threads.getThreadCpuTime(thread.threadId()));
        }
    }

    private static long slabsMade() {
        var matcher = Pattern.compile("\\((\\d+) slabs made\\)").matcher(Memory.report());
        assertTrue(matcher.find());
        return Long.parseLong(matcher.group(1));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3})
    void memoryStandsStillAfterTheFirstEpochs(int prefetch) {
        Dataset large = new TensorDataset(Tensor.rand(64, 1 << 15), Tensor.zeros(DType.INT64, 64));
        try (var loader = DataLoader.of(large, 8)
                .shuffle(1)
                .transform(new Normalize(0.5, 0.5))
                .prefetch(prefetch)) {
            long live = 0;
            long slabs = 0;
            for (int epoch = 0; epoch < 30; epoch++) {
                for (Batch batch : loader) {
                    assertEquals(8, batch.size());
                }
                if (epoch == 3) {
                    live = Memory.liveBytes();
                    slabs = slabsMade();
                }
            }
            assertEquals(live, Memory.liveBytes());
            assertEquals(slabs, slabsMade());
        }
    }

    @Test
    void withinAnEpochTheRingIsAllThatIsHeld() {
        Dataset set = new TensorDataset(Tensor.zeros(1000, 1000), Tensor.zeros(1000));
        long data = arena.liveBytes();
        try (var loader = DataLoader.of(set, 4).prefetch(2)) {
            Iterator<Batch> batches = loader.iterator();
            for (int i = 0; i < 200; i++) {
                batches.next();
                waiting();
                assertEquals(before + data + 3 * (16_000 + 64), Memory.liveBytes());
            }
        }
        assertEquals(before + data, Memory.liveBytes());
    }

    @Test
    void withoutPrefetchingOneBatchIsHeldInAnyArena() {
        DataLoader loader = DataLoader.of(images(9), 3);
        long live = arena.liveBytes();
        for (int i = 0; i < 2; i++) {
            for (Batch batch : loader) {
                assertEquals(live + 128 + 64, arena.liveBytes(), "18 floats and 3 longs");
                assertEquals(3, batch.size());
            }
        }
        Iterator<Batch> batches = DataLoader.of(images(9), 3).shuffle(1).iterator();
        long[] order = new long[9];
        SplitMix64.permute(order, 1, 0);
        for (int i = 0; i < 3; i++) {
            try (var step = TensorArena.ofConfined()) {
                assertArrayEquals(
                        Arrays.copyOfRange(order, 3 * i, 3 * i + 3),
                        batches.next().y().toLongArray());
                assertEquals(128 + 64, step.liveBytes());
            }
        }
    }

    @Test
    void batchesOfManyShapesFitInMemoryThatGrowsByDoubling() {
        Dataset varying = images(64).map(batch -> {
            long n = batch.y().toLongArray()[0] + 1;
            return new Batch(Tensor.full(n, n * 16), batch.y());
        });
        try (var loader = DataLoader.of(varying, 1)) {
            long live = arena.liveBytes();
            int i = 0;
            for (Batch batch : loader) {
                i++;
                assertArrayEquals(new long[] {16 * i}, batch.x().shape());
                try (var step = TensorArena.ofConfined()) {
                    assertEquals(i, batch.x().mean().item());
                }
            }
            assertEquals(live + 64 * (1 + 2 + 4 + 8 + 16 + 32 + 64) + 64, arena.liveBytes());
        }
    }

    @Test
    void aBatchKeptByCopyOutlivesTheLoader() {
        List<Batch> kept = new ArrayList<>();
        try (var loader = DataLoader.of(images(6), 2).prefetch(2)) {
            loader.forEach(batch -> kept.add(batch.copyTo(arena)));
        }
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(new long[] {2 * i, 2 * i + 1}, kept.get(i).y().toLongArray());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void movingABatchOutTakesACopyAndNotTheLoadersMemory(int prefetch) {
        List<Tensor> moved = new ArrayList<>();
        try (var loader = DataLoader.of(images(8), 2).prefetch(prefetch)) {
            try (var outer = TensorArena.ofConfined()) {
                for (Batch batch : loader) {
                    moved.add(batch.y().moveTo(prefetch == 0 ? outer : arena));
                }
                assertEquals(6, moved.get(3).at(0));
                if (prefetch > 0) {
                    assertEquals(0, moved.get(0).at(0));
                }
            }
        }
    }

    @Test
    void aGraphThatStillReadsAnOverwrittenBatchIsCaught() {
        Iterator<Batch> batches = DataLoader.of(images(4), 2).iterator();
        Tensor weight = Tensor.ones(6, 1).trackGradient();
        Tensor loss = batches.next().x().reshape(2, 6).matmul(weight).sum();
        batches.next();
        var e = assertThrows(IllegalStateException.class, loss::backward);
        assertTrue(e.getMessage().contains("changed in place"), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void exceptionsOfTheDataSetReachTheCallerAtTheirBatch(int prefetch) {
        var thrown = new UncheckedIOException("disk.bin: offset 7: gone", new IOException("gone"));
        Dataset failing = images(9).map(batch -> {
            if (batch.y().toLongArray()[0] == 6) {
                throw thrown;
            }
            return batch;
        });
        try (var loader = DataLoader.of(failing, 3).prefetch(prefetch)) {
            Iterator<Batch> batches = loader.iterator();
            assertArrayEquals(new long[] {0, 1, 2}, batches.next().y().toLongArray());
            assertArrayEquals(new long[] {3, 4, 5}, batches.next().y().toLongArray());
            for (int i = 0; i < 2; i++) {
                assertTrue(batches.hasNext());
                assertSame(thrown, assertThrows(UncheckedIOException.class, batches::next));
            }
            assertEquals("gone", thrown.getCause().getMessage());
            assertEquals(6, loader.stateDict().get("position").item());
            assertEquals(prefetch > 0, Arrays.stream(thrown.getSuppressed()).anyMatch(e -> e.getMessage()
                    .equals("next: thrown on the loader's thread, rethrown here")));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void errorsAndLimitsReachTheCallerToo(int prefetch) {
        Dataset huge = images(2).map(batch -> new Batch(Tensor.empty(1L << 50), batch.y()));
        Dataset broken = images(2).map(batch -> {
            throw new AssertionError("broken");
        });
        try (var large = DataLoader.of(huge, 1).prefetch(prefetch);
                var other = DataLoader.of(broken, 1).prefetch(prefetch)) {
            assertThrows(MemoryLimitException.class, () -> large.iterator().next());
            assertEquals(
                    "broken",
                    assertThrows(AssertionError.class, () -> other.iterator().next())
                            .getMessage());
        }
    }

    @Test
    void aDamagedImageIsNamedThroughTheLoader(@TempDir Path root) throws IOException {
        Files.createDirectories(root.resolve("a"));
        var image = new java.awt.image.BufferedImage(2, 2, java.awt.image.BufferedImage.TYPE_INT_RGB);
        javax.imageio.ImageIO.write(image, "png", root.resolve("a/1.png").toFile());
        Path bad = Files.writeString(root.resolve("a/2.png"), "bad");
        try (var loader = DataLoader.of(ImageFolder.open(root), 1).prefetch(2)) {
            Iterator<Batch> batches = loader.iterator();
            batches.next();
            var e = assertThrows(UncheckedIOException.class, batches::next);
            assertEquals(bad + ": offset 0: the file is neither PNG nor JPEG", e.getMessage());
            assertEquals(MalformedFileException.class, e.getCause().getClass());
        }
    }

    @Test
    void confinedDataIsRefusedOnTheLoadersThread() {
        try (var confined = TensorArena.ofConfined();
                var loader = DataLoader.of(images(4), 2).prefetch(1)) {
            var e = assertThrows(
                    WrongThreadException.class, () -> loader.iterator().next());
            assertTrue(e.getMessage().contains("TensorArena.ofShared()"), e.getMessage());
        }
    }

    @Test
    void anInterruptedCallerGetsAnExceptionAndCanContinue() {
        var release = new CountDownLatch(1);
        Dataset slow = images(2).map(batch -> {
            try {
                release.await();
            } catch (InterruptedException e) {
                throw new AssertionError("the loader's thread is never interrupted", e);
            }
            return batch;
        });
        try (var loader = DataLoader.of(slow, 2).prefetch(1)) {
            Iterator<Batch> batches = loader.iterator();
            Thread.currentThread().interrupt();
            assertEquals(
                    "next: interrupted while waiting for the batch at 0",
                    assertThrows(IllegalStateException.class, batches::next).getMessage());
            assertTrue(Thread.interrupted());
            release.countDown();
            assertEquals(2, batches.next().size());
            Thread.currentThread().interrupt();
            loader.close();
            assertTrue(Thread.interrupted(), "closing waits, and keeps the interrupt");
        }
    }

    @Test
    void withoutAnArenaTheFixIsShown() throws InterruptedException {
        DataLoader loader = DataLoader.of(images(4), 2);
        List<String> message = new ArrayList<>();
        Thread thread = Thread.ofPlatform()
                .start(() -> message.add(assertThrows(IllegalStateException.class, () -> loader.iterator()
                                .next())
                        .getMessage()));
        thread.join();
        assertTrue(message.getFirst().contains("TensorArena.ofConfined()"), message.getFirst());
    }

    @Test
    void onePrefetchedBatchIsReadableOnEveryThread() throws InterruptedException {
        try (var loader = DataLoader.of(images(4), 2).prefetch(1)) {
            Batch batch = loader.iterator().next();
            List<String> read = new ArrayList<>();
            Thread thread = Thread.ofPlatform().start(() -> read.add(text(batch)));
            thread.join();
            assertEquals(List.of(text(batch)), read);
        }
    }

    /// C's qsort holds the batch while it calls back, as a product does while it computes.
    @Test
    @SuppressWarnings("restricted")
    void closingWhileAnOpReadsABatchIsRefusedAndCanBeRepeated() throws Throwable {
        var loader = DataLoader.of(images(4), 2).prefetch(1);
        Batch batch = loader.iterator().next();
        List<String> refusals = new ArrayList<>();
        Comparison comparison = (a, b) -> {
            refusals.add(
                    assertThrows(IllegalStateException.class, loader::close).getMessage());
            return 0;
        };
        var linker = Linker.nativeLinker();
        var compares = FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS);
        var qsort = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("qsort"),
                FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS));
        MethodHandle compare = MethodHandles.lookup()
                .findVirtual(Comparison.class, "compare", compares.toMethodType())
                .bindTo(comparison);
        qsort.invokeExact(batch.y().segment(), 2L, 8L, linker.upcallStub(compare, compares, arena));
        assertEquals(
                "close: an op on another thread is using a tensor of this arena; wait for it, then close",
                refusals.getFirst());
        assertArrayEquals(new long[] {0, 1}, batch.y().toLongArray(), "the batch is there still");
        loader.close();
        assertThrows(IllegalStateException.class, batch.y()::toLongArray);
    }

    private interface Comparison {
        int compare(MemorySegment a, MemorySegment b);
    }
}
