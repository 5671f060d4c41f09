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

/// NumPy's archives of named arrays, `.npz`: zip archives of `.npy` files, packed or not.
///
/// ```java
/// Npz.save(file, Map.of("x", x, "y", y));
/// try (var saved = Npz.open(file)) {
///     Tensor x = saved.get("x");
/// }
/// ```
///
/// What the archive holds beside `.npy` files is left aside. An archive in which one is of a dtype that [Npy] does
/// not read can be opened, and the others read.
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
    /// @return the archive, to be closed
    /// @throws IOException naming the file, if it cannot be read or is no zip archive
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
                    "not opened: an archive lies in the default file system, under a name in the system's encoding; copy"
                            + " or rename it");
        }
        try {
            return new ZipFile(file.toFile());
        } catch (ZipException e) {
            throw MalformedFileException.at(file, 0, "this is no zip archive, or a damaged one: " + e.getMessage(), e);
        } catch (IOException e) {
            throw FileErrors.naming(file, e);
        }
    }

    /// The names of its arrays.
    ///
    /// @return them in the order of the archive, without `.npy`
    public List<String> names() {
        return List.copyOf(entries.keySet());
    }

    /// Reads an array. One in Fortran order becomes a transposed view.
    ///
    /// **Memory** a new tensor in the innermost arena, made after the entry was read once to its end and found
    /// whole.
    ///
    /// @param name its name
    /// @return the tensor
    /// @throws IllegalArgumentException if there is no such array
    /// @throws IOException if the entry cannot be read, is damaged, is not what the format says, or has a dtype
    /// that
    ///     is none of toydiff's
    /// @throws IllegalStateException if the archive is closed
    public Tensor get(String name) throws IOException {
        ZipEntry entry = entries.get(name);
        if (entry == null) {
            throw new IllegalArgumentException(
                    "get: there is no \"" + name + "\" in " + file + "; names() lists what there is");
        }
        return new NpzEntry(file + ": " + entry.getName(), zip, entry).read();
    }

    /// Reads every array.
    ///
    /// **Memory** new tensors in the innermost arena.
    ///
    /// @return the tensors under their names, in the order of [#names()]
    /// @throws IOException as [#get(String)]
    /// @throws IllegalStateException if the archive is closed
    public Map<String, Tensor> toMap() throws IOException {
        Map<String, Tensor> all = new LinkedHashMap<>();
        for (String name : entries.keySet()) {
            all.put(name, get(name));
        }
        return all;
    }

    /// Closes the archive. Tensors that were read stay.
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

    /// Saves tensors in C order and in the map's order, not packed, as `numpy.savez` does.
    ///
    /// @param file the file to make or replace
    /// @param tensors the tensors under their names; not modified
    /// @throws IOException if the file cannot be written; what was there is unchanged then
    /// @throws IllegalArgumentException if a name cannot be one, or a tensor has more than 64 axes
    public static void save(Path file, Map<String, Tensor> tensors) throws IOException {
        tensors.forEach((name, tensor) -> {
            ZipWriter.name(name);
            NpyHeader.of(tensor);
            Elements.requireReadable(tensor);
        });
        AtomicFile.write(file, channel -> {
            var zip = new ZipWriter(channel);
            for (var entry : tensors.entrySet()) {
                zip.write(entry.getKey(), entry.getValue());
            }
            zip.finish();
        });
    }
}
