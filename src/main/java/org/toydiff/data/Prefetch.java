package org.toydiff.data;

import org.toydiff.TensorArena;

/// Makes batches ahead on a thread of its own, in a ring of slots in an arena of that thread's: one batch is
/// with the caller, the others are ready or being made. With nothing to do the thread waits and uses no
/// processor.
final class Prefetch implements BatchSource {
    private final Epoch epoch;
    private final long first;
    private final Slot[] slots;
    private final Batch[] ready;
    private final Thread thread;

    // Guarded by this.
    private long made;
    private long taken;
    private boolean stopped;
    private boolean ended;
    private Throwable failure;
    private IllegalStateException inUse;

    /// From a position on, at most `ahead` batches ahead.
    Prefetch(Epoch epoch, long first, int ahead) {
        this.epoch = epoch;
        this.first = first;
        this.slots = new Slot[ahead + 1];
        this.ready = new Batch[ahead + 1];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = new Slot();
        }
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("toydiff-loader")
                .inheritInheritableThreadLocals(false)
                .start(this::run);
    }

    private void run() {
        try (var memory = TensorArena.ofShared()) {
            make(memory);
            awaitClose(memory);
        } catch (Throwable e) {
            fail(e);
        } finally {
            end();
        }
    }

    private void make(TensorArena memory) {
        try {
            long position = first;
            for (int count = epoch.count(position); count > 0 && awaitRoom(); count = epoch.count(position)) {
                add(epoch.read(position, slots[(int) (made % slots.length)], memory));
                position += count;
            }
        } catch (Throwable e) {
            fail(e);
        }
    }

    /// Closes the memory once told to; when an op of the caller's is still using it, waits to be told again.
    private void awaitClose(TensorArena memory) throws InterruptedException {
        while (true) {
            awaitStop();
            try {
                memory.close();
                return;
            } catch (IllegalStateException e) {
                refuse(e);
            }
        }
    }

    private synchronized boolean awaitRoom() throws InterruptedException {
        // The batch that was taken last is still in use.
        while (!stopped && made - Math.max(0, taken - 1) == slots.length) {
            wait();
        }
        return !stopped;
    }

    private synchronized void awaitStop() throws InterruptedException {
        while (!stopped) {
            wait();
        }
    }

    private synchronized void add(Batch batch) {
        ready[(int) (made++ % slots.length)] = batch;
        notifyAll();
    }

    private synchronized void fail(Throwable e) {
        failure = e;
        notifyAll();
    }

    private synchronized void refuse(IllegalStateException e) {
        inUse = e;
        stopped = false;
        notifyAll();
    }

    private synchronized void end() {
        ended = true;
        notifyAll();
    }

    @Override
    public synchronized Batch next(long position) {
        try {
            while (made == taken && failure == null) {
                wait();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("next: interrupted while waiting for the batch at " + position, e);
        }
        if (made == taken) {
            throw rethrown();
        }
        Batch batch = ready[(int) (taken++ % slots.length)];
        notifyAll();
        return batch;
    }

    /// The exception of the other thread itself, so that it can be caught alike with and without prefetching.
    private RuntimeException rethrown() {
        failure.addSuppressed(new IllegalStateException("next: thrown on the loader's thread, asked for here"));
        if (failure instanceof Error error) {
            throw error;
        }
        return failure instanceof RuntimeException e ? e : new IllegalStateException("next: no batch", failure);
    }

    @Override
    public void close() {
        stop();
        boolean interrupted = false;
        for (boolean done = false; !done; ) {
            try {
                awaitEnd();
                done = true;
            } catch (InterruptedException e) {
                // The memory must be given back whatever happens.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        requireEnd();
    }

    private synchronized void stop() {
        inUse = null;
        stopped = true;
        notifyAll();
    }

    private synchronized void awaitEnd() throws InterruptedException {
        while (!ended && inUse == null) {
            wait();
        }
        if (ended) {
            thread.join();
        }
    }

    private synchronized void requireEnd() {
        if (inUse != null) {
            throw inUse;
        }
    }
}
