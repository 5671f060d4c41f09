package org.toydiff.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.toydiff.Stateful;
import org.toydiff.data.DataLoader;
import org.toydiff.io.CheckpointFile;

/// Saves a run's checkpoints and goes on from the latest.
final class Saving {
    private static final int KEPT = 3;

    private final Trainer settings;
    private final Training training;
    private final Map<String, Stateful> parts = new LinkedHashMap<>();
    private long saved;

    Saving(Trainer settings, Training training, DataLoader loader, BestState best) {
        this.settings = settings;
        this.training = training;
        add("model", settings.model);
        add("optimizer", settings.optimizer);
        add("scheduler", settings.scheduler);
        add("epoch_scheduler", settings.epochScheduler);
        add("plateau", settings.plateau);
        add("loader", loader);
        add("history", training.history());
        for (int i = 0; i < settings.metrics.size(); i++) {
            add("metric_" + i, settings.metrics.get(i));
        }
        if (settings.restoreBest) {
            add("best", best);
        }
    }

    private void add(String name, Stateful part) {
        if (part != null) {
            parts.put(name, part);
        }
    }

    void resume() throws IOException {
        if (!settings.resume || !Files.isDirectory(settings.checkpoints)) {
            return;
        }
        Optional<Path> latest = CheckpointFile.latest(settings.checkpoints);
        if (latest.isPresent()) {
            CheckpointFile.load(latest.get(), parts);
            saved = training.step();
        }
    }

    /// Saves when enough steps were made.
    void step() throws IOException {
        if (training.step() - saved >= settings.checkpointSteps) {
            save();
        }
    }

    /// Saves where training stands.
    void save() throws IOException {
        if (settings.checkpoints == null) {
            return;
        }
        // An interrupted thread could write no file: its channel would be closed under it.
        boolean interrupted = Thread.interrupted();
        try {
            Files.createDirectories(settings.checkpoints);
            var progress = new CheckpointFile.Progress(training.history().epochs(), training.step());
            CheckpointFile.saveNumbered(settings.checkpoints, KEPT, parts, progress);
            saved = training.step();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
