package org.toydiff.io;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.internal.files.FileErrors;
import org.toydiff.io.CheckpointParts.ProgressState;

/// A checkpoint in one file, from which training continues as if it had never stopped: parts (a model, its
/// optimizer, …), the random generator of [Tensor#manualSeed(long)], and the progress.
///
/// ```java
/// Map<String, Stateful> parts = Map.of("model", net, "optimizer", optimizer);
/// CheckpointFile.save(file, parts, new CheckpointFile.Progress(epoch, step));
/// …
/// long step = CheckpointFile.load(file, parts).step();
/// ```
///
/// The file is a safetensors file, readable by [SafeTensors] and by Python: the name of a tensor is that of its
/// part and its own, `model.0.weight` for instance; `random.state`, `progress.epoch` and `progress.step` are
/// beside them.
///
/// Saving is atomic: if the process is killed at any moment, the old checkpoint is still there. A checksum of the
/// whole content is saved as the string `toydiff.checksum` and compared on reading; a file without one, from an
/// older version or another program, is read unchecked.
public final class CheckpointFile {
    private static final Pattern NUMBERED = Pattern.compile("checkpoint-(\\d{6,18})\\.safetensors");

    private CheckpointFile() {}

    /// The progress of training.
    ///
    /// @param epoch the epoch, 0 or more
    /// @param step the step, 0 or more
    /// @param metadata strings to save with them
    public record Progress(long epoch, long step, Map<String, String> metadata) {
        /// Copies the metadata.
        ///
        /// @throws IllegalArgumentException if a number is negative
        public Progress {
            if (epoch < 0 || step < 0) {
                throw new IllegalArgumentException(
                        "Progress: epoch " + epoch + " and step " + step + " must not be negative");
            }
            metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        }

        /// Creates a progress without metadata.
        ///
        /// @param epoch the epoch, 0 or more
        /// @param step the step, 0 or more
        /// @throws IllegalArgumentException if a number is negative
        public Progress(long epoch, long step) {
            this(epoch, step, Map.of());
        }
    }

    /// Saves parts, random generator and progress.
    ///
    /// @param file the file to create or replace
    /// @param parts the parts to save, by name; names have no dots and are neither `random` nor `progress`
    /// @param progress the progress of training
    /// @throws IOException if the file cannot be written; an old file is unchanged then
    /// @throws IllegalArgumentException if the name of a part is not allowed, or the metadata have a
    ///     `toydiff.checksum`
    /// @throws IllegalStateException if Gson is missing
    public static void save(Path file, Map<String, ? extends Stateful> parts, Progress progress) throws IOException {
        try (var scratch = TensorArena.ofConfined()) {
            var all = new CheckpointParts("save", parts).with(new ProgressState(progress.epoch(), progress.step()));
            Map<String, String> strings = new LinkedHashMap<>(progress.metadata());
            if (strings.put(Checksum.KEY, Checksum.NONE) != null) {
                throw new IllegalArgumentException(
                        "save: the metadata have a \"" + Checksum.KEY + "\", which is reserved; rename it");
            }
            SafeTensors.save(file, all.state(), strings);
        }
    }

    /// Saves as [#save(Path, Map, Progress)] does, to `checkpoint-000123.safetensors` for step 123, and then
    /// deletes the numbered files with the lowest steps until `keep` are left, whoever wrote them: a folder
    /// belongs to one training.
    ///
    /// @param folder the folder of the files; it must exist
    /// @param keep the number of files to keep, 1 or more, the new one included
    /// @param parts the parts to save, as for [#save(Path, Map, Progress)]
    /// @param progress the progress of training; its step numbers the file
    /// @return the new file
    /// @throws IOException if the file cannot be written, or an old one cannot be deleted
    /// @throws IllegalArgumentException if the name of a part is not allowed, or `keep` is less than 1
    /// @throws IllegalStateException if Gson is missing
    public static Path saveNumbered(Path folder, int keep, Map<String, ? extends Stateful> parts, Progress progress)
            throws IOException {
        if (keep < 1) {
            throw new IllegalArgumentException("saveNumbered: keep " + keep + " must be 1 or more");
        }
        Path file = folder.resolve(String.format(Locale.ROOT, "checkpoint-%06d.safetensors", progress.step()));
        save(file, parts, progress);
        List<Path> others = numbered(folder);
        others.remove(file);
        for (Path old : others.subList(0, Math.max(0, others.size() + 1 - keep))) {
            Files.deleteIfExists(old);
        }
        return file;
    }

    /// Returns the file of [#saveNumbered(Path, int, Map, Progress)] with the highest step.
    ///
    /// @param folder the folder of the files
    /// @return the file, or empty if there is none
    /// @throws IOException if the folder cannot be read
    public static Optional<Path> latest(Path folder) throws IOException {
        List<Path> files = numbered(folder);
        return files.isEmpty() ? Optional.empty() : Optional.of(files.getLast());
    }

    /// Returns the files of [#saveNumbered(Path, int, Map, Progress)] in a folder.
    ///
    /// @param folder the folder of the files
    /// @return a new list of the files, the lowest step first
    /// @throws IOException if the folder cannot be read
    public static List<Path> numbered(Path folder) throws IOException {
        Map<Long, Path> files = new TreeMap<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder)) {
            for (Path file : found) {
                Matcher name = NUMBERED.matcher(file.getFileName().toString());
                if (name.matches()) {
                    files.put(Long.parseLong(name.group(1)), file);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw FileErrors.naming(folder, e.getCause());
        }
        return new ArrayList<>(files.values());
    }

    /// Returns the progress of the training saved in a file.
    ///
    /// @param file a file that [#save(Path, Map, Progress)] wrote
    /// @return the progress and the metadata
    /// @throws IOException if the file cannot be read, is malformed, or was changed
    /// @throws IllegalArgumentException if it is not a checkpoint
    /// @throws IllegalStateException if Gson is missing
    public static Progress progress(Path file) throws IOException {
        try (var saved = open(file);
                var scratch = TensorArena.ofConfined()) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            saved.names().stream()
                    .filter(name -> name.startsWith(CheckpointParts.PROGRESS + "."))
                    .forEach(name -> tensors.put(name, saved.get(name)));
            var progress = new ProgressState(0, 0);
            CheckpointParts.ofProgress("progress", progress).restore(file, tensors);
            return progressOf(progress, saved);
        }
    }

    /// Opens a file and compares its checksum.
    private static SafeTensors open(Path file) throws IOException {
        var saved = SafeTensors.open(file);
        try {
            saved.requireUnchanged();
            return saved;
        } catch (Throwable e) {
            saved.close();
            throw e;
        }
    }

    private static Progress progressOf(ProgressState state, SafeTensors saved) {
        Map<String, String> metadata = new LinkedHashMap<>(saved.metadata());
        metadata.remove(Checksum.KEY);
        return new Progress(state.epoch(), state.step(), metadata);
    }

    /// Restores parts, random generator and progress, or changes nothing: names, shapes and dtypes of all parts
    /// are compared first, and if a part refuses its state afterwards, those before it get their old state back.
    ///
    /// **Memory** a temporary arena with a copy of the old state of every part but the largest.
    ///
    /// @param file a file that [#save(Path, Map, Progress)] wrote
    /// @param parts the parts that were saved, under the same names
    /// @return the progress and the metadata
    /// @throws IOException if the file cannot be read, is malformed, or was changed
    /// @throws IllegalArgumentException naming every tensor that is missing, unknown, or of another shape or
    ///     dtype, or the part that refused its state
    /// @throws IllegalStateException if Gson is missing
    public static Progress load(Path file, Map<String, ? extends Stateful> parts) throws IOException {
        try (var saved = open(file);
                var scratch = TensorArena.ofConfined()) {
            var progress = new ProgressState(0, 0);
            new CheckpointParts("load", parts).with(progress).restore(file, saved.toMap());
            return progressOf(progress, saved);
        }
    }

    /// Restores one part and ignores the others: the model alone, for inference.
    ///
    /// @param file a file that [#save(Path, Map, Progress)] wrote
    /// @param name the name under which the part was saved
    /// @param part the part
    /// @throws IOException if the file cannot be read, is malformed, or was changed
    /// @throws IllegalArgumentException naming every tensor that is missing, unknown, or of another shape or
    ///     dtype, or the part that refused its state
    /// @throws IllegalStateException if Gson is missing
    public static void loadPart(Path file, String name, Stateful part) throws IOException {
        try (var saved = open(file);
                var scratch = TensorArena.ofConfined()) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            saved.names().stream()
                    .filter(tensor -> tensor.startsWith(name + "."))
                    .forEach(tensor -> tensors.put(tensor, saved.get(tensor)));
            new CheckpointParts("loadPart", Map.of(name, part)).restore(file, tensors);
        }
    }
}
