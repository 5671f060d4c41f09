package org.toydiff.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.toydiff.Stateful;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Loss;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.ReduceOnPlateau;
import org.toydiff.optim.Scheduler;
import org.toydiff.train.metrics.Metric;

/// What a [Trainer] is to do: the values of its settings, which the classes of a training read.
abstract sealed class TrainerSettings permits Trainer {
    final Layer model;

    /// Null if this only evaluates and predicts.
    final Optimizer optimizer;

    final Loss loss;
    final List<Metric> metrics = new ArrayList<>();
    final List<Callback> callbacks = new ArrayList<>();
    final Map<String, String> facts = new LinkedHashMap<>();
    final List<Stateful> schedules = new ArrayList<>();
    final List<Scheduler> stepSchedules = new ArrayList<>();
    final List<Scheduler> epochSchedules = new ArrayList<>();
    final List<ReduceOnPlateau> plateauSchedules = new ArrayList<>();
    final Map<String, Stateful> extraParts = new LinkedHashMap<>();

    /// Null unless several processes may train.
    Ranks ranks;

    boolean synchronizeBatchNorm;

    double clipNorm = Double.POSITIVE_INFINITY;
    double clipValue = Double.POSITIVE_INFINITY;
    Path checkpoints;
    long checkpointSteps = Long.MAX_VALUE;
    int keep = 2;
    boolean resume;
    int epochs = 1;
    long microBatch = Long.MAX_VALUE;
    String monitor;
    int patience = Integer.MAX_VALUE;
    double minDelta;
    boolean restoreBest;
    boolean planning = true;
    boolean compiled;
    NonFinite nonFinite = NonFinite.STOP;
    Path csv;
    Path json;
    Path report;
    String title = "Training report";
    List<String> classNames = List.of();

    TrainerSettings(Layer model, Optimizer optimizer, Loss loss) {
        this.model = Objects.requireNonNull(model, "model");
        this.optimizer = optimizer;
        this.loss = Objects.requireNonNull(loss, "loss");
    }

    /// Throws unless the settings of a fit are complete and fit each other.
    final void requireTraining() {
        if (optimizer == null) {
            throw new IllegalStateException(
                    "fit: this trainer has no optimizer; make it by Trainer.of(model, optimizer, loss)");
        }
        if (checkpoints == null && (resume || checkpointSteps < Long.MAX_VALUE)) {
            throw new IllegalStateException(
                    "fit: there is no folder to save to or resume from; set one with checkpoints(folder)");
        }
        if (ranks != null && microBatch < Long.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "fit: microBatch and processes are both set; leave microBatch out, and use"
                            + " more shards: processes(group, shards)");
        }
        if (synchronizeBatchNorm
                && (ranks == null || ranks.shards().shards() != ranks.group().size())) {
            throw new IllegalArgumentException("fit: synchronizeBatchNorm needs processes with one shard each, not "
                    + (ranks == null
                            ? "this one alone"
                            : ranks.shards().shards() + " shards for "
                                    + ranks.group().size())
                    + "; use processes(group)");
        }
    }
}
