package org.toydiff;

import org.toydiff.internal.JvmOptions;

/// What the tensors of this process take outside the heap. Exact and always on.
///
/// Only memory of [TensorArena]s counts, in blocks rounded up to 64 bytes; memory of the caller's
/// ([Tensor#wrap]) does not. `-Dtoydiff.memory.limit=8g` bounds it (default: physical memory less what the
/// heap may take); an allocation that would pass it throws [MemoryLimitException].
/// `-Dtoydiff.memory.trace=true` remembers the line that made each block, and keeps the library's class loader until
/// the JVM ends, to report then what is open.
///
/// From outside, JMX clients see it as [TensorMemoryMXBean], and flight recordings are told of it by the events
/// `toydiff.SlabAllocation`, `toydiff.MemoryLimit` and, when enabled, `toydiff.ArenaOpen` and `toydiff.ArenaClose`;
/// `toydiff.Backward` tells of walks backward, unless set otherwise of those that take 20 ms or more.
public final class Memory {
    private Memory() {}

    /// Bytes that all open arenas hold now, and tensors made in arenas of the JDK's that are open.
    ///
    /// @return live bytes
    public static long liveBytes() {
        return Ledger.live();
    }

    /// The most that [#liveBytes()] has been since the start or [#resetPeak()].
    ///
    /// @return peak bytes
    public static long peakBytes() {
        return Ledger.peak();
    }

    /// What bounds [#liveBytes()]: `-Dtoydiff.memory.limit`, or physical memory less what the heap may take.
    ///
    /// @return the limit in bytes
    public static long limitBytes() {
        JvmOptions.require();
        return Ledger.limitBytes();
    }

    /// Starts the peak anew from what is live now.
    public static void resetPeak() {
        Ledger.resetPeak();
    }

    /// The totals and every open arena; with `-Dtoydiff.memory.trace=true` also each live block, largest
    /// first, with the line that made it.
    ///
    /// @return a table to print
    public static String report() {
        JvmOptions.require();
        return Ledger.report();
    }
}
