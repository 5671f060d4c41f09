package org.toydiff.internal.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import java.util.function.Function;
import org.toydiff.internal.JvmOptions;
import org.toydiff.internal.launch.Shape;

/// The caller's own memory, which the caller frees: a wrapped segment, a mapped file, or memory of an arena of the
/// JDK's.
public final class ForeignStorage extends Storage {
    /// A thread that is never started: every thread may access the segments that it may access.
    private static final Thread ANY_THREAD =
            Thread.ofPlatform().inheritInheritableThreadLocals(false).unstarted(() -> {});

    private static final Consumer<String> NO_CHECK = op -> {};

    private final MemorySegment foreign;

    /// Seen by kernels: a confined segment unconfined, so that workers can read it while its owner waits inside the
    /// op.
    private final MemorySegment memory;

    /// Called with the op's name before it reads: throws if the memory is there no longer, though its lifetime goes
    /// on.
    private final Consumer<String> check;

    private ForeignStorage(
            Arena home, MemorySegment segment, String op, ElementType dtype, long[] shape, Consumer<String> check) {
        super(home, op, dtype, shape, false);
        this.foreign = segment;
        this.memory = unconfined(segment);
        this.check = check;
    }

    /// Memory that the caller has made.
    public static ForeignStorage of(MemorySegment segment, String op, ElementType dtype, long[] shape) {
        return of(segment, op, dtype, shape, NO_CHECK);
    }

    /// Memory that others than its owner can take away, as that of a mapped file.
    ///
    /// @param check called with the op's name before it reads; throws IllegalStateException if the memory is gone
    public static ForeignStorage of(
            MemorySegment segment, String op, ElementType dtype, long[] shape, Consumer<String> check) {
        return new ForeignStorage(null, segment, op, dtype, shape, check);
    }

    /// Allocates memory from an arena of the caller's, which is counted until that closes.
    ///
    /// @param refusal makes the exception for a tensor that would pass the process's limit
    /// @throws IllegalStateException if the arena is closed
    /// @throws IllegalArgumentException if it gives no writable native memory of that size
    /// @throws RuntimeException the refusal
    public static ForeignStorage make(
            Arena arena, String op, ElementType dtype, long[] shape, Function<String, RuntimeException> refusal) {
        JvmOptions.require();
        Shape.checked(op, dtype.bytes(), shape);
        if (!arena.scope().isAlive()) {
            throw new IllegalStateException(op + ": the arena given for " + Shape.text(shape) + " is closed");
        }
        long bytes = Shape.size(shape) * dtype.bytes();
        long counted = roundedBytes(dtype, shape);
        Ledger.count(new Ledger.Request(op, dtype, shape, counted), refusal);
        MemorySegment segment;
        try {
            segment = arena.allocate(bytes, BlockPool.UNIT);
            if (!usable(segment, bytes)) {
                throw new IllegalArgumentException(op + ": the arena given for " + Shape.text(shape) + " allocated "
                        + segment + "; it must allocate " + bytes + " bytes of writable native memory aligned to 64");
            }
            MemorySegment.NULL.reinterpret(0, arena, end -> Ledger.uncount(counted));
        } catch (Throwable failure) {
            Ledger.uncount(counted);
            throw failure;
        }
        return new ForeignStorage(arena, segment, op, dtype, shape, NO_CHECK);
    }

    private static boolean usable(MemorySegment segment, long bytes) {
        return segment != null
                && segment.isNative()
                && segment.byteSize() >= bytes
                && (bytes == 0 || segment.address() != 0)
                && segment.address() % BlockPool.UNIT == 0
                && !segment.isReadOnly()
                && segment.scope().isAlive()
                && segment.isAccessibleBy(Thread.currentThread());
    }

    private static MemorySegment unconfined(MemorySegment segment) {
        if (segment.isAccessibleBy(ANY_THREAD)) {
            return segment;
        }
        MemorySegment all = MemorySegment.ofAddress(segment.address()).reinterpret(segment.byteSize());
        return segment.isReadOnly() ? all.asReadOnly() : all;
    }

    @Override
    public boolean isForeign() {
        return true;
    }

    @Override
    public boolean isReadOnly() {
        return foreign.isReadOnly();
    }

    @Override
    public MemorySegment segment() {
        if (!alive()) {
            requireReadable("launch", shape);
        }
        return memory;
    }

    @Override
    public long base() {
        return 0;
    }

    @Override
    public MemorySegment expose() {
        return foreign;
    }

    @Override
    public boolean alive() {
        return foreign.scope().isAlive();
    }

    @Override
    boolean accessible() {
        return foreign.isAccessibleBy(Thread.currentThread());
    }

    @Override
    public void requireReadable(String op, long[] shape) {
        super.requireReadable(op, shape);
        check.accept(op);
    }

    @Override
    void release() {
        throw callers("freed");
    }

    @Override
    Storage heir(String heirOp) {
        throw callers("handed over");
    }

    @Override
    public void move(Account target) {
        throw callers("moved");
    }

    private IllegalStateException callers(String refused) {
        return new IllegalStateException(
                op + ": the memory of the tensor " + Shape.text(shape) + " is the caller's and cannot be " + refused);
    }
}
