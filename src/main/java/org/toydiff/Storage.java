package org.toydiff;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.toydiff.internal.JvmOptions;
import org.toydiff.internal.launch.Shape;
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

    // Guarded by the ledger's lock: whether its arena lists it, and its neighbours there.
    boolean listed;
    Storage previous;
    Storage next;

    final StackWalker.StackFrame site;
    private Block block;

    /// A lifetime of its own, for a segment that the user was given of what backward may free; made when one asks.
    private Arena lifetime;

    /// What kernels see, null in a prediction: the whole slab of a block (in the checked mode its own bytes alone),
    /// or the caller's memory. A confined arena's is seen unconfined, so that workers can read it while its owner
    /// waits inside the op; a shared one's has a lifetime, because another thread might end that meanwhile.
    private MemorySegment memory;

    /// Whether other threads than an arena's owner may be computing with it: it is, or was once, in a shared arena.
    private boolean shared;

    /// The caller's own memory, which lives as long as the caller says; null for a block.
    private MemorySegment foreign;

    /// What the caller's memory is a mapping of, which others can shorten; null for all other memory.
    private MappedFile file;

    private boolean exposed;

    /// A thread that is never started: what it may access, every thread may.
    private static final Thread ANY_THREAD =
            Thread.ofPlatform().inheritInheritableThreadLocals(false).unstarted(() -> {});

    private Storage(Arena home, String op, DType dtype, long[] shape, long bytes, boolean early) {
        JvmOptions.require();
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
        Shape.checked(op, dtype.bytes(), shape);
        long bytes = BlockPool.rounded(Shape.size(shape) * dtype.bytes());
        var storage = new Storage(arena, op, dtype, shape, bytes, early);
        if (arena.predicts()) {
            arena.count(bytes);
            return storage;
        }
        arena.requireUsable(op);
        storage.shared = arena.isShared();
        if (early && storage.shared) {
            // Before another thread that closes the arena can see the storage.
            storage.lifetime = Arena.ofShared();
        }
        storage.block = Ledger.take(arena, storage);
        storage.memory = storage.view();
        return storage;
    }

    /// Memory from an arena of the caller's, counted until that closes.
    ///
    /// @throws IllegalStateException if the arena is closed
    /// @throws IllegalArgumentException if it gives no writable native memory of that size
    /// @throws MemoryLimitException if the process's limit would be passed
    static Storage makeForeign(Arena arena, String op, DType dtype, long[] shape) {
        Shape.checked(op, dtype.bytes(), shape);
        if (!arena.scope().isAlive()) {
            throw new IllegalStateException(op + ": the arena given for " + Shape.text(shape) + " is closed");
        }
        long bytes = Shape.size(shape) * dtype.bytes();
        var counted = new Storage(arena, op, dtype, shape, BlockPool.rounded(bytes), false);
        Ledger.count(counted);
        MemorySegment segment;
        try {
            segment = arena.allocate(bytes, 64);
            if (!usable(segment, bytes)) {
                throw new IllegalArgumentException(op + ": the arena given for " + Shape.text(shape) + " allocated "
                        + segment + "; it must allocate " + bytes + " bytes of writable native memory aligned to 64");
            }
            MemorySegment.NULL.reinterpret(0, arena, end -> Ledger.uncount(counted));
        } catch (Throwable failure) {
            Ledger.uncount(counted);
            throw failure;
        }
        return of(arena, segment, op, dtype, shape);
    }

    private static boolean usable(MemorySegment segment, long bytes) {
        return segment != null
                && segment.isNative()
                && segment.byteSize() >= bytes
                && (bytes == 0 || segment.address() != 0)
                && segment.address() % 64 == 0
                && !segment.isReadOnly()
                && segment.scope().isAlive()
                && segment.isAccessibleBy(Thread.currentThread());
    }

    /// Memory that the caller owns and frees.
    static Storage of(Arena home, MemorySegment segment, String op, DType dtype, long[] shape) {
        var storage = new Storage(home, op, dtype, shape, 0, false);
        storage.foreign = segment;
        storage.memory = unconfined(segment);
        storage.exposed = true;
        return storage;
    }

    /// Memory of a mapped file.
    static Storage of(MappedFile file, MemorySegment segment, DType dtype, long[] shape) {
        Storage storage = of((Arena) null, segment, "tensor", dtype, shape);
        storage.file = file;
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
        MemorySegment all = Ledger.CHECKED ? block.memory().asSlice(block.offset(), elementBytes()) : block.memory();
        return shared ? all.reinterpret(lifetime(), null) : all;
    }

    /// The bytes of its elements, without what rounding adds.
    long elementBytes() {
        return Shape.size(shape) * dtype.bytes();
    }

    private Arena lifetime() {
        return lifetime != null ? lifetime : ((TensorArena) home).lifetime();
    }

    boolean shapeOnly() {
        return memory == null;
    }

    /// The memory, for kernels: every launch takes it from here, once for an operand, so that nothing is read or
    /// written that was freed since the op checked its operands. Its first element here is [#base()].
    ///
    /// @throws IllegalStateException if it is freed, or its arena closed
    MemorySegment segment() {
        if (freedBy != null || !alive()) {
            requireReadable("launch", shape);
        }
        return memory;
    }

    /// Where the elements begin in [#segment()], in elements.
    long base() {
        return block == null || Ledger.CHECKED ? 0 : block.offset() / dtype.bytes();
    }

    /// Whether it is memory of the caller's.
    boolean isForeign() {
        return foreign != null;
    }

    /// Whether its elements must not be written.
    boolean isReadOnly() {
        return memory != null && memory.isReadOnly();
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
        return block == null
                ? MemorySegment.NULL.reinterpret(0, lifetime(), null)
                : block.view(elementBytes(), lifetime());
    }

    /// Whether its arena is open, or the caller's memory alive.
    boolean alive() {
        return foreign != null ? foreign.scope().isAlive() : !(home instanceof TensorArena own) || own.isOpen();
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
                if (file != null) {
                    file.requireWhole(op);
                }
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

    /// Begins a walk backward, in which nothing reads it yet.
    void forgetReaders() {
        lastReader = 0;
        readerBefore = 0;
    }

    /// Notes that a step reads it; called in the order of steps.
    void readBy(int step) {
        if (lastReader != step) {
            readerBefore = lastReader;
            lastReader = step;
        }
    }

    /// Under the ledger's lock: throws if another thread has closed the arena meanwhile.
    void requireListed() {
        if (!listed) {
            throw new IllegalStateException("the arena of the tensor " + Shape.text(shape) + " made by " + op
                    + " was closed by another thread");
        }
    }

    boolean isFreed() {
        return freedBy != null;
    }

    /// Whether backward may free it at all.
    boolean releasable() {
        return early && !pinned && freedBy == null && alive();
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
            Ledger.give(arena, this);
        }
        freedBy = op;
        freedAt = step;
    }

    /// Frees it and gives its block to a new storage at once, elements and all.
    Storage handOver(String heirOp, String op, int step) {
        var arena = (TensorArena) home;
        var heir = new Storage(arena, heirOp, dtype, shape, bytes, true);
        heir.block = block;
        heir.shared = shared;
        if (shapeOnly()) {
            arena.count(-bytes);
            arena.count(bytes);
        } else {
            endLifetime();
            heir.lifetime = shared ? Arena.ofShared() : null;
            Ledger.replace(arena, this, heir);
            block = null;
            heir.memory = heir.view();
        }
        freedBy = op;
        freedAt = step;
        return heir;
    }

    /// Ends a lifetime of its own, the arena being about to close. Idempotent, because closing may be tried
    /// again.
    ///
    /// @throws IllegalStateException if an op on another thread is using it
    void endLifetime() {
        if (lifetime != null && lifetime.scope().isAlive()) {
            lifetime.close();
        }
    }

    /// Begins another lifetime in place of one that was ended for a closing that then failed.
    void renewLifetime() {
        if (lifetime != null && !lifetime.scope().isAlive()) {
            lifetime = shared ? Arena.ofShared() : null;
            memory = view();
        }
    }

    /// What the pool gets back; under the ledger's lock.
    Block surrender() {
        Block given = block;
        block = null;
        return given;
    }

    /// Whether the block can change owner: nobody can hold a sight of it that would outlive the change. Of a shared
    /// arena's block other threads may be reading it this moment, so it must have a lifetime of its own, whose end
    /// they notice.
    boolean movable() {
        return foreign == null && (lifetime != null || (!exposed && !shared));
    }

    /// In a prediction: counts it in another arena.
    void moveCount(TensorArena target) {
        if (!shapeOnly()) {
            return;
        }
        if (home instanceof TensorArena from && from.predicts() && target.predicts()) {
            from.count(-bytes);
            target.count(bytes);
            home = target;
        }
        pinned = true;
    }

    /// Gives the block to `target`; the caller has seen that it is [#movable()]. Where it fails nothing has changed.
    ///
    /// @throws MemoryLimitException if the target's limit would be passed
    /// @throws IllegalStateException if the target is closed, or an op on another thread is using the block
    void move(TensorArena target) {
        var from = (TensorArena) home;
        Arena next = shared ? Arena.ofShared() : null;
        Ledger.move(from, target, this);
        try {
            endLifetime();
        } catch (IllegalStateException e) {
            Ledger.moveBack(target, from, this);
            throw new IllegalStateException(
                    "moveTo: an op on another thread is using the tensor " + Shape.text(shape)
                            + "; wait for it, or use copyTo(arena)",
                    e);
        }
        lifetime = next;
        shared |= target.isShared();
        exposed = false;
        pinned = true;
        home = target;
        memory = view();
    }
}
