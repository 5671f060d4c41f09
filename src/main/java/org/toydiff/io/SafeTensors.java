package org.toydiff.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.toydiff.MappedFile;
import org.toydiff.Tensor;
import org.toydiff.internal.files.OptionalLibrary;

/// A mapped safetensors file: named tensors, without a copy, and strings.
///
/// ```java
/// SafeTensors.save(file, net.stateDict());
/// try (var saved = SafeTensors.open(file)) {
///     net.loadStateDict(saved.toMap());
/// }
/// ```
///
/// Python's `safetensors` reads the files written here and the other way round. The format calls FLOAT32, FLOAT64,
/// BFLOAT16, INT32, INT64 and BOOL F32, F64, BF16, I32, I64 and BOOL. Tensors of other dtypes are read by
/// conversion, always without a loss, or can only be listed:
///
/// | in the file | read as |
/// |---|---|
/// | F16 | FLOAT32 |
/// | U8, I8, U16, I16 | INT32 |
/// | U32, U64 | INT64; a U64 with an element from 2⁶³ on is refused by [#get(String)] |
/// | the types of 4, 6 and 8 bits (F8_E4M3, …), C64 | refused by [#get(String)] |
///
/// BF16 stays BFLOAT16, as in PyTorch. For a model of FLOAT32, convert the map before loading it:
/// `map.replaceAll((name, tensor) -> tensor.cast(DType.FLOAT32))`, which loses nothing.
///
/// Needs `com.google.code.gson:gson`, an optional dependency: on the class path, or on the module path with
/// `--add-modules com.google.gson`.
///
/// Other processes must not shorten a mapped file: see [MappedFile].
///
/// Several threads may use it at once. Source: https://github.com/huggingface/safetensors#format
public final class SafeTensors implements AutoCloseable {
    private final Path file;
    private final Arena arena;
    private final MappedFile mapped;
    private final long dataStart;
    private final Map<String, SafeTensorsEntry> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata;

    private SafeTensors(Path file, Arena arena) throws IOException {
        this.file = file;
        this.arena = arena;
        this.mapped = MappedFile.open(arena, file);
        MemorySegment mapping = mapped.segment();
        long size = mapping.byteSize();
        if (size < SafeTensorsHeader.START) {
            throw MalformedFileException.at(file, size, "the file ends within the length of its header");
        }
        long length = mapping.get(ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
        requireLength(length, size - SafeTensorsHeader.START);
        this.dataStart = SafeTensorsHeader.START + length;
        SafeTensorsHeader header = SafeTensorsHeader.read(
                file, mapping.asSlice(SafeTensorsHeader.START, length).asByteBuffer(), size - dataStart);
        header.tensors().forEach(tensor -> tensors.put(tensor.name(), tensor));
        this.metadata = Collections.unmodifiableMap(header.metadata());
        requireBools();
    }

    private void requireLength(long length, long most) throws IOException {
        if (length < 0 || length > SafeTensorsHeader.MAX_BYTES) {
            throw MalformedFileException.at(
                    file,
                    0,
                    "a header of " + Long.toUnsignedString(length) + " bytes is longer than the "
                            + SafeTensorsHeader.MAX_BYTES + " that the format allows");
        }
        if (length > most) {
            throw MalformedFileException.at(
                    file, 0, "a header of " + length + " bytes does not fit into the " + most + " left");
        }
    }

    private void requireBools() throws IOException {
        for (SafeTensorsEntry tensor : tensors.values()) {
            if (tensor.storedType() == StoredType.BOOL) {
                long at = StoredType.BOOL.firstWithoutValue(bytes(tensor), false);
                if (at >= 0) {
                    throw MalformedFileException.at(
                            file,
                            dataStart + tensor.begin() + at,
                            "\"" + tensor.name() + "\" is BOOL and has a byte that is neither 0 nor 1");
                }
            }
        }
    }

    /// Opens a file, maps it, and checks all of it except the values of numbers.
    ///
    /// @param file the file
    /// @return the file, to be closed by the caller
    /// @throws IOException naming the file, if it cannot be read or is malformed
    /// @throws IllegalStateException if Gson is missing
    public static SafeTensors open(Path file) throws IOException {
        OptionalLibrary.GSON.require("open");
        Arena arena = Arena.ofShared();
        try {
            return new SafeTensors(file, arena);
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    /// {@return the names of the tensors, in the order of the file}
    public List<String> names() {
        return List.copyOf(tensors.keySet());
    }

    /// Returns the shape of a tensor, whatever its dtype.
    ///
    /// @param name the name of the tensor
    /// @return the size of each axis
    /// @throws IllegalArgumentException if there is no such tensor
    public long[] shape(String name) {
        return require("shape", name).shape().clone();
    }

    /// Returns the format's name of the dtype of a tensor, `BF16` for instance.
    ///
    /// @param name the name of the tensor
    /// @return the dtype's name
    /// @throws IllegalArgumentException if there is no such tensor
    public String dtype(String name) {
        return require("dtype", name).dtype();
    }

    /// Returns a tensor.
    ///
    /// **Memory** the mapped file, read-only, until [#close()]; `copyTo` makes a copy that lives longer or can be
    /// modified. A tensor that must be converted, or that the writer did not align to its dtype, becomes a new one in
    /// the innermost arena.
    ///
    /// @param name the name of the tensor
    /// @return a tensor over the file, or of its converted elements
    /// @throws IllegalArgumentException if there is no such tensor, or its dtype or an element of a U64 cannot be read
    /// @throws IllegalStateException if the file is closed, or has become shorter since it was opened
    public Tensor get(String name) {
        SafeTensorsEntry tensor = require("get", name);
        StoredType type = tensor.storedType();
        if (type == null) {
            throw new IllegalArgumentException("get: \"" + name + "\" in " + file + " is " + tensor.dtype()
                    + ", which cannot be read; save it as F32, F64, I32, I64 or BOOL");
        }
        requireOpen("get");
        requireValues(tensor, type);
        return Elements.of("get", mapped, offset(tensor), null, type, false, tensor.shape());
    }

    private void requireValues(SafeTensorsEntry tensor, StoredType type) {
        if (type != StoredType.UINT64) {
            return;
        }
        mapped.requireWhole("get");
        MemorySegment elements = bytes(tensor);
        long at = type.firstWithoutValue(elements, false);
        if (at >= 0) {
            throw new IllegalArgumentException("get: \"" + tensor.name() + "\" in " + file + " is U64, its element "
                    + at / type.bytes + " is " + StoredType.unsigned(elements, at, false)
                    + ", and INT64 ends at 2^63 - 1; save it as F64, or without such elements");
        }
    }

    /// Returns all tensors, each as [#get(String)] returns it.
    ///
    /// @return a new map of the tensors by name, in the order of [#names()]
    /// @throws IllegalArgumentException if the dtype or an element of one cannot be read
    /// @throws IllegalStateException if the file is closed
    public Map<String, Tensor> toMap() {
        Map<String, Tensor> all = new LinkedHashMap<>();
        tensors.keySet().forEach(name -> all.put(name, get(name)));
        return all;
    }

    /// {@return an unmodifiable map of the strings that were saved with the tensors, in the order of the file}
    public Map<String, String> metadata() {
        return metadata;
    }

    /// Throws if there is a checksum and it does not match the content.
    void requireUnchanged() throws IOException {
        String saved = metadata.get(Checksum.KEY);
        if (saved == null) {
            return;
        }
        Checksum now = new Checksum().addStrings(metadata);
        for (SafeTensorsEntry tensor : tensors.values()) {
            now.addTensor(tensor.name(), tensor.dtype(), tensor.shape());
            Elements.inPieces(bytes(tensor), now::addElements);
        }
        if (!saved.equals(now.toString())) {
            throw MalformedFileException.at(
                    file,
                    dataStart,
                    "the checksum of its content is " + now + ", and " + saved + " was saved with it: the file was"
                            + " changed or damaged; use another one");
        }
    }

    private SafeTensorsEntry require(String op, String name) {
        SafeTensorsEntry tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException(
                    op + ": there is no \"" + name + "\" in " + file + "; names() lists all names");
        }
        return tensor;
    }

    private void requireOpen(String op) {
        if (!arena.scope().isAlive()) {
            throw new IllegalStateException(op + ": " + file + " is closed");
        }
    }

    private MemorySegment bytes(SafeTensorsEntry tensor) {
        return mapped.segment().asSlice(offset(tensor), tensor.end() - tensor.begin());
    }

    // An empty tensor is never misaligned, wherever it begins.
    private long offset(SafeTensorsEntry tensor) {
        return tensor.end() == tensor.begin() ? 0 : dataStart + tensor.begin();
    }

    /// Unmaps the file; reading its tensors throws from then on.
    ///
    /// @throws IllegalStateException if an op on another thread is reading one; the file stays open then
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    /// Saves tensors without strings.
    ///
    /// @param file the file to create or replace
    /// @param tensors the tensors by name; not modified
    /// @throws IOException if the file cannot be written; an old file is unchanged then
    /// @throws IllegalArgumentException if a name is `__metadata__` or not Unicode, or the names are too long for
    ///     a header of 100 MB
    /// @throws IllegalStateException if Gson is missing
    public static void save(Path file, Map<String, Tensor> tensors) throws IOException {
        save(file, tensors, Map.of());
    }

    /// Saves tensors and strings as the reference implementation does: tensors by descending alignment and then by
    /// name, the header padded to 8 bytes. Strings are sorted by key, so that the same content gives the same
    /// bytes.
    ///
    /// @param file the file to create or replace
    /// @param tensors the tensors by name; not modified
    /// @param metadata the strings to save with them
    /// @throws IOException if the file cannot be written; an old file is unchanged then
    /// @throws IllegalArgumentException if a name is `__metadata__`, a string is not Unicode, or names and strings
    ///     are too long for a header of 100 MB
    /// @throws IllegalStateException if Gson is missing
    public static void save(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) throws IOException {
        OptionalLibrary.GSON.require("save");
        new SafeTensorsWriter(tensors, metadata).write(file);
    }
}
