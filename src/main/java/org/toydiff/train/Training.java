package org.toydiff.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import org.toydiff.ReleaseSchedule;
import org.toydiff.nn.Layer;
import org.toydiff.train.metrics.Mean;
import org.toydiff.train.metrics.Metric;
import org.toydiff.train.report.History;

/// A training under way or ended: where it stands, for [Callback]s and for who called [Trainer#fit].
public final class Training {
    private final Layer model;
    private final List<Metric> metrics;
    private final History history;
    private final String monitor;
    private final boolean higherIsBetter;
    private final int epochs;
    private final long batches;
    private int epoch;
    private long stepOfEpoch;
    private final Mean meanLoss;
    // Set by another thread when the JVM is told to end.
    private volatile String stopReason;

    // Read by that thread.
    private volatile boolean awaitsData;

    private ReleaseSchedule schedule;
    private long predictedStepBytes;
    private long measuredStepBytes;

    Training(Trainer settings, History history, long batches, boolean validated) {
        this.model = settings.model;
        this.metrics = List.copyOf(settings.metrics);
        this.history = history;
        this.meanLoss = new Mean("loss", settings.loss);
        this.epochs = settings.epochs;
        this.batches = batches;
        this.monitor = settings.monitor != null ? settings.monitor : validated ? "validation_loss" : "loss";
        requireMonitored();
        String name = monitor.replaceFirst("^validation_", "");
        this.higherIsBetter =
                metrics.stream().anyMatch(metric -> metric.name().equals(name) && metric.higherIsBetter());
    }

    private void requireMonitored() {
        if (!history.epochColumns().contains(monitor) || Trainer.BOOKKEEPING.contains(monitor)) {
            List<String> fit = new ArrayList<>(history.epochColumns());
            fit.removeAll(Trainer.BOOKKEEPING);
            throw new IllegalArgumentException("monitor: " + monitor + " is none of " + fit + "; use one of them");
        }
    }

    /// What is trained.
    ///
    /// @return the model
    public Layer model() {
        return model;
    }

    /// Every step and epoch so far.
    ///
    /// @return the history, which grows
    public History history() {
        return history;
    }

    /// The metrics, over the epoch so far between its steps and over validation at its end.
    ///
    /// @return the metrics themselves
    public List<Metric> metrics() {
        return metrics;
    }

    /// The epoch under way, or the last one.
    ///
    /// @return its number, from 1; 0 before the first
    public int epoch() {
        return epoch;
    }

    /// How many epochs there are to be.
    ///
    /// @return the setting
    public int epochs() {
        return epochs;
    }

    /// How many steps were made, in all epochs.
    ///
    /// @return the number of the last step
    public long step() {
        return history.steps();
    }

    /// How many steps of the epoch were made.
    ///
    /// @return the number of its last step
    public long stepOfEpoch() {
        return stepOfEpoch;
    }

    /// How many steps an epoch has.
    ///
    /// @return the number
    public long stepsPerEpoch() {
        return batches;
    }

    /// The mean loss over the examples of the epoch so far, which weigh what the loss gives them.
    ///
    /// @return the mean, NaN before its first step
    public double loss() {
        return meanLoss.value();
    }

    /// By which column of epochs the best one is told.
    ///
    /// @return `validation_loss` for instance
    public String monitor() {
        return monitor;
    }

    /// The epoch whose monitored value is the best, the first of equal ones.
    ///
    /// @return its number; nothing while no epoch has a value that is a number
    public OptionalInt bestEpoch() {
        return history.bestEpoch(monitor, higherIsBetter);
    }

    /// When a step's blocks are made and freed, for the first batch.
    ///
    /// @return the schedule, null before the first step
    public ReleaseSchedule schedule() {
        return schedule;
    }

    /// The most bytes that the tensors of a step take, as predicted before the first step of each shape of batch.
    ///
    /// @return bytes; 0 before the first step, and without a plan
    public long predictedStepBytes() {
        return predictedStepBytes;
    }

    /// The most bytes that the tensors of a step took.
    ///
    /// @return bytes, equal to [#predictedStepBytes()] once a step of the largest batch was made
    public long measuredStepBytes() {
        return measuredStepBytes;
    }

    void predicted(long bytes) {
        predictedStepBytes = Math.max(predictedStepBytes, bytes);
    }

    void measured(long bytes) {
        measuredStepBytes = Math.max(measuredStepBytes, bytes);
    }

    /// Ends training after the current step; from [Callback#onEpochEnd], after the epoch. May be called on any
    /// thread.
    ///
    /// @param reason why, for [#stopReason()]
    public void stop(String reason) {
        stopReason = Objects.requireNonNull(reason, "reason");
    }

    /// Why training ended before its last epoch, or is about to.
    ///
    /// @return the reason, null when there is none
    public String stopReason() {
        return stopReason;
    }

    /// Whether it is to end, because of a reason given or an interrupt, which becomes one.
    boolean stops() {
        if (stopReason == null && Thread.currentThread().isInterrupted()) {
            stop("interrupted");
        }
        return stopReason != null;
    }

    /// Whether the training thread is with a loader, and may be there for ever.
    boolean awaitsData() {
        return awaitsData;
    }

    void awaitsData(boolean awaits) {
        awaitsData = awaits;
    }

    boolean higherIsBetter() {
        return higherIsBetter;
    }

    /// Notes the first schedule.
    void schedule(ReleaseSchedule first) {
        if (schedule == null) {
            schedule = first;
        }
    }

    /// Begins an epoch, with what its steps that were made already add up to.
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

    /// For a checkpoint of a version that saved no mean loss. A mean of losses that were NaN stays NaN.
    private void addFrom(int first) {
        for (int row = first; row < history.steps(); row++) {
            meanLoss.add(history.stepValue("loss", row), (long) history.stepValue("examples", row), Double.NaN);
        }
    }

    /// Adds a step of this epoch.
    ///
    /// @param denominator what its loss divided by, NaN where it does not tell
    void add(double loss, long size, double denominator) {
        meanLoss.add(loss, size, denominator);
        stepOfEpoch++;
    }

    /// The mean loss as a part of checkpoints.
    Mean meanLoss() {
        return meanLoss;
    }

    /// The row of this epoch's first step.
    int firstRow() {
        int row = history.steps();
        while (row > 0 && history.stepValue("epoch", row - 1) == epoch) {
            row--;
        }
        return row;
    }
}
