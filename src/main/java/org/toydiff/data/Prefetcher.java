package org.toydiff.data;

import java.time.Duration;
import org.toydiff.TensorArena;

/// Makes batches ahead on a thread of its own, in a ring of slots in an arena of that thread's: one batch is
/// with the caller, the others are ready or being made. With nothing to do the thread waits and uses no
/// processor.
///
/// No wait of the caller's outlives an interrupt or has no end. A data set that does not return can't be stopped: its
/// thread is left to free the memory by itself once it does.
final class Prefetcher implements BatchSource {
    /// How long closing waits for a batch that is being read, before the thread is interrupted: which closes a file
    /// channel that the thread is reading, and so may be felt by others.
    static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final Duration GRACE = Duration.ofSeconds(1);
    private static final Duration RETRY = Duration.ofMillis(50);

    private final Epoch epoch;
    private final long first;
    private final BatchBuffer[] slots;
    private final Batch[] ready;
    private final Duration patience;
    private final Thread thread;

    // Guarded by this.
    private long made;
    private long taken;
    private boolean stopped;
    private boolean abandoned;
    private boolean ended;
    private Throwable failure;
    private IllegalStateException inUse;

    /// From a position on, at most `ahead` batches ahead.
    ///
    /// @param patience how long closing waits before it interrupts
    Prefetcher(Epoch epoch, long first, int ahead, Duration patience) {
        this.epoch = epoch;
        this.first = first;
        this.patience = patience;
        this.slots = new BatchBuffer[ahead + 1];
        this.ready = new Batch[ahead + 1];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = new BatchBuffer();
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

    /// Closes the memory once told to; when an op of the caller's is still using it, waits to be told again, or tries
    /// again by itself when there is nobody to tell it.
    private void awaitClose(TensorArena memory) {
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

    private synchronized void awaitStop() {
        while (!stopped) {
            try {
                wait();
            } catch (InterruptedException e) {
                // A data set may have left it behind. The memory is the caller's until closing says otherwise.
            }
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
        if (abandoned) {
            pause();
        } else {
            inUse = e;
            stopped = false;
            notifyAll();
        }
    }

    private synchronized void pause() {
        try {
            wait(RETRY.toMillis());
        } catch (InterruptedException e) {
            // It tries again at once.
        }
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
        boolean settled = false;
        try {
            settled = awaitEnd(patience);
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (!settled) {
            thread.interrupt();
            try {
                settled = awaitEnd(GRACE);
            } catch (InterruptedException e) {
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

    /// Waits until the thread has ended, or has said that the memory is in use.
    ///
    /// @return whether it has in that time
    private synchronized boolean awaitEnd(Duration most) throws InterruptedException {
        long start = System.nanoTime();
        for (Duration left = most; !ended && inUse == null; left = most.minusNanos(System.nanoTime() - start)) {
            if (!left.isPositive()) {
                return false;
            }
            wait(left.toMillis() + 1);
        }
        if (ended) {
            thread.join();
        }
        return true;
    }

    private synchronized void requireEnd() {
        if (inUse != null) {
            throw inUse;
        }
        if (!ended) {
            abandoned = true;
            notifyAll();
            throw new IllegalStateException(
                    "close: the data set is still reading a batch, in spite of an interrupt; the"
                            + " loader's thread frees its memory and ends when it returns");
        }
    }
}
