package org.toydiff.internal.files;

import java.io.IOException;
import java.nio.file.FileSystemException;

/// Makes exceptions name their file.
public final class FileErrors {
    private FileErrors() {}

    /// Returns the exception itself if it names a file, as all of [java.nio.file] do, or else one that does.
    ///
    /// @param file the file, or an entry within one
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
