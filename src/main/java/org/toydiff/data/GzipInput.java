package org.toydiff.data;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.toydiff.internal.files.FileErrors;
import org.toydiff.io.MalformedFileException;

/// Opens files that may be compressed by gzip, recognized by their first two bytes: RFC 1952, section 2.3.1.
final class GzipInput {
    private static final int BUFFER = 1 << 16;
    private static final int MAGIC = 0x1f8b;

    private GzipInput() {}

    static boolean isGzip(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return (in.read() << 8 | in.read()) == MAGIC;
        } catch (IOException e) {
            throw explained(file, "offset 0", e);
        }
    }

    /// Opens a file, and decompresses it if it is compressed.
    static InputStream open(Path file) throws IOException {
        boolean compressed = isGzip(file);
        InputStream in = Files.newInputStream(file);
        try {
            return new BufferedInputStream(compressed ? new GZIPInputStream(in, BUFFER) : in, BUFFER);
        } catch (IOException e) {
            in.close();
            throw explained(file, "offset 0", e);
        }
    }

    /// Returns an exception that names the file: a [MalformedFileException] for damaged data found at a place in it,
    /// an IOException for a failing disk.
    static IOException explained(Path file, String place, IOException e) {
        if (e instanceof ZipException || e instanceof EOFException) {
            return new MalformedFileException(
                    file, place, "the gzip data is damaged or truncated: " + e.getMessage(), e);
        }
        if (e instanceof CharacterCodingException) {
            return new MalformedFileException(file, place, "the text is not UTF-8", e);
        }
        return FileErrors.naming(file, e);
    }
}
