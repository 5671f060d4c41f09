package org.toydiff.internal.memory;

import java.lang.foreign.Arena;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.toydiff.internal.launch.Shape;

/// The account of an arena: who may use it, how many bytes its tensors take, and a list of those tensors.
///
/// The account of an *abstract* arena counts tensors that have a size and no memory; the ledger does not know it,
/// and one thread alone uses it.
public final class Account {
    final Arena arena;

    private final boolean isAbstract;
    private final boolean shared;
    private final Thread owner = Thread.currentThread();
    private final long limit;

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

    /// On how many threads and in how many regions it is entered.
    private int entries;

    /// Whether it takes no tensors any more.
    private boolean closing;

    private PooledStorage first;

    /// Its neighbours among the accounts of open arenas.
    Account older;

    Account newer;

    private Account(
            Arena arena,
            boolean isAbstract,
            boolean shared,
            long limit,
            Function<String, RuntimeException> refusal,
            LongConsumer total) {
        this.arena = arena;
        this.isAbstract = isAbstract;
        this.shared = shared;
        this.limit = limit;
        this.refusal = refusal;
        this.total = total;
        this.lifetime = shared && !isAbstract ? Arena.ofShared() : null;
    }

    /// An account of the pool's memory, which belongs to the current thread; [#open()] is due.
    ///
    /// @param shared whether other threads may use its tensors
    /// @param limit the most bytes that its tensors may take
    /// @param refusal makes the exception for a tensor that would pass a limit
    public static Account of(Arena arena, boolean shared, long limit, Function<String, RuntimeException> refusal) {
        return new Account(arena, false, shared, limit, refusal, null);
    }

    /// An abstract account.
    ///
    /// @param total counts its bytes too; null for none
    public static Account ofAbstract(Arena arena, boolean shared, LongConsumer total) {
        return new Account(arena, true, shared, Long.MAX_VALUE, null, total);
    }

    /// An abstract account that goes on from the bytes of `real`, which `total` does not count.
    public static Account ofAbstract(Arena arena, Account real, LongConsumer total) {
        Account account = ofAbstract(arena, false, total);
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

    private void requireOwner(String op) {
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

    /// Lists an account that is not abstract in the ledger, and enters it.
    ///
    /// @return how many were opened in this process, this one included
    public long open() {
        return Ledger.opened(this);
    }

    /// Counts an entry of the arena, which cannot be closed until [#leave()].
    ///
    /// @throws IllegalStateException if it is closed, or closing
    public void enter() {
        Ledger.enter(this);
    }

    /// Undoes [#enter()].
    public void leave() {
        Ledger.leave(this);
    }

    /// Ends the lifetimes of its tensors; from here on the arena is closed, and [#freeAll()] is due.
    ///
    /// @throws IllegalStateException if it is entered elsewhere, or an op on another thread is using one of its
    ///     tensors; the arena stays open then
    public void close() {
        // Of a confined one nobody else can enter, or make a tensor, meanwhile.
        if (shared ? !Ledger.beginClosing(this) : !isEnteredOnce()) {
            throw new IllegalStateException(
                    "close: this arena is still entered elsewhere; close every region that enter() returned first");
        }
        try {
            Ledger.endLifetimes(this);
            if (lifetime != null) {
                lifetime.close();
            }
        } catch (IllegalStateException e) {
            Ledger.stillOpen(this);
            throw new IllegalStateException(
                    "close: an op on another thread is using a tensor of this arena; wait for it, then close", e);
        }
        open = false;
    }

    /// Frees all of its tensors once it is closed.
    ///
    /// @throws MemoryCheckError in the checked mode, if something was written past the end of one; all are freed
    ///     then, too
    public void freeAll() {
        if (isAbstract) {
            count(-live);
        } else {
            Ledger.closed(this);
        }
    }

    /// Closes an abstract one, entered or not.
    public void abandon() {
        open = false;
        freeAll();
    }

    // The rest is called under the ledger's lock, or in an abstract account, which one thread alone uses.

    /// Takes no tensors from here on, unless it is entered elsewhere.
    ///
    /// @return whether it is not
    boolean beginClosing() {
        closing = isEnteredOnce();
        return closing;
    }

    void stayOpen() {
        closing = false;
    }

    private boolean isEnteredOnce() {
        return entries == 1;
    }

    /// Throws where a tensor made now would outlive the arena.
    void requireTaking(String op) {
        if (!open || closing) {
            throw closed(op);
        }
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

    void enter(int more) {
        entries += more;
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
        count(storage.bytes);
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
        count(-storage.bytes);
    }

    void count(long bytes) {
        live += bytes;
        peak = Math.max(peak, live);
        if (total != null) {
            total.accept(bytes);
        }
    }

    String describe() {
        return (shared ? "shared" : "confined") + " arena of " + text(owner) + ": live " + Shape.bytes(live)
                + ", peak " + Shape.bytes(peak) + (limit == Long.MAX_VALUE ? "" : ", limit " + Shape.bytes(limit))
                + ", blocks made " + made + ", freed " + freed;
    }
}
