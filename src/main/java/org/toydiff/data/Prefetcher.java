package org.toydiff.data;

import java.time.Duration;
import org.toydiff.TensorArena;

/// Makes batches ahead on a background thread, in a ring of buffers in an arena of that thread: the caller has one
/// batch, the others are ready or being made. With nothing to do the thread waits and uses no processor.
///
/// Every wait of the caller ends, by an interrupt or after some time. A data set that does not return cannot be
/// stopped: the thread is abandoned, and frees the memory itself once the data set returns.
final class Prefetcher implements BatchSource {
    /// The time that closing waits for a batch that is being read, before it interrupts the thread: an interrupt
    /// closes the file channel that the thread is reading, which other users of the channel would notice.
    static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final Duration GRACE = Duration.ofSeconds(1);
    private static final Duration RETRY = Duration.ofMillis(50);

    private final Epoch epoch;
    private final long first;
    private final BatchBuffer[] buffers;
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

    /// Starts the thread.
    ///
    /// @param first the position of the first batch
    /// @param ahead the largest number of batches made ahead
    /// @param patience the time that closing waits before it interrupts
    Prefetcher(Epoch epoch, long first, int ahead, Duration patience) {
        this.epoch = epoch;
        this.first = first;
        this.patience = patience;
        this.buffers = new BatchBuffer[ahead + 1];
        this.ready = new Batch[ahead + 1];
        for (int i = 0; i < buffers.length; i++) {
            buffers[i] = new BatchBuffer();
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
                add(epoch.read(position, buffers[(int) (made % buffers.length)], memory));
                position += count;
            }
        } catch (Throwable e) {
            fail(e);
        }
    }

    /// Closes the memory on request. While an op of the caller is still using it, waits for another request, or
    /// retries by itself once it is abandoned.
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
        // The caller still uses the batch that it took last.
        while (!stopped && made - Math.max(0, taken - 1) == buffers.length) {
            wait();
        }
        return !stopped;
    }

    private synchronized void awaitStop() {
        while (!stopped) {
            try {
                wait();
            } catch (InterruptedException e) {
                // A data set may have left the interrupt pending. Only closing ends the caller's use of the memory.
            }
        }
    }

    private synchronized void add(Batch batch) {
        ready[(int) (made++ % buffers.length)] = batch;
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
            // Retries at once.
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
        Batch batch = ready[(int) (taken++ % buffers.length)];
        notifyAll();
        return batch;
    }

    /// Returns the exception of the background thread itself, so that callers catch the same with and without
    /// prefetching.
    private RuntimeException rethrown() {
        failure.addSuppressed(new IllegalStateException("next: thrown on the loader's thread, rethrown here"));
        if (failure instanceof Error error) {
            throw error;
        }
        return failure instanceof RuntimeException e
                ? e
                : new IllegalStateException("next: the loader's thread failed", failure);
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

    /// Waits until the thread has ended or has reported that the memory is in use.
    ///
    /// @return false if neither happened in time
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
            throw new IllegalStateException("close: the data set is still reading a batch, despite an interrupt; the"
                    + " loader's thread frees its memory and ends when the data set returns");
        }
    }
}
