package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.toydiff.nn.Linear;

/// Arenas that belong to no thread: opened by one, entered by others, closed by any, and refusing while in use.
@Timeout(120)
class DetachedArenaTest {
    private final long before = Memory.liveBytes();
    private final TensorArena model = TensorArena.ofDetached();
    private ExecutorService other;

    @BeforeEach
    void startThread() {
        other = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().name("other").factory());
    }

    @AfterEach
    void requireAllFreed() {
        other.close();
        model.close();
        assertEquals(before, Memory.liveBytes());
        assertNull(Scope.current().innermostOrNull(), "an arena is left open on this thread");
    }

    /// Runs `call` on the other thread.
    private <T> T elsewhere(Callable<T> call) throws Exception {
        return other.submit(call).get();
    }

    private void closeElsewhere() throws Exception {
        elsewhere(() -> {
            model.close();
            return null;
        });
    }

    /// Runs `program` on a thread that has ended when this returns.
    private static Thread ended(Runnable program) throws InterruptedException {
        Thread thread = Thread.ofPlatform().name("ended").start(program);
        thread.join();
        return thread;
    }

    private static Tensor onesIn(TensorArena arena, long size) {
        try (var inside = arena.enter()) {
            return Tensor.ones(size);
        }
    }

    private static double sum(TensorArena arena, Tensor x) {
        try (var inside = arena.enter();
                var request = TensorArena.ofConfined()) {
            return x.multiply(2).sum().item();
        }
    }

    private static void requireRefused(String message, Executable close) {
        assertEquals(message, assertThrows(IllegalStateException.class, close).getMessage());
    }

    private static String enteredBy(String threads) {
        return "close: this arena is entered by " + threads
                + "; close the regions that enter() returned there, then close it again";
    }

    // Opening, entering, leaving.

    @Test
    void noThreadIsInsideUntilItEnters() throws Exception {
        assertThrows(IllegalStateException.class, () -> Tensor.ones(3));
        try (var outer = TensorArena.ofConfined()) {
            assertSame(outer, TensorArena.innermost());
            try (var second = TensorArena.ofDetached()) {
                assertSame(outer, TensorArena.innermost());
                try (var inside = second.enter()) {
                    assertSame(second, TensorArena.innermost());
                    Tensor.ones(3);
                }
                assertEquals(64, second.liveBytes());
            }
            assertEquals(0, outer.liveBytes());
        }
        elsewhere(() -> assertThrows(IllegalStateException.class, () -> Tensor.ones(3)));
    }

    @Test
    void oneThreadOpensItOthersComputeAndAnotherCloses() throws Exception {
        TensorArena[] opened = new TensorArena[1];
        ended(() -> opened[0] = TensorArena.ofDetached());
        Tensor x = onesIn(opened[0], 100);
        assertEquals(200, elsewhere(() -> sum(opened[0], x)));
        ended(opened[0]::close);
        assertEquals(0, opened[0].liveBytes());
        assertThrows(IllegalStateException.class, x::sum);
        requireRefused("enter: the arena is closed", opened[0]::enter);
    }

    @Test
    void tensorsAreMadeInItWithoutEntering() throws Exception {
        Tensor x = elsewhere(() -> Tensor.ones(model, DType.FLOAT32, 100));
        assertEquals(448, model.liveBytes());
        assertEquals(200, sum(model, x));
        closeElsewhere();
        assertEquals(0, model.liveBytes());
    }

    @Test
    void virtualThreadsEnterIt() throws Exception {
        Tensor x = onesIn(model, 100);
        List<Future<Double>> sums = new ArrayList<>();
        try (var requests = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 200; i++) {
                sums.add(requests.submit(() -> sum(model, x)));
            }
        }
        for (Future<Double> sum : sums) {
            assertEquals(200, sum.get());
        }
        Thread.ofVirtual().start(model::close).join();
        assertFalse(model.isOpen());
    }

    @Test
    void aThreadOfAPoolServesOneModelAfterAnother() throws Exception {
        for (int i = 0; i < 20; i++) {
            try (var next = TensorArena.ofDetached()) {
                Tensor x = elsewhere(() -> onesIn(next, 10));
                assertEquals(20, elsewhere(() -> sum(next, x)));
            }
        }
        assertEquals(0, elsewhere(() -> Scope.current().depth()));
    }

    @Test
    void enteringAndLeavingMakesOneObject() {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int n = 20_000;
        long start = 0;
        for (int i = 0; i < 2 * n; i++) {
            if (i == n) {
                start = threads.getCurrentThreadAllocatedBytes();
            }
            model.enter().close();
        }
        assertEquals(32, (threads.getCurrentThreadAllocatedBytes() - start) / n, "bytes");
    }

    // Closing.

    @Test
    void closingAgainDoesNothing() throws Exception {
        onesIn(model, 100);
        closeElsewhere();
        model.close();
        closeElsewhere();
        assertEquals(before, Memory.liveBytes());
    }

    @Test
    void threadsThatCloseItAtOnceFreeItOnce() throws Exception {
        for (int round = 0; round < 200; round++) {
            try (var arena = TensorArena.ofDetached()) {
                Tensor.ones(arena, DType.FLOAT32, 100);
                var start = new CountDownLatch(1);
                Future<Long> liveAfter = other.submit(() -> {
                    start.await();
                    arena.close();
                    return Memory.liveBytes();
                });
                start.countDown();
                arena.close();
                assertEquals(before, Memory.liveBytes());
                assertEquals(before, liveAfter.get());
            }
        }
    }

    @Test
    void itIsNotClosedWhileAThreadIsInside() throws Exception {
        Tensor x = onesIn(model, 100);
        Region there = elsewhere(model::enter);
        requireRefused(enteredBy("thread other"), model::close);
        Region here = model.enter();
        requireRefused(enteredBy("thread other and 1 more"), model::close);
        here.close();
        // Nothing has changed.
        assertEquals(448, model.liveBytes());
        assertEquals(200, sum(model, x));
        assertEquals(200, elsewhere(() -> sum(model, x)));
        leaveElsewhere(there);
        model.close();
        assertEquals(before, Memory.liveBytes());
    }

    private void leaveElsewhere(Region region) throws Exception {
        elsewhere(() -> {
            region.close();
            return null;
        });
    }

    @Test
    void itIsNotClosedFromInside() {
        try (var inside = model.enter()) {
            Tensor x = Tensor.ones(2);
            try (var again = model.enter()) {
                requireRefused(enteredBy("thread " + Thread.currentThread().getName()), model::close);
            }
            requireRefused(enteredBy("thread " + Thread.currentThread().getName()), model::close);
            assertEquals(2, x.sum().item());
        }
        model.close();
    }

    @Test
    void aThreadThatEndsHasLeftIt() throws Exception {
        Region[] forgotten = new Region[1];
        Thread thread = ended(() -> forgotten[0] = model.enter());
        assertFalse(Memory.report().contains(thread.getName()), "only threads that live are inside");
        assertThrows(IllegalStateException.class, forgotten[0]::close);
        closeElsewhere();
        assertFalse(model.isOpen());
    }

    @Test
    void threadsThatEndInsideAreForgotten() throws Exception {
        var first = new WeakReference<>(ended(model::enter));
        try (var inside = model.enter()) {
            for (int i = 0; i < 100; i++) {
                ended(model::enter);
            }
        }
        requireCollected(first, "the arena, still open");
        var opener = new WeakReference<>(ended(DetachedArenaTest::openAndClose));
        requireCollected(opener, "an arena that was closed elsewhere");
    }

    /// Opens an arena that another thread closes after this one has ended.
    private static void openAndClose() {
        TensorArena arena = TensorArena.ofShared();
        Thread opener = Thread.currentThread();
        Thread.ofPlatform().start(() -> {
            try {
                opener.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            arena.close();
        });
    }

    private static void requireCollected(WeakReference<Thread> thread, String keeper) throws InterruptedException {
        for (int i = 0; i < 500 && thread.get() != null; i++) {
            System.gc();
            Thread.sleep(10);
        }
        assertNull(thread.get(), "a thread that has ended is kept by " + keeper);
    }

    @Test
    void theSharedArenaOfAThreadThatEndedIsClosedByAnother() throws Exception {
        TensorArena[] left = new TensorArena[1];
        Tensor[] x = new Tensor[1];
        ended(() -> {
            left[0] = TensorArena.ofShared();
            x[0] = Tensor.ones(100);
        });
        assertTrue(Memory.report().contains("shared arena of thread ended (ended): live 448 B"), Memory.report());
        assertEquals(200, sum(left[0], x[0]));
        left[0].close();
        assertFalse(left[0].isOpen());
        assertEquals(before, Memory.liveBytes());
    }

    @Test
    void theSharedArenaOfAThreadThatLivesIsClosedThereAlone() throws Exception {
        TensorArena shared = elsewhere(TensorArena::ofShared);
        requireRefused(
                "close: this arena belongs to thread other, which opened it; close it there, or open it by"
                        + " ofDetached() to close it on any thread",
                shared::close);
        Region here = shared.enter();
        elsewhere(() -> assertThrows(IllegalStateException.class, shared::close));
        here.close();
        elsewhere(() -> {
            shared.close();
            return null;
        });
        assertFalse(shared.isOpen());
    }

    @Test
    void aConfinedArenaIsItsThreadsAlone() throws Exception {
        try (var confined = TensorArena.ofConfined()) {
            elsewhere(() -> assertThrows(WrongThreadException.class, confined::close));
            elsewhere(() -> assertThrows(WrongThreadException.class, confined::enter));
            assertTrue(confined.isOpen());
        }
    }

    @Test
    void anExposedIntermediateThatMovedThereIsFreedOnAnyThread() throws Exception {
        try (var step = TensorArena.ofConfined()) {
            Tensor y = Tensor.ones(4).trackGradient().exp();
            y.segment();
            Tensor moved = y.moveTo(model);
            var segment = moved.segment();
            closeElsewhere();
            assertThrows(IllegalStateException.class, () -> segment.get(ValueLayout.JAVA_FLOAT, 0));
        }
    }

    // Limits, predictions, reports.

    @Test
    void itHasALimit() {
        assertThrows(IllegalArgumentException.class, () -> TensorArena.ofDetached(0));
        try (var small = TensorArena.ofDetached(128);
                var inside = small.enter()) {
            Tensor.ones(16);
            assertThrows(MemoryLimitException.class, () -> Tensor.ones(17));
            assertEquals(64, small.liveBytes());
            Tensor.ones(16);
            assertEquals(128, small.peakBytes());
        }
    }

    @Test
    void aStepOfAModelInItIsPredictedExactly() {
        Linear net;
        try (var inside = model.enter()) {
            net = new Linear(40, 30);
        }
        try (var outer = TensorArena.ofConfined()) {
            Tensor x = Tensor.rand(80, 40);
            MemoryPlan plan =
                    MemoryPlan.of(in -> net.forward(in.getFirst()).tanh().sum(), List.of(x));
            long live = Memory.liveBytes();
            Memory.resetPeak();
            try (var step = TensorArena.ofConfined()) {
                net.forward(x).tanh().sum().backward(Release.EAGER);
            }
            assertEquals(plan.peakBytes(), Memory.peakBytes() - live);
        }
    }

    @Test
    void reportsNameItAndThoseInside() throws Exception {
        onesIn(model, 16);
        assertTrue(
                Memory.report().contains("detached arena: live 64 B, peak 64 B, blocks made 1, freed 0"),
                Memory.report());
        Region there = elsewhere(model::enter);
        assertTrue(Memory.report().contains("freed 0, entered by thread other"), Memory.report());
        leaveElsewhere(there);
        assertFalse(Memory.report().contains("thread other"), Memory.report());
    }
}
