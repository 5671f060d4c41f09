package org.toydiff.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/// Files that are there whole or not at all, whatever happens while they are written.
final class WholeFile {
    /// Writes a file.
    interface Writer {
        void write(Path file) throws IOException;
    }

    private WholeFile() {}

    /// Writes beside the file, and puts the result in its place.
    static void write(Path file, Writer writer) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        Files.createDirectories(folder);
        Path part = folder.resolve(file.getFileName() + ".part");
        try {
            writer.write(part);
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }
}
