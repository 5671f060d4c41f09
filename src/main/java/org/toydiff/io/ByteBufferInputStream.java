package org.toydiff.io;

import java.io.InputStream;
import java.nio.ByteBuffer;

/// A byte buffer as an input stream.
final class ByteBufferInputStream extends InputStream {
    private final ByteBuffer buffer;

    ByteBufferInputStream(ByteBuffer buffer) {
        this.buffer = buffer;
    }

    @Override
    public int read() {
        return buffer.hasRemaining() ? Byte.toUnsignedInt(buffer.get()) : -1;
    }

    @Override
    public int read(byte[] into, int at, int count) {
        int read = Math.min(count, buffer.remaining());
        buffer.get(into, at, read);
        return read > 0 || count == 0 ? read : -1;
    }
}
