package org.toydiff.internal.workers;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/// Something to do in parts that may run at the same time, in any order, on any thread.
///
/// How it is cut depends on what is to be done and never on the number of workers: so results are the same for any
/// number. An object is made once for a thread and used again; [Workers#run] returns when every part has run.
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

    /// How often to look whether the others have finished before sleeping: some tens of microseconds.
    private static final int SPINS = 2000;

    /// The number of parts, and below it in the low half the next one to be taken. A worker that still holds a work
    /// which was used again takes a part of the new use: the step that takes it also shows it the new fields.
    @SuppressWarnings("unused") // By its handle.
    private volatile long ticket;

    @SuppressWarnings("unused") // By its handle.
    private volatile int done;

    /// The number of the part that ticket 0 stands for. Written before the ticket, which shows it to all.
    private long first;

    private volatile Throwable failure;
    private volatile Thread waiter;

    /// For subclasses.
    protected Work() {}

    /// How many parts of `each` things `all` things make, the last part being smaller perhaps.
    protected static long parts(long all, long each) {
        return all / each + (all % each == 0 ? 0 : 1);
    }

    /// Does one part.
    protected abstract void part(long index);

    /// Offers `parts` parts from the one numbered `first` on; the fields that describe them are set before.
    final void open(long first, int parts) {
        this.first = first;
        done = 0;
        TICKET.setVolatile(this, (long) parts << 32);
    }

    /// Does one part if there is one left.
    final boolean doOne() {
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

    /// Waits until all parts have run, and throws what one of them threw.
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
