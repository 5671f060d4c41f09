package org.toydiff.io;

import java.nio.file.FileSystemException;

/// A file that is not what its format says. The message names the file, the place in it, and what is wrong
/// there: `train-images.gz: offset 4: …`. A file that cannot be read at all is another [FileSystemException].
public final class MalformedFileException extends FileSystemException {
    private static final long serialVersionUID = 1;

    /// Of any place.
    ///
    /// @param file the file, or an entry within one, whose text begins the message
    /// @param place where it is wrong: `line 3`
    /// @param problem what is wrong there
    public MalformedFileException(Object file, String place, String problem) {
        this(file, place, problem, null);
    }

    /// Of any place, found by another exception.
    ///
    /// @param file the file, or an entry within one, whose text begins the message
    /// @param place where it is wrong: `line 3`
    /// @param problem what is wrong there
    /// @param cause how it was found, or null
    public MalformedFileException(Object file, String place, String problem, Throwable cause) {
        super(file.toString(), null, place + ": " + problem);
        initCause(cause);
    }

    /// Of a byte; in the unpacked data where the file is packed.
    ///
    /// @param file the file, or an entry within one, whose text begins the message
    /// @param offset where the byte is, counted from 0
    /// @param problem what is wrong there
    /// @return the exception
    public static MalformedFileException at(Object file, long offset, String problem) {
        return at(file, offset, problem, null);
    }

    static MalformedFileException at(Object file, long offset, String problem, Throwable cause) {
        return new MalformedFileException(file, "offset " + offset, problem, cause);
    }
}
