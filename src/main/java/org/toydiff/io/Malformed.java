package org.toydiff.io;

import java.io.IOException;
import java.nio.file.FileSystemException;

/// What to throw for a file that is not what its format says, or cannot be read: always one that names the file.
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
        return failure(file, "offset " + offset + ": " + problem, cause);
    }

    private static IOException failure(Object file, String problem, Throwable cause) {
        var failure = new FileSystemException(file.toString(), null, problem);
        failure.initCause(cause);
        return failure;
    }
}
