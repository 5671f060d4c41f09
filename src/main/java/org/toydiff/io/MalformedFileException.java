package org.toydiff.io;

import java.nio.file.FileSystemException;

/// Thrown for a file that violates its format. The message names the file, the place in it, and the problem there:
/// `train-images.gz: offset 4: …`. A file that cannot be read at all is another [FileSystemException].
public final class MalformedFileException extends FileSystemException {
    private static final long serialVersionUID = 1;

    /// Creates an exception for any kind of place.
    ///
    /// @param file the file, or an entry within one; its text begins the message
    /// @param place the place of the problem: `line 3`
    /// @param problem the problem
    public MalformedFileException(Object file, String place, String problem) {
        this(file, place, problem, null);
    }

    /// Creates an exception for any kind of place, with a cause.
    ///
    /// @param file the file, or an entry within one; its text begins the message
    /// @param place the place of the problem: `line 3`
    /// @param problem the problem
    /// @param cause the exception that revealed it, or null
    public MalformedFileException(Object file, String place, String problem, Throwable cause) {
        super(file.toString(), null, place + ": " + problem);
        initCause(cause);
    }

    /// Creates an exception for a byte; in a compressed file, for a byte of the uncompressed data.
    ///
    /// @param file the file, or an entry within one; its text begins the message
    /// @param offset the offset of the byte, counted from 0
    /// @param problem the problem
    /// @return the exception
    public static MalformedFileException at(Object file, long offset, String problem) {
        return at(file, offset, problem, null);
    }

    static MalformedFileException at(Object file, long offset, String problem, Throwable cause) {
        return new MalformedFileException(file, "offset " + offset, problem, cause);
    }
}
