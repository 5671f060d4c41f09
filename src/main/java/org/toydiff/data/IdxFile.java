package org.toydiff.data;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.toydiff.DType;
import org.toydiff.MappedFile;
import org.toydiff.TensorArena;
import org.toydiff.internal.files.Deflate;
import org.toydiff.io.MalformedFileException;

/// A file in the IDX format of which only the header has been read. The format: two zero bytes, the type, the number
/// of axes, the size of each axis in 4 bytes, the elements. Source: https://yann.lecun.com/exdb/mnist/
final class IdxFile implements AutoCloseable {
    private static final int MAGIC_BYTES = 4;
    private static final int WORDS_AT_ONCE = 512;

    private final Path path;
    private final InputStream in;
    private final boolean compressed;
    private final IdxElement element;
    private final long[] shape;
    private final int headerBytes;
    private final long bytes;
    private TensorWriter elements;

    private IdxFile(Path path, InputStream in) throws IOException {
        this.path = path;
        this.in = in;
        this.compressed = GzipInput.isGzip(path);
        ByteBuffer magic = header(0, MAGIC_BYTES);
        if (magic.getShort(0) != 0) {
            throw malformed(
                    0, String.format(Locale.ROOT, "0x%08x is not the magic number of an IDX file", magic.getInt(0)));
        }
        element = IdxElement.of(magic.get(2));
        if (element == null) {
            throw malformed(2, String.format(Locale.ROOT, "0x%02x is not an element type of IDX", magic.get(2)));
        }
        shape = new long[Byte.toUnsignedInt(magic.get(3))];
        if (shape.length == 0) {
            throw malformed(3, "the array has no axes; examples need one");
        }
        headerBytes = MAGIC_BYTES + shape.length * Integer.BYTES;
        bytes = sizes(header(MAGIC_BYTES, headerBytes - MAGIC_BYTES));
        requireBytes();
    }

    /// Opens a file and checks all that can be checked before its elements are read.
    static IdxFile open(Path path) throws IOException {
        InputStream in = GzipInput.open(path);
        try {
            return new IdxFile(path, in);
        } catch (IOException | RuntimeException e) {
            in.close();
            throw e;
        }
    }

    private ByteBuffer header(int offset, int count) throws IOException {
        byte[] bytes = new byte[count];
        int read = read(bytes, count, offset);
        if (read < count) {
            throw malformed(offset + read, "the file ends within its header");
        }
        return ByteBuffer.wrap(bytes);
    }

    /// Reads `count` bytes from the file, or fewer at its end.
    ///
    /// @return the number of bytes read
    private int read(byte[] into, int count, long offset) throws IOException {
        try {
            return in.readNBytes(into, 0, count);
        } catch (IOException e) {
            throw GzipInput.explained(path, "offset " + offset, e);
        }
    }

    /// Reads the sizes of the axes.
    ///
    /// @return the number of bytes of all elements
    private long sizes(ByteBuffer header) throws IOException {
        long product = element.bytes;
        for (int i = 0; i < shape.length; i++) {
            int offset = MAGIC_BYTES + i * Integer.BYTES;
            shape[i] = header.getInt(i * Integer.BYTES);
            if (shape[i] <= 0) {
                throw malformed(offset, "axis " + i + " has size " + shape[i] + "; there are no examples");
            }
            if (product > Long.MAX_VALUE / shape[i]) {
                throw malformed(offset, "the array has more bytes than a long can count");
            }
            product *= shape[i];
        }
        return product;
    }

    private void requireBytes() throws IOException {
        long size = Files.size(path);
        if (compressed) {
            if (bytes / Deflate.MAX_COMPRESSION > size) {
                throw malformed(
                        MAGIC_BYTES,
                        description() + " takes " + bytes + " bytes, which " + size + " compressed bytes cannot hold");
            }
        } else {
            requireLength(size);
        }
    }

    private void requireLength(long size) throws IOException {
        if (size - headerBytes < bytes) {
            throw malformed(
                    size, "the file ends here, but " + description() + " takes " + bytes + " bytes after the header");
        } else if (size - headerBytes > bytes) {
            throw malformed(headerBytes + bytes, "bytes follow the last element of " + description());
        }
    }

    private String description() {
        return Arrays.toString(shape) + " " + element;
    }

    IdxElement element() {
        return element;
    }

    long[] shape() {
        return shape;
    }

    MalformedFileException malformed(long offset, String problem) {
        return MalformedFileException.at(path, offset, problem);
    }

    /// Decompresses the elements of a gzip file to the innermost arena, from where [#place] moves them.
    void decompress() throws IOException {
        if (!compressed) {
            return;
        }
        int words = (int) Math.min(WORDS_AT_ONCE, Math.ceilDiv(bytes, Long.BYTES));
        byte[] piece = new byte[words * Long.BYTES];
        elements = new TensorWriter(DType.INT64, Math.ceilDiv(bytes, piece.length), words);
        for (long done = 0; done < bytes; done += piece.length) {
            int wanted = (int) Math.min(piece.length, bytes - done);
            int read = read(piece, wanted, headerBytes + done);
            if (read < wanted) {
                throw malformed(
                        headerBytes + done + read,
                        "the data ends here, but " + description() + " takes " + bytes + " bytes after the header");
            }
            MemorySegment.copy(MemorySegment.ofArray(piece), 0, elements.row(), 0, wanted);
            elements.next();
        }
        if (read(piece, 1, headerBytes + bytes) > 0) {
            throw malformed(headerBytes + bytes, "bytes follow the last element of " + description());
        }
    }

    /// Returns the elements in an arena: mapped, or moved there if they were decompressed.
    IdxArray place(TensorArena arena) throws IOException {
        if (compressed) {
            return new IdxArray(
                    path, element, shape, elements.moveTo(arena).segment().asSlice(0, bytes), null);
        }
        MappedFile mapped = MappedFile.open(arena, path);
        requireLength(mapped.segment().byteSize());
        return new IdxArray(path, element, shape, mapped.segment().asSlice(headerBytes, bytes), mapped);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
