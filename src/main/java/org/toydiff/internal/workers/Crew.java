package org.toydiff.internal.workers;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;

/// A fixed number of places for worker threads and the works they look for.
///
/// A worker that finds nothing looks again for half a millisecond, because the next op of a training step
/// comes sooner than a sleeping thread wakes; then it parks, and an idle process uses no processor. After some
/// seconds it ends, so that a class loader that nobody uses any more can be collected with this library; the next
/// work that wants its place starts another.
final class Crew {
    /// As many calling threads can share the workers at once; more of them work alone.
    private static final int SLOTS = 64;

    /// Longer than a sleeping thread takes to wake, which is 200 µs on a virtual machine: a worker that woke too
    /// late for one product must still be looking when the next one comes. With 60 µs, products of 256 by 256 one
    /// after another ran on one thread for good.
    private static final long SPIN_NANOS = 500_000;
    private static final int LOOKS_BETWEEN_CLOCK_READINGS = 64;

    /// Long beside what starting a thread costs.
    private static final long KEEP_NANOS = 5_000_000_000L;

    /// Stands in a place that no worker has; never started.
    private static final Thread NOBODY = unstarted("toydiff-nobody", () -> {});

    private final AtomicReferenceArray<Work> slots = new AtomicReferenceArray<>(SLOTS);
    private final AtomicInteger posted = new AtomicInteger();

    /// For each place: the worker while it sleeps, null while it is awake, and [#NOBODY].
    private final AtomicReferenceArray<Thread> sleeping;

    private volatile boolean dismissed;

    Crew(int threads) {
        sleeping = new AtomicReferenceArray<>(threads - 1);
        for (int i = 0; i < sleeping.length(); i++) {
            sleeping.set(i, NOBODY);
        }
    }

    int threads() {
        return sleeping.length() + 1;
    }

    /// Shows `work` to the workers and wakes as many as can help.
    ///
    /// @return the slot it lies in, or -1 when the caller works alone
    int post(Work work, int parts) {
        if (sleeping.length() == 0 || dismissed) {
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

    void dismiss() {
        dismissed = true;
        for (int i = 0; i < sleeping.length(); i++) {
            LockSupport.unpark(sleeping.get(i));
        }
    }

    private void wake(int most) {
        int left = most;
        for (int i = 0; i < sleeping.length() && left > 0; i++) {
            Thread sleeper = sleeping.get(i);
            if (sleeper != null && sleeping.compareAndSet(i, sleeper, null)) {
                if (sleeper == NOBODY) {
                    start(i);
                } else {
                    LockSupport.unpark(sleeper);
                }
                left--;
            }
        }
    }

    /// Without the thread, when the system has no more of them: whoever asked does the parts itself.
    private void start(int number) {
        try {
            unstarted("toydiff-worker-" + (number + 1), () -> serve(number)).start();
        } catch (OutOfMemoryError e) {
            sleeping.set(number, NOBODY);
        }
    }

    /// A thread that has nothing of the one that makes it, which it may outlive: neither its thread locals and its
    /// context class loader, nor its group and its priority.
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

    private void serve(int number) {
        int looks = 0;
        long idleSince = 0;
        while (!dismissed) {
            if (posted.get() > 0 && help()) {
                looks = 0;
            } else if (++looks % LOOKS_BETWEEN_CLOCK_READINGS != 0) {
                Thread.onSpinWait();
            } else if (looks == LOOKS_BETWEEN_CLOCK_READINGS) {
                idleSince = System.nanoTime();
            } else if (System.nanoTime() - idleSince > SPIN_NANOS) {
                if (!sleep(number)) {
                    return;
                }
                looks = 0;
            }
        }
    }

    /// Does one part of every work that has one left, so that callers share the workers evenly.
    private boolean help() {
        boolean helped = false;
        for (int slot = 0, left = posted.get(); slot < SLOTS && left > 0; slot++) {
            Work work = slots.get(slot);
            if (work != null) {
                helped |= work.doOne();
                left--;
            }
        }
        return helped;
    }

    /// A caller posts its work and then looks for sleepers; a worker says that it sleeps and then looks for work.
    /// So one of them sees the other.
    ///
    /// @return whether it was woken; else nobody needed it for long, and its place is free
    private boolean sleep(int number) {
        Thread self = Thread.currentThread();
        sleeping.set(number, self);
        long start = System.nanoTime();
        while (sleeping.get(number) == self && !dismissed && !anythingLeft()) {
            long left = KEEP_NANOS - (System.nanoTime() - start);
            if (left <= 0) {
                return !sleeping.compareAndSet(number, self, NOBODY);
            }
            LockSupport.parkNanos(this, left);
            // Whoever interrupts threads that are not theirs would keep it from parking.
            Thread.interrupted();
        }
        sleeping.set(number, null);
        return true;
    }

    private boolean anythingLeft() {
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
