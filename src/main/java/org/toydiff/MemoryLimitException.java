package org.toydiff;

/// An allocation would have passed a byte limit. Nothing was allocated, and everything made before is as it
/// was.
public final class MemoryLimitException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MemoryLimitException(String message) {
        super(message);
    }
}
