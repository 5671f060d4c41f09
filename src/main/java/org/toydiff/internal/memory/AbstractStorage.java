package org.toydiff.internal.memory;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.launch.Shape;

/// A size without memory, for ops that run on shapes alone: the storage of JAX's abstract values, of tensors on
/// PyTorch's meta device.
public final class AbstractStorage extends Storage {
    private Account account;
    private final long base;

    private AbstractStorage(Account account, String op, ElementType dtype, long[] shape, boolean early, long base) {
        super(account.arena, op, dtype, shape, early);
        this.account = account;
        this.base = base;
    }

    /// Counts one in an abstract account.
    static AbstractStorage make(Account account, String op, ElementType dtype, long[] shape, boolean early) {
        var storage = new AbstractStorage(account, op, dtype, shape, early, 0);
        account.count(storage.bytes());
        return storage;
    }

    /// An abstract copy of `real`, counted already in the account.
    public static AbstractStorage of(Account account, Storage real) {
        var copy = new AbstractStorage(account, real.op, real.dtype, real.shape, real.early, real.base());
        copy.pinned = real.pinned;
        copy.disposable = real.disposable;
        copy.holders = real.holders;
        copy.kept = real.kept;
        return copy;
    }

    @Override
    public boolean isAbstract() {
        return true;
    }

    @Override
    public MemorySegment segment() {
        throw noMemory("launch", shape);
    }

    @Override
    public long base() {
        return base;
    }

    @Override
    public MemorySegment expose() {
        throw noMemory(op, shape);
    }

    @Override
    public boolean alive() {
        return account.isOpen();
    }

    @Override
    boolean accessible() {
        return true;
    }

    @Override
    public void requireElements(String op, long[] shape) {
        requireReadable(op, shape);
        throw noMemory(op, shape);
    }

    private static IllegalStateException noMemory(String op, long[] shape) {
        return new IllegalStateException(op + ": the tensor " + Shape.text(shape)
                + " is abstract: in a dry run, or when a release schedule is predicted, tensors have shapes and no"
                + " elements, so no result may depend on one");
    }

    @Override
    void release() {
        account.count(-bytes());
    }

    @Override
    AbstractStorage heir(String heirOp) {
        release();
        account.count(bytes());
        return new AbstractStorage(account, heirOp, dtype, shape, true, base);
    }

    @Override
    public void move(Account target) {
        throw noMemory("moveTo", shape);
    }

    @Override
    public void moveCount(Account target) {
        if (target.isAbstract()) {
            account.count(-bytes());
            target.count(bytes());
            account = target;
            home = target.arena;
        }
        pinned = true;
    }
}
