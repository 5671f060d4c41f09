package org.toydiff.distributed;

import java.lang.foreign.MemorySegment;
import org.toydiff.TensorArena;

/// Memory of a group that the library may use for as long as it likes: a call that has run out of patience leaves it
/// with addresses, of which it makes use when the others answer after all. Kept from call to call, and as large as
/// the largest needed; not freed after a failure.
final class TransferMemory {
    /// Null before the first use.
    private TensorArena home;

    private MemorySegment memory = MemorySegment.NULL;

    /// {@return memory of some bytes, which the next call reuses}
    MemorySegment of(long bytes) {
        if (memory.byteSize() < bytes) {
            close();
            home = TensorArena.ofDetached();
            memory = home.allocate(bytes, 64);
        }
        return memory.asSlice(0, bytes);
    }

    /// Frees it.
    void close() {
        if (home != null) {
            memory = MemorySegment.NULL;
            home.close();
            home = null;
        }
    }
}
