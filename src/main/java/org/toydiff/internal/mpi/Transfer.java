package org.toydiff.internal.mpi;

import java.util.concurrent.locks.LockSupport;

/// Something for the communication thread to do: one object for many uses, one after another.
public final class Transfer {
    /// Something to do, on the communication thread.
    @FunctionalInterface
    interface Work {
        /// Does it for a transfer, which an operation in the background can [#poll].
        void run(Mpi mpi, Transfer transfer);
    }

    private static final int SPINS = 200;
    private static final long PAUSE_NANOS = 20_000;

    private final Work work;
    private volatile boolean done = true;
    private volatile Thread waiter;
    private volatile Throwable failure;

    Transfer(Work work) {
        this.work = work;
    }

    /// Prepares for a use.
    void begin() {
        if (!done) {
            throw new IllegalStateException("a transfer is still under way");
        }
        failure = null;
        done = false;
    }

    /// Runs it, unless `broken` says why that is impossible.
    void runAndEnd(Mpi mpi, Throwable broken) {
        try {
            if (broken != null) {
                throw broken;
            }
            work.run(mpi, this);
        } catch (Throwable e) {
            failure = e;
        } finally {
            done = true;
            LockSupport.unpark(waiter);
        }
    }

    /// Waits for an operation of the library that has begun, without taking a core from those who compute: spins only
    /// while somebody waits.
    void poll(Mpi mpi) {
        for (int polls = 0; !mpi.isComplete(); polls++) {
            if (polls < SPINS) {
                Thread.onSpinWait();
            } else if (waiter != null) {
                Thread.yield();
            } else {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    /// {@return whether it has ended within a time} The calling thread may be interrupted, and stays so.
    boolean awaitEnd(long nanos) {
        long end = System.nanoTime() + nanos;
        boolean interrupted = false;
        waiter = Thread.currentThread();
        try {
            while (!done) {
                long left = end - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                LockSupport.parkNanos(left);
                interrupted |= Thread.interrupted();
            }
            return true;
        } finally {
            waiter = null;
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// {@return what it threw, or null}
    Throwable failure() {
        return failure;
    }
}
