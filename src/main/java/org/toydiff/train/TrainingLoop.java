package org.toydiff.train;

import java.io.Closeable;
import java.io.IOException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
    private final Ranks ranks;
    private final List<Callback> callbacks;
    private final TensorArena home;
    private final TensorArena memory;
    private final EvaluationStep evaluation;
    private final HistoryRecorder rows;
    private final BestWeights best;
    private final BestConfusionMatrix confusion;
    private final TrainingCheckpoints checkpoints;
    private final ResultFiles results;

    /// Null without checkpoints, and in processes that do not write them.
    private FolderLock lock;

    /// Null until the checkpoints of the folder are found to fit: [ParallelStep] divides the optimizer's state.
    private Step step;

    /// Prepares a run.
    ///
    /// @param home the arena for the optimizer's state after a training by several processes, else null
    /// @param memory the arena for batches and copies of the model, which is closed with the run
    TrainingLoop(Trainer settings, DataLoader loader, DataLoader validation, TensorArena home, TensorArena memory) {
        requireBatches("training", loader);
        if (validation != null) {
            requireBatches("validation", validation);
        }
        this.settings = settings;
        this.home = home;
        this.loader = loader;
        this.validation = validation;
        this.rows = new HistoryRecorder(settings, validation != null);
        this.ranks = settings.ranks == null ? Ranks.alone() : settings.ranks;
        // Progress is shown by one process.
        this.callbacks = settings.callbacks.stream()
                .filter(callback -> ranks.isFirst() || !(callback instanceof ConsoleProgress))
                .toList();
        this.training = new Training(settings, rows.history(), loader.batches(), validation != null);
        this.memory = memory;
        this.evaluation = new EvaluationStep(settings, settings.ranks);
        this.best = new BestWeights(settings.model, memory);
        this.confusion = new BestConfusionMatrix(settings.metrics);
        this.checkpoints = new TrainingCheckpoints(settings, training, ranks, loader, best, confusion);
        this.results = new ResultFiles(settings, training, loader, validation != null, confusion);
    }

    private static void requireBatches(String name, DataLoader loader) {
        if (loader.batches() == 0) {
            throw new IllegalArgumentException("fit: the " + name + " loader has no batch: " + loader.size()
                    + " examples; add examples, or do not drop the last batch");
        }
    }

    Training run() throws IOException {
        try (Closeable held = this::unlock) {
            ranks.firstBefore(this::beginCheckpoints);
            step = settings.ranks == null
                    ? new TrainingStep(settings, training, memory)
                    : new ParallelStep(settings, training, ranks, memory);
            resume();
            fit();
        }
        return training;
    }

    private void unlock() throws IOException {
        if (lock != null) {
            lock.close();
        }
    }

    private void resume() throws IOException {
        try {
            checkpoints.resume();
            requireSameEverywhere();
        } catch (Throwable e) {
            try (Step made = step) {
                uniteAfterFailure();
            }
            throw e;
        }
    }

    /// Throws if the processes would not train on the same batches.
    private void requireSameEverywhere() {
        Map<String, Long> numbers = new LinkedHashMap<>();
        numbers.put("made steps", training.step());
        numbers.put("epochs", (long) settings.epochs);
        numbers.put("loaders", validation == null ? 1L : 2L);
        ranks.requireSame(numbers);
        numbers.clear();
        putNumbers("training", loader, numbers);
        if (validation != null) {
            putNumbers("validation", validation, numbers);
        }
        ranks.requireSame(numbers);
    }

    private static void putNumbers(String name, DataLoader loader, Map<String, Long> numbers) {
        try (var scratch = TensorArena.ofConfined()) {
            loader.stateDict().forEach((key, value) -> numbers.put(name + " loader's " + key, value.toLongArray()[0]));
        }
        numbers.put(name + " loader's batches", loader.batches());
    }

    private void beginCheckpoints() throws IOException {
        if (settings.checkpoints != null && ranks.isFirst()) {
            lock = FolderLock.of(settings.checkpoints);
        }
        checkpoints.begin();
    }

    private void fit() throws IOException {
        ranks.share(loader);
        if (validation != null) {
            ranks.share(validation);
        }
        try {
            train();
        } finally {
            // Both are closed.
            ranks.unshare(loader);
            if (validation != null) {
                ranks.unshare(validation);
            }
        }
    }

    private void train() throws IOException {
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
        unite();
    }

    /// Gives the optimizer the state of all elements again, for the caller.
    private void unite() {
        if (home != null) {
            try (var inside = home.enter()) {
                settings.optimizer.unite();
            }
        }
    }

    /// As [#unite()] if this process is alone. Others may not come: their job ends.
    private void uniteAfterFailure() {
        if (ranks.isAlone()) {
            unite();
        }
    }

    private void call(Consumer<Callback> event) {
        callbacks.forEach(event);
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
        if (settings.ranks != null) {
            training.agree(ranks.any(training.wantsToStop()));
        }
        Uninterrupted.run(() -> {
            checkpoints.save();
            ranks.firstAlone(results::writeHistory, () -> {});
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
            long examples = loader.examples();
            double loss = step.train(batch, examples);
            long ended = System.nanoTime();
            training.add(loss, examples, step.denominator());
            rows.addStep(training, step, examples, loss, ended - begun, begun - asked);
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
        for (int i = 0; i < callbacks.size(); i++) {
            callbacks.get(i).onStepEnd(training);
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
                    long examples = validation.examples();
                    loss.add(evaluation.evaluate(batch, examples), examples, evaluation.denominator());
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
            training.stopTogether(training.monitor() + " has not improved for " + waited + " epochs");
        }
    }

    /// Ends a run that succeeded or failed, without hiding its failure.
    private void end(Throwable failure) throws IOException {
        try (loader;
                validation;
                Step made = step) {
            if (failure != null) {
                uniteAfterFailure();
            }
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
            if (ranks.isFirst()) {
                Uninterrupted.run(() -> {
                    results.writeHistory();
                    results.writeReport();
                });
            }
        } finally {
            // Closing the loaders, which comes next, waits for the batch that is being read.
            training.awaitsData(true);
        }
    }
}
