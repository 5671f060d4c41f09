package org.toydiff.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.io.CheckpointFile;
import org.toydiff.io.SafeTensors;

/// Saves all that a run depends on, and puts it back.
final class Checkpoints {
    private final Trainer settings;
    private final Training training;
    private final BestState best;
    private final Map<String, Stateful> parts = new LinkedHashMap<>();

    /// Rows of the history when it was saved last.
    private int saved = -1;

    Checkpoints(Trainer settings, Training training, DataLoader loader, BestState best, BestConfusion confusion) {
        this.settings = settings;
        this.training = training;
        this.best = best;
        parts.put("model", settings.model);
        parts.put("optimizer", settings.optimizer);
        parts.put("loader", loader);
        parts.put("history", training.history());
        parts.put("best", best);
        parts.put("confusion", confusion);
        settings.schedules.forEach(schedule -> parts.put("schedule" + parts.size(), schedule));
        settings.metrics.forEach(metric -> parts.put("metric" + parts.size(), metric));
        settings.ownParts.forEach(parts::put);
    }

    /// Saves where the run stands, unless that is saved already.
    void save() throws IOException {
        int rows = training.history().steps() + training.history().epochs();
        if (settings.checkpoints == null || rows == saved) {
            return;
        }
        Files.createDirectories(settings.checkpoints);
        var progress = new CheckpointFile.Progress(training.epoch(), training.step());
        CheckpointFile.saveNumbered(settings.checkpoints, settings.keep, parts, progress);
        saved = rows;
    }

    /// Goes on from the latest checkpoint, if there is one.
    void resume() throws IOException {
        Optional<Path> latest = Files.isDirectory(settings.checkpoints)
                ? CheckpointFile.latest(settings.checkpoints)
                : Optional.empty();
        if (latest.isPresent()) {
            makeRoom(latest.get());
            CheckpointFile.load(latest.get(), parts);
            saved = training.history().steps() + training.history().epochs();
        }
    }

    /// The history and the best parameters have as many numbers as there were, which must fit before they are put
    /// back.
    private void makeRoom(Path file) throws IOException {
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
        }
    }
}
