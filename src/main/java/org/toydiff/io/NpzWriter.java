package org.toydiff.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import org.toydiff.Tensor;

/// Writes a zip archive of `.npy` files, uncompressed, byte for byte as `numpy.savez` does: 64-bit sizes in the
/// header of each entry, no time. (The JDK's ZipOutputStream accepts data from the heap only.)
///
/// Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.7 (entries), 4.3.12 (directory), 4.3.14 to 4.3.16 (end) and
/// 4.5.3 (sizes of 64 bits), https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
final class NpzWriter {
    private static final short VERSION = 45;
    private static final short UNIX = 3 << 8;
    private static final int USER_READS_AND_WRITES = 0600 << 16;
    private static final short DAY_ONE = 1 << 5 | 1;
    private static final short UTF_8 = 1 << 11;
    private static final int CRC_AT = 14;
    private static final int IN_64_BITS = -1;

    /// The size beyond which Python's zipfile uses 64 bits, `ZIP64_LIMIT`.
    private static final long MAX_IN_32_BITS = Integer.MAX_VALUE;

    private static final int MAX_NAME_BYTES = 0xffff;
    private static final int MAX_ENTRIES = 0xffff;

    private record Entry(byte[] name, short flags, long size, long start, int crc) {}

    private final FileChannel channel;
    private final List<Entry> entries = new ArrayList<>();

    NpzWriter(FileChannel channel) {
        this.channel = channel;
    }

    /// Returns the bytes of an entry's name.
    static byte[] name(String tensor) {
        String name = tensor + ".npy";
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(name) || name.indexOf(0) >= 0) {
            throw new IllegalArgumentException("save: \"" + tensor
                    + "\" has an unpaired surrogate or a NUL, which a name in a zip archive cannot have; rename it");
        }
        if (bytes.length > MAX_NAME_BYTES) {
            throw new IllegalArgumentException("save: a name of " + bytes.length + " bytes is longer than the "
                    + MAX_NAME_BYTES + " of a zip archive; shorten it");
        }
        return bytes;
    }

    void write(String tensor, Tensor elements) throws IOException {
        byte[] name = name(tensor);
        short flags = name.length == tensor.length() + ".npy".length() ? 0 : UTF_8;
        long start = channel.position();
        ByteBuffer header = NpyHeader.of(elements);
        long size = header.remaining() + Elements.bytes(elements);
        writeFully(entryStart(name, flags, size));
        var crc = new CRC32();
        crc.update(header.duplicate());
        writeFully(header);
        Elements.write(elements, piece -> {
            crc.update(piece.duplicate());
            writeFully(piece);
        });
        channel.write(buffer(Integer.BYTES).putInt((int) crc.getValue()).flip(), start + CRC_AT);
        entries.add(new Entry(name, flags, size, start, (int) crc.getValue()));
    }

    private static ByteBuffer entryStart(byte[] name, short flags, long size) {
        return buffer(50 + name.length)
                .putInt(0x04034b50)
                .putShort(VERSION)
                .putShort(flags)
                .putShort((short) 0)
                .putShort((short) 0)
                .putShort(DAY_ONE)
                .putInt(0)
                .putInt(IN_64_BITS)
                .putInt(IN_64_BITS)
                .putShort((short) name.length)
                .putShort((short) 20)
                .put(name)
                .putShort((short) 1)
                .putShort((short) 16)
                .putLong(size)
                .putLong(size)
                .flip();
    }

    /// Writes the directory, after all entries.
    void finish() throws IOException {
        long start = channel.position();
        for (Entry entry : entries) {
            writeFully(directoryEntry(entry));
        }
        long end = channel.position();
        if (entries.size() > MAX_ENTRIES || start > MAX_IN_32_BITS || end - start > MAX_IN_32_BITS) {
            writeFully(endIn64Bits(start, end));
        }
        short count = (short) Math.min(entries.size(), MAX_ENTRIES);
        writeFully(buffer(22)
                .putInt(0x06054b50)
                .putInt(0)
                .putShort(count)
                .putShort(count)
                .putInt((int) Math.min(end - start, 0xffffffffL))
                .putInt((int) Math.min(start, 0xffffffffL))
                .putShort((short) 0)
                .flip());
    }

    private static ByteBuffer directoryEntry(Entry entry) {
        boolean wideSize = entry.size > MAX_IN_32_BITS;
        boolean wideStart = entry.start > MAX_IN_32_BITS;
        int wideBytes = (wideSize ? 16 : 0) + (wideStart ? 8 : 0);
        int size = wideSize ? IN_64_BITS : (int) entry.size;
        ByteBuffer buffer = buffer(50 + wideBytes + entry.name.length)
                .putInt(0x02014b50)
                .putShort((short) (VERSION | UNIX))
                .putShort(VERSION)
                .putShort(entry.flags)
                .putShort((short) 0)
                .putShort((short) 0)
                .putShort(DAY_ONE)
                .putInt(entry.crc)
                .putInt(size)
                .putInt(size)
                .putShort((short) entry.name.length)
                .putShort((short) (wideBytes > 0 ? 4 + wideBytes : 0))
                .putShort((short) 0)
                .putInt(0)
                .putInt(USER_READS_AND_WRITES)
                .putInt(wideStart ? IN_64_BITS : (int) entry.start)
                .put(entry.name);
        if (wideBytes > 0) {
            buffer.putShort((short) 1).putShort((short) wideBytes);
        }
        if (wideSize) {
            buffer.putLong(entry.size).putLong(entry.size);
        }
        if (wideStart) {
            buffer.putLong(entry.start);
        }
        return buffer.flip();
    }

    private ByteBuffer endIn64Bits(long start, long end) {
        return buffer(76)
                .putInt(0x06064b50)
                .putLong(44)
                .putShort(VERSION)
                .putShort(VERSION)
                .putLong(0)
                .putLong(entries.size())
                .putLong(entries.size())
                .putLong(end - start)
                .putLong(start)
                .putInt(0x07064b50)
                .putInt(0)
                .putLong(end)
                .putInt(1)
                .flip();
    }

    private void writeFully(ByteBuffer buffer) throws IOException {
        Elements.writeFully(channel, buffer);
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
