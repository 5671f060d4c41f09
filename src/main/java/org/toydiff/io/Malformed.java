package org.toydiff.io;

import java.io.IOException;

/// What to throw for a file that is not what its format says.
final class Malformed {
    private Malformed() {}

    /// For a byte of a file.
    ///
    /// @param file the file, or what lies within one
    /// @param offset where the byte is in it, counted from 0
    static IOException at(Object file, long offset, String problem) {
        return at(file, offset, problem, null);
    }

    static IOException at(Object file, long offset, String problem, Throwable cause) {
        return new IOException(file + ": offset " + offset + ": " + problem, cause);
    }
}
