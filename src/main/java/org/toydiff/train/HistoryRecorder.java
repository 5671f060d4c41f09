package org.toydiff.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.toydiff.Memory;
import org.toydiff.train.report.History;

/// Adds the rows of steps and epochs to a history.
final class HistoryRecorder {
    /// The column of steps that were skipped, if they can be.
    static final String SKIPPED = "skipped_steps";

    /// The columns of a history that are neither losses nor metrics.
    static final Set<String> BOOKKEEPING = Set.of(
            "epoch",
            "step",
            "examples",
            "gradient_norm",
            SKIPPED,
            "learning_rate",
            "seconds",
            "wait_seconds",
            "validation_seconds",
            "examples_per_second",
            "live_bytes",
            "peak_bytes",
            "gc_count",
            "gc_seconds");

    private final Trainer settings;
    private final boolean validated;
    private final History history;
    private final GarbageCollectionCounter collections = new GarbageCollectionCounter();
    private final double[] step;
    private final double[] epoch;

    HistoryRecorder(Trainer settings, boolean validated) {
        this.settings = settings;
        this.validated = validated;
        this.history = new History(epochColumns(), stepColumns());
        this.step = new double[history.stepColumns().size()];
        this.epoch = new double[history.epochColumns().size()];
    }

    History history() {
        return history;
    }

    private List<String> stepColumns() {
        List<String> names = new ArrayList<>(List.of("epoch", "step", "examples", "loss"));
        settings.metrics.forEach(metric -> names.add(metric.name()));
        if (settings.clipNorm < Double.POSITIVE_INFINITY) {
            names.add("gradient_norm");
        }
        addSkipped(names);
        names.addAll(List.of("learning_rate", "seconds", "wait_seconds", "examples_per_second"));
        names.addAll(List.of("live_bytes", "peak_bytes", "gc_count", "gc_seconds"));
        return names;
    }

    private void addSkipped(List<String> names) {
        if (settings.nonFinite == NonFinite.SKIP) {
            names.add(SKIPPED);
        }
    }

    private List<String> epochColumns() {
        List<String> names = new ArrayList<>(List.of("epoch", "step", "examples", "loss"));
        settings.metrics.forEach(metric -> names.add(metric.name()));
        if (validated) {
            names.add("validation_loss");
            settings.metrics.forEach(metric -> names.add("validation_" + metric.name()));
        }
        addSkipped(names);
        names.addAll(List.of("learning_rate", "seconds", "wait_seconds"));
        if (validated) {
            names.add("validation_seconds");
        }
        names.addAll(List.of("examples_per_second", "live_bytes", "peak_bytes", "gc_count", "gc_seconds"));
        return names;
    }

    void addStep(Training training, Step made, long examples, double loss, long nanos, long waitNanos) {
        int at = 0;
        step[at++] = training.epoch();
        step[at++] = training.step() + 1;
        step[at++] = examples;
        step[at++] = loss;
        for (int i = 0; i < settings.metrics.size(); i++) {
            step[at++] = settings.metrics.get(i).value();
        }
        if (settings.clipNorm < Double.POSITIVE_INFINITY) {
            step[at++] = made.gradientNorm();
        }
        if (settings.nonFinite == NonFinite.SKIP) {
            step[at++] = made.skipped() ? 1 : 0;
        }
        step[at++] = settings.optimizer.groups().getFirst().lr();
        step[at++] = nanos / 1e9;
        step[at++] = waitNanos / 1e9;
        step[at++] = examples / ((nanos + waitNanos) / 1e9);
        step[at++] = Memory.liveBytes();
        step[at++] = made.peakBytes();
        step[at++] = collections.count();
        step[at] = collections.seconds();
        history.addStep(step);
    }

    /// Sets the columns of the epoch that summarize its steps.
    void endTraining(Training training) {
        set("epoch", training.epoch());
        set("step", training.step());
        set("loss", training.loss());
        settings.metrics.forEach(metric -> set(metric.name(), last(metric.name())));
        set("learning_rate", last("learning_rate"));
        int from = training.firstRow();
        double waited = sum("wait_seconds", from);
        double seconds = sum("seconds", from) + waited;
        set("examples", sum("examples", from));
        set("seconds", seconds);
        set("wait_seconds", waited);
        set("examples_per_second", sum("examples", from) / seconds);
        if (settings.nonFinite == NonFinite.SKIP) {
            set(SKIPPED, sum(SKIPPED, from));
        }
        set("peak_bytes", max("peak_bytes", from));
        set("gc_count", sum("gc_count", from));
        set("gc_seconds", sum("gc_seconds", from));
    }

    private double last(String column) {
        return history.stepValue(column, history.steps() - 1);
    }

    private double sum(String column, int from) {
        double sum = 0;
        for (int row = from; row < history.steps(); row++) {
            sum += history.stepValue(column, row);
        }
        return sum;
    }

    /// Returns the largest value of a column from a row on, 0 without rows.
    private double max(String column, int from) {
        double max = 0;
        for (int row = from; row < history.steps(); row++) {
            max = Math.max(max, history.stepValue(column, row));
        }
        return max;
    }

    void endValidation(double loss, double seconds) {
        set("validation_loss", loss);
        settings.metrics.forEach(metric -> set("validation_" + metric.name(), metric.value()));
        set("validation_seconds", seconds);
        set("seconds", get("seconds") + seconds);
    }

    void addEpoch() {
        set("live_bytes", Memory.liveBytes());
        set("gc_count", get("gc_count") + collections.count());
        set("gc_seconds", get("gc_seconds") + collections.seconds());
        history.addEpoch(epoch);
    }

    private void set(String column, double value) {
        epoch[history.epochColumns().indexOf(column)] = value;
    }

    private double get(String column) {
        return epoch[history.epochColumns().indexOf(column)];
    }
}
