package org.toydiff.io;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/// A checksum of the content of a checkpoint: its strings, and name, dtype, shape and elements of each tensor in
/// the order of the file. It does not depend on the layout of the header, so other programs may copy a checkpoint
/// with its metadata.
///
/// CRC-32C (RFC 3720, appendix B.4): fast on every processor, and sufficient against accidental damage.
final class Checksum {
    /// The key of the checksum among the strings of a file.
    static final String KEY = "toydiff.checksum";

    /// A placeholder with the length of every checksum.
    static final String NONE = "crc32c:00000000";

    private final CRC32C crc = new CRC32C();

    /// Adds all strings except the checksum.
    Checksum addStrings(Map<String, String> strings) {
        new TreeMap<>(strings).forEach((key, value) -> {
            if (!key.equals(KEY)) {
                add(key);
                add(value);
            }
        });
        return this;
    }

    /// Adds the description of a tensor, before its elements.
    void addTensor(String name, String dtype, long[] shape) {
        add(name);
        add(dtype);
        add(Arrays.toString(shape));
    }

    void addElements(ByteBuffer elements) {
        crc.update(elements);
    }

    /// Adds a text after its length, so that adjacent texts cannot be confused.
    private void add(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        crc.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
        crc.update(bytes);
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "crc32c:%08x", crc.getValue());
    }
}
