package org.toydiff;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.toydiff.internal.JvmOptions;
import org.toydiff.internal.events.ArenaCloseEvent;
import org.toydiff.internal.events.Events;
import org.toydiff.internal.launch.Shape;

/// Owns the memory of the tensors made while it is innermost, and frees all of it when closed.
///
/// ```java
/// try (var arena = TensorArena.ofConfined()) {
///     Tensor x = Tensor.ones(2, 3);
/// }                                   // x's memory is gone; reading x throws
/// ```
///
/// | kind | tensors usable by | closing costs |
/// |---|---|---|
/// | [#ofConfined()] | the thread that opened it | tens of nanoseconds |
/// | [#ofShared()] | every thread | some 70 µs, and as much for each intermediate of a recorded graph |
///
/// A shared arena closes by a handshake with every thread: keep parameters in one, and open a confined one for each
/// step.
///
/// Opening an arena makes it innermost on this thread until it is closed; arenas close in the reverse order of
/// opening. On other threads a shared one is made innermost by [#enter()]. Memory comes from a process-wide pool of
/// 64-byte-aligned blocks and goes back to it; it is not zeroed for tensors. The lifetime is a JDK arena's, so a
/// segment read too late throws and never shows stale memory.
///
/// Bytes are counted exactly: a tensor counts as its elements' bytes rounded up to a multiple of 64.
public final class TensorArena implements Arena {
    private final boolean predicting;

    /// In a prediction: what all its arenas count in together, or null.
    private final Prediction prediction;

    private final boolean shared;
    private final Thread owner;
    private final long limit;
    private long live;
    private long peak;
    private long made;
    private long freed;
    private int entries;
    private Storage first;

    /// What segments that were handed out live by: a shared arena's from the start, a confined one's once there is
    /// one.
    private Arena lifetime;

    private volatile boolean open = true;

    /// Guarded by the ledger's lock: whether it takes no tensors any more.
    private boolean closing;

    /// What a flight recording is told when it closes; null when nobody listened at its opening.
    private final ArenaCloseEvent recorded;

    // Guarded by the ledger's lock: neighbours among the open arenas.
    TensorArena older;
    TensorArena newer;

    private TensorArena(boolean shared, long limit) {
        JvmOptions.require();
        if (limit <= 0) {
            throw new IllegalArgumentException("TensorArena: limit " + limit + " B must be positive");
        }
        Scope scope = Scope.current();
        TensorArena around = scope.innermostOrNull();
        this.predicting = around != null && around.predicting;
        this.prediction = predicting ? around.prediction : null;
        this.lifetime = shared && !predicting ? Arena.ofShared() : null;
        this.shared = shared;
        this.owner = Thread.currentThread();
        this.limit = limit;
        if (predicting) {
            enter(1);
        } else {
            MemoryBean.arenaOpened(Ledger.opened(this));
        }
        scope.push(this);
        this.recorded = predicting ? null : Events.arenaOpened(shared, limit);
    }

    /// The abstract counterpart of `real`, or that of memory of the caller's: it counts bytes and holds no memory.
    private TensorArena(TensorArena real, Prediction prediction) {
        this.predicting = true;
        this.prediction = prediction;
        this.shared = false;
        this.owner = Thread.currentThread();
        this.limit = Long.MAX_VALUE;
        this.recorded = null;
        this.live = real == null ? 0 : real.liveBytes();
        this.peak = real == null ? 0 : real.peakBytes();
    }

    /// Opens an arena for this thread alone.
    ///
    /// @return the arena, now innermost on this thread
    public static TensorArena ofConfined() {
        return ofConfined(Long.MAX_VALUE);
    }

    /// Opens an arena whose tensors every thread may use.
    ///
    /// @return the arena, now innermost on this thread
    public static TensorArena ofShared() {
        return ofShared(Long.MAX_VALUE);
    }

    /// Opens an arena for this thread alone that holds at most `limitBytes` bytes at a time.
    ///
    /// @param limitBytes the limit in bytes, positive
    /// @return the arena, now innermost on this thread
    /// @throws IllegalArgumentException if the limit is not positive
    public static TensorArena ofConfined(long limitBytes) {
        return new TensorArena(false, limitBytes);
    }

    /// Opens an arena whose tensors every thread may use and that holds at most `limitBytes` bytes at a time.
    ///
    /// @param limitBytes the limit in bytes, positive
    /// @return the arena, now innermost on this thread
    /// @throws IllegalArgumentException if the limit is not positive
    public static TensorArena ofShared(long limitBytes) {
        return new TensorArena(true, limitBytes);
    }

    /// The arena that new tensors of this thread go to: for code that computes in an arena of its own and puts only
    /// the result where the caller's tensors go.
    ///
    /// @return the arena that was opened or entered last and is open still
    /// @throws IllegalStateException if none is
    public static TensorArena innermost() {
        return Scope.current().innermost("innermost");
    }

    static TensorArena predicting(TensorArena real, Prediction prediction) {
        return new TensorArena(real, prediction);
    }

    /// Bytes its tensors take now, each rounded up to a multiple of 64.
    ///
    /// @return live bytes; 0 once closed
    public long liveBytes() {
        return predicting ? live : Ledger.liveBytes(this);
    }

    /// The most that [#liveBytes()] has been since it was opened.
    ///
    /// @return peak bytes
    public long peakBytes() {
        return predicting ? peak : Ledger.peakBytes(this);
    }

    /// Makes this arena innermost on the current thread until the region is closed; it stays open then. The
    /// arena cannot be closed while entered on another thread.
    ///
    /// @return the region, to be closed on this thread
    /// @throws IllegalStateException if the arena is closed
    /// @throws WrongThreadException if it is confined to another thread
    public Region enter() {
        requireUsable("enter");
        Scope scope = Scope.current();
        if (scope.predicts() && !predicting) {
            // What is made in a prediction has no memory, wherever it goes.
            return new TensorArena(this, scope.innermostOrNull().prediction).enter();
        }
        entered();
        int depth = scope.depth();
        return new Entry(this, scope, depth);
    }

    private static final class Entry implements Region {
        private final TensorArena arena;
        private final Scope scope;
        private final int depth;
        private boolean open = true;

        Entry(TensorArena arena, Scope scope, int depth) {
            this.arena = arena;
            this.scope = scope;
            this.depth = depth;
        }

        @Override
        public void close() {
            if (!open) {
                return;
            }
            if (Scope.current() != scope || scope.depth() != depth) {
                throw new IllegalStateException(
                        "close: the entered arena is not innermost on this thread; close what was"
                                + " opened after it first, on the thread that entered it");
            }
            scope.requireNoRegionInside();
            arena.left();
            open = false;
        }
    }

    /// Zeroed memory from the pool, for code that takes a JDK arena; it counts like a tensor's.
    ///
    /// @param byteSize bytes, 0 or more
    /// @param byteAlignment a power of two
    /// @return a segment that lives as long as this arena
    /// @throws IllegalArgumentException if the size is negative or the alignment no power of two
    /// @throws IllegalStateException if the arena is closed
    /// @throws MemoryLimitException if a limit would be passed
    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        if (byteSize < 0 || byteAlignment <= 0 || Long.bitCount(byteAlignment) != 1) {
            throw new IllegalArgumentException(
                    "allocate: " + byteSize + " bytes with alignment " + byteAlignment + " is not possible");
        }
        long slack = byteAlignment > 64 ? byteAlignment : 0;
        long[] shape = Shape.checked("allocate", DType.BOOL.bytes(), new long[] {Math.addExact(byteSize, slack)});
        MemorySegment all =
                Storage.make(this, "allocate", DType.BOOL, shape, false).expose();
        long start = slack == 0 ? 0 : -all.address() & (byteAlignment - 1);
        return all.asSlice(start, byteSize).fill((byte) 0);
    }

    /// The scope whose end is this arena's.
    ///
    /// @return the scope of every segment that [#allocate(long, long)] gives
    @Override
    public MemorySegment.Scope scope() {
        return lifetime().scope();
    }

    /// Frees every tensor of this arena.
    ///
    /// @throws IllegalStateException if it is not the innermost arena of this thread, a region that was begun inside
    ///     it is open, it is entered elsewhere, or in use by an op on another thread; it stays open then
    /// @throws WrongThreadException if it is confined to another thread
    @Override
    public void close() {
        if (!isOpen()) {
            return;
        }
        requireUsable("close");
        Scope scope = Scope.current();
        if (scope.innermostOrNull() != this) {
            throw new IllegalStateException("close: this arena is not the innermost one of "
                    + Scope.text(Thread.currentThread()) + "; close those opened after it first, in reverse order");
        }
        scope.requireNoRegionInside();
        // Of a confined one nobody else can enter, or make a tensor, meanwhile.
        if (shared ? !Ledger.beginClosing(this) : entries != 1) {
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
        scope.pop();
        if (predicting) {
            count(-live);
        } else {
            Ledger.closed(this);
            ArenaCloseEvent event = recorded != null ? recorded : Events.arenaClosed();
            if (event != null) {
                event.write(shared, owner, limit, peak, made);
            }
        }
    }

    void requireUsable(String op) {
        if (!isOpen()) {
            throw new IllegalStateException(op + ": the arena is closed");
        }
        requireOwner(op);
    }

    private void requireOwner(String op) {
        if (!isUsable()) {
            throw new WrongThreadException(op + ": the arena is confined to " + Scope.text(owner)
                    + "; use TensorArena.ofShared() for several threads");
        }
    }

    private void entered() {
        Ledger.enter(this);
        Scope.current().push(this);
    }

    private void left() {
        Ledger.leave(this);
        Scope.current().pop();
    }

    /// Ends an arena that was left open in a prediction.
    void abandon() {
        open = false;
        count(-live);
    }

    boolean isOpen() {
        return open;
    }

    /// Whether the current thread may use its tensors.
    boolean isUsable() {
        return shared || Thread.currentThread() == owner;
    }

    boolean predicts() {
        return predicting;
    }

    Prediction prediction() {
        return prediction;
    }

    boolean isShared() {
        return shared;
    }

    Arena lifetime() {
        if (lifetime == null) {
            requireOwner("scope");
            lifetime = Arena.ofConfined();
            if (!open) {
                lifetime.close();
            }
        }
        return lifetime;
    }

    // The rest is called under the ledger's lock, or in a prediction, which one thread alone sees.

    /// Takes no tensors from here on, unless it is entered elsewhere.
    ///
    /// @return whether it is not
    boolean beginClosing() {
        closing = entries == 1;
        return closing;
    }

    void stayOpen() {
        closing = false;
    }

    /// Throws, naming `op`, where a tensor made now would outlive it.
    void requireTaking(String op) {
        if (!open || closing) {
            throw new IllegalStateException(op + ": the arena is closed");
        }
    }

    long limit() {
        return limit;
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

    Storage first() {
        return first;
    }

    void add(Storage storage) {
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

    void remove(Storage storage) {
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
        if (prediction != null) {
            prediction.count(bytes);
        }
    }

    String describe() {
        return (shared ? "shared" : "confined") + " arena of " + Scope.text(owner) + ": live " + Shape.bytes(live)
                + ", peak " + Shape.bytes(peak) + (limit == Long.MAX_VALUE ? "" : ", limit " + Shape.bytes(limit))
                + ", blocks made " + made + ", freed " + freed;
    }
}
