package org.toydiff.internal.workers;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/// A task split into parts that may run at the same time, in any order, on any thread.
///
/// The split depends on the task and never on the number of workers, so that results are the same for any number.
/// An instance is created once for a thread and reused; [Workers#run] returns when every part has run.
public abstract class Work {
    private static final VarHandle TICKET;
    private static final VarHandle DONE;

    static {
        try {
            var lookup = MethodHandles.lookup();
            TICKET = lookup.findVarHandle(Work.class, "ticket", long.class);
            DONE = lookup.findVarHandle(Work.class, "done", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /// The number of polls for the other threads to finish before the caller parks: some tens of microseconds.
    private static final int SPINS = 2000;

    /// The number of parts in the high half, the next part to run in the low half. A worker that still refers to a
    /// reused instance takes a part of the new use: the compare-and-set that takes it also makes the new fields
    /// visible.
    @SuppressWarnings("unused") // By its handle.
    private volatile long ticket;

    @SuppressWarnings("unused") // By its handle.
    private volatile int done;

    /// The index of the part that ticket 0 stands for. Written before the ticket, which makes it visible to all
    /// threads.
    private long first;

    private volatile Throwable failure;
    private volatile Thread waiter;

    /// Creates a work without parts, for subclasses.
    protected Work() {}

    /// Returns the number of parts of `each` elements that make up `all`; the last part may be smaller.
    protected static long parts(long all, long each) {
        return all / each + (all % each == 0 ? 0 : 1);
    }

    /// Runs one part.
    protected abstract void part(long index);

    /// Offers `parts` parts, beginning with the one at index `first`; the fields that describe them must be set
    /// before.
    final void open(long first, int parts) {
        this.first = first;
        done = 0;
        TICKET.setVolatile(this, (long) parts << 32);
    }

    /// Runs one part if there is one left.
    final boolean runOne() {
        long now = ticket;
        while ((int) now < (int) (now >>> 32)) {
            if (TICKET.compareAndSet(this, now, now + 1)) {
                run((int) now);
                finished((int) (now >>> 32));
                return true;
            }
            now = ticket;
        }
        return false;
    }

    final boolean hasPartsLeft() {
        long now = ticket;
        return (int) now < (int) (now >>> 32);
    }

    private void run(int index) {
        try {
            part(first + index);
        } catch (Throwable e) {
            failure = e;
        }
    }

    private void finished(int parts) {
        if ((int) DONE.getAndAdd(this, 1) + 1 == parts) {
            LockSupport.unpark(waiter);
        }
    }

    /// Waits until all parts have run, and rethrows an exception of one of them.
    final void await(int parts) {
        for (int i = 0; done != parts && i < SPINS; i++) {
            Thread.onSpinWait();
        }
        if (done != parts) {
            waiter = Thread.currentThread();
            while (done != parts) {
                LockSupport.park(this);
            }
            waiter = null;
        }
        rethrow();
    }

    private void rethrow() {
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            if (thrown instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) thrown;
        }
    }
}
