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

/// Training in one file, so that it goes on as if it had never stopped: parts (a model, its optimizer, …), the
/// random generator of [Tensor#manualSeed(long)], and how far it is.
///
/// ```java
/// Map<String, Stateful> parts = Map.of("model", net, "optimizer", optimizer);
/// CheckpointFile.save(file, parts, new CheckpointFile.Progress(epoch, step));
/// …
/// long step = CheckpointFile.load(file, parts).step();
/// ```
///
/// The file is a safetensors file ([SafeTensors], and Python too): a part's tensors are in it under its name and
/// theirs, `model.0.weight` for instance, beside `random.state`, `progress.epoch` and `progress.step`.
///
/// Saving is atomic: a process that is killed at any moment leaves the checkpoint that was there. A checksum of all
/// that is in the file goes with it, as the string `toydiff.checksum`, and reading compares it; a file without one, of
/// an older version or another program, is read unchecked.
public final class CheckpointFile {
    private static final Pattern NUMBERED = Pattern.compile("checkpoint-(\\d{6,18})\\.safetensors");

    private CheckpointFile() {}

    /// How far training is.
    ///
    /// @param epoch the epoch, 0 or more
    /// @param step the step, 0 or more
    /// @param metadata whatever else is to be remembered
    public record Progress(long epoch, long step, Map<String, String> metadata) {
        /// Copies the map.
        ///
        /// @throws IllegalArgumentException if a number is negative
        public Progress {
            if (epoch < 0 || step < 0) {
                throw new IllegalArgumentException(
                        "Progress: epoch " + epoch + " and step " + step + " must not be negative");
            }
            metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        }

        /// Without metadata.
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
    /// @param file the file to make or replace
    /// @param parts what to save, each under a name without dots that is neither `random` nor `progress`
    /// @param progress how far training is
    /// @throws IOException if the file cannot be written; what was there is unchanged then
    /// @throws IllegalArgumentException if a name cannot be one, or the metadata have a `toydiff.checksum`
    public static void save(Path file, Map<String, ? extends Stateful> parts, Progress progress) throws IOException {
        try (var scratch = TensorArena.ofConfined()) {
            var all = new CheckpointParts("save", parts).with(new ProgressState(progress.epoch(), progress.step()));
            Map<String, String> strings = new LinkedHashMap<>(progress.metadata());
            if (strings.put(Checksum.KEY, Checksum.NONE) != null) {
                throw new IllegalArgumentException(
                        "save: the metadata have a \"" + Checksum.KEY + "\", which is the checkpoint's own; rename it");
            }
            SafeTensors.save(file, all.state(), strings);
        }
    }

    /// Saves as [#save(Path, Map, Progress)] does, to `checkpoint-000123.safetensors` for step 123, and then
    /// deletes the files of that form with the lowest numbers until `keep` are left, whoever wrote them: a folder is
    /// for one training.
    ///
    /// @param folder where the files are; it must exist
    /// @param keep how many files to keep, 1 or more; the one just written is among them
    /// @param parts as for [#save(Path, Map, Progress)]
    /// @param progress how far training is; its step is the file's number
    /// @return the file
    /// @throws IOException if the file cannot be written, or an old one not deleted
    /// @throws IllegalArgumentException if a name cannot be one, or `keep` is less than 1
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

    /// The file of [#saveNumbered(Path, int, Map, Progress)] with the highest number.
    ///
    /// @param folder where the files are
    /// @return the file, or empty if there is none
    /// @throws IOException if the folder cannot be read
    public static Optional<Path> latest(Path folder) throws IOException {
        List<Path> files = numbered(folder);
        return files.isEmpty() ? Optional.empty() : Optional.of(files.getLast());
    }

    /// The files of [#saveNumbered(Path, int, Map, Progress)] in a folder.
    ///
    /// @param folder where the files are
    /// @return the files by their numbers, the lowest first
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

    /// How far the training in a file is.
    ///
    /// @param file what [#save(Path, Map, Progress)] made
    /// @return its progress, with the metadata that were saved
    /// @throws IOException if the file cannot be read, is not what the format says, or was changed
    /// @throws IllegalArgumentException if it is no checkpoint
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

    /// A file whose content is what was saved.
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

    /// Puts back parts, random generator and progress, or changes nothing: names, shapes and dtypes of all parts
    /// are compared first, and should a part refuse its state after that, those before it get back what they had.
    ///
    /// **Memory** for its length a copy of what all parts but the largest had, in an arena of its own.
    ///
    /// @param file what [#save(Path, Map, Progress)] made
    /// @param parts the parts that were saved, under the names that they were saved under
    /// @return how far training was
    /// @throws IOException if the file cannot be read, is not what the format says, or was changed
    /// @throws IllegalArgumentException naming what is missing, unknown or of another shape or dtype, or what a
    /// part
    ///     refused
    public static Progress load(Path file, Map<String, ? extends Stateful> parts) throws IOException {
        try (var saved = open(file);
                var scratch = TensorArena.ofConfined()) {
            var progress = new ProgressState(0, 0);
            new CheckpointParts("load", parts).with(progress).restore(file, saved.toMap());
            return progressOf(progress, saved);
        }
    }

    /// Puts back one part and leaves everything else: the model alone, to compute with it.
    ///
    /// @param file what [#save(Path, Map, Progress)] made
    /// @param name the name that the part was saved under
    /// @param part the part
    /// @throws IOException if the file cannot be read, is not what the format says, or was changed
    /// @throws IllegalArgumentException naming what is missing, unknown or of another shape or dtype, or what the
    /// part
    ///     refused
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
