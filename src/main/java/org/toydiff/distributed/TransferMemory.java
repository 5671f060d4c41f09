package org.toydiff.distributed;

import java.lang.foreign.MemorySegment;
import org.toydiff.TensorArena;
import org.toydiff.internal.mpi.Communicator;

/// Memory for one transfer that the library may use for as long as it likes: a call that has run out of patience leaves
/// it with addresses, of which it makes use when the others answer after all. So the memory is not freed after a
/// failure.
final class TransferMemory implements AutoCloseable {
    private final Communicator communicator;
    private final TensorArena arena = TensorArena.ofDetached();

    TransferMemory(Communicator communicator) {
        this.communicator = communicator;
    }

    /// {@return memory in place of a tensor's: that itself if it is shared, because its arena cannot be closed
    /// while the communication thread calls the library; else other memory, because the owner of a confined arena
    /// could close it}
    MemorySegment lasting(MemorySegment own) {
        return communicator.reaches(own) ? own : of(own.byteSize());
    }

    /// {@return memory of some bytes}
    MemorySegment of(long bytes) {
        return arena.allocate(bytes, 64);
    }

    /// Copies memory, unless both are one.
    static void copy(MemorySegment from, MemorySegment to) {
        if (from.address() != to.address()) {
            to.copyFrom(from);
        }
    }

    /// Frees the memory, unless a transfer has failed.
    @Override
    public void close() {
        if (!communicator.isBroken()) {
            arena.close();
        }
    }
}
