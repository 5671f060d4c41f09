package org.toydiff.internal.memory;

/// An entry of an arena, by the thread that created it. The arena cannot be closed until the entry is left, or its
/// thread has ended without leaving it.
///
/// The entries of an arena form a ring, in the order of entering, so that entering and leaving make no other object
/// and cost the same however many threads are inside. The ring is guarded by the ledger's lock.
public abstract class Entry {
    private final Thread thread = Thread.currentThread();
    private Entry previous = this;
    private Entry next = this;

    /// An entry by the current thread, in no ring.
    protected Entry() {}

    /// Whether the current thread created it.
    protected final boolean isByCurrentThread() {
        return thread == Thread.currentThread();
    }

    Thread thread() {
        return thread;
    }

    Entry next() {
        return next;
    }

    /// Adds this entry as the newest one.
    ///
    /// @param oldest the oldest entry of the ring, or null for none
    /// @return the oldest entry now
    Entry join(Entry oldest) {
        if (oldest == null) {
            return this;
        }
        previous = oldest.previous;
        next = oldest;
        previous.next = this;
        oldest.previous = this;
        return oldest;
    }

    /// Removes this entry.
    ///
    /// @param oldest the oldest entry of the ring
    /// @return the oldest entry now, or null for none
    Entry leave(Entry oldest) {
        if (next == this) {
            return null;
        }
        previous.next = next;
        next.previous = previous;
        return oldest == this ? next : oldest;
    }
}
