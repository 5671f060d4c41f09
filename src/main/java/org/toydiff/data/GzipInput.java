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

/// Files that may be packed by gzip, told by their first two bytes: RFC 1952, section 2.3.1.
final class GzipInput {
    /// The most that deflate can shrink data by: https://zlib.net/zlib_tech.html, "Maximum Compression Factor".
    static final long MOST_SHRINKING = 1032;

    private static final int BUFFER = 1 << 16;
    private static final int MAGIC = 0x1f8b;

    private GzipInput() {}

    static boolean is(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return (in.read() << 8 | in.read()) == MAGIC;
        } catch (IOException e) {
            throw explained(file, "offset 0", e);
        }
    }

    /// The data of a file, unpacked if it is packed.
    static InputStream open(Path file) throws IOException {
        boolean packed = is(file);
        InputStream in = Files.newInputStream(file);
        try {
            return new BufferedInputStream(packed ? new GZIPInputStream(in, BUFFER) : in, BUFFER);
        } catch (IOException e) {
            in.close();
            throw explained(file, "offset 0", e);
        }
    }

    /// An exception that names the file: for damaged data, found at a place of it, another than for a failing disk.
    static IOException explained(Path file, String place, IOException e) {
        if (e instanceof ZipException || e instanceof EOFException) {
            return new MalformedFileException(file, place, "the gzip data is damaged or cut off: " + e.getMessage(), e);
        }
        if (e instanceof CharacterCodingException) {
            return new MalformedFileException(file, place, "the text is not UTF-8", e);
        }
        return FileErrors.naming(file, e);
    }
}
