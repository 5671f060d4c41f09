package org.toydiff.internal.mpi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// What a process calls, to be compared with the calls of the others before data is sent: MPI takes data of other
/// shapes for the right ones, or waits for ever.
final class Call {
    /// The longest text that is compared as a whole, with its end: of a longer one the beginning, and a number that
    /// stands for all of it.
    private static final int TEXT = 248;

    private static final long BYTES = TEXT + Long.BYTES;

    private final MemorySegment own = Arena.ofAuto().allocate(BYTES, Long.BYTES);

    /// Those of all processes; made by the communication thread.
    private MemorySegment all;

    /// Makes a call.
    ///
    /// @param op the name of the operation
    /// @param arguments all that must be equal in every process: shape and dtype, for instance
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
