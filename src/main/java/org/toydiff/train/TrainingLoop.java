package org.toydiff.train;

import java.io.IOException;
import java.util.Iterator;
import java.util.function.Consumer;
import org.toydiff.TensorArena;
import org.toydiff.data.Batch;
import org.toydiff.data.DataLoader;
import org.toydiff.internal.files.Uninterrupted;
import org.toydiff.optim.Scheduler;
import org.toydiff.train.metrics.Mean;
import org.toydiff.train.metrics.Metric;

/// A run of a trainer: the loop over epochs and batches.
final class TrainingLoop {
    private final Trainer settings;
    private final DataLoader loader;
    private final DataLoader validation;
    private final Training training;
    private final TrainingStep step;
    private final EvaluationStep evaluation;
    private final HistoryRecorder rows;
    private final BestWeights best;
    private final BestConfusionMatrix confusion;
    private final TrainingCheckpoints checkpoints;
    private final ResultFiles results;

    /// Prepares a run.
    ///
    /// @param memory the arena for batches and copies of the model, which is closed with the run
    TrainingLoop(Trainer settings, DataLoader loader, DataLoader validation, TensorArena memory) {
        requireBatches("training", loader);
        if (validation != null) {
            requireBatches("validation", validation);
        }
        this.settings = settings;
        this.loader = loader;
        this.validation = validation;
        this.rows = new HistoryRecorder(settings, validation != null);
        this.training = new Training(settings, rows.history(), loader.batches(), validation != null);
        this.step = new TrainingStep(settings, training, memory);
        this.evaluation = new EvaluationStep(settings);
        this.best = new BestWeights(settings.model, memory);
        this.confusion = new BestConfusionMatrix(settings.metrics);
        this.checkpoints = new TrainingCheckpoints(settings, training, loader, best, confusion);
        this.results = new ResultFiles(settings, training, loader, validation != null, confusion);
    }

    private static void requireBatches(String name, DataLoader loader) {
        if (loader.batches() == 0) {
            throw new IllegalArgumentException("fit: the " + name + " loader has no batch: " + loader.size()
                    + " examples; add examples, or do not drop the last batch");
        }
    }

    Training run() throws IOException {
        try (var lock = settings.checkpoints == null ? null : FolderLock.of(settings.checkpoints)) {
            checkpoints.begin();
            fit();
        }
        return training;
    }

    private void fit() throws IOException {
        Throwable failure = null;
        try (var end = settings.checkpoints == null ? null : new ShutdownHook(training)) {
            try {
                call(callback -> callback.onTrainBegin(training));
                epochs();
            } catch (Throwable e) {
                failure = e;
                throw e;
            } finally {
                end(failure);
            }
        }
    }

    private void epochs() throws IOException {
        int ended = training.history().epochs();
        // A resumed run may already have stopped early.
        stopEarly();
        for (int epoch = ended + 1; epoch <= settings.epochs && !training.stops(); epoch++) {
            epoch(epoch);
        }
        if (training.stops()) {
            Uninterrupted.run(checkpoints::save);
        }
        best.restore();
    }

    private void call(Consumer<Callback> event) {
        settings.callbacks.forEach(event);
    }

    private void epoch(int number) throws IOException {
        settings.model.train();
        training.begin(number);
        if (training.stepOfEpoch() == 0) {
            settings.metrics.forEach(Metric::reset);
        }
        call(callback -> callback.onEpochBegin(training));
        if (steps() && (validation == null || validate())) {
            endEpoch();
        }
    }

    private void endEpoch() throws IOException {
        rows.addEpoch();
        if (training.bestEpoch().orElse(0) == training.epoch()) {
            confusion.keep(training.epoch());
            if (settings.restoreBest) {
                best.keep();
            }
        }
        settings.epochSchedules.forEach(Scheduler::step);
        double monitored = training.history()
                .epochValue(training.monitor(), training.history().epochs() - 1);
        settings.plateauSchedules.forEach(
                schedule -> schedule.step(training.higherIsBetter() ? -monitored : monitored));
        stopEarly();
        call(callback -> callback.onEpochEnd(training));
        Uninterrupted.run(() -> {
            checkpoints.save();
            results.writeHistory();
        });
    }

    /// Runs the remaining steps of an epoch.
    ///
    /// @return whether the epoch is complete
    private boolean steps() throws IOException {
        Iterator<Batch> batches = loader.iterator();
        if (training.stepOfEpoch() == training.stepsPerEpoch()) {
            endIteration(batches);
        } else if (!steps(batches)) {
            return false;
        }
        rows.endTraining(training);
        return true;
    }

    /// Ends the iteration of a run resumed between the last step of an epoch and its end: the loader is at the end
    /// of this epoch or already at the beginning of the next, whose batches are not to be read yet.
    private void endIteration(Iterator<Batch> batches) {
        if (batches.hasNext()) {
            loader.close();
        }
    }

    private boolean steps(Iterator<Batch> batches) throws IOException {
        long asked = System.nanoTime();
        while (batches.hasNext()) {
            Batch batch = next(batches);
            if (batch == null) {
                return false;
            }
            long begun = System.nanoTime();
            double loss = step.train(batch);
            long ended = System.nanoTime();
            training.add(loss, batch.size(), step.denominator());
            rows.addStep(training, step, batch.size(), loss, ended - begun, begun - asked);
            asked = ended;
            stepEnded();
            if (training.stops()) {
                return false;
            }
        }
        return true;
    }

    private void stepEnded() throws IOException {
        for (int i = 0; i < settings.stepSchedules.size() && !step.skipped(); i++) {
            settings.stepSchedules.get(i).step();
        }
        for (int i = 0; i < settings.callbacks.size(); i++) {
            settings.callbacks.get(i).onStepEnd(training);
        }
        if (training.step() % settings.checkpointSteps == 0) {
            Uninterrupted.run(checkpoints::save);
        }
    }

    /// Returns the next batch, or null if the training stops while it waits, whatever exception the data set threw
    /// then.
    private Batch next(Iterator<Batch> batches) {
        training.awaitsData(true);
        try {
            return batches.next();
        } catch (RuntimeException e) {
            if (training.stops()) {
                return null;
            }
            throw e;
        } finally {
            training.awaitsData(false);
        }
    }

    /// Computes loss and metrics of the validation examples.
    ///
    /// @return whether the validation is complete
    private boolean validate() {
        try (var mode = settings.model.evaluating()) {
            settings.metrics.forEach(Metric::reset);
            long begun = System.nanoTime();
            var loss = new Mean("loss", settings.loss);
            for (Iterator<Batch> batches = validation.iterator(); !training.stops() && batches.hasNext(); ) {
                Batch batch = next(batches);
                if (batch != null) {
                    loss.add(evaluation.evaluate(batch), batch.size(), evaluation.denominator());
                }
            }
            rows.endValidation(loss.value(), (System.nanoTime() - begun) / 1e9);
            return !training.stops();
        }
    }

    private void stopEarly() {
        int waited = training.history()
                .epochsWithoutImprovement(training.monitor(), training.higherIsBetter(), settings.minDelta);
        if (waited >= settings.patience) {
            training.stop(training.monitor() + " has not improved for " + waited + " epochs");
        }
    }

    /// Ends a run that succeeded or failed, without hiding its failure.
    private void end(Throwable failure) throws IOException {
        try (loader;
                validation;
                step) {
            finish();
        } catch (Throwable e) {
            if (failure == null) {
                throw e;
            }
            failure.addSuppressed(e);
        }
    }

    private void finish() throws IOException {
        try {
            call(callback -> callback.onTrainEnd(training));
            Uninterrupted.run(() -> {
                results.writeHistory();
                results.writeReport();
            });
        } finally {
            // Closing the loaders, which comes next, waits for the batch that is being read.
            training.awaitsData(true);
        }
    }
}
