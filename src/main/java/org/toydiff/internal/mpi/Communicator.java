package org.toydiff.internal.mpi;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/// The processes of an MPI job, and the one thread that calls MPI for this process, in the order in which transfers are
/// begun: every process must begin the same ones in the same order.
public final class Communicator {
    /// More than any caller has under way at once.
    private static final int MOST_WAITING = 1 << 12;

    private final BlockingQueue<Transfer> waiting = new ArrayBlockingQueue<>(MOST_WAITING);
    private final Duration patience;
    private final Thread thread;
    private Mpi mpi;

    /// Why no more transfers can run, or null.
    private volatile Throwable broken;

    /// Whether a transfer has not ended in time: those after it would wait for ever.
    private boolean stuck;

    private Communicator(Duration patience) {
        this.patience = patience;
        this.thread = new Thread(this::serve, "toydiff-communication");
        thread.setDaemon(true);
    }

    /// Loads MPI and starts the thread. Once in a process: MPI cannot begin again.
    ///
    /// @param patience the longest time that [#await] waits
    /// @throws UnsatisfiedLinkError if there is no Open MPI, listing every place tried and the remedy
    public static Communicator start(Duration patience) {
        var communicator = new Communicator(patience);
        communicator.thread.start();
        try {
            communicator.run("mpi", new Transfer((none, transfer) -> communicator.mpi = new Mpi()));
        } catch (RuntimeException | Error e) {
            communicator.thread.interrupt();
            throw e;
        }
        return communicator;
    }

    private void serve() {
        try {
            while (true) {
                Transfer next = waiting.take();
                next.runAndEnd(mpi, broken);
                if (next.failure() != null) {
                    broken = next.failure();
                }
            }
        } catch (InterruptedException e) {
            // By end().
        }
    }

    /// {@return the number of this process, from 0 on}
    public int rank() {
        return mpi.rank();
    }

    /// {@return the number of processes}
    public int size() {
        return mpi.size();
    }

    /// {@return whether the communication thread may use memory}
    public boolean reaches(MemorySegment memory) {
        return memory.isAccessibleBy(thread);
    }

    /// {@return version and path of the library}
    public String library() {
        return mpi.library();
    }

    /// Makes a transfer that throws unless all processes begin it with the same operation and arguments: the values
    /// that must be equal everywhere, such as shape and dtype.
    public static Transfer agreement(String op, String arguments) {
        var call = new Call(op, arguments);
        return new Transfer(call::requireEqual);
    }

    /// Makes a transfer that adds up elements of all processes, in place.
    public static Transfer allReduce(MemorySegment elements, MpiType type) {
        return new Transfer((mpi, transfer) -> mpi.allReduce(elements, type));
    }

    /// Makes a transfer that copies the bytes of one process to all.
    public static Transfer broadcast(MemorySegment bytes, int root) {
        return new Transfer((mpi, transfer) -> mpi.broadcast(bytes, root));
    }

    /// Makes a transfer that copies the parts of all processes, in the order of ranks, to each.
    public static Transfer allGather(MemorySegment part, MemorySegment whole) {
        return new Transfer((mpi, transfer) -> mpi.allGather(part, whole));
    }

    /// As [#allGather] by MPI's nonblocking call, which takes no core from the threads that compute. The caller keeps
    /// the memory open until the transfer has ended.
    public static Transfer nonblockingAllGather(MemorySegment part, MemorySegment whole) {
        return new Transfer((mpi, transfer) -> {
            mpi.beginAllGather(part, whole);
            transfer.poll(mpi);
        });
    }

    /// Makes a transfer that sends part i of `from` to rank i and receives that of rank i at part i of `to`, and then
    /// runs `then` on the communication thread. It is nonblocking as [#nonblockingAllGather].
    public static Transfer nonblockingAllToAll(MemorySegment from, MemorySegment to, Runnable then) {
        return new Transfer((mpi, transfer) -> {
            mpi.beginAllToAll(from, to);
            transfer.poll(mpi);
            then.run();
        });
    }

    /// Begins a transfer, which does not run before those begun earlier have ended.
    public void begin(Transfer transfer) {
        transfer.begin();
        waiting.add(transfer);
    }

    /// Waits for a transfer to end.
    ///
    /// @param op its name, for messages
    /// @throws IllegalStateException if it failed, with MPI's text, or did not end in time: then nothing more can be
    ///     transferred, and every later call throws at once
    public void await(String op, Transfer transfer) {
        if (stuck || !transfer.awaitEnd(nanos(patience))) {
            stuck = true;
            broken = new IllegalStateException("no answer from the other processes for " + patience.toSeconds()
                    + " seconds; see what they have written, or pass a longer time to ProcessGroup.mpi");
            throw new IllegalStateException(op + ": " + broken.getMessage(), broken);
        }
        switch (transfer.failure()) {
            case null -> {}
            case Error e -> throw e;
            case IllegalStateException e -> throw new IllegalStateException(op + ": " + e.getMessage());
            case Throwable e -> throw new IllegalStateException(op + ": " + e, e);
        }
    }

    /// {@return nanoseconds, or for more than 292 years the most that a long counts}
    private static long nanos(Duration time) {
        Duration most = Duration.ofNanos(Long.MAX_VALUE);
        return (time.compareTo(most) < 0 ? time : most).toNanos();
    }

    /// Runs transfers, one after another.
    ///
    /// @param op their name, for messages
    /// @throws IllegalStateException as [#await]
    public void run(String op, Transfer... transfers) {
        for (Transfer transfer : transfers) {
            begin(transfer);
            await(op, transfer);
        }
    }

    /// {@return whether nothing more can be transferred, because a transfer failed}
    public boolean isBroken() {
        return broken != null;
    }

    /// Ends the use of MPI, which waits for the other processes to end theirs.
    public void end() {
        run("close", new Transfer((mpi, transfer) -> mpi.end()));
        thread.interrupt();
    }

    /// Ends all processes of the job, from any thread.
    ///
    /// @param status the exit status, not 0
    public void abort(int status) {
        mpi.abort(status);
    }
}
