package org.toydiff.internal.memory;

/// Thrown in the checked mode of the pool (`-Dtoydiff.memory.check=true`) when memory was written by code that does
/// not own it.
public final class MemoryCheckError extends Error {
    private static final long serialVersionUID = 1;

    private final String damage;
    private final long at;

    MemoryCheckError(String damage, long at) {
        this("a block", damage, at);
    }

    private MemoryCheckError(String tensor, String damage, long at) {
        super("memory check: " + damage + ", at byte " + at + " of " + tensor);
        this.damage = damage;
        this.at = at;
    }

    /// Returns the same error, with the name of the tensor whose block it is.
    public MemoryCheckError of(String tensor) {
        return new MemoryCheckError(tensor, damage, at);
    }
}
