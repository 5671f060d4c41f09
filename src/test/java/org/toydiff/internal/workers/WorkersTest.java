package org.toydiff.internal.workers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The worker threads themselves: what they inherit, that they survive failures, and that they end when idle.
@Timeout(120)
class WorkersTest {
    private final int threads = Workers.threads();

    @BeforeEach
    void restart() {
        Workers.setThreads(1);
        Workers.setThreads(2);
    }

    @AfterEach
    void restoreThreads() {
        Workers.setThreads(threads);
    }

    /// Two parts that wait for each other, so that the work ends only if two threads share it.
    private static final class Meeting extends Work {
        private final AtomicInteger arrived = new AtomicInteger();
        private final Thread caller = Thread.currentThread();
        private volatile Thread worker;
        private volatile Object inherited;

        @Override
        protected void part(long index) {
            if (Thread.currentThread() != caller) {
                worker = Thread.currentThread();
                inherited = INHERITED.get();
            }
            long start = System.nanoTime();
            arrived.incrementAndGet();
            while (arrived.get() < 2) {
                if (System.nanoTime() - start > 60_000_000_000L) {
                    throw new IllegalStateException("nobody shared the work");
                }
                Thread.onSpinWait();
            }
        }
    }

    private static final InheritableThreadLocal<Object> INHERITED = new InheritableThreadLocal<>();

    private static Meeting meet() {
        var meeting = new Meeting();
        Workers.run(meeting, 2);
        return meeting;
    }

    private static final class Failing extends Work {
        private final long failing;
        private final AtomicInteger parts = new AtomicInteger();
        private final RuntimeException failure = new IllegalStateException("a part failed");

        Failing(long failing) {
            this.failing = failing;
        }

        @Override
        protected void part(long index) {
            parts.incrementAndGet();
            if (index == failing) {
                throw failure;
            }
        }
    }

    @Test
    void failuresLeaveThePoolAsItWas() {
        var work = new Failing(1);
        for (int i = 0; i < 1000; i++) {
            assertSame(work.failure, assertThrows(IllegalStateException.class, () -> Workers.run(work, 2)));
        }
        meet();
    }

    @Test
    void workersInheritNothingOfTheThreadThatStartsThem() throws Exception {
        try (var loader = new URLClassLoader(new URL[0])) {
            var meeting = new Meeting[1];
            var group = new ThreadGroup("of the caller");
            Thread starter = new Thread(group, () -> {
                INHERITED.set("of the caller");
                Thread.currentThread().setContextClassLoader(loader);
                Thread.currentThread().setPriority(Thread.MIN_PRIORITY);
                meeting[0] = meet();
            });
            starter.start();
            starter.join();
            Thread worker = meeting[0].worker;
            assertNull(meeting[0].inherited);
            assertSame(ClassLoader.getSystemClassLoader(), worker.getContextClassLoader());
            assertEquals(Thread.NORM_PRIORITY, worker.getPriority());
            assertNotEquals(group, worker.getThreadGroup());
            assertTrue(worker.isDaemon());
            assertEquals("toydiff-worker-1", worker.getName());
        }
    }

    /// By the processor time of its thread, which no other thread of the process adds to.
    @Test
    void anIdleWorkerUsesNoProcessorThenEndsAndAnotherTakesItsPlace() throws Exception {
        var times = ManagementFactory.getThreadMXBean();
        Thread first = meet().worker;
        awaitSleep(first);
        long asleep = times.getThreadCpuTime(first.threadId());
        long last = asleep;
        for (long now = asleep; now >= 0; now = times.getThreadCpuTime(first.threadId())) {
            last = now;
            Thread.sleep(10);
        }
        assertTrue(asleep >= 0, "the JVM measures the processor time of threads");
        assertTrue(last - asleep < 100_000_000, (last - asleep) + " ns in all the time it was idle");
        first.join();
        Thread second = meet().worker;
        assertNotEquals(first, second);
        assertTrue(second.isAlive());
    }

    private static void awaitSleep(Thread worker) {
        while (worker.getState() == Thread.State.RUNNABLE) {
            Thread.onSpinWait();
        }
    }

    @Test
    void anInterruptedWorkerStillSleeps() {
        Thread worker = meet().worker;
        worker.interrupt();
        while (worker.isInterrupted() || worker.getState() == Thread.State.RUNNABLE) {
            Thread.onSpinWait();
        }
        assertSame(worker, meet().worker);
    }

    @Test
    void dismissedWorkersEnd() throws Exception {
        Thread worker = meet().worker;
        Workers.setThreads(1);
        worker.join();
    }

    @Test
    void aFailureInAPartReachesTheCallerAndEndsNothing() {
        Workers.setThreads(3);
        var work = new Failing(5);
        for (int i = 1; i <= 20; i++) {
            assertSame(work.failure, assertThrows(IllegalStateException.class, () -> Workers.run(work, 10)));
            assertEquals(10 * i, work.parts.get(), "every part is run once");
        }
        Workers.run(work, 5);
        assertEquals(205, work.parts.get());
    }

    private static final class Counting extends Work {
        private final LongAdder parts = new LongAdder();
        private final LongAdder numbers = new LongAdder();

        @Override
        protected void part(long index) {
            parts.increment();
            numbers.add(index);
        }
    }

    @Test
    void morePartsThanAreCountedAtOnceAllRun() {
        Workers.setThreads(2);
        var work = new Counting();
        long parts = (2 << 20) + 5;
        Workers.run(work, parts);
        assertEquals(parts, work.parts.sum());
        assertEquals(parts * (parts - 1) / 2, work.numbers.sum(), "each has a number of its own");
        Workers.run(work, 0);
        assertEquals(parts, work.parts.sum());
    }
}
