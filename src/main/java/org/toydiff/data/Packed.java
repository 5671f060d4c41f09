package org.toydiff.data;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/// Files that may be packed by gzip, told by their first two bytes: RFC 1952, section 2.3.1.
final class Packed {
    /// The most that deflate can shrink data by: https://zlib.net/zlib_tech.html, "Maximum Compression Factor".
    static final long MOST_SHRINKING = 1032;

    private static final int BUFFER = 1 << 16;
    private static final int MAGIC = 0x1f8b;

    private Packed() {}

    static boolean is(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return (in.read() << 8 | in.read()) == MAGIC;
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

    /// Tells damaged data, found at a place of the file, from a failing disk.
    static IOException explained(Path file, String place, IOException e) {
        boolean damaged = e instanceof ZipException || e instanceof EOFException;
        return damaged
                ? new MalformedFileException(file, place, "the gzip data is damaged or cut off: " + e.getMessage(), e)
                : e;
    }
}
