package org.toydiff.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/// Files for the tests of the readers.
final class TestFiles {
    private TestFiles() {}

    /// An IDX file of unsigned bytes.
    static byte[] idx(byte[] elements, int... shape) {
        return idx(0x08, elements, shape);
    }

    static byte[] idx(int type, byte[] elements, int... shape) {
        ByteBuffer file = ByteBuffer.allocate(4 + 4 * shape.length + elements.length);
        file.putInt(type << 8 | shape.length);
        for (int n : shape) {
            file.putInt(n);
        }
        return file.put(elements).array();
    }

    static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    static byte[] gzip(byte[] data) throws IOException {
        var packed = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(packed)) {
            out.write(data);
        }
        return packed.toByteArray();
    }

    /// Returns whether a file is mapped into this process, if the system reports it.
    static boolean isMapped(Path file) throws IOException {
        Path maps = Path.of("/proc/self/maps");
        return Files.isReadable(maps) && Files.readString(maps).contains(file.toString());
    }
}
