package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.toydiff.child.Child;
import org.toydiff.child.Service;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// Models that are replaced and closed while other threads compute with them.
@Timeout(120)
class ServingTest {
    private final long before = Memory.liveBytes();
    private final int threads = Threads.count();
    private final ExecutorService requests = Executors.newFixedThreadPool(4);

    @AfterEach
    void requireAllFreed() throws InterruptedException {
        requests.shutdownNow();
        assertTrue(requests.awaitTermination(60, TimeUnit.SECONDS), "a request never ends");
        Threads.set(threads);
        assertEquals(before, Memory.liveBytes());
    }

    // Replacing.

    /// A model whose first request stays inside until a closing was refused.
    private static final class Model {
        final TensorArena arena = TensorArena.ofDetached();
        final CountDownLatch entered = new CountDownLatch(1);
        final CountDownLatch refused = new CountDownLatch(1);
        private final double weight;
        private final Tensor weights;
        private final AtomicBoolean first = new AtomicBoolean(true);

        Model(double weight) {
            this.weight = weight;
            this.weights = Tensor.full(arena, DType.FLOAT32, weight, 64, 64);
        }

        void serve() {
            try (var request = TensorArena.ofConfined();
                    var inference = Autograd.noGradient()) {
                Tensor y = Tensor.ones(8, 64).matmul(weights);
                if (first.getAndSet(false)) {
                    entered.countDown();
                    await(refused);
                }
                assertEquals(8 * 64 * 64 * weight, y.sum().item());
            }
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private final AtomicReference<Model> current = new AtomicReference<>();
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final Semaphore served = new Semaphore(0);

    private int serveUntilStopped() {
        int count = 0;
        while (!stopped.get()) {
            Model model = current.get();
            Region inside;
            try {
                inside = model.arena.enter();
            } catch (IllegalStateException closed) {
                assertTrue(current.get() != model, "only what was replaced is closed");
                continue;
            }
            try (inside) {
                model.serve();
            }
            served.release();
            count++;
        }
        return count;
    }

    @Test
    void modelsAreReplacedUnderLoad() throws Exception {
        current.set(new Model(1));
        List<Future<Integer>> counts = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            counts.add(requests.submit(this::serveUntilStopped));
        }
        for (int weight = 2; weight < 32; weight++) {
            Model old = current.get();
            old.entered.await();
            current.set(new Model(weight));
            closeOnceUnused(old);
        }
        stopped.set(true);
        Model last = current.get();
        last.refused.countDown();
        for (Future<Integer> count : counts) {
            assertTrue(count.get() > 0);
        }
        last.arena.close();
    }

    private void closeOnceUnused(Model model) throws InterruptedException {
        var refusal = assertThrows(IllegalStateException.class, model.arena::close);
        assertTrue(
                refusal.getMessage().startsWith("close: this arena is entered by thread pool-"), refusal::getMessage);
        model.refused.countDown();
        while (model.arena.isOpen()) {
            try {
                model.arena.close();
            } catch (IllegalStateException inUse) {
                // Whoever is inside says when it has left.
                served.acquire();
            }
        }
        assertThrows(IllegalStateException.class, model.weights::sum);
    }

    // Ops under way, of threads that have not entered.

    /// A native function in progress, as a product is: it uses the memory until it is released.
    @SuppressWarnings("restricted")
    private static final class Downcall implements AutoCloseable {
        private static final Linker LINKER = Linker.nativeLinker();
        private static final FunctionDescriptor COMPARATOR =
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);

        private final CountDownLatch started = new CountDownLatch(1);
        private final CountDownLatch released = new CountDownLatch(1);

        void run(MemorySegment memory) {
            try {
                MethodHandle sort = LINKER.downcallHandle(
                        LINKER.defaultLookup().findOrThrow("qsort"),
                        FunctionDescriptor.ofVoid(
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.ADDRESS));
                MethodHandle compare = MethodHandles.lookup()
                        .bind(
                                this,
                                "compare",
                                MethodType.methodType(int.class, MemorySegment.class, MemorySegment.class));
                sort.invokeExact(memory, 2L, 4L, LINKER.upcallStub(compare, COMPARATOR, Arena.ofAuto()));
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }

        @SuppressWarnings("unused") // By its handle.
        private int compare(MemorySegment a, MemorySegment b) {
            started.countDown();
            ServingTest.await(released);
            return 0;
        }

        @Override
        public void close() {
            released.countDown();
        }
    }

    /// A work of two parts, of which a worker runs the one that uses memory.
    private static final class OnAWorker extends Work {
        private final Thread caller = Thread.currentThread();
        private final Downcall kernel;
        private final MemorySegment memory;

        OnAWorker(Downcall kernel, MemorySegment memory) {
            this.kernel = kernel;
            this.memory = memory;
        }

        @Override
        protected void part(long index) {
            if (Thread.currentThread() == caller) {
                await(kernel.started);
            } else {
                kernel.run(memory);
            }
        }
    }

    @Test
    void anArenaIsNotClosedWhileAWorkerUsesIt() throws Exception {
        Threads.set(2);
        try (var arena = TensorArena.ofDetached();
                var kernel = new Downcall()) {
            Tensor x = Tensor.ones(arena, DType.FLOAT32, 16);
            Tensor y = recordedIn(arena, x);
            long live = arena.liveBytes();
            Future<?> op = requests.submit(() -> Workers.run(new OnAWorker(kernel, x.storage.segment()), 2));
            kernel.started.await();
            for (int i = 0; i < 3; i++) {
                var refusal = assertThrows(IllegalStateException.class, arena::close);
                assertEquals(
                        "close: an op on another thread is using a tensor of this arena; wait for it, then close",
                        refusal.getMessage());
                assertEquals(live, arena.liveBytes());
                assertEquals(16, x.toFloatArray().length);
                assertEquals(2, y.at(0));
                try (var inside = arena.enter()) {
                    assertEquals(16, sum(x));
                }
            }
            kernel.released.countDown();
            op.get();
        }
    }

    /// `2x`, which has a lifetime of its own because backward may free it.
    private static Tensor recordedIn(TensorArena arena, Tensor x) {
        try (var inside = arena.enter()) {
            return x.trackGradient().multiply(2);
        }
    }

    @Test
    void nobodySeesAClosingThatIsRefused() throws Exception {
        try (var arena = TensorArena.ofDetached();
                var kernel = new Downcall()) {
            Tensor x = Tensor.ones(arena, DType.FLOAT32, 16);
            Tensor y = x;
            for (int i = 0; i < 20; i++) {
                y = recordedIn(arena, y);
            }
            Future<?> op = requests.submit(() -> kernel.run(x.storage.segment()));
            kernel.started.await();
            Future<?> closing = requests.submit(() -> {
                for (int underWay = 0; underWay < 10; ) {
                    var refusal = assertThrows(IllegalStateException.class, arena::close);
                    underWay += refusal.getMessage().startsWith("close: an op ") ? 1 : 0;
                }
            });
            while (!closing.isDone()) {
                try (var inside = arena.enter()) {
                    Tensor.ones(2);
                }
                Tensor.ones(arena, DType.FLOAT32, 2);
            }
            closing.get();
            kernel.released.countDown();
            op.get();
        }
    }

    @Test
    void anOpThatHasNotEnteredFailsWhenTheArenaIsClosed() throws Exception {
        var started = new CountDownLatch(1);
        var closed = new CountDownLatch(1);
        var arena = TensorArena.ofDetached();
        Tensor x = Tensor.zeros(arena, DType.FLOAT32, 16);
        Future<?> op = requests.submit(() -> {
            x.setAll(i -> {
                started.countDown();
                await(closed);
                return i;
            });
        });
        started.await();
        arena.close();
        try (var next = TensorArena.ofDetached()) {
            Tensor y = Tensor.full(next, DType.FLOAT32, 7, 16);
            closed.countDown();
            requests.submit(() -> assertThrows(Exception.class, op::get)).get();
            assertEquals(7 * 16, sum(y));
        }
    }

    private static double sum(Tensor y) {
        try (var request = TensorArena.ofConfined()) {
            return y.sum().item();
        }
    }

    @Test
    void intermediatesOfBackwardAndOfAClosingAreFreedOnce() throws Exception {
        for (int round = 0; round < 50; round++) {
            var arena = TensorArena.ofDetached();
            Tensor w = Tensor.ones(arena, DType.FLOAT32, 64).trackGradient();
            Tensor loss;
            try (var inside = arena.enter()) {
                loss = w.exp().tanh().multiply(w).exp().sum();
            }
            var start = new CyclicBarrier(2);
            Future<?> backward = requests.submit(() -> {
                start.await();
                try (var step = TensorArena.ofConfined()) {
                    loss.backward(Release.EAGER);
                } catch (IllegalStateException closed) {
                    // By the other thread.
                }
                return null;
            });
            start.await();
            while (arena.isOpen()) {
                try {
                    arena.close();
                } catch (IllegalStateException inUse) {
                    Thread.onSpinWait();
                }
            }
            backward.get();
            assertEquals(before, Memory.liveBytes());
        }
    }

    @Test
    void tensorsMovedIntoAnArenaThatIsClosedStayOrAreFreed() throws Exception {
        for (int round = 0; round < 100; round++) {
            var arena = TensorArena.ofDetached();
            var start = new CyclicBarrier(2);
            Future<?> mover = requests.submit(() -> {
                try (var step = TensorArena.ofConfined()) {
                    start.await();
                    for (int i = 0; i < 200; i++) {
                        Tensor x = Tensor.ones(4).trackGradient().exp();
                        x.segment();
                        x.moveTo(arena);
                    }
                } catch (IllegalStateException closed) {
                    // By the other thread.
                }
                return null;
            });
            start.await();
            arena.close();
            mover.get();
            assertEquals(before, Memory.liveBytes());
        }
    }

    // A process that ends.

    private static Child service(String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of("-Dtoydiff.memory.check=true", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(List.of("-cp", Child.classPath(), Service.class.getName()));
        command.addAll(List.of(arguments));
        return Child.run(command);
    }

    @Test
    void aShutdownHookClosesTheModel() throws Exception {
        Child child = service("end");
        assertEquals(0, child.exit(), child.err());
        assertEquals(
                List.of("served 200.0", "closed, live 0 B"), child.out().lines().toList());
    }

    @Test
    void aShutdownDoesNotWaitForARequestThatNeverEnds() throws Exception {
        Child child = service("exit");
        assertEquals(3, child.exit(), child.err());
        assertEquals(
                List.of(
                        "served 200.0",
                        "close: this arena is entered by thread request; close the regions that enter() returned"
                                + " there, then close it again"),
                child.out().lines().toList());
    }

    @Test
    void reportsOfTheCheckedModeNameTheLineThatOpenedIt() throws Exception {
        Child child = service("report");
        assertEquals(0, child.exit(), child.err());
        assertTrue(
                child.out()
                        .matches("(?s).*detached arena: live 448 B, .*, entered by thread request, opened at .*"
                                + "org\\.toydiff\\.child\\.Service\\.<init>\\(Service\\.java:\\d+\\)\n.*"),
                child.out());
    }
}
