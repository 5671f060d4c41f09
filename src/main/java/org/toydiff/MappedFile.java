package org.toydiff;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessMode;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.memory.ForeignStorage;

/// A file as memory, read-only and without a copy, and tensors over it.
///
/// ```java
/// Tensor x = MappedFile.open(arena, Path.of("x.bin")).tensor(0, DType.FLOAT32, 1000, 3);
/// ```
///
/// **A file that others shorten** while it is mapped takes its memory away, and the operating system ends a process
/// that reads beyond its end. So every op on a tensor over a mapped file reads the file's length first, and throws
/// IllegalStateException, naming the file and both lengths, if it has become shorter. Not covered are the moment
/// between that check and the last read, reads through [#segment()] or [Tensor#segment()] without an op, and a file
/// whose name is not text in the system's encoding.
/// Replacing the file by a rename, as all writers of `org.toydiff.io` do, is harmless.
public final class MappedFile {
    private final Path file;
    private final MemorySegment segment;

    /// Reads the length: unlike a channel it does not close when the reading thread is interrupted. Null where the
    /// length cannot be read.
    private final RandomAccessFile open;

    /// Called by every op on a tensor over the file.
    private final Consumer<String> check = this::requireWhole;

    private MappedFile(Path file, MemorySegment segment, RandomAccessFile open) {
        this.file = file;
        this.segment = segment;
        this.open = open;
    }

    /// Maps a whole file.
    ///
    /// **Memory** the mapping and an open file, until the arena closes.
    ///
    /// @param arena the lifetime of the mapping: any arena, a JDK one too
    /// @param file a regular file of the default file system
    /// @return the mapped file
    /// @throws IOException naming the file, if it cannot be read or mapped
    /// @throws IllegalStateException if the arena is closed
    public static MappedFile open(Arena arena, Path file) throws IOException {
        file.getFileSystem().provider().checkAccess(file, AccessMode.READ);
        if (!Files.isRegularFile(file)) {
            throw failure(file, "it is not a regular file", null);
        }
        if (file.getFileSystem() != FileSystems.getDefault()) {
            throw failure(file, "only files of the default file system can be; copy it there first", null);
        }
        try {
            return map(arena, file);
        } catch (IOException e) {
            throw failure(file, e.getMessage(), e);
        }
    }

    private static FileSystemException failure(Path file, String problem, IOException cause) {
        var failure = new FileSystemException(file.toString(), null, "not mapped: " + problem);
        failure.initCause(cause);
        return failure;
    }

    private static MappedFile map(Arena arena, Path file) throws IOException {
        File named = file.toFile();
        if (!named.toPath().equals(file)) {
            // Its name is not text in the system's encoding, so that only a channel opens it.
            try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
                return new MappedFile(file, map(arena, channel), null);
            }
        }
        var open = new RandomAccessFile(named, "r");
        try {
            MemorySegment mapping = map(arena, open.getChannel());
            // For the action at the arena's end alone: the segment that this returns no longer counts as mapped.
            mapping.reinterpret(arena, closed -> close(open));
            return new MappedFile(file, mapping, open);
        } catch (Throwable e) {
            open.close();
            throw e;
        }
    }

    private static MemorySegment map(Arena arena, FileChannel channel) throws IOException {
        return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    }

    private static void close(RandomAccessFile open) {
        try {
            open.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The file's memory.
    ///
    /// @return a read-only segment from its first byte to its last; reading it throws once the arena is closed
    public MemorySegment segment() {
        return segment;
    }

    /// A tensor over a part of the file.
    ///
    /// **Memory** the file's, read-only; [Tensor#copyTo(Arena)] gives one that can be changed.
    ///
    /// @param offset the offset of the first element in bytes; a multiple of the dtype's size
    /// @param dtype the dtype, in the machine's byte order
    /// @param shape the size of each axis
    /// @return a tensor over the file
    /// @throws IllegalArgumentException if the elements do not lie in the file or are not aligned
    public Tensor tensor(long offset, DType dtype, long... shape) {
        long[] sizes = Shape.checked("tensor", dtype.bytes(), shape.clone());
        long bytes = Shape.size(sizes) * dtype.bytes();
        if (offset < 0 || offset > segment.byteSize() || bytes > segment.byteSize() - offset) {
            throw new IllegalArgumentException("tensor: " + Shape.text(sizes) + " " + dtype + " at offset " + offset
                    + " takes " + bytes + " bytes, and " + file + " has " + segment.byteSize());
        }
        if (bytes > 0 && (segment.address() + offset) % dtype.bytes() != 0) {
            throw new IllegalArgumentException("tensor: offset " + offset + " of " + file + " is not aligned to the "
                    + dtype.bytes() + " bytes of " + dtype + "; copy the elements to a tensor");
        }
        return Tensor.of(
                ForeignStorage.of(segment.asSlice(offset, bytes), "tensor", dtype.element, sizes, check), dtype, sizes);
    }

    /// Throws if the file has become shorter since it was mapped: for code that reads [#segment()] itself.
    ///
    /// @param op the op that is about to read, for the message
    /// @throws IllegalStateException naming the file and both lengths, if it is shorter, or if the arena is closed
    public void requireWhole(String op) {
        if (open == null) {
            return;
        }
        long length;
        try {
            length = open.length();
        } catch (IOException e) {
            throw new IllegalStateException(op + ": the length of " + file + " cannot be read: its arena is closed", e);
        }
        if (length < segment.byteSize()) {
            throw new IllegalStateException(
                    op + ": " + file + " had " + segment.byteSize() + " bytes when it was mapped and has " + length
                            + " now; whoever changes it must write a new file and rename it");
        }
    }
}
