package org.toydiff.train;

import java.io.IOException;
import java.util.Iterator;
import java.util.function.Consumer;
import org.toydiff.TensorArena;
import org.toydiff.data.Batch;
import org.toydiff.data.DataLoader;

/// One run of a trainer: the loop over epochs and batches.
final class Fit {
    private final Trainer settings;
    private final DataLoader loader;
    private final DataLoader validation;
    private final Training training;
    private final Step step;
    private final Rows rows;
    private final BestState best;
    private final Results results;
    private final Saving saving;

    /// In an arena that is closed with the run: for batches and copies of the model.
    Fit(Trainer settings, DataLoader loader, DataLoader validation, TensorArena memory) {
        requireBatches("training", loader);
        if (validation != null) {
            requireBatches("validation", validation);
        }
        this.settings = settings;
        this.loader = loader;
        this.validation = validation;
        this.rows = new Rows(settings, validation != null);
        this.training = new Training(settings, rows.history(), loader.batches(), validation != null);
        this.step = new Step(settings, training);
        this.best = new BestState(settings.model, memory);
        this.results = new Results(settings, training, loader, validation != null);
        this.saving = new Saving(settings, training, loader, best);
    }

    private static void requireBatches(String name, DataLoader loader) {
        if (loader.batches() == 0) {
            throw new IllegalArgumentException("fit: the " + name + " loader has no batch: " + loader.size()
                    + " examples; give it more, or do not drop the last batch");
        }
    }

    Training run() throws IOException {
        Throwable failure = null;
        try {
            saving.resume();
            call(callback -> callback.onTrainBegin(training));
            for (int epoch = training.history().epochs() + 1;
                    epoch <= settings.epochs && training.stopReason() == null;
                    epoch++) {
                epoch(epoch);
            }
            best.restore();
        } catch (Throwable e) {
            failure = e;
            throw e;
        } finally {
            end(failure);
        }
        return training;
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
        if (!steps()) {
            saving.save();
            return;
        }
        rows.endTraining(training);
        if (validation != null) {
            validate();
        }
        rows.addEpoch();
        boolean better = training.best(0).row() == training.history().epochs() - 1;
        if (better) {
            results.keepConfusion();
        }
        if (better && settings.restoreBest) {
            best.keep();
        }
        schedule();
        stopEarly();
        saving.save();
        results.writeHistory();
        call(callback -> callback.onEpochEnd(training));
    }

    private void schedule() {
        if (settings.epochScheduler != null) {
            settings.epochScheduler.step();
        }
        if (settings.plateau != null) {
            double[] values = training.history().epochValues(training.monitor());
            double last = values[values.length - 1];
            settings.plateau.step(training.higherIsBetter() ? -last : last);
        }
    }

    /// Makes the steps of an epoch.
    ///
    /// @return whether all of them were made
    private boolean steps() throws IOException {
        Iterator<Batch> batches = loader.iterator();
        long asked = System.nanoTime();
        while (batches.hasNext()) {
            Batch batch = next(batches);
            if (batch == null) {
                return false;
            }
            long begun = System.nanoTime();
            double loss = step.train(batch);
            long ended = System.nanoTime();
            training.add(loss, batch.size());
            rows.addStep(training, batch.size(), loss, ended - begun, begun - asked, step.peakBytes());
            if (settings.scheduler != null) {
                settings.scheduler.step();
            }
            asked = ended;
            for (int i = 0; i < settings.callbacks.size(); i++) {
                settings.callbacks.get(i).onStepEnd(training);
            }
            if (Thread.currentThread().isInterrupted()) {
                training.stop("interrupted");
            }
            if (training.stopReason() != null) {
                return false;
            }
            saving.step();
        }
        return true;
    }

    /// The next batch, or null when this thread was interrupted waiting for it.
    private Batch next(Iterator<Batch> batches) {
        try {
            return batches.next();
        } catch (IllegalStateException e) {
            if (Thread.currentThread().isInterrupted()) {
                training.stop("interrupted");
                return null;
            }
            throw e;
        }
    }

    private void validate() {
        settings.model.eval();
        try {
            settings.metrics.forEach(Metric::reset);
            long begun = System.nanoTime();
            double loss = step.evaluate(validation);
            rows.endValidation(loss, (System.nanoTime() - begun) / 1e9);
        } finally {
            settings.model.train();
        }
    }

    private void stopEarly() {
        Best state = training.best(settings.minDelta);
        if (state.waited() >= settings.patience) {
            training.stop(training.monitor() + " has not improved for " + state.waited() + " epochs");
        }
    }

    /// Ends a run that succeeded or failed, without hiding why it failed.
    private void end(Throwable failure) throws IOException {
        try {
            loader.close();
            if (validation != null) {
                validation.close();
            }
            call(callback -> callback.onTrainEnd(training));
            results.writeHistory();
            results.writeReport();
        } catch (Throwable e) {
            if (failure == null) {
                throw e;
            }
            failure.addSuppressed(e);
        }
    }
}
