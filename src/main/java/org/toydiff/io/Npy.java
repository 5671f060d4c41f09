package org.toydiff.io;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.toydiff.MappedFile;
import org.toydiff.Tensor;
import org.toydiff.internal.files.AtomicFile;

/// Reads and writes NumPy's files of one array, `.npy`.
///
/// ```java
/// try (var arena = TensorArena.ofConfined()) {
///     Tensor x = Npy.load(arena, Path.of("x.npy"));
///     Npy.save(Path.of("y.npy"), x.exp());
/// }
/// ```
///
/// Reads versions 1.0 to 3.0. Files are written with the dtypes FLOAT32 `<f4`, FLOAT64 `<f8`, INT32 `<i4`, INT64
/// `<i8` and BOOL `|b1`. Arrays of these are also read in big-endian order (`>f4`), and half-precision floats `f2`
/// as FLOAT32, the integers `u1`, `i1`, `u2` and `i2` as INT32, `u4` and `u8` as INT64, always without a loss: a
/// `u8` with an element from 2⁶³ on is refused, and so are other dtypes.
///
/// NumPy has no bfloat16. BFLOAT16 is written and read as `<V2`, which is what NumPy writes for the dtype of the Python
/// package `ml_dtypes`; in NumPy, `np.load(file).view(ml_dtypes.bfloat16)` gives the numbers.
///
/// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
public final class Npy {
    private Npy() {}

    /// Maps a file. An array in Fortran order becomes a transposed view.
    ///
    /// **Memory** the mapped file, read-only, until the arena closes; `copyTo` makes a writable copy. An array
    /// that must be converted, or that the writer did not align to its dtype, becomes a new tensor in the arena.
    /// Other processes must not shorten a mapped file: see [MappedFile].
    ///
    /// @param arena the arena that ends the mapping: any arena, including the JDK's
    /// @param file the file
    /// @return a tensor over the file, or of its converted elements
    /// @throws IOException naming the file, if it cannot be read, is malformed, or has a dtype, or an element of a
    ///     `u8`, that cannot be read
    /// @throws IllegalStateException if the arena is closed
    public static Tensor load(Arena arena, Path file) throws IOException {
        try (Arena scratch = Arena.ofConfined()) {
            MappedFile mapped = MappedFile.open(scratch, file);
            NpyHeader header = NpyHeader.read(file, start(mapped));
            requireSize(file, header, mapped.segment().byteSize());
            header.requireValues(file, mapped.segment().asSlice(header.bytes(), header.dataBytes()), 0);
            // Mapped a second time, so that a refused file leaves nothing in the caller's arena.
            MappedFile lasting = header.isMappable() ? MappedFile.open(arena, file) : mapped;
            requireSize(file, header, lasting.segment().byteSize());
            return header.tensor(lasting, arena);
        }
    }

    private static InputStream start(MappedFile file) {
        long bytes = Math.min(NpyHeader.MAX_BYTES, file.segment().byteSize());
        return new ByteBufferInputStream(file.segment().asSlice(0, bytes).asByteBuffer());
    }

    private static void requireSize(Path file, NpyHeader header, long size) throws IOException {
        long bytes = header.dataBytes();
        if (size - header.bytes() < bytes) {
            throw MalformedFileException.at(
                    file, size, "the file ends here, and " + header + " takes " + bytes + " bytes after its header");
        }
        if (size - header.bytes() > bytes) {
            throw MalformedFileException.at(file, header.bytes() + bytes, "bytes follow the last element of " + header);
        }
    }

    /// Saves a tensor as `numpy.save` does, in C order.
    ///
    /// @param file the file to create or replace
    /// @param tensor the tensor; not modified
    /// @throws IOException if the file cannot be written; an old file is unchanged then
    /// @throws IllegalArgumentException if the tensor has more than 64 axes
    public static void save(Path file, Tensor tensor) throws IOException {
        ByteBuffer header = NpyHeader.of(tensor);
        Elements.requireReadable(tensor);
        AtomicFile.write(file, channel -> {
            Elements.writeFully(channel, header);
            Elements.write(tensor, piece -> Elements.writeFully(channel, piece));
        });
    }
}
