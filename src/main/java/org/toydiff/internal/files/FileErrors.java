package org.toydiff.internal.files;

import java.io.IOException;
import java.nio.file.FileSystemException;

/// Exceptions that name the file.
public final class FileErrors {
    private FileErrors() {}

    /// The exception itself if it names a file, as all of [java.nio.file] do, or one that does.
    ///
    /// @param file the file, or what lies within one
    public static IOException naming(Object file, IOException e) {
        if (e instanceof FileSystemException named && named.getFile() != null) {
            return e;
        }
        String problem = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        var failure = new FileSystemException(file.toString(), null, problem);
        failure.initCause(e);
        return failure;
    }
}
