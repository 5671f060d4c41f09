package org.toydiff.data;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.MemoryLimitException;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.io.MalformedFileException;

/// The thread that makes batches ahead, the memory they live in, and the failures that come from it.
class PrefetchTest extends LoaderTest {
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
