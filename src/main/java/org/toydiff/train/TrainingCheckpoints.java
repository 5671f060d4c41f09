package org.toydiff.train;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.io.CheckpointFile;
import org.toydiff.io.MalformedFileException;
import org.toydiff.io.SafeTensors;

/// Saves the complete state of a training to checkpoint files, and restores it.
final class TrainingCheckpoints {
    private static final String MEAN_LOSS = "mean_loss";

    /// The metadata entry with the identity of the run; files of older versions lack it.
    private static final String RUN = "run";

    private final Trainer settings;
    private final Training training;
    private final Ranks ranks;
    private final BestWeights best;
    private final Map<String, Stateful> parts = new LinkedHashMap<>();

    private Map<String, String> metadata;

    /// The checkpoint to resume from, or null, and the later ones that are damaged.
    private Path resumed;

    private final Map<Path, MalformedFileException> damaged = new LinkedHashMap<>();

    /// The number of rows of the history in the last checkpoint.
    private int saved = -1;

    TrainingCheckpoints(
            Trainer settings,
            Training training,
            Ranks ranks,
            DataLoader loader,
            BestWeights best,
            BestConfusionMatrix confusion) {
        this.settings = settings;
        this.training = training;
        this.ranks = ranks;
        this.best = best;
        parts.put("model", settings.model);
        parts.put("optimizer", settings.optimizer);
        parts.put("loader", loader);
        parts.put("history", training.history());
        parts.put("best", best);
        parts.put("confusion", confusion);
        settings.schedules.forEach(schedule -> parts.put("schedule" + parts.size(), schedule));
        settings.metrics.forEach(metric -> parts.put("metric" + parts.size(), metric));
        // After the parts that are numbered by their position.
        parts.put(MEAN_LOSS, training.meanLoss());
        settings.extraParts.forEach(parts::put);
    }

    /// Saves a checkpoint, unless nothing has changed since the last.
    void save() throws IOException {
        int rows = training.history().steps() + training.history().epochs();
        if (settings.checkpoints == null || rows == saved) {
            return;
        }
        ranks.firstAlone(this::write, this::takePart);
        saved = rows;
    }

    private void write() throws IOException {
        var progress = new CheckpointFile.Progress(training.epoch(), training.step(), metadata);
        CheckpointFile.saveNumbered(settings.checkpoints, settings.keep, parts, progress);
    }

    /// Sends what rank 0 writes of this process's: the state of the optimizer, which is divided.
    private void takePart() {
        try (var scratch = TensorArena.ofConfined()) {
            settings.optimizer.stateDict();
        }
    }

    /// Begins a run in a folder without checkpoints, or finds the latest to resume from.
    void begin() throws IOException {
        if (settings.checkpoints == null) {
            return;
        }
        List<Path> files = CheckpointFile.numbered(settings.checkpoints);
        if (files.isEmpty()) {
            metadata = Map.of(RUN, UUID.randomUUID().toString());
        } else if (settings.resume) {
            find(files);
        } else {
            throw new FileAlreadyExistsException(
                    files.getLast().toString(),
                    null,
                    "is a checkpoint of another run; call resume() to continue that run, or pass an empty folder to"
                            + " checkpoints(folder)");
        }
    }

    private void find(List<Path> files) throws IOException {
        resumed = latestWhole(files, damaged);
        requireOneRun(files);
    }

    /// Loads the checkpoint that was found, if any.
    void resume() throws IOException {
        if (resumed == null) {
            return;
        }
        load(resumed);
        for (Path newer : damaged.keySet()) {
            if (ranks.isFirst()) {
                setAside(newer, resumed, damaged.get(newer));
            }
        }
    }

    /// Returns the latest checkpoint that is not damaged, after verifying all of it.
    ///
    /// @param damaged receives those after it, with the reason
    /// @throws MalformedFileException if all of them are damaged: the reason of the latest, with the others suppressed
    private Path latestWhole(List<Path> files, Map<Path, MalformedFileException> damaged) throws IOException {
        for (Path file : files.reversed()) {
            try {
                metadata = CheckpointFile.progress(file).metadata();
                return file;
            } catch (MalformedFileException e) {
                damaged.put(file, e);
            }
        }
        List<MalformedFileException> reasons = List.copyOf(damaged.values());
        reasons.stream().skip(1).forEach(reasons.getFirst()::addSuppressed);
        throw reasons.getFirst();
    }

    /// Renames a damaged checkpoint, so that it is not among those that are kept, and reports it.
    private static void setAside(Path damaged, Path resumed, MalformedFileException reason) throws IOException {
        Path aside = damaged.resolveSibling(damaged.getFileName() + ".damaged");
        Files.move(damaged, aside, StandardCopyOption.REPLACE_EXISTING);
        System.getLogger("org.toydiff")
                .log(
                        System.Logger.Level.WARNING,
                        "resume: " + reason.getMessage() + ". The training resumes from " + resumed
                                + " instead; the damaged file is now " + aside);
    }

    /// Throws if the files are of several runs, of which the numbers alone do not identify the latest. Damaged files
    /// may be of any.
    private void requireOneRun(List<Path> files) throws IOException {
        Map<String, List<Path>> runs = new LinkedHashMap<>();
        for (Path file : files) {
            try (var tensors = SafeTensors.open(file)) {
                runs.computeIfAbsent(tensors.metadata().getOrDefault(RUN, ""), run -> new ArrayList<>())
                        .add(file.getFileName());
            } catch (MalformedFileException e) {
                // Its run cannot be read, and it is not resumed.
            }
        }
        if (runs.size() > 1) {
            throw new FileSystemException(
                    settings.checkpoints.toString(),
                    null,
                    "has checkpoints of several runs, " + runs.values() + "; keep only those of the run to resume");
        }
    }

    private void load(Path file) throws IOException {
        Map<String, Stateful> present = new LinkedHashMap<>(parts);
        if (!makeRoom(file).contains(MEAN_LOSS + ".sums")) {
            // An older version, which did not save it: it is computed from the history.
            present.remove(MEAN_LOSS);
        }
        CheckpointFile.load(file, present);
        saved = training.history().steps() + training.history().epochs();
    }

    /// Gives the history and the best weights the sizes that they have in the file, so that its state fits.
    ///
    /// @return the names of all tensors in the file
    private List<String> makeRoom(Path file) throws IOException {
        try (var scratch = TensorArena.ofConfined();
                var tensors = SafeTensors.open(file)) {
            Map<String, Tensor> history = new LinkedHashMap<>();
            boolean hasBest = false;
            for (String name : tensors.names()) {
                if (name.startsWith("history.")) {
                    history.put(name.substring("history.".length()), tensors.get(name));
                }
                hasBest |= name.startsWith("best.");
            }
            training.history().loadStateDict(history);
            if (hasBest) {
                best.keep();
            }
            return tensors.names();
        }
    }
}
