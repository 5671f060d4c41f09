package org.toydiff.io;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.toydiff.Tensor;
import org.toydiff.internal.files.AtomicFile;
import org.toydiff.internal.files.FileErrors;

/// Reads and writes NumPy's archives of named arrays, `.npz`: zip archives of `.npy` files, compressed or not.
///
/// ```java
/// Npz.save(file, Map.of("x", x, "y", y));
/// try (var saved = Npz.open(file)) {
///     Tensor x = saved.get("x");
/// }
/// ```
///
/// Entries other than `.npy` files are ignored. An archive with an array of a dtype that [Npy] does not read can
/// be opened, and its other arrays read.
///
/// Sources: https://numpy.org/doc/stable/reference/generated/numpy.savez.html and
/// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
public final class Npz implements AutoCloseable {
    private static final String SUFFIX = ".npy";

    private final Path file;
    private final ZipFile zip;
    private final Map<String, ZipEntry> entries = new LinkedHashMap<>();

    private Npz(Path file, ZipFile zip) throws IOException {
        this.file = file;
        this.zip = zip;
        for (ZipEntry entry : Collections.list(zip.entries())) {
            String name = entry.getName();
            if (name.endsWith(SUFFIX)
                    && entries.put(name.substring(0, name.length() - SUFFIX.length()), entry) != null) {
                throw MalformedFileException.at(file, 0, "the archive has two entries " + name);
            }
        }
    }

    /// Opens an archive and reads its directory.
    ///
    /// @param file the file
    /// @return the archive, to be closed by the caller
    /// @throws IOException naming the file, if it cannot be read or is not a zip archive
    public static Npz open(Path file) throws IOException {
        ZipFile zip = zip(file);
        try {
            return new Npz(file, zip);
        } catch (IOException | RuntimeException e) {
            zip.close();
            throw e;
        }
    }

    private static ZipFile zip(Path file) throws IOException {
        if (file.getFileSystem() != FileSystems.getDefault()
                || !file.toFile().toPath().equals(file)) {
            throw new FileSystemException(
                    file.toString(),
                    null,
                    "not opened: an archive must be in the default file system, under a name that the system's encoding"
                            + " can represent; copy or rename it");
        }
        try {
            return new ZipFile(file.toFile());
        } catch (ZipException e) {
            throw MalformedFileException.at(
                    file, 0, "this is not a zip archive, or a damaged one: " + e.getMessage(), e);
        } catch (IOException e) {
            throw FileErrors.naming(file, e);
        }
    }

    /// {@return the names of the arrays, without `.npy`, in the order of the archive}
    public List<String> names() {
        return List.copyOf(entries.keySet());
    }

    /// Reads an array. One in Fortran order becomes a transposed view.
    ///
    /// **Memory** a new tensor in the innermost arena, with the elements converted as by [Npy]; made only after the
    /// whole entry was read once and found intact.
    ///
    /// @param name the name of the array
    /// @return the tensor
    /// @throws IllegalArgumentException if there is no such array
    /// @throws IOException if the entry cannot be read, is damaged or malformed, or has a dtype that cannot be read
    /// @throws IllegalStateException if the archive is closed
    public Tensor get(String name) throws IOException {
        ZipEntry entry = entries.get(name);
        if (entry == null) {
            throw new IllegalArgumentException(
                    "get: there is no \"" + name + "\" in " + file + "; names() lists all names");
        }
        return new NpzEntry(file + ": " + entry.getName(), zip, entry).read();
    }

    /// Reads all arrays.
    ///
    /// **Memory** new tensors in the innermost arena.
    ///
    /// @return a new map of the tensors by name, in the order of [#names()]
    /// @throws IOException if an entry cannot be read, see [#get(String)]
    /// @throws IllegalStateException if the archive is closed
    public Map<String, Tensor> toMap() throws IOException {
        Map<String, Tensor> all = new LinkedHashMap<>();
        for (String name : entries.keySet()) {
            all.put(name, get(name));
        }
        return all;
    }

    /// Closes the archive. Tensors that were read stay valid.
    ///
    /// @throws IOException if the file cannot be closed
    @Override
    public void close() throws IOException {
        try {
            zip.close();
        } catch (IOException e) {
            throw FileErrors.naming(file, e);
        }
    }

    /// Saves tensors in C order and in the map's order, uncompressed, as `numpy.savez` does.
    ///
    /// @param file the file to create or replace
    /// @param tensors the tensors by name; not modified
    /// @throws IOException if the file cannot be written; an old file is unchanged then
    /// @throws IllegalArgumentException if a name is not allowed in an archive, or a tensor has more than 64 axes
    public static void save(Path file, Map<String, Tensor> tensors) throws IOException {
        tensors.forEach((name, tensor) -> {
            NpzWriter.name(name);
            NpyHeader.of(tensor);
            Elements.requireReadable(tensor);
        });
        AtomicFile.write(file, channel -> {
            var zip = new NpzWriter(channel);
            for (var entry : tensors.entrySet()) {
                zip.write(entry.getKey(), entry.getValue());
            }
            zip.finish();
        });
    }
}
