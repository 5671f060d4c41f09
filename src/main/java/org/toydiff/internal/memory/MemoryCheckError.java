package org.toydiff.internal.memory;

/// Thrown in the checked mode of the pool (`-Dtoydiff.memory.check=true`) when memory was written by someone who does
/// not own it.
public final class MemoryCheckError extends Error {
    private static final long serialVersionUID = 1;

    private final String what;
    private final long at;

    MemoryCheckError(String what, long at) {
        this("a block", what, at);
    }

    private MemoryCheckError(String whose, String what, long at) {
        super("memory check: " + what + ", at byte " + at + " of " + whose);
        this.what = what;
        this.at = at;
    }

    /// The same, naming what the block held.
    public MemoryCheckError of(String whose) {
        return new MemoryCheckError(whose, what, at);
    }
}
