package org.toydiff.internal.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.toydiff.internal.launch.Shape;

/// A block of the pool, which lives as long as its arena, or shorter when backward may free it early.
public final class PooledStorage extends Storage {
    /// The line of the user's program that made it; null unless that is traced.
    final StackWalker.StackFrame site;

    // Guarded by the ledger's lock: whether its account lists it, and its neighbours there.
    boolean listed;
    PooledStorage previous;
    PooledStorage next;

    private Account account;

    /// Null when it has no bytes, and once it is given back.
    private Block block;

    /// A lifetime that ends before the arena: of a segment that was exposed although backward may free it, and of
    /// memory that other threads read although backward may free it. Null until one is needed.
    private Arena lifetime;

    /// Seen by kernels: the whole slab of the block, in the checked mode the elements' bytes alone. A confined
    /// arena's is seen unconfined, so that workers can read it while its owner waits inside the op; a shared one's
    /// has a lifetime, because another thread might end that meanwhile.
    private MemorySegment memory;

    /// Whether other threads than an arena's owner may be computing with it: it is, or was once, in a shared arena.
    private boolean shared;

    private boolean exposed;

    private PooledStorage(Account account, String op, ElementType dtype, long[] shape, boolean early, boolean shared) {
        super(account.arena, op, dtype, shape, early);
        this.account = account;
        this.shared = shared;
        // A lifetime made now is there before another thread that closes the arena can see the storage.
        this.lifetime = early && shared ? Arena.ofShared() : null;
        this.site = Ledger.TRACE && bytes() > 0 ? AllocationSite.capture() : null;
    }

    /// Takes a block from the pool.
    static PooledStorage make(Account account, String op, ElementType dtype, long[] shape, boolean early) {
        account.requireUsable(op);
        var storage = new PooledStorage(account, op, dtype, shape, early, account.isShared());
        Ledger.take(account, storage);
        return storage;
    }

    /// Gets its block, or null when it has no bytes; under the ledger's lock.
    void receive(Block given) {
        block = given;
        memory = view();
    }

    private MemorySegment view() {
        if (block == null) {
            return MemorySegment.NULL;
        }
        MemorySegment all = Ledger.CHECKED ? block.memory().asSlice(block.offset(), elementBytes()) : block.memory();
        return shared ? all.reinterpret(lifetime(), null) : all;
    }

    private Arena lifetime() {
        return lifetime != null ? lifetime : account.lifetime();
    }

    @Override
    public MemorySegment segment() {
        if (freedBy != null || !alive()) {
            requireReadable("launch", shape);
        }
        return memory;
    }

    @Override
    public long base() {
        return block == null || Ledger.CHECKED ? 0 : block.offset() / dtype.bytes();
    }

    @Override
    public MemorySegment expose() {
        exposed = true;
        if (early && lifetime == null) {
            lifetime = shared ? Arena.ofShared() : Arena.ofConfined();
        }
        return block == null
                ? MemorySegment.NULL.reinterpret(0, lifetime(), null)
                : block.view(elementBytes(), lifetime());
    }

    @Override
    public boolean alive() {
        return account.isOpen();
    }

    @Override
    boolean accessible() {
        return account.isUsable();
    }

    Ledger.Request request() {
        return new Ledger.Request(op, dtype, shape, bytes());
    }

    /// Under the ledger's lock: throws if another thread has closed the arena meanwhile.
    void requireListed() {
        if (!listed) {
            throw new IllegalStateException("the arena of the tensor " + Shape.text(shape) + " made by " + op
                    + " was closed by another thread");
        }
    }

    @Override
    void release() {
        if (!shared) {
            giveBack();
            return;
        }
        synchronized (Ledger.LIFETIMES) {
            giveBack();
        }
    }

    private void giveBack() {
        endLifetime();
        Ledger.give(account, this);
    }

    @Override
    PooledStorage heir(String heirOp) {
        if (!shared) {
            return replaced(heirOp);
        }
        synchronized (Ledger.LIFETIMES) {
            return replaced(heirOp);
        }
    }

    private PooledStorage replaced(String heirOp) {
        endLifetime();
        var heir = new PooledStorage(account, heirOp, dtype, shape, true, shared);
        Ledger.replace(account, this, heir);
        return heir;
    }

    /// Ends a lifetime that it has apart from its arena's, which is about to close. Idempotent, because closing may
    /// be tried again.
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

    /// Returns the block, which goes back to the pool; under the ledger's lock.
    Block surrender() {
        Block given = block;
        block = null;
        return given;
    }

    /// Of a shared arena's block other threads may be reading it this moment, so it must have a lifetime apart from
    /// the arena's, whose end they notice.
    @Override
    public boolean movable() {
        return lifetime != null || (!exposed && !shared);
    }

    @Override
    public void move(Account target) {
        if (!shared && !target.isShared()) {
            changeOwner(target);
            return;
        }
        synchronized (Ledger.LIFETIMES) {
            changeOwner(target);
        }
    }

    private void changeOwner(Account target) {
        Account from = account;
        Arena renewed = shared ? Arena.ofShared() : null;
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
        lifetime = renewed;
        shared |= target.isShared();
        exposed = false;
        pinned = true;
        account = target;
        home = target.arena;
        memory = view();
    }
}
