package org.toydiff.internal.recurrence;

import java.lang.foreign.MemorySegment;

/// A contiguous operand of a [SequenceWork]: its memory, and the place of its first element there.
public final class SequenceOperand {
    MemorySegment memory;
    long offset;

    SequenceOperand() {}

    /// Sets the operand.
    ///
    /// @param offset the place of the first element, in elements
    public void set(MemorySegment memory, long offset) {
        this.memory = memory;
        this.offset = offset;
    }
}
