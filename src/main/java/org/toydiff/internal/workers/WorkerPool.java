package org.toydiff.internal.workers;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;

/// A fixed number of worker threads, and the works that callers offer them.
///
/// A worker that finds nothing to do polls for half a millisecond, because the next op of a training step comes
/// sooner than a parked thread wakes; then it parks, so an idle process uses no processor. After some seconds it
/// ends, so that an unused class loader can be collected together with this library; the next work that needs it
/// starts another.
final class WorkerPool {
    /// The number of callers that can share the workers at once; further ones work alone.
    private static final int SLOTS = 64;

    /// More than a parked thread takes to wake, which is 200 µs on a virtual machine: a worker that woke too late
    /// for one product must still be polling when the next one comes. With 60 µs, products of 256 by 256 one after
    /// another ran on one thread for good.
    private static final long SPIN_NANOS = 500_000;
    private static final int POLLS_BETWEEN_CLOCK_READINGS = 64;

    /// Long compared with the cost of starting a thread.
    private static final long KEEP_ALIVE_NANOS = 5_000_000_000L;

    /// Marks a worker that is not running; never started.
    private static final Thread NO_WORKER = unstarted("toydiff-no-worker", () -> {});

    private final AtomicReferenceArray<Work> slots = new AtomicReferenceArray<>(SLOTS);
    private final AtomicInteger posted = new AtomicInteger();

    /// For each worker: the thread while it is parked, null while it is awake, or [#NO_WORKER].
    private final AtomicReferenceArray<Thread> parked;

    private volatile boolean shutdown;

    WorkerPool(int threads) {
        parked = new AtomicReferenceArray<>(threads - 1);
        for (int i = 0; i < parked.length(); i++) {
            parked.set(i, NO_WORKER);
        }
    }

    int threads() {
        return parked.length() + 1;
    }

    /// Offers `work` to the workers and wakes as many as it has other parts.
    ///
    /// @return the slot of the work, or -1 if the caller works alone
    int post(Work work, int parts) {
        if (parked.length() == 0 || shutdown) {
            return -1;
        }
        for (int slot = 0; slot < SLOTS; slot++) {
            if (slots.get(slot) == null && slots.compareAndSet(slot, null, work)) {
                posted.getAndIncrement();
                wake(parts - 1);
                return slot;
            }
        }
        return -1;
    }

    void withdraw(int slot) {
        if (slot >= 0) {
            slots.set(slot, null);
            posted.getAndDecrement();
        }
    }

    void shutdown() {
        shutdown = true;
        for (int i = 0; i < parked.length(); i++) {
            LockSupport.unpark(parked.get(i));
        }
    }

    private void wake(int most) {
        int left = most;
        for (int i = 0; i < parked.length() && left > 0; i++) {
            Thread worker = parked.get(i);
            if (worker != null && parked.compareAndSet(i, worker, null)) {
                if (worker == NO_WORKER) {
                    start(i);
                } else {
                    LockSupport.unpark(worker);
                }
                left--;
            }
        }
    }

    /// Starts a worker, unless the system has no more threads: then the caller runs its parts itself.
    private void start(int number) {
        try {
            unstarted("toydiff-worker-" + (number + 1), () -> runWorker(number)).start();
        } catch (OutOfMemoryError e) {
            parked.set(number, NO_WORKER);
        }
    }

    /// Creates a thread that inherits nothing from its creator, which it may outlive: neither thread locals and
    /// context class loader, nor group and priority.
    private static Thread unstarted(String name, Runnable task) {
        ThreadGroup root = Thread.currentThread().getThreadGroup();
        while (root.getParent() != null) {
            root = root.getParent();
        }
        Thread thread = Thread.ofPlatform()
                .group(root)
                .name(name)
                .priority(Thread.NORM_PRIORITY)
                .daemon()
                .inheritInheritableThreadLocals(false)
                .unstarted(task);
        thread.setContextClassLoader(ClassLoader.getSystemClassLoader());
        return thread;
    }

    private void runWorker(int number) {
        int polls = 0;
        long idleSince = 0;
        while (!shutdown) {
            if (posted.get() > 0 && runParts()) {
                polls = 0;
            } else if (++polls % POLLS_BETWEEN_CLOCK_READINGS != 0) {
                Thread.onSpinWait();
            } else if (polls == POLLS_BETWEEN_CLOCK_READINGS) {
                idleSince = System.nanoTime();
            } else if (System.nanoTime() - idleSince > SPIN_NANOS) {
                if (!park(number)) {
                    return;
                }
                polls = 0;
            }
        }
    }

    /// Runs one part of every work that has one left, so that callers share the workers evenly.
    private boolean runParts() {
        boolean ran = false;
        for (int slot = 0, left = posted.get(); slot < SLOTS && left > 0; slot++) {
            Work work = slots.get(slot);
            if (work != null) {
                ran |= work.runOne();
                left--;
            }
        }
        return ran;
    }

    /// Parks the worker until work is posted. A caller posts its work and then looks for parked workers; a worker
    /// registers as parked and then looks for work. So one of them sees the other.
    ///
    /// @return true if it was woken, false if it was idle for long and must end
    private boolean park(int number) {
        Thread self = Thread.currentThread();
        parked.set(number, self);
        long start = System.nanoTime();
        while (parked.get(number) == self && !shutdown && !hasPartsLeft()) {
            long left = KEEP_ALIVE_NANOS - (System.nanoTime() - start);
            if (left <= 0) {
                return !parked.compareAndSet(number, self, NO_WORKER);
            }
            LockSupport.parkNanos(this, left);
            // An interrupt, from code that interrupts threads of others, would keep it from parking.
            Thread.interrupted();
        }
        parked.set(number, null);
        return true;
    }

    private boolean hasPartsLeft() {
        for (int slot = 0, left = posted.get(); slot < SLOTS && left > 0; slot++) {
            Work work = slots.get(slot);
            if (work != null) {
                if (work.hasPartsLeft()) {
                    return true;
                }
                left--;
            }
        }
        return false;
    }
}
