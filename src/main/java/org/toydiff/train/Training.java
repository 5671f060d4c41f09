package org.toydiff.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import org.toydiff.ExecutionPlan;
import org.toydiff.ReleaseSchedule;
import org.toydiff.nn.Layer;
import org.toydiff.train.metrics.Mean;
import org.toydiff.train.metrics.Metric;
import org.toydiff.train.report.History;

/// The state of a training, under way or ended, for [Callback]s and the caller of [Trainer#fit].
public final class Training {
    private final Layer model;
    private final List<Metric> metrics;
    private final History history;
    private final String monitor;
    private final boolean higherIsBetter;
    private final int epochs;
    private final long batches;
    private final boolean skips;
    private int epoch;
    private long stepOfEpoch;
    private final Mean meanLoss;
    // Set by another thread when the JVM shuts down.
    private volatile String stopReason;

    /// Whether several processes train, which stop together, and whether they have agreed to.
    private final boolean together;

    private boolean agreed;

    // Read by that thread.
    private volatile boolean awaitsData;

    private ReleaseSchedule schedule;
    private ExecutionPlan plan;
    private long predictedStepBytes;
    private long measuredStepBytes;

    Training(Trainer settings, History history, long batches, boolean validated) {
        this.model = settings.model;
        this.metrics = List.copyOf(settings.metrics);
        this.history = history;
        this.meanLoss = new Mean("loss", settings.loss);
        this.epochs = settings.epochs;
        this.together = settings.ranks != null;
        this.batches = batches;
        this.skips = settings.nonFinite == NonFinite.SKIP;
        this.monitor = settings.monitor != null ? settings.monitor : validated ? "validation_loss" : "loss";
        requireMonitored();
        String name = monitor.replaceFirst("^validation_", "");
        this.higherIsBetter =
                metrics.stream().anyMatch(metric -> metric.name().equals(name) && metric.higherIsBetter());
    }

    private void requireMonitored() {
        if (!history.epochColumns().contains(monitor) || HistoryRecorder.BOOKKEEPING.contains(monitor)) {
            List<String> columns = new ArrayList<>(history.epochColumns());
            columns.removeAll(HistoryRecorder.BOOKKEEPING);
            throw new IllegalArgumentException(
                    "monitor: " + monitor + " is not one of " + columns + "; use one of these");
        }
    }

    /// {@return the model that is trained}
    public Layer model() {
        return model;
    }

    /// {@return the history of all steps and epochs so far, which grows}
    public History history() {
        return history;
    }

    /// Returns the metrics. Their values are over the epoch so far between its steps, and over validation at its
    /// end.
    ///
    /// @return the metrics themselves, not copies
    public List<Metric> metrics() {
        return metrics;
    }

    /// {@return the number of the epoch under way or of the last one, from 1; 0 before the first}
    public int epoch() {
        return epoch;
    }

    /// {@return the number of epochs to train, the setting}
    public int epochs() {
        return epochs;
    }

    /// {@return the number of steps so far, in all epochs}
    public long step() {
        return history.steps();
    }

    /// {@return the number of steps so far in the epoch}
    public long stepOfEpoch() {
        return stepOfEpoch;
    }

    /// Returns the number of steps so far that were skipped, because their loss or a gradient was not finite.
    ///
    /// @return the number, in all epochs; 0 unless [NonFinite#SKIP] is set
    public long skippedSteps() {
        long skipped = 0;
        for (int row = 0; skips && row < history.steps(); row++) {
            skipped += (long) history.stepValue(HistoryRecorder.SKIPPED, row);
        }
        return skipped;
    }

    /// {@return the number of steps of an epoch}
    public long stepsPerEpoch() {
        return batches;
    }

    /// Returns the mean loss over the examples of the epoch so far, with the weights of the loss.
    ///
    /// @return the mean, NaN before the first step of the epoch
    public double loss() {
        return meanLoss.value();
    }

    /// {@return the column of epochs that decides the best one, `validation_loss` for instance}
    public String monitor() {
        return monitor;
    }

    /// Returns the epoch with the best monitored value, the first of equal ones.
    ///
    /// @return its number; empty while no epoch has a value that is a number
    public OptionalInt bestEpoch() {
        return history.bestEpoch(monitor, higherIsBetter);
    }

    /// Returns the release schedule of a step, for the first batch.
    ///
    /// @return the schedule, null before the first step
    public ReleaseSchedule schedule() {
        return schedule;
    }

    /// Returns the plan of a compiled step, that with the most planned bytes so far.
    ///
    /// @return the plan, null before the first step and unless steps are compiled
    public ExecutionPlan plan() {
        return plan;
    }

    /// Returns the predicted peak of the tensors of a step, the largest of the predictions before the first step of
    /// each shape of batch.
    ///
    /// @return bytes; 0 before the first step, and without a plan
    public long predictedStepBytes() {
        return predictedStepBytes;
    }

    /// Returns the measured peak of the tensors of a step, the largest so far.
    ///
    /// @return bytes, equal to [#predictedStepBytes()] after a step with the largest batch; of compiled steps those
    ///     that are planned for their temporaries, 0 before one that was not skipped
    public long measuredStepBytes() {
        return measuredStepBytes;
    }

    void predicted(long bytes) {
        predictedStepBytes = Math.max(predictedStepBytes, bytes);
    }

    void measured(long bytes) {
        measuredStepBytes = Math.max(measuredStepBytes, bytes);
    }

    void planned(ExecutionPlan compiled) {
        if (plan == null || compiled.plannedBytes() > plan.plannedBytes()) {
            plan = compiled;
        }
    }

    /// Ends the training after the current step; if called by [Callback#onEpochEnd], after the epoch. Any thread may
    /// call this.
    ///
    /// @param reason the reason, for [#stopReason()]
    public void stop(String reason) {
        stopReason = Objects.requireNonNull(reason, "reason");
    }

    /// {@return the reason why the training ended before its last epoch or is about to, null without one}
    public String stopReason() {
        return stopReason;
    }

    /// Returns whether the training is to end: because of [#stop], or of an interrupt, which becomes a reason. Several
    /// processes must have agreed.
    boolean stops() {
        return together ? agreed : wantsToStop();
    }

    /// Returns whether this process is asked to end the training.
    boolean wantsToStop() {
        if (stopReason == null && Thread.currentThread().isInterrupted()) {
            stop("interrupted");
        }
        return stopReason != null;
    }

    /// Notes whether a process is asked to end the training.
    void agree(boolean any) {
        agreed |= any;
        if (any && stopReason == null) {
            stop("another process was asked to stop");
        }
    }

    /// Ends the training, for a reason that all processes have.
    void stopTogether(String reason) {
        stop(reason);
        agreed = true;
    }

    /// Returns whether the training thread is waiting for a loader, possibly for ever.
    boolean awaitsData() {
        return awaitsData;
    }

    void awaitsData(boolean awaits) {
        awaitsData = awaits;
    }

    boolean higherIsBetter() {
        return higherIsBetter;
    }

    /// Keeps the first schedule.
    void schedule(ReleaseSchedule first) {
        if (schedule == null) {
            schedule = first;
        }
    }

    /// Begins an epoch, with the sums over steps of it that a resumed run has made.
    void begin(int number) {
        epoch = number;
        int first = firstRow();
        stepOfEpoch = history.steps() - first;
        if (stepOfEpoch == 0) {
            meanLoss.reset();
        } else if (Double.isNaN(meanLoss.value())) {
            addFrom(first);
        }
    }

    /// Computes the mean loss for a checkpoint of an older version, without it. A mean of losses that were NaN stays
    /// NaN.
    private void addFrom(int first) {
        for (int row = first; row < history.steps(); row++) {
            addLoss(history.stepValue("loss", row), (long) history.stepValue("examples", row), Double.NaN);
        }
    }

    /// Adds a loss to the mean, unless its step was skipped because of it.
    private void addLoss(double loss, long size, double denominator) {
        if (!skips || Double.isFinite(loss)) {
            meanLoss.add(loss, size, denominator);
        }
    }

    /// Adds a step of this epoch.
    ///
    /// @param denominator the divisor of its loss, NaN if it is not recorded
    void add(double loss, long size, double denominator) {
        addLoss(loss, size, denominator);
        stepOfEpoch++;
    }

    /// Returns the mean loss, a part of checkpoints.
    Mean meanLoss() {
        return meanLoss;
    }

    /// Returns the row of this epoch's first step.
    int firstRow() {
        int row = history.steps();
        while (row > 0 && history.stepValue("epoch", row - 1) == epoch) {
            row--;
        }
        return row;
    }
}
