package org.toydiff.internal.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.toydiff.internal.JvmOptions;
import org.toydiff.internal.launch.Shape;

/// One allocation, shared by a tensor and its views.
///
/// | kind | memory | freed |
/// |---|---|---|
/// | [PooledStorage] | a block of the pool | with its arena, or by backward before |
/// | [ForeignStorage] | the caller's: wrapped segments, mapped files, arenas of the JDK | by the caller |
/// | [AbstractStorage] | none: a size that is counted | with its arena, or by backward before |
///
/// The mutable fields here belong to the tensors that share it and to the walk backward over them; those of the
/// memory itself are private to each kind.
public abstract sealed class Storage permits PooledStorage, ForeignStorage, AbstractStorage {
    /// The arena in which it lives, and in which the gradient of a leaf that lives here is made; null for a wrapped
    /// segment until tracked.
    public Arena home;

    public final String op;
    public final ElementType dtype;
    public final long[] shape;

    /// Whether backward may free it before its arena closes.
    public final boolean early;

    /// Counts in-place changes, so that backward notices when a value it saved has changed since forward.
    public int version;

    /// Retained, detached or moved by the user: never freed early.
    public boolean pinned;

    /// Made by backward, or no longer read by it: freed once nobody holds it.
    public boolean disposable;

    /// Made by an op for its own gradient rule alone, beside its output: freed as the values of a graph are.
    public boolean saved;

    /// How many pending or kept gradients lie in it.
    public int holders;

    /// How many of the [#holders] are gradients of intermediates that only Release.AT_CLOSE keeps.
    public int kept;

    /// The last step of the running backward that reads it; 0 when none does.
    public int lastReader;

    /// The last step before [#lastReader] that reads it; 0 when none does.
    public int readerBefore;

    /// Once backward has freed it, the op whose rule had just run; null before.
    public String freedBy;

    /// The step of [#freedBy].
    public int freedAt;

    Storage(Arena home, String op, ElementType dtype, long[] shape, boolean early) {
        JvmOptions.require();
        this.home = home;
        this.op = op;
        this.dtype = dtype;
        this.shape = shape;
        this.early = early;
    }

    /// The bytes of its elements, rounded up to whole units of the pool.
    static long roundedBytes(ElementType dtype, long[] shape) {
        return BlockPool.rounded(Shape.size(shape) * dtype.bytes());
    }

    /// The bytes that count against limits: those of its elements, rounded up to whole units of the pool; 0 for memory
    /// of the caller's. Computed each time, because storages are a large part of the heap that a step takes.
    public final long bytes() {
        return isForeign() ? 0 : roundedBytes(dtype, shape);
    }

    /// The bytes of its elements, not rounded up.
    public final long elementBytes() {
        return Shape.size(shape) * dtype.bytes();
    }

    /// Whether it has a size and no memory. Kernels skip tensors over such a storage.
    public boolean isAbstract() {
        return false;
    }

    /// Whether it is memory of the caller's.
    public boolean isForeign() {
        return false;
    }

    /// Whether its elements must not be written.
    public boolean isReadOnly() {
        return false;
    }

    /// Returns the memory, for kernels: every launch takes it from here, once for each operand, so that no memory is
    /// read or written that was freed since the op checked its operands. Its first element is at [#base()].
    ///
    /// @throws IllegalStateException if it is freed, its arena closed, or there is no memory
    public abstract MemorySegment segment();

    /// Where the elements begin in [#segment()], in elements.
    public abstract long base();

    /// Returns the memory, for the user, who may keep it: reading it once it is freed is the JDK's own exception.
    ///
    /// @throws IllegalStateException if there is no memory
    public abstract MemorySegment expose();

    /// Whether its arena is open, or the caller's memory alive.
    public abstract boolean alive();

    /// Whether the current thread may use it.
    abstract boolean accessible();

    /// Throws unless this thread may read it now. An abstract storage passes, since ops read its shape alone.
    ///
    /// @param op the op that is about to read, for the message
    /// @param shape the shape of the tensor that it reads
    /// @throws IllegalStateException if it is freed or its arena closed
    /// @throws WrongThreadException if it lives in a confined arena of another thread
    public void requireReadable(String op, long[] shape) {
        if (freedBy != null || !alive()) {
            throw unreadable(op, shape);
        }
        if (!accessible()) {
            throw new WrongThreadException(op + ": the tensor " + Shape.text(shape)
                    + " lives in a confined arena of another thread than " + Thread.currentThread()
                    + "; make it in TensorArena.ofShared() to use it on several threads");
        }
    }

    private IllegalStateException unreadable(String op, long[] shape) {
        if (freedBy != null) {
            return new IllegalStateException(op + ": the tensor " + Shape.text(shape) + " made by " + this.op
                    + " was freed at step " + freedAt + " of backward(Release.EAGER), after " + freedBy
                    + "; call retain() on it before backward, or use Release.AT_CLOSE");
        }
        return new IllegalStateException(op + ": the arena of the tensor " + Shape.text(shape)
                + " is closed; copyTo(arena) or moveTo(arena) lets it outlive its arena");
    }

    /// As [#requireReadable], for code that reads elements itself instead of launching a kernel.
    ///
    /// @throws IllegalStateException also if there is no memory
    public void requireElements(String op, long[] shape) {
        requireReadable(op, shape);
    }

    /// Begins a walk backward, in which nothing reads it yet.
    public final void forgetReaders() {
        lastReader = 0;
        readerBefore = 0;
    }

    /// Notes that a step reads it; called in the order of steps.
    public final void readBy(int step) {
        if (lastReader != step) {
            readerBefore = lastReader;
            lastReader = step;
        }
    }

    public final boolean isFreed() {
        return freedBy != null;
    }

    /// Whether backward may free it at all.
    public final boolean releasable() {
        return early && !pinned && freedBy == null && alive();
    }

    /// Frees it when it is disposable and nobody holds it.
    ///
    /// @param op the op whose rule has just run, for the exception of a later reader
    /// @param step the step of that rule
    /// @return whether it was freed
    public final boolean freeIfUnused(String op, int step) {
        if (!disposable || holders > 0 || !releasable()) {
            return false;
        }
        free(op, step);
        return true;
    }

    /// Frees it before its arena closes. `op` and `step` are those of [#freeIfUnused].
    public final void free(String op, int step) {
        release();
        freedBy = op;
        freedAt = step;
    }

    /// Gives the memory back.
    ///
    /// @throws IllegalStateException if it is the caller's, or an op on another thread is using it
    abstract void release();

    /// Frees it and gives its memory to a new storage at once, elements and all.
    ///
    /// @param heirOp the op that makes the new storage
    /// @return the new storage
    /// @throws IllegalStateException as [#free] does
    public final Storage handOver(String heirOp, String op, int step) {
        Storage heir = heir(heirOp);
        freedBy = op;
        freedAt = step;
        return heir;
    }

    /// A new storage in the place of this one.
    abstract Storage heir(String heirOp);

    /// Whether the memory can change owner: nobody can hold a view of it that would outlive the change.
    public boolean movable() {
        return false;
    }

    /// Gives the memory to another arena; the caller has seen that it is [#movable()]. Where it throws nothing has
    /// changed.
    ///
    /// @throws IllegalStateException if the target is closed, an op on another thread is using the memory, or it is
    ///     no block of the pool
    /// @throws RuntimeException the target's refusal, if its limit would be passed
    public abstract void move(Account target);

    /// Moves the count of an abstract storage to another arena, and pins it. Real memory stays as it is.
    public void moveCount(Account target) {}
}
