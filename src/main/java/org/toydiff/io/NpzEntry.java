package org.toydiff.io;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.toydiff.Tensor;
import org.toydiff.internal.files.Deflate;
import org.toydiff.internal.files.FileErrors;

/// One `.npy` file within an archive, read piece by piece.
///
/// @param place the name of the entry in messages
record NpzEntry(String place, ZipFile zip, ZipEntry entry) {
    /// A whole number of elements of every type.
    private static final int PIECE_BYTES = 1 << 16;

    /// Receives a piece that begins at byte `at` of the elements.
    private interface PieceConsumer {
        void accept(MemorySegment piece, long at) throws IOException;
    }

    /// Reads the entry twice, the first time to check it, so that nothing is allocated for a damaged one or one
    /// that claims to be large.
    Tensor read() throws IOException {
        try {
            NpyHeader header = checked();
            StoredType type = header.type();
            Tensor stored = Tensor.empty(type.dtype, header.storedShape());
            MemorySegment elements = stored.segment();
            try (InputStream in = zip.getInputStream(entry)) {
                in.skipNBytes(header.bytes());
                readElements(in, header, (piece, at) -> {
                    long first = at / type.bytes * type.dtype.bytes();
                    type.convert(piece, header.bigEndian(), elements.asSlice(first));
                });
            }
            return header.fortran() ? stored.transpose() : stored;
        } catch (ZipException | EOFException e) {
            throw MalformedFileException.at(place, 0, "the packed data is damaged or cut off: " + e.getMessage(), e);
        } catch (IOException e) {
            throw FileErrors.naming(place, e);
        }
    }

    private NpyHeader checked() throws IOException {
        try (var in = new CheckedInputStream(zip.getInputStream(entry), new CRC32())) {
            NpyHeader header = NpyHeader.read(place, in);
            requireSizes(header);
            readElements(in, header, (piece, at) -> header.requireValues(place, piece, at));
            if (in.read() >= 0) {
                throw MalformedFileException.at(
                        place, header.bytes() + header.dataBytes(), "bytes follow the last element of " + header);
            }
            if (in.getChecksum().getValue() != entry.getCrc()) {
                throw MalformedFileException.at(
                        place, 0, "the data is damaged: its checksum is not the one in the archive");
            }
            return header;
        }
    }

    private void requireSizes(NpyHeader header) throws IOException {
        long bytes = header.dataBytes();
        long said = entry.getSize() - header.bytes();
        if (bytes != said) {
            throw MalformedFileException.at(
                    place,
                    header.bytes(),
                    header + " takes " + bytes + " bytes, and the archive says that " + said + " follow");
        }
        if (bytes / Deflate.MAX_COMPRESSION > entry.getCompressedSize()) {
            throw MalformedFileException.at(
                    place,
                    header.bytes(),
                    header + " takes " + bytes + " bytes, and " + entry.getCompressedSize()
                            + " packed ones cannot hold them");
        }
    }

    private void readElements(InputStream in, NpyHeader header, PieceConsumer consumer) throws IOException {
        byte[] piece = new byte[PIECE_BYTES];
        long bytes = header.dataBytes();
        long done = 0;
        while (done < bytes) {
            int read = in.readNBytes(piece, 0, (int) Math.min(PIECE_BYTES, bytes - done));
            if (read == 0) {
                throw MalformedFileException.at(
                        place,
                        header.bytes() + done,
                        "the data ends here, and " + header + " takes " + bytes + " bytes after the header");
            }
            consumer.accept(MemorySegment.ofArray(piece).asSlice(0, read), done);
            done += read;
        }
    }
}
