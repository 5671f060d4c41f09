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
import org.toydiff.DType;
import org.toydiff.MappedFile;
import org.toydiff.Tensor;
import org.toydiff.internal.files.OptionalLibrary;

/// A safetensors file, mapped: named tensors without a copy, and strings.
///
/// ```java
/// SafeTensors.save(file, net.stateDict());
/// try (var saved = SafeTensors.open(file)) {
///     net.loadStateDict(saved.toMap());
/// }
/// ```
///
/// Python's `safetensors` reads what this writes and the other way round. FLOAT32, FLOAT64, INT32, INT64 and BOOL
/// are F32, F64, I32, I64 and BOOL there. A tensor of another dtype can be listed, not read.
///
/// Needs `com.google.code.gson:gson`, an optional dependency: on the class path, or on the module path with
/// `--add-modules com.google.gson`.
///
/// A mapped file must not be shortened by others: [MappedFile] says what happens then.
///
/// May be used on several threads at once. Source: https://github.com/huggingface/safetensors#format
public final class SafeTensors implements AutoCloseable {
    private final Path file;
    private final Arena arena;
    private final MappedFile mapped;
    private final long dataStart;
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata;

    private SafeTensors(Path file, Arena arena) throws IOException {
        this.file = file;
        this.arena = arena;
        this.mapped = MappedFile.open(arena, file);
        MemorySegment mapping = mapped.segment();
        long size = mapping.byteSize();
        if (size < StoredHeader.START) {
            throw MalformedFileException.at(file, size, "the file ends within the length of its header");
        }
        long length = mapping.get(ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
        requireLength(length, size - StoredHeader.START);
        this.dataStart = StoredHeader.START + length;
        StoredHeader header = StoredHeader.read(
                file, mapping.asSlice(StoredHeader.START, length).asByteBuffer(), size - dataStart);
        header.tensors().forEach(tensor -> tensors.put(tensor.name(), tensor));
        this.metadata = Collections.unmodifiableMap(header.metadata());
        requireBools();
    }

    private void requireLength(long length, long most) throws IOException {
        if (length < 0 || length > StoredHeader.MOST_BYTES) {
            throw MalformedFileException.at(
                    file,
                    0,
                    "a header of " + Long.toUnsignedString(length) + " bytes is longer than the "
                            + StoredHeader.MOST_BYTES + " that the format allows");
        }
        if (length > most) {
            throw MalformedFileException.at(
                    file, 0, "a header of " + length + " bytes does not fit into the " + most + " left");
        }
    }

    private void requireBools() throws IOException {
        for (StoredTensor tensor : tensors.values()) {
            if (tensor.toydiffType() == DType.BOOL) {
                long at = Elements.notBool(bytes(tensor));
                if (at >= 0) {
                    throw MalformedFileException.at(
                            file,
                            dataStart + tensor.begin() + at,
                            "\"" + tensor.name() + "\" is BOOL and has a byte that is neither 0 nor 1");
                }
            }
        }
    }

    /// Opens a file, maps it, and checks all of it but the numbers.
    ///
    /// @param file the file
    /// @return the file, to be closed
    /// @throws IOException naming the file, if it cannot be read or is not what the format says
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

    /// The names of its tensors.
    ///
    /// @return them in the order in which the tensors lie in the file
    public List<String> names() {
        return List.copyOf(tensors.keySet());
    }

    /// The shape of a tensor, whatever its dtype.
    ///
    /// @param name its name
    /// @return the size of each axis
    /// @throws IllegalArgumentException if there is no such tensor
    public long[] shape(String name) {
        return require("shape", name).shape().clone();
    }

    /// The dtype of a tensor as the format calls it, `BF16` for instance.
    ///
    /// @param name its name
    /// @return the format's name
    /// @throws IllegalArgumentException if there is no such tensor
    public String dtype(String name) {
        return require("dtype", name).dtype();
    }

    /// A tensor.
    ///
    /// **Memory** the mapped file, read-only, until [#close()]: `copyTo` gives one that lives longer or can be
    /// changed. A tensor that the writer did not align to its dtype is copied to the innermost arena.
    ///
    /// @param name its name
    /// @return a tensor over the file
    /// @throws IllegalArgumentException if there is no such tensor, or its dtype is none of toydiff's
    /// @throws IllegalStateException if the file is closed
    public Tensor get(String name) {
        StoredTensor tensor = require("get", name);
        DType dtype = tensor.toydiffType();
        if (dtype == null) {
            throw new IllegalArgumentException("get: \"" + name + "\" in " + file + " is " + tensor.dtype()
                    + ", which no dtype of toydiff is; save it as F32, F64, I32, I64 or BOOL");
        }
        requireOpen("get");
        return Elements.of(mapped, offset(tensor), null, dtype, tensor.shape());
    }

    /// Every tensor, each as [#get(String)] gives it.
    ///
    /// @return the tensors under their names, in the order of [#names()]
    /// @throws IllegalArgumentException if the dtype of one is none of toydiff's
    /// @throws IllegalStateException if the file is closed
    public Map<String, Tensor> toMap() {
        Map<String, Tensor> all = new LinkedHashMap<>();
        tensors.keySet().forEach(name -> all.put(name, get(name)));
        return all;
    }

    /// The strings that were saved with the tensors.
    ///
    /// @return them in the order of the file; not to be modified
    public Map<String, String> metadata() {
        return metadata;
    }

    /// Throws where there is a checksum and the content is another.
    void requireUnchanged() throws IOException {
        String saved = metadata.get(Checksum.KEY);
        if (saved == null) {
            return;
        }
        Checksum now = new Checksum().addStrings(metadata);
        for (StoredTensor tensor : tensors.values()) {
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

    private StoredTensor require(String op, String name) {
        StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException(
                    op + ": there is no \"" + name + "\" in " + file + "; names() lists what there is");
        }
        return tensor;
    }

    private void requireOpen(String op) {
        if (!arena.scope().isAlive()) {
            throw new IllegalStateException(op + ": " + file + " is closed");
        }
    }

    private MemorySegment bytes(StoredTensor tensor) {
        return mapped.segment().asSlice(offset(tensor), tensor.end() - tensor.begin());
    }

    /// No elements have no place that could be misaligned.
    private long offset(StoredTensor tensor) {
        return tensor.end() == tensor.begin() ? 0 : dataStart + tensor.begin();
    }

    /// Unmaps the file; reading its tensors throws from then on.
    ///
    /// @throws IllegalStateException if an op on another thread is reading one; it stays open then
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    /// `save(file, tensors, Map.of())`.
    ///
    /// @param file the file to make or replace
    /// @param tensors the tensors under their names; not modified
    /// @throws IOException if the file cannot be written; what was there is unchanged then
    /// @throws IllegalArgumentException if a name cannot be one
    public static void save(Path file, Map<String, Tensor> tensors) throws IOException {
        save(file, tensors, Map.of());
    }

    /// Saves tensors and strings, as the reference does: tensors by falling alignment and by name, the header
    /// padded to 8 bytes. Strings go by key, so that the same content gives the same bytes.
    ///
    /// @param file the file to make or replace
    /// @param tensors the tensors under their names; not modified
    /// @param metadata strings to save with them
    /// @throws IOException if the file cannot be written; what was there is unchanged then
    /// @throws IllegalArgumentException if a name is `__metadata__`, a string is not Unicode, or they are too many
    ///     for a header of 100 MB
    /// @throws IllegalStateException if Gson is missing
    public static void save(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) throws IOException {
        OptionalLibrary.GSON.require("save");
        new SafeTensorsWriter(tensors, metadata).write(file);
    }
}
