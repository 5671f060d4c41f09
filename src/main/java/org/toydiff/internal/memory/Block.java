package org.toydiff.internal.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A run of bytes in a slab, free or in use. Offsets and sizes are in bytes, multiples of [BlockPool#UNIT].
public final class Block {
    Slab slab;
    long offset;
    long bytes;

    /// How many bytes its user may write; set in the checked mode alone.
    long used;

    boolean free;
    Block before;
    Block after;
    Block previousFree;
    Block nextFree;

    Block(Slab slab, long offset, long bytes) {
        this.slab = slab;
        this.offset = offset;
        this.bytes = bytes;
    }

    /// Returns the first `byteSize` bytes, accessible as long as `lifetime` is open: use after free is the JDK's own
    /// exception.
    public MemorySegment view(long byteSize, Arena lifetime) {
        return slab.memory().asSlice(offset, byteSize).reinterpret(lifetime, null);
    }

    /// The slab that contains it, accessible to every thread and never closed.
    public MemorySegment memory() {
        return slab.memory();
    }

    /// All of it, free or not.
    MemorySegment bytes() {
        return slab.memory().asSlice(offset, bytes);
    }

    /// Where it begins in [#memory()], in bytes.
    public long offset() {
        return offset;
    }
}
