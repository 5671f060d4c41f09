package org.toydiff;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.toydiff.internal.memory.Block;
import org.toydiff.internal.memory.BlockPool;

/// One allocation: what a tensor and its views share.
///
/// It belongs to a [TensorArena], or to memory of the caller's. It lives as long as the arena, or shorter when
/// backward may free it early. Inside a prediction it has no memory at all, only a size ([#shapeOnly()]).
final class Storage {
    /// Where it lives, and where the gradient of a leaf that lives here is made; null for a wrapped segment
    /// until tracked.
    Arena home;

    final String op;
    final DType dtype;
    final long[] shape;

    /// What counts against limits: rounded up to whole units of the pool; 0 for memory of the caller's.
    final long bytes;

    /// Counts in-place changes, so that backward notices when a value it saved is no longer what forward saw.
    int version;

    /// Whether backward may free it before its arena closes.
    final boolean early;

    /// Retained, detached or moved by the user: never freed early.
    boolean pinned;

    /// Made by backward, or no longer read by it: to be freed once nobody holds it.
    boolean disposable;

    /// How many pending or kept gradients lie in it.
    int holders;

    /// The last step of the running backward that reads it; 0 when none does.
    int lastReader;

    /// The last step before [#lastReader] that reads it; 0 when none does.
    int readerBefore;

    /// Set when backward freed it: the op whose rule had just run, and that step.
    String freedBy;
    int freedAt;

    // Guarded by the ledger's lock: neighbours in the arena's list.
    Storage previous;
    Storage next;

    final StackWalker.StackFrame site;
    private Block block;

    /// A lifetime of its own, for a segment that the user was given of what backward may free; made when one asks.
    private Arena lifetime;

    /// What kernels see, null in a prediction: the whole slab of a block, or the caller's memory. A confined
    /// arena's is seen unconfined, so that workers can read it while its owner waits inside the op; a shared one's
    /// has the arena's lifetime, because another thread might close that meanwhile.
    private MemorySegment memory;

    /// The caller's own memory, which lives as long as the caller says; null for a block.
    private MemorySegment foreign;

    private boolean exposed;

    /// A thread that is never started: what it may access, every thread may.
    private static final Thread ANY_THREAD = Thread.ofPlatform().unstarted(() -> {});

    private Storage(Arena home, String op, DType dtype, long[] shape, long bytes, boolean early) {
        this.home = home;
        this.op = op;
        this.dtype = dtype;
        this.shape = shape;
        this.bytes = bytes;
        this.early = early;
        this.site = Ledger.TRACE && bytes > 0 && home instanceof TensorArena arena && !arena.predicts()
                ? AllocationSite.capture()
                : null;
    }

    /// Memory from `arena`'s pool. `early` gives it a lifetime of its own.
    static Storage make(TensorArena arena, String op, DType dtype, long[] shape, boolean early) {
        Shape.checked(op, dtype, shape);
        long bytes = BlockPool.rounded(Shape.size(shape) * dtype.bytes());
        var storage = new Storage(arena, op, dtype, shape, bytes, early);
        if (arena.predicts()) {
            arena.count(bytes);
            return storage;
        }
        arena.requireUsable(op);
        storage.block = Ledger.take(arena, storage);
        if (early && arena.isShared()) {
            storage.lifetime = Arena.ofShared();
        }
        storage.memory = storage.view();
        return storage;
    }

    /// Memory that the caller owns and frees.
    static Storage of(Arena home, MemorySegment segment, String op, DType dtype, long[] shape) {
        var storage = new Storage(home, op, dtype, shape, 0, false);
        storage.foreign = segment;
        storage.memory = unconfined(segment);
        storage.exposed = true;
        return storage;
    }

    private static MemorySegment unconfined(MemorySegment segment) {
        if (segment.isAccessibleBy(ANY_THREAD)) {
            return segment;
        }
        MemorySegment all = MemorySegment.ofAddress(segment.address()).reinterpret(segment.byteSize());
        return segment.isReadOnly() ? all.asReadOnly() : all;
    }

    /// A stand-in of the same size in a prediction.
    static Storage shapeOnly(Arena home, Storage real) {
        var storage = new Storage(home, real.op, real.dtype, real.shape, real.bytes, real.early);
        storage.block = real.block;
        storage.pinned = real.pinned;
        storage.disposable = real.disposable;
        storage.holders = real.holders;
        return storage;
    }

    private MemorySegment view() {
        if (block == null) {
            return MemorySegment.NULL;
        }
        boolean shared = ((TensorArena) home).isShared();
        return shared ? block.memory().reinterpret(lifetime(), null) : block.memory();
    }

    private Arena lifetime() {
        return lifetime != null ? lifetime : ((TensorArena) home).lifetime();
    }

    boolean shapeOnly() {
        return memory == null;
    }

    /// The memory, for kernels. Its first element here is [#base()].
    MemorySegment segment() {
        return memory;
    }

    /// Where the elements begin in [#segment()], in elements.
    long base() {
        return block == null ? 0 : block.offset() / dtype.bytes();
    }

    /// The memory, for the user, who may keep it: reading it once it is freed is the JDK's own exception.
    MemorySegment expose() {
        exposed = true;
        if (foreign != null) {
            return foreign;
        }
        if (early && lifetime == null) {
            lifetime = Arena.ofConfined();
        }
        long size = Shape.size(shape) * dtype.bytes();
        return block == null ? MemorySegment.NULL.reinterpret(0, lifetime(), null) : block.view(size, lifetime());
    }

    /// Whether its arena is open, or the caller's memory alive.
    boolean alive() {
        return foreign != null ? foreign.scope().isAlive() : memory == null || ((TensorArena) home).isOpen();
    }

    private boolean accessible() {
        return foreign != null
                ? foreign.isAccessibleBy(Thread.currentThread())
                : memory == null || ((TensorArena) home).isUsable();
    }

    /// Throws, naming `op`, unless this thread may read the memory now, or there is none to read in a
    /// prediction.
    void requireReadable(String op, long[] shape) {
        if (freedBy == null && alive()) {
            if (accessible()) {
                return;
            }
            throw new WrongThreadException(op + ": the tensor " + Shape.text(shape)
                    + " lives in a confined arena of another thread than " + Thread.currentThread()
                    + "; make it in TensorArena.ofShared() to use it on several threads");
        }
        if (freedBy != null) {
            throw new IllegalStateException(op + ": the tensor " + Shape.text(shape) + " made by " + this.op
                    + " was freed at step " + freedAt + " of backward(Release.EAGER), after " + freedBy
                    + "; call retain() on it before backward, or use Release.AT_CLOSE");
        }
        throw new IllegalStateException(op + ": the arena of the tensor " + Shape.text(shape)
                + " is closed; copyTo(arena) or moveTo(arena) lets it outlive its arena");
    }

    /// As [#requireReadable], for what reads elements itself instead of launching a kernel.
    void requireElements(String op, long[] shape) {
        requireReadable(op, shape);
        if (memory == null) {
            throw new IllegalStateException(
                    op + ": a gradient rule must not read elements; it sees shapes only when the"
                            + " release schedule is predicted");
        }
    }

    /// Notes that a step reads it; called in the order of steps.
    void readBy(int step) {
        if (lastReader != step) {
            readerBefore = lastReader;
            lastReader = step;
        }
    }

    boolean isFreed() {
        return freedBy != null;
    }

    /// Whether backward may free it at all.
    boolean releasable() {
        return early && !pinned && freedBy == null;
    }

    /// Frees it when it is disposable and nobody holds it. `op` and `step` say after which rule, for whoever
    /// reads it later.
    ///
    /// @return whether it was freed
    boolean freeIfUnused(String op, int step) {
        if (!disposable || holders > 0 || !releasable()) {
            return false;
        }
        free(op, step);
        return true;
    }

    void free(String op, int step) {
        var arena = (TensorArena) home;
        if (shapeOnly()) {
            arena.count(-bytes);
        } else {
            endLifetime();
            Ledger.give(arena, this, block);
            block = null;
        }
        freedBy = op;
        freedAt = step;
    }

    /// Frees it and gives its block to a new storage at once, elements and all.
    Storage handOver(String heirOp, String op, int step) {
        var arena = (TensorArena) home;
        var heir = new Storage(arena, heirOp, dtype, shape, bytes, true);
        heir.block = block;
        if (shapeOnly()) {
            arena.count(-bytes);
            arena.count(bytes);
        } else {
            endLifetime();
            Ledger.replace(arena, this, heir);
            block = null;
            heir.lifetime = arena.isShared() ? Arena.ofShared() : null;
            heir.memory = heir.view();
        }
        freedBy = op;
        freedAt = step;
        return heir;
    }

    /// Ends a lifetime of its own, the arena being about to close. Idempotent, because closing may be tried
    /// again.
    void endLifetime() {
        if (lifetime != null && lifetime.scope().isAlive()) {
            lifetime.close();
        }
    }

    /// What the pool gets back when the arena closes.
    Block surrender() {
        Block given = block;
        block = null;
        return given;
    }

    /// Whether the block can change owner: no segment that would outlive the change was handed out.
    boolean movable() {
        return foreign == null && (lifetime != null || !exposed);
    }

    /// In a prediction: counts it in another arena.
    void moveCount(TensorArena target) {
        if (home instanceof TensorArena from && from.predicts() && target.predicts()) {
            from.count(-bytes);
            target.count(bytes);
            home = target;
        }
        pinned = true;
    }

    /// Gives the block to `target`; the caller has seen that it is [#movable()].
    void move(TensorArena target) {
        Ledger.move((TensorArena) home, target, this);
        endLifetime();
        lifetime = null;
        exposed = false;
        pinned = true;
        home = target;
        memory = view();
    }
}
