package org.toydiff.internal.mpi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The description of a call, which is compared with those of the other processes before data is sent: MPI would take
/// data of another call for the expected data, or wait for ever.
final class Call {
    /// The bytes of a description, with its terminator. A longer one is cut, and compared by the hash that follows.
    private static final int TEXT = 248;

    private static final long BYTES = TEXT + Long.BYTES;

    private final MemorySegment own = Arena.ofAuto().allocate(BYTES, Long.BYTES);

    /// The descriptions of all processes; made by the communication thread.
    private MemorySegment all;

    /// Makes a call.
    ///
    /// @param op the name of the operation
    /// @param arguments the values that must be equal in all processes, such as shape and dtype
    Call(String op, String arguments) {
        byte[] text = (arguments.isEmpty() ? op : op + " " + arguments).getBytes(StandardCharsets.UTF_8);
        MemorySegment.copy(text, 0, own, JAVA_BYTE, 0, Math.min(TEXT - 1, text.length));
        own.set(JAVA_LONG, TEXT, Arrays.hashCode(text));
    }

    /// Throws unless all processes have the same call.
    ///
    /// @throws IllegalStateException naming each process's call
    void requireEqual(Mpi mpi, Transfer transfer) {
        if (all == null) {
            all = Arena.ofAuto().allocate(BYTES * mpi.size(), Long.BYTES);
        }
        mpi.beginAllGather(own, all);
        transfer.poll(mpi);
        for (int rank = 0; rank < mpi.size(); rank++) {
            if (MemorySegment.mismatch(all, rank * BYTES, (rank + 1) * BYTES, own, 0, BYTES) >= 0) {
                throw different(mpi.size());
            }
        }
    }

    private IllegalStateException different(int size) {
        var message = new StringBuilder("the processes do not call the same:");
        for (int rank = 0; rank < size; rank++) {
            message.append(rank == 0 ? " rank " : ", rank ")
                    .append(rank)
                    .append(": ")
                    .append(all.getString(rank * BYTES));
        }
        return new IllegalStateException(message.append("; every process must make the same calls in the same order")
                .toString());
    }
}
