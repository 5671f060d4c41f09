package org.toydiff.train.report;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// A temporary file of numbers, mapped for reading: the operating system caches it as memory allows. It is deleted
/// when nothing reads it any more.
final class RowFile {
    private final FileChannel channel;
    private final Arena mappings = Arena.ofAuto();
    private long bytes;

    private RowFile(FileChannel channel) {
        this.channel = channel;
    }

    static RowFile create() throws IOException {
        Path file = Files.createTempFile("toydiff-history-", ".rows");
        var channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            // Without a name the file exists as long as it is open or mapped.
            Files.delete(file);
        } catch (IOException e) {
            file.toFile().deleteOnExit();
        }
        return new RowFile(channel);
    }

    /// Appends numbers.
    ///
    /// @return the appended numbers, read-only
    MemorySegment append(double[] values) throws IOException {
        var buffer = ByteBuffer.allocate(Math.multiplyExact(values.length, Double.BYTES))
                .order(ByteOrder.nativeOrder());
        buffer.asDoubleBuffer().put(values);
        // Not through the mapping: a full disk is an exception here and would be a SIGBUS there.
        for (long at = bytes; buffer.hasRemaining(); ) {
            at += channel.write(buffer, at);
        }
        MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, bytes, buffer.capacity(), mappings);
        bytes += buffer.capacity();
        return mapped;
    }
}
