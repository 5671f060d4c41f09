package org.toydiff.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.toydiff.Autograd;
import org.toydiff.MappedFile;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// The bytes of a tensor's elements, row-major and little-endian, as in all formats of this package and in the
/// memory of every machine that an OpenBLAS is bundled for.
final class Elements {
    private static final int PIECE_BYTES = 1 << 22;

    private Elements() {}

    /// Receives one piece after another.
    interface Sink {
        void take(ByteBuffer piece) throws IOException;
    }

    static long bytes(Tensor tensor) {
        return tensor.size() * tensor.dtype().bytes();
    }

    /// Throws if the tensor is freed or belongs to another thread.
    static void requireReadable(Tensor tensor) {
        tensor.segment();
    }

    /// Passes the elements to a sink in direct buffers, each of which must be read before the next one comes.
    static void write(Tensor tensor, Sink sink) throws IOException {
        long bytes = bytes(tensor);
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            MemorySegment elements = tensor.reshape(tensor.size()).segment();
            // reshape copied strides that it could not merge; one stride is left, which may not be 1.
            if (elements.byteSize() != bytes) {
                elements = tensor.copyTo(scratch).segment();
            }
            inPieces(elements, sink);
        }
    }

    /// Passes bytes to a sink in direct buffers.
    static void inPieces(MemorySegment elements, Sink sink) throws IOException {
        long bytes = elements.byteSize();
        for (long done = 0; done < bytes; done += PIECE_BYTES) {
            sink.take(
                    elements.asSlice(done, Math.min(PIECE_BYTES, bytes - done)).asByteBuffer());
        }
    }

    static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    /// Returns whether a tensor can lie over elements in a file.
    static boolean isMappable(StoredType type, boolean bigEndian, long offset) {
        return type.isStoredAsInMemory(bigEndian) && offset % type.bytes == 0;
    }

    /// Returns a tensor over elements in a file if they are mappable, else a new one in the arena (null: the innermost
    /// one).
    ///
    /// @param op the op in messages
    static Tensor of(
            String op, MappedFile file, long offset, Arena arena, StoredType type, boolean bigEndian, long... shape) {
        if (isMappable(type, bigEndian, offset)) {
            return file.tensor(offset, type.dtype, shape);
        }
        Tensor converted = Tensor.empty(arena, type.dtype, shape);
        file.requireWhole(op);
        MemorySegment elements = file.segment().asSlice(offset, converted.size() * type.bytes);
        type.convert(elements, bigEndian, converted.segment());
        return converted;
    }
}
