package org.toydiff;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.toydiff.internal.memory.Block;
import org.toydiff.internal.memory.BlockPool;

/// One allocation: what a tensor and its views share.
///
/// It belongs to a [TensorArena], or to memory of the caller's. Its lifetime is the arena's, or one of its
/// own when backward may free it early. Inside a prediction it has no memory at all, only a size
/// ([#shapeOnly()]).
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

    /// Whether the engine may free it: it has a lifetime of its own.
    final boolean early;

    /// Retained, detached or moved by the user: never freed early.
    boolean pinned;

    /// Made by backward, or no longer read by it: to be freed once nobody holds it.
    boolean disposable;

    /// How many pending or kept gradients lie in it.
    int holders;

    /// The last step of the running backward that reads it; 0 when none does.
    int lastReader;

    /// Set when backward freed it: the op whose rule had just run, and that step.
    String freedBy;
    int freedAt;

    // Guarded by the ledger's lock: neighbours in the arena's list.
    Storage previous;
    Storage next;

    final StackWalker.StackFrame site;
    private Block block;
    private Arena lifetime;
    private MemorySegment segment;
    private boolean exposed;

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
        Arena lifetime = arena.lifetime();
        if (early) {
            storage.lifetime = arena.isShared() ? Arena.ofShared() : Arena.ofConfined();
            lifetime = storage.lifetime;
        }
        storage.segment = storage.view(lifetime);
        return storage;
    }

    /// Memory that the caller owns and frees.
    static Storage of(Arena home, MemorySegment segment, String op, DType dtype, long[] shape) {
        var storage = new Storage(home, op, dtype, shape, 0, false);
        storage.segment = segment;
        storage.exposed = true;
        return storage;
    }

    /// A stand-in of the same size in a prediction.
    static Storage shapeOnly(Arena home, Storage real) {
        var storage = new Storage(home, real.op, real.dtype, real.shape, real.bytes, real.early);
        storage.pinned = real.pinned;
        storage.disposable = real.disposable;
        storage.holders = real.holders;
        return storage;
    }

    private MemorySegment view(Arena lifetime) {
        return block == null
                ? MemorySegment.NULL.reinterpret(0, lifetime, null)
                : block.view(Shape.size(shape) * dtype.bytes(), lifetime);
    }

    boolean shapeOnly() {
        return segment == null;
    }

    /// The memory, for kernels.
    MemorySegment segment() {
        return segment;
    }

    /// The memory, for the user, who may keep it.
    MemorySegment expose() {
        exposed = true;
        return segment;
    }

    /// Throws, naming `op`, unless this thread may read the memory now, or there is none to read in a
    /// prediction.
    void requireReadable(String op, long[] shape) {
        if (freedBy == null && (segment == null || segment.scope().isAlive())) {
            if (segment == null || segment.isAccessibleBy(Thread.currentThread())) {
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
        if (segment == null) {
            throw new IllegalStateException(
                    op + ": a gradient rule must not read elements; it sees shapes only when the"
                            + " release schedule is predicted");
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
            lifetime.close();
            Ledger.give(arena, this, block);
            block = null;
        }
        freedBy = op;
        freedAt = step;
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
        return home instanceof TensorArena && (lifetime != null || !exposed);
    }

    /// Gives the block to `target`; the caller has seen that it is [#movable()].
    void move(TensorArena target) {
        Ledger.move((TensorArena) home, target, this);
        endLifetime();
        lifetime = null;
        pinned = true;
        home = target;
        segment = view(target.lifetime());
    }
}
