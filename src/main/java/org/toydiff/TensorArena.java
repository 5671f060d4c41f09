package org.toydiff;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.LongConsumer;
import org.toydiff.internal.JvmOptions;
import org.toydiff.internal.events.ArenaCloseEvent;
import org.toydiff.internal.events.Events;
import org.toydiff.internal.memory.Account;
import org.toydiff.internal.memory.Account.Kind;
import org.toydiff.internal.memory.BlockPool;
import org.toydiff.internal.memory.Entry;
import org.toydiff.internal.memory.Storage;

/// Owns the memory of the tensors that are made while it is innermost, and frees all of it when it is closed.
///
/// ```java
/// try (var arena = TensorArena.ofConfined()) {
///     Tensor x = Tensor.ones(2, 3);
/// }                                   // x's memory is gone; reading x throws
/// ```
///
/// | kind | tensors usable by | innermost on | closed by | closing costs |
/// |---|---|---|---|---|
/// | [#ofConfined()] | the thread that opened it | that thread | that thread | tens of nanoseconds |
/// | [#ofShared()] | every thread | the thread that opened it | that thread; any once it has ended | some 70 µs |
/// | [#ofDetached()] | every thread | no thread until it enters | any thread | some 70 µs |
///
/// Closing a shared or detached arena takes a handshake with every thread, and one more for each intermediate of a
/// recorded graph in it: keep parameters in one, and open a confined one for each step.
///
/// Opening a confined or a shared arena makes it innermost on this thread until it is closed; arenas close in the
/// reverse order of opening. A detached one belongs to no thread but to an application, which opens it when it starts
/// or loads another model, and closes it at its end. [#enter()] makes a shared or detached one innermost on any
/// thread, for a request for instance, and keeps it from being closed meanwhile:
///
/// ```java
/// TensorArena model = TensorArena.ofDetached();               // at the start
/// try (var inside = model.enter()) { … }                      // makes the parameters
/// try (var inside = model.enter();                            // for each request, on any thread
///         var request = TensorArena.ofConfined()) { … }
/// model.close();                                              // at the end, on any thread
/// ```
///
/// Memory comes from a process-wide pool of 64-byte-aligned blocks and goes back to it; it is not zeroed for tensors.
/// The lifetime is that of a JDK arena, so reading a segment too late throws and never returns stale memory.
///
/// Bytes are counted exactly: a tensor counts as the bytes of its elements, rounded up to a multiple of 64.
public final class TensorArena implements Arena {
    final Account account;

    /// Counts all arenas of a dry run together; null outside one.
    private final Prediction prediction;

    /// Written to a flight recording when the arena is closed; null when nobody listened at its opening.
    private final ArenaCloseEvent recorded;

    private TensorArena(Kind kind, long limit) {
        JvmOptions.require();
        if (limit <= 0) {
            throw new IllegalArgumentException("TensorArena: limit " + limit + " B must be positive");
        }
        Scope scope = Scope.current();
        TensorArena around = scope.innermostOrNull();
        if (around != null && around.predicts()) {
            this.prediction = around.prediction;
            this.account = Account.ofAbstract(this, kind, total(prediction));
            this.recorded = null;
        } else {
            this.prediction = null;
            this.account = Account.of(this, kind, limit, MemoryLimitException::new);
            Memory.arenaOpened(account.open());
            this.recorded = Events.arenaOpened(kind.text, limit);
        }
        if (kind != Kind.DETACHED) {
            scope.push(this);
        } else if (prediction != null) {
            prediction.openedDetached(this);
        }
    }

    /// An abstract arena in the place of `real`, or of the caller's memory where that is null.
    private TensorArena(TensorArena real, Prediction prediction) {
        this.prediction = prediction;
        this.account = real == null
                ? Account.ofAbstract(this, Kind.CONFINED, total(prediction))
                : Account.ofAbstract(this, real.account, total(prediction));
        this.recorded = null;
    }

    private static LongConsumer total(Prediction prediction) {
        return prediction == null ? null : prediction::count;
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
        return new TensorArena(Kind.CONFINED, limitBytes);
    }

    /// Opens an arena whose tensors every thread may use and that holds at most `limitBytes` bytes at a time.
    ///
    /// @param limitBytes the limit in bytes, positive
    /// @return the arena, now innermost on this thread
    /// @throws IllegalArgumentException if the limit is not positive
    public static TensorArena ofShared(long limitBytes) {
        return new TensorArena(Kind.SHARED, limitBytes);
    }

    /// Opens an arena whose tensors every thread may use, without entering it: it is innermost nowhere until
    /// [#enter()] is called, and any thread may close it.
    ///
    /// @return the arena
    public static TensorArena ofDetached() {
        return ofDetached(Long.MAX_VALUE);
    }

    /// As [#ofDetached()], for an arena that holds at most `limitBytes` bytes at a time.
    ///
    /// @param limitBytes the limit in bytes, positive
    /// @return the arena
    /// @throws IllegalArgumentException if the limit is not positive
    public static TensorArena ofDetached(long limitBytes) {
        return new TensorArena(Kind.DETACHED, limitBytes);
    }

    /// The arena of this thread's new tensors: for code that computes in a temporary arena and puts only the result
    /// where the caller's tensors go.
    ///
    /// @return the arena that was opened or entered last and is still open
    /// @throws IllegalStateException if none is open
    public static TensorArena innermost() {
        return Scope.current().innermost("innermost");
    }

    static TensorArena predicting(TensorArena real, Prediction prediction) {
        return new TensorArena(real, prediction);
    }

    /// The bytes that its tensors take now, each rounded up to a multiple of 64.
    ///
    /// @return live bytes; 0 once closed
    public long liveBytes() {
        return account.liveBytes();
    }

    /// The most that [#liveBytes()] has been since the arena was opened.
    ///
    /// @return peak bytes
    public long peakBytes() {
        return account.peakBytes();
    }

    /// Makes this arena innermost on the current thread until the region is closed, which leaves the arena open. The
    /// arena cannot be closed meanwhile. A thread that ends without closing the region has left the arena.
    ///
    /// Entering makes one object on the heap, the region, of 32 bytes.
    ///
    /// @return the region, to be closed on this thread
    /// @throws IllegalStateException if the arena is closed
    /// @throws WrongThreadException if it is confined to another thread
    public Region enter() {
        requireUsable("enter");
        Recorder.requireInside("enter", this);
        Scope scope = Scope.current();
        if (scope.predicts() && !predicts()) {
            // Tensors made in a dry run have no memory, whichever arena they go to.
            return new TensorArena(this, scope.innermostOrNull().prediction).enter();
        }
        var inside = new Inside(this, scope.depth() + 1);
        account.enter(inside);
        scope.push(this);
        return inside;
    }

    private static final class Inside extends Entry implements Region {
        private final int depth;

        /// Null once it is left.
        private TensorArena arena;

        Inside(TensorArena arena, int depth) {
            this.arena = arena;
            this.depth = depth;
        }

        @Override
        public void close() {
            if (arena == null) {
                return;
            }
            Scope scope = Scope.current();
            if (!isByCurrentThread() || scope.depth() != depth) {
                throw new IllegalStateException(
                        "close: the entered arena is not innermost on this thread; close the arenas that were"
                                + " opened after it first, on the thread that entered it");
            }
            scope.requireNoRegionInside();
            arena.account.leave(this);
            scope.pop();
            arena = null;
        }
    }

    /// Allocates zeroed memory from the pool, for code that takes a JDK arena. It counts as a tensor's does.
    ///
    /// @param byteSize bytes, 0 or more
    /// @param byteAlignment a power of two
    /// @return a segment that lives as long as this arena
    /// @throws IllegalArgumentException if the size is negative or the alignment is not a power of two
    /// @throws IllegalStateException if the arena is closed, or has no memory because it was opened in a dry run
    /// @throws WrongThreadException if it is confined to another thread
    /// @throws MemoryLimitException if a limit would be passed
    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        if (byteSize < 0 || byteAlignment <= 0 || Long.bitCount(byteAlignment) != 1) {
            throw new IllegalArgumentException(
                    "allocate: " + byteSize + " bytes with alignment " + byteAlignment + " is not possible");
        }
        long slack = byteAlignment > BlockPool.UNIT ? byteAlignment : 0;
        long[] shape = {Math.addExact(byteSize, slack)};
        MemorySegment all = make("allocate", DType.BOOL, shape, false).expose();
        long start = slack == 0 ? 0 : -all.address() & (byteAlignment - 1);
        return all.asSlice(start, byteSize).fill((byte) 0);
    }

    /// The scope that ends when this arena is closed.
    ///
    /// @return the scope of every segment of [#allocate(long, long)]
    /// @throws WrongThreadException if the arena is confined to another thread, and has made no segment yet
    @Override
    public MemorySegment.Scope scope() {
        return account.lifetime().scope();
    }

    /// A storage for a new tensor. `early` when backward may free it before the arena closes.
    Storage make(String op, DType dtype, long[] shape, boolean early) {
        return account.make(op, dtype.element, shape, early);
    }

    /// Frees every tensor of this arena. Closing it again does nothing.
    ///
    /// An arena in use is not closed: as with the JDK's arenas, that is an exception. Nor does this method wait for the
    /// threads inside, which might be waiting for the caller, or never leave. A server that replaces a model under load
    /// closes the old one's arena again when a request has left it. A refusal changes nothing, except that an op which
    /// is using a tensor of this arena without having entered it may throw IllegalStateException.
    ///
    /// @throws IllegalStateException if a thread is inside: one that has entered it, or the one that opened it, unless
    ///     that is the caller, the arena innermost and no region begun inside it open; or if an op on another thread
    ///     is using one of its tensors; or in a dry run, if it was opened before that
    /// @throws WrongThreadException if it is confined to another thread
    /// @throws RuntimeException whatever a cleanup action throws that was registered with [#scope()]; it is closed then
    @Override
    public void close() {
        if (!isOpen()) {
            return;
        }
        account.requireOwner("close");
        Scope scope = Scope.current();
        if (scope.predicts() && !predicts()) {
            throw new IllegalStateException("close: this arena was opened before the dry run; close it after that");
        }
        if (Recorder.isOutside(this)) {
            throw new IllegalStateException("close: a CompiledFunction is being recorded on this thread, and its"
                    + " replays use tensors of this arena, which was opened before; close it after run");
        }
        Kind kind = account.kind();
        Thread owner = account.owner();
        boolean isOwner = owner == Thread.currentThread();
        if (isOwner) {
            requireInnermost(scope);
        }
        boolean closed;
        try {
            closed = account.close();
        } finally {
            if (isOwner && !isOpen()) {
                scope.pop();
            }
        }
        if (closed && !predicts()) {
            recordClosing(kind, owner);
        }
    }

    private void requireInnermost(Scope scope) {
        if (scope.innermostOrNull() != this) {
            throw new IllegalStateException("close: this arena is not the innermost one of "
                    + Account.text(Thread.currentThread()) + "; close those opened after it first, in reverse order");
        }
        scope.requireNoRegionInside();
    }

    private void recordClosing(Kind kind, Thread owner) {
        ArenaCloseEvent event = recorded != null ? recorded : Events.arenaClosed();
        if (event != null) {
            event.write(kind.text, owner, account.limit(), peakBytes(), account.made());
        }
    }

    void requireUsable(String op) {
        account.requireUsable(op);
    }

    /// Ends an arena that was left open in a dry run.
    void abandon() {
        account.free();
    }

    boolean isOpen() {
        return account.isOpen();
    }

    /// Whether it was opened in a dry run, so that its tensors have no memory.
    boolean predicts() {
        return account.isAbstract();
    }

    Prediction prediction() {
        return prediction;
    }
}
