package org.toydiff.internal.mpi;

import java.util.concurrent.locks.LockSupport;

/// A task of the communication thread, which can be begun again once it has ended.
public final class Transfer {
    /// The work of a transfer.
    @FunctionalInterface
    interface Work {
        /// Runs on the communication thread, and waits for a nonblocking operation by [#poll].
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

    /// Notes that it is under way.
    ///
    /// @throws IllegalStateException if it is already
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

    /// Waits for the nonblocking operation that was begun last, without taking a core from the threads that compute:
    /// yields instead of sleeping only while a caller waits.
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

    /// {@return whether it has ended within a time} An interrupt does not end the wait; the thread stays interrupted.
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
