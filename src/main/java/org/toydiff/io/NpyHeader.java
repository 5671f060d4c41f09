package org.toydiff.io;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.toydiff.DType;
import org.toydiff.MappedFile;
import org.toydiff.Tensor;

/// The header of a `.npy` file: the magic string, the version, the length of the text, and the text, a Python
/// dict. Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
///
/// @param bigEndian whether the bytes of an element are in this order
/// @param fortran whether the first axis varies fastest
/// @param bytes the number of bytes before the elements
record NpyHeader(StoredType type, boolean bigEndian, boolean fortran, long[] shape, int bytes) {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int ALIGNMENT = 64;

    /// NumPy's `_MAX_HEADER_SIZE`: it reads longer ones only if the caller trusts the file.
    private static final int MAX_TEXT_BYTES = 10_000;

    /// The most bytes of a header, from the magic string to the end of the text.
    static final int MAX_BYTES = MAGIC.length + 2 + Integer.BYTES + MAX_TEXT_BYTES;

    /// NumPy's `GROWTH_AXIS_MAX_DIGITS`: it leaves room for the first size, so that an array can grow in place.
    private static final int GROWTH_DIGITS = 21;

    /// NumPy's limit on the number of axes.
    private static final int MAX_AXES = 64;

    /// Reads the header and leaves the stream at the first element.
    ///
    /// @param place the name of the file in messages
    static NpyHeader read(Object place, InputStream in) throws IOException {
        byte[] start = required(place, in, 0, MAGIC.length + 2);
        if (!Arrays.equals(start, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            throw MalformedFileException.at(place, 0, "this is not a .npy file: it does not begin with \\x93NUMPY");
        }
        int major = start[MAGIC.length];
        if (major < 1 || major > 3 || start[MAGIC.length + 1] != 0) {
            throw MalformedFileException.at(
                    place, MAGIC.length, "unknown version " + major + "." + start[MAGIC.length + 1] + " of the format");
        }
        int lengthBytes = major == 1 ? Short.BYTES : Integer.BYTES;
        ByteBuffer lengthField = ByteBuffer.wrap(
                        Arrays.copyOf(required(place, in, start.length, lengthBytes), Long.BYTES))
                .order(ByteOrder.LITTLE_ENDIAN);
        long length = lengthField.getLong(0);
        if (length > MAX_TEXT_BYTES) {
            throw MalformedFileException.at(
                    place, start.length, "a header of " + length + " bytes is longer than " + MAX_TEXT_BYTES);
        }
        int textStart = start.length + lengthBytes;
        Charset charset = major == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1;
        String text = new String(required(place, in, textStart, (int) length), charset);
        return new NpyDict(place, textStart, text).header(textStart + (int) length);
    }

    private static byte[] required(Object place, InputStream in, int offset, int count) throws IOException {
        byte[] bytes = in.readNBytes(count);
        if (bytes.length < count) {
            throw MalformedFileException.at(place, offset + bytes.length, "the file ends within its header");
        }
        return bytes;
    }

    /// Returns NumPy's `descr` of a dtype, in quotes as in the dict.
    static String descr(DType dtype) {
        return switch (dtype) {
            case FLOAT32 -> "'<f4'";
            case FLOAT64 -> "'<f8'";
            case BFLOAT16 -> "'" + NpyDict.BFLOAT16 + "'";
            case INT32 -> "'<i4'";
            case INT64 -> "'<i8'";
            case BOOL -> "'|b1'";
        };
    }

    /// Returns the bytes of all elements; [NpyDict] has checked that a long can count them.
    long dataBytes() {
        long bytes = type.bytes;
        for (long n : shape) {
            bytes *= n;
        }
        return bytes;
    }

    boolean isMappable() {
        return Elements.isMappable(type, bigEndian, bytes);
    }

    /// Returns a tensor over the elements if they are mappable, else a new one in the arena.
    Tensor tensor(MappedFile file, Arena arena) {
        Tensor stored = Elements.of("load", file, bytes, arena, type, bigEndian, storedShape());
        return fortran ? stored.transpose() : stored;
    }

    /// Returns the shape in which the last axis varies fastest.
    long[] storedShape() {
        long[] stored = shape.clone();
        for (int i = 0; fortran && i < stored.length; i++) {
            stored[i] = shape[shape.length - 1 - i];
        }
        return stored;
    }

    /// Throws if an element has no value of the tensor's dtype.
    ///
    /// @param elements some of the elements
    /// @param from the offset of the first of them, counted from the end of the header, in bytes
    void requireValues(Object place, MemorySegment elements, long from) throws IOException {
        long at = type.firstWithoutValue(elements, bigEndian);
        if (at >= 0) {
            throw MalformedFileException.at(
                    place,
                    bytes + from + at,
                    type == StoredType.BOOL
                            ? "an element of '|b1' is neither 0 nor 1"
                            : "an element of " + this + " is " + StoredType.unsigned(elements, at, bigEndian)
                                    + ", and INT64 ends at 2^63 - 1; save it as '<f8', or without such elements");
        }
    }

    @Override
    public String toString() {
        return Arrays.toString(shape) + " " + type.name().toLowerCase(Locale.ROOT);
    }

    /// Returns the bytes that NumPy writes before a contiguous array.
    static ByteBuffer of(Tensor tensor) {
        long[] shape = tensor.shape();
        if (shape.length > MAX_AXES) {
            throw new IllegalArgumentException("save: " + Arrays.toString(shape) + " has " + shape.length
                    + " axes, and NumPy reads at most " + MAX_AXES + "; reshape it");
        }
        String sizes = Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(", "));
        String text = "{'descr': " + descr(tensor.dtype()) + ", 'fortran_order': False, 'shape': (" + sizes
                + (shape.length == 1 ? "," : "") + "), }";
        if (shape.length > 0) {
            text += " ".repeat(GROWTH_DIGITS - Long.toString(shape[0]).length());
        }
        int textStart = MAGIC.length + 2 + Short.BYTES;
        int textEnd = textStart + text.length() + 1;
        // NumPy pads by a whole multiple where none is needed.
        int padding = ALIGNMENT - textEnd % ALIGNMENT;
        return ByteBuffer.allocate(textEnd + padding)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(MAGIC)
                .put((byte) 1)
                .put((byte) 0)
                .putShort((short) (textEnd + padding - textStart))
                .put((text + " ".repeat(padding) + "\n").getBytes(StandardCharsets.ISO_8859_1))
                .flip();
    }
}
