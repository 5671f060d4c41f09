package org.toydiff.internal.workers;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;

/// A fixed number of worker threads and the works they look for.
///
/// A worker that finds nothing looks again for half a millisecond, because the next op of a training step
/// comes sooner than a sleeping thread wakes; then it parks, and an idle process uses no processor.
final class Crew {
    /// As many calling threads can share the workers at once; more of them work alone.
    private static final int SLOTS = 64;

    /// Longer than a sleeping thread takes to wake, which is 200 µs on a virtual machine: a worker that woke too
    /// late for one product must still be looking when the next one comes. With 60 µs, products of 256 by 256 one
    /// after another ran on one thread for good.
    private static final long SPIN_NANOS = 500_000;
    private static final int LOOKS_BETWEEN_CLOCK_READINGS = 64;

    private final AtomicReferenceArray<Work> slots = new AtomicReferenceArray<>(SLOTS);
    private final AtomicInteger posted = new AtomicInteger();
    private final AtomicReferenceArray<Thread> sleeping;
    private final Thread[] workers;
    private volatile boolean started;
    private volatile boolean dismissed;

    Crew(int threads) {
        workers = new Thread[threads - 1];
        sleeping = new AtomicReferenceArray<>(threads - 1);
    }

    int threads() {
        return workers.length + 1;
    }

    /// Shows `work` to the workers and wakes as many as can help.
    ///
    /// @return the slot it lies in, or -1 when the caller works alone
    int post(Work work, int parts) {
        if (workers.length == 0 || dismissed) {
            return -1;
        }
        if (!started) {
            start();
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
        wake(workers.length);
    }

    private synchronized void start() {
        if (started) {
            return;
        }
        for (int i = 0; i < workers.length; i++) {
            int number = i;
            workers[i] = Thread.ofPlatform()
                    .daemon()
                    .name("toydiff-worker-" + (i + 1))
                    .unstarted(() -> serve(number));
            workers[i].start();
        }
        started = true;
    }

    private void wake(int most) {
        int left = most;
        for (int i = 0; i < workers.length && left > 0; i++) {
            Thread sleeper = sleeping.get(i);
            if (sleeper != null && sleeping.compareAndSet(i, sleeper, null)) {
                LockSupport.unpark(sleeper);
                left--;
            }
        }
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
                sleep(number);
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
    private void sleep(int number) {
        sleeping.set(number, Thread.currentThread());
        while (sleeping.get(number) != null && !dismissed && !anythingLeft()) {
            LockSupport.park(this);
        }
        sleeping.set(number, null);
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
