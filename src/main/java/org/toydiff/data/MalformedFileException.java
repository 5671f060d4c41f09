package org.toydiff.data;

import java.nio.file.FileSystemException;
import java.nio.file.Path;

/// A file that is not what its format says. The message names the file, the place in it, and what is wrong
/// there: `train-images.gz: offset 4: …`.
public final class MalformedFileException extends FileSystemException {
    private static final long serialVersionUID = 1;

    MalformedFileException(Path file, String place, String problem) {
        this(file, place, problem, null);
    }

    MalformedFileException(Path file, String place, String problem, Throwable cause) {
        super(file.toString(), null, place + ": " + problem);
        initCause(cause);
    }

    /// For a byte, counted from 0; in the unpacked data of a packed file.
    static MalformedFileException at(Path file, long offset, String problem) {
        return new MalformedFileException(file, "offset " + offset, problem);
    }
}
