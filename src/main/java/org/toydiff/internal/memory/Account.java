package org.toydiff.internal.memory;

import java.lang.StackWalker.StackFrame;
import java.lang.foreign.Arena;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.toydiff.internal.launch.Shape;

/// The account of an arena: who may use it, how many bytes its tensors take, and a list of those tensors.
///
/// The account of an *abstract* arena counts tensors that have a size and no memory; the ledger does not know it,
/// and one thread alone uses it.
public final class Account {
    /// Who may use the tensors of an arena, and who is inside it from its opening on.
    public enum Kind {
        /// The opening thread may, and is.
        CONFINED("confined"),
        /// Every thread may; the opening one is.
        SHARED("shared"),
        /// Every thread may; none is.
        DETACHED("detached");

        /// Its name in reports and events.
        public final String text;

        Kind(String text) {
            this.text = text;
        }
    }

    final Arena arena;

    private final boolean isAbstract;
    private final boolean shared;
    private final long limit;

    /// The thread that is inside from the opening to the closing; null for a detached arena, and for a shared one
    /// that is closed, lest what a thread that has ended left on its stack of arenas keep that thread.
    private Thread owner;

    /// Makes the exception for a tensor that does not fit; null in an abstract account, where every one does.
    private final Function<String, RuntimeException> refusal;

    /// Counts the bytes of several abstract accounts together; null when nothing does.
    private final LongConsumer total;

    private volatile boolean open = true;

    /// The lifetime of segments that were handed out: a shared arena has one from the start, a confined one once it
    /// is needed.
    private Arena lifetime;

    // Guarded by the ledger's lock, but in an abstract account.

    private long live;
    private long peak;
    private long made;
    private long freed;

    /// The oldest entry by [#enter(Entry)], which leads to the others; null for none.
    private Entry entered;

    /// The line of the user's program that opened it; null unless that is traced.
    private StackFrame site;

    /// Whether it takes no tensors any more.
    private boolean closing;

    private PooledStorage first;

    /// Its neighbours among the accounts of open arenas.
    Account older;

    Account newer;

    private Account(
            Arena arena,
            boolean isAbstract,
            Kind kind,
            long limit,
            Function<String, RuntimeException> refusal,
            LongConsumer total) {
        this.arena = arena;
        this.isAbstract = isAbstract;
        this.shared = kind != Kind.CONFINED;
        this.owner = kind == Kind.DETACHED ? null : Thread.currentThread();
        this.limit = limit;
        this.refusal = refusal;
        this.total = total;
        this.lifetime = shared && !isAbstract ? Arena.ofShared() : null;
    }

    /// An account of the pool's memory; [#open()] is due.
    ///
    /// @param limit the most bytes that its tensors may take
    /// @param refusal makes the exception for a tensor that would pass a limit
    public static Account of(Arena arena, Kind kind, long limit, Function<String, RuntimeException> refusal) {
        return new Account(arena, false, kind, limit, refusal, null);
    }

    /// An abstract account.
    ///
    /// @param total counts its bytes too; null for none
    public static Account ofAbstract(Arena arena, Kind kind, LongConsumer total) {
        return new Account(arena, true, kind, Long.MAX_VALUE, null, total);
    }

    /// An abstract account that goes on from the bytes of `real`, which `total` does not count.
    public static Account ofAbstract(Arena arena, Account real, LongConsumer total) {
        Account account = ofAbstract(arena, Kind.CONFINED, total);
        account.live = real.liveBytes();
        account.peak = real.peakBytes();
        return account;
    }

    /// Makes a storage: a block of the pool, or a size alone in an abstract account.
    ///
    /// @param early whether backward may free it before the arena closes
    /// @throws IllegalArgumentException if the shape has a negative size, or more bytes than a long can count
    /// @throws IllegalStateException if the arena is closed
    /// @throws WrongThreadException if it is confined to another thread
    /// @throws RuntimeException the refusal, if a limit would be passed
    public Storage make(String op, ElementType dtype, long[] shape, boolean early) {
        Shape.checked(op, dtype.bytes(), shape);
        return isAbstract
                ? AbstractStorage.make(this, op, dtype, shape, early)
                : PooledStorage.make(this, op, dtype, shape, early);
    }

    /// Whether its tensors have no memory.
    public boolean isAbstract() {
        return isAbstract;
    }

    public boolean isShared() {
        return shared;
    }

    public boolean isOpen() {
        return open;
    }

    /// Whether the current thread may use its tensors.
    boolean isUsable() {
        return shared || Thread.currentThread() == owner;
    }

    /// The kind of an arena that is open.
    public Kind kind() {
        if (!shared) {
            return Kind.CONFINED;
        }
        return owner == null ? Kind.DETACHED : Kind.SHARED;
    }

    /// The thread that is inside from the opening to the closing; null for none.
    public Thread owner() {
        return owner;
    }

    /// The most bytes that its tensors may take; `Long.MAX_VALUE` without a limit.
    public long limit() {
        return limit;
    }

    /// Throws unless the current thread may use the arena.
    ///
    /// @throws IllegalStateException if it is closed
    /// @throws WrongThreadException if it is confined to another thread
    public void requireUsable(String op) {
        if (!open) {
            throw closed(op);
        }
        requireOwner(op);
    }

    /// Throws unless the current thread may use the arena, open or closed.
    ///
    /// @throws WrongThreadException if it is confined to another thread
    public void requireOwner(String op) {
        if (!isUsable()) {
            throw new WrongThreadException(op + ": the arena is confined to " + text(owner)
                    + "; use TensorArena.ofShared() for several threads");
        }
    }

    private static IllegalStateException closed(String op) {
        return new IllegalStateException(op + ": the arena is closed");
    }

    /// A thread in a message: its name, or its number when it has none, as virtual threads do.
    public static String text(Thread thread) {
        String kind = thread.isVirtual() ? "virtual thread " : "thread ";
        return kind + (thread.getName().isEmpty() ? "#" + thread.threadId() : thread.getName());
    }

    /// The lifetime of the segments that are handed out.
    ///
    /// @throws WrongThreadException if the arena is confined to another thread and has none yet
    public Arena lifetime() {
        if (lifetime == null) {
            requireOwner("scope");
            lifetime = Arena.ofConfined();
            if (!open) {
                lifetime.close();
            }
        }
        return lifetime;
    }

    /// Bytes that its tensors take now.
    public long liveBytes() {
        return isAbstract ? live : Ledger.liveBytes(this);
    }

    /// The most that [#liveBytes()] has been.
    public long peakBytes() {
        return isAbstract ? peak : Ledger.peakBytes(this);
    }

    /// How many tensors have lived in it.
    public long made() {
        return made;
    }

    /// Lists an account that is not abstract in the ledger.
    ///
    /// @return how many were opened in this process, this one included
    public long open() {
        // Confined ones may be opened for each step; to trace them costs more than the checks.
        site = Ledger.TRACE || (Ledger.CHECKED && shared) ? AllocationSite.capture() : null;
        return Ledger.opened(this);
    }

    /// Adds an entry, which keeps the arena open until [#leave(Entry)] or the end of its thread.
    ///
    /// @throws IllegalStateException if it is closed
    public void enter(Entry entry) {
        Ledger.enter(this, entry);
    }

    /// Removes an entry.
    public void leave(Entry entry) {
        Ledger.leave(this, entry);
    }

    /// Closes the arena and frees its tensors. Its owner, if that is the current thread, counts as outside.
    ///
    /// Refuses instead of waiting for those inside, as [Arena#close()] does: they might wait for the caller, and a
    /// shutdown that waits for a thread that never leaves would never end.
    ///
    /// @return false if another thread has closed it, or this one is about to: a cleanup action may call this again
    /// @throws IllegalStateException if a thread is inside, or an op on another thread is using one of its tensors;
    ///     the arena stays open then
    /// @throws MemoryCheckError in the checked mode, if something was written past the end of a tensor; all are
    ///     freed then, too
    /// @throws RuntimeException or an Error of a cleanup action that was registered with the arena's scope; all are
    ///     freed then, too
    public boolean close() {
        if (!shared || isAbstract) {
            if (closing) {
                return false;
            }
            // Nobody else can enter, or make a tensor, meanwhile.
            beginClosing();
            end();
            return true;
        }
        synchronized (Ledger.LIFETIMES) {
            if (!open || closing) {
                return false;
            }
            Ledger.beginClosing(this);
            end();
            return true;
        }
    }

    private void end() {
        try {
            Ledger.endLifetimes(this);
            if (lifetime != null) {
                lifetime.close();
            }
        } catch (RuntimeException | Error e) {
            if (lifetime != null && !lifetime.scope().isAlive()) {
                // By a cleanup action.
                free();
                throw e;
            }
            Ledger.stillOpen(this);
            if (e instanceof IllegalStateException) {
                throw new IllegalStateException(
                        "close: an op on another thread is using a tensor of this arena; wait for it, then close", e);
            }
            throw e;
        }
        free();
    }

    /// Frees all of its tensors. For an abstract arena also without [#close()], entered or not.
    public void free() {
        open = false;
        owner = shared ? null : owner;
        if (isAbstract) {
            count(-live);
        } else {
            Ledger.closed(this);
        }
    }

    // The rest is called under the ledger's lock, or in an abstract account, which one thread alone uses.

    /// Takes neither tensors nor entries from here on.
    ///
    /// @throws IllegalStateException if a thread is inside
    void beginClosing() {
        requireEmpty();
        closing = true;
    }

    void endClosing() {
        closing = false;
    }

    boolean isClosing() {
        return closing;
    }

    /// Throws where a tensor made now, or an entry, would outlive the arena.
    void requireOpen(String op) {
        if (!open || closing) {
            throw closed(op);
        }
    }

    void add(Entry entry) {
        // Two old entries for each new one, so that those of ended threads do not outnumber the others for long.
        forgetIfEnded();
        forgetIfEnded();
        entered = entry.join(entered);
    }

    /// Removes the oldest entry if its thread has ended without leaving, or else makes it the newest.
    private void forgetIfEnded() {
        if (entered != null) {
            entered = entered.thread().isAlive() ? entered.next() : entered.leave(entered);
        }
    }

    void remove(Entry entry) {
        entered = entry.leave(entered);
    }

    /// The threads that have entered it and not left.
    private Set<Thread> inside() {
        Entry oldest = entered;
        if (oldest == null) {
            return Set.of();
        }
        Set<Thread> inside = new LinkedHashSet<>();
        Entry entry = oldest;
        do {
            if (entry.thread().isAlive()) {
                inside.add(entry.thread());
            }
            entry = entry.next();
        } while (entry != oldest);
        return inside;
    }

    private void requireEmpty() {
        Set<Thread> inside = inside();
        if (!inside.isEmpty()) {
            throw new IllegalStateException("close: this arena is entered by " + text(inside)
                    + "; close the regions that enter() returned there, then close it again");
        }
        entered = null;
        if (shared && owner != null && owner != Thread.currentThread() && owner.isAlive()) {
            throw new IllegalStateException("close: this arena belongs to " + text(owner)
                    + ", which opened it; close it there, or open it by ofDetached() to close it on any thread");
        }
    }

    private static String text(Set<Thread> threads) {
        int others = threads.size() - 1;
        return text(threads.iterator().next()) + (others == 0 ? "" : " and " + others + " more");
    }

    Function<String, RuntimeException> refusal() {
        return refusal;
    }

    long live() {
        return live;
    }

    long peak() {
        return peak;
    }

    PooledStorage first() {
        return first;
    }

    void add(PooledStorage storage) {
        storage.previous = null;
        storage.next = first;
        if (first != null) {
            first.previous = storage;
        }
        first = storage;
        storage.listed = true;
        made++;
        count(storage.bytes());
    }

    void remove(PooledStorage storage) {
        if (storage.previous != null) {
            storage.previous.next = storage.next;
        } else {
            first = storage.next;
        }
        if (storage.next != null) {
            storage.next.previous = storage.previous;
        }
        storage.listed = false;
        freed++;
        count(-storage.bytes());
    }

    void count(long bytes) {
        live += bytes;
        peak = Math.max(peak, live);
        if (total != null) {
            total.accept(bytes);
        }
    }

    String describe() {
        Set<Thread> inside = inside();
        return kind().text + " arena" + (owner == null ? "" : " of " + text(owner))
                + (owner == null || owner.isAlive() ? "" : " (ended)") + ": live " + Shape.bytes(live) + ", peak "
                + Shape.bytes(peak) + (limit == Long.MAX_VALUE ? "" : ", limit " + Shape.bytes(limit))
                + ", blocks made " + made + ", freed " + freed
                + (inside.isEmpty() ? "" : ", entered by " + text(inside))
                + (site == null ? "" : ", opened at " + site);
    }
}
