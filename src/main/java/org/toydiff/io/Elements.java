package org.toydiff.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.MappedFile;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// The bytes of a tensor's elements, row-major and little-endian as all formats here have them, and as every
/// machine that an OpenBLAS is bundled for has them in memory.
final class Elements {
    private static final int PIECE_BYTES = 1 << 22;
    private static final long NOT_BOOL = 0xfefefefefefefefeL;

    private Elements() {}

    /// Takes one piece after the other.
    interface Sink {
        void take(ByteBuffer piece) throws IOException;
    }

    static long bytes(Tensor tensor) {
        return tensor.size() * tensor.dtype().bytes();
    }

    /// Throws if the tensor is freed, or another thread's.
    static void requireReadable(Tensor tensor) {
        tensor.segment();
    }

    /// Hands out the elements in direct buffers, which are read before the next is made.
    static void write(Tensor tensor, Sink sink) throws IOException {
        long bytes = bytes(tensor);
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            MemorySegment elements = tensor.reshape(tensor.size()).segment();
            // Strides that could not be merged were copied; one stride is left that may not be 1.
            if (elements.byteSize() != bytes) {
                elements = tensor.copyTo(scratch).segment();
            }
            inPieces(elements, sink);
        }
    }

    /// Hands out bytes in direct buffers.
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

    /// A tensor over mapped elements, or a copy in the arena (null: the innermost one) if they are not aligned.
    static Tensor of(MappedFile file, long offset, Arena arena, DType dtype, long... shape) {
        if (offset % dtype.bytes() == 0) {
            return file.tensor(offset, dtype, shape);
        }
        Tensor copy = Tensor.empty(arena, dtype, shape);
        MemorySegment elements = copy.segment();
        elements.copyFrom(file.segment().asSlice(offset, elements.byteSize()));
        return copy;
    }

    /// The position of the first byte that is neither 0 nor 1, or −1.
    static long notBool(MemorySegment bytes) {
        long words = bytes.byteSize() & -Long.BYTES;
        long at = 0;
        while (at < words && (bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, at) & NOT_BOOL) == 0) {
            at += Long.BYTES;
        }
        while (at < bytes.byteSize() && (bytes.get(ValueLayout.JAVA_BYTE, at) & NOT_BOOL) == 0) {
            at++;
        }
        return at < bytes.byteSize() ? at : -1;
    }
}
