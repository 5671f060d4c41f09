package org.toydiff.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.toydiff.Stateful;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.internal.files.OptionalLibrary;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Loss;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.ReduceOnPlateau;
import org.toydiff.optim.Scheduler;
import org.toydiff.train.metrics.Metric;

/// Trains a model: the loop with its metrics, validation, history, early stopping and report.
///
/// ```java
/// try (var arena = TensorArena.ofShared()) {
///     var net = new Sequential(new Linear(784, 512), new ReLU(), new Linear(512, 10));
///     var training = Trainer.of(net, new SGD(net.parameters(), 0.1, 0.9), Functional::crossEntropyLoss)
///             .metrics(new Accuracy())
///             .epochs(20)
///             .earlyStopping(5)
///             .callbacks(ConsoleProgress.standard())
///             .report(Path.of("report.html"))
///             .fit(trainingLoader, validationLoader);
/// }
/// ```
///
/// Each step forgets its memory: batch, outputs and gradients of intermediates live in an arena that is closed at
/// its end ([org.toydiff.Release#EAGER] frees most of it before). Before the first step of each shape of batch the
/// memory it will take is predicted ([org.toydiff.MemoryPlan]), and a step that would pass the limit is refused
/// with the largest micro-batch that fits.
///
/// A trainer is a set of settings: each method changes this one and returns it. It is used by one thread at a time.
public final class Trainer {
    /// The columns of a history that are neither losses nor metrics.
    static final Set<String> BOOKKEEPING = Set.of(
            "epoch",
            "step",
            "examples",
            "gradient_norm",
            "learning_rate",
            "seconds",
            "wait_seconds",
            "validation_seconds",
            "examples_per_second",
            "live_bytes",
            "peak_bytes",
            "gc_count",
            "gc_seconds");

    final Layer model;
    final Optimizer optimizer;
    final Loss loss;
    final List<Metric> metrics = new ArrayList<>();
    final List<Callback> callbacks = new ArrayList<>();
    final Map<String, String> facts = new LinkedHashMap<>();
    final List<Stateful> schedules = new ArrayList<>();
    final List<Scheduler> stepSchedules = new ArrayList<>();
    final List<Scheduler> epochSchedules = new ArrayList<>();
    final List<ReduceOnPlateau> plateauSchedules = new ArrayList<>();
    final Map<String, Stateful> ownParts = new LinkedHashMap<>();
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
    boolean nonFinite;
    Path csv;
    Path json;
    Path report;
    String title = "Training report";
    List<String> classNames = List.of();

    private boolean fitting;

    private Trainer(Layer model, Optimizer optimizer, Loss loss) {
        this.model = Objects.requireNonNull(model, "model");
        this.optimizer = Objects.requireNonNull(optimizer, "optimizer");
        this.loss = Objects.requireNonNull(loss, "loss");
    }

    /// A trainer of one epoch.
    ///
    /// @param model what to train
    /// @param optimizer changes the model's parameters
    /// @param loss what is made small
    /// @return the trainer
    public static Trainer of(Layer model, Optimizer optimizer, Loss loss) {
        return new Trainer(model, optimizer, loss);
    }

    /// How many times the training examples are gone through.
    ///
    /// @param epochs the number, positive; with a resumed training that of all its epochs
    /// @return this
    /// @throws IllegalArgumentException if it is not positive
    public Trainer epochs(int epochs) {
        begin("epochs");
        requirePositive("epochs", epochs);
        this.epochs = epochs;
        return this;
    }

    /// Adds metrics, computed in training and in validation.
    ///
    /// @param metrics each with a name of its own
    /// @return this
    /// @throws IllegalArgumentException if two have one name, or one that the history uses
    public Trainer metrics(Metric... metrics) {
        begin("metrics");
        var names = new HashSet<>(BOOKKEEPING);
        names.add("loss");
        this.metrics.forEach(metric -> names.add(metric.name()));
        for (Metric metric : metrics) {
            Metric.requireName(metric.name());
            if (metric.name().startsWith("validation_") || !names.add(metric.name())) {
                throw new IllegalArgumentException("Trainer: metrics: the name " + metric.name()
                        + " is taken; give each metric one of its own, not beginning with validation_");
            }
        }
        this.metrics.addAll(List.of(metrics));
        return this;
    }

    /// Adds what is called while training: progress, schedules of one's own.
    ///
    /// @param callbacks called in this order
    /// @return this
    public Trainer callbacks(Callback... callbacks) {
        begin("callbacks");
        this.callbacks.addAll(List.of(callbacks));
        return this;
    }

    /// Computes each step in parts of a batch, to take less memory: gradients of the parts are added up, each
    /// weighted by its share of the examples, or of their weights in the loss, and the optimizer steps once.
    ///
    /// The loss must tell what it is the mean over, [Loss]; [#fit] refuses one that does not with the first batch.
    ///
    /// The gradient is that of the whole batch, but for rounding; layers that see the batch as a whole, as batch
    /// normalisation does, see its parts. Validation is computed in parts of that size too.
    ///
    /// @param examples the most in a part, positive
    /// @return this
    /// @throws IllegalArgumentException if it is not positive
    public Trainer microBatch(long examples) {
        begin("microBatch");
        requirePositive("microBatch", examples);
        this.microBatch = examples;
        return this;
    }

    /// Steps a schedule after each step of the optimizer.
    ///
    /// @param scheduler of this trainer's optimizer
    /// @return this
    public Trainer everyStep(Scheduler scheduler) {
        begin("everyStep");
        stepSchedules.add(Objects.requireNonNull(scheduler, "scheduler"));
        schedules.add(scheduler);
        return this;
    }

    /// Steps a schedule after each epoch.
    ///
    /// @param scheduler of this trainer's optimizer
    /// @return this
    public Trainer everyEpoch(Scheduler scheduler) {
        begin("everyEpoch");
        epochSchedules.add(Objects.requireNonNull(scheduler, "scheduler"));
        schedules.add(scheduler);
        return this;
    }

    /// Steps a schedule after each epoch with the monitored value; one of which more is better is given negative.
    ///
    /// @param scheduler of this trainer's optimizer
    /// @return this
    public Trainer everyEpoch(ReduceOnPlateau scheduler) {
        begin("everyEpoch");
        plateauSchedules.add(Objects.requireNonNull(scheduler, "scheduler"));
        schedules.add(scheduler);
        return this;
    }

    /// Scales the gradients before each step so that their norm together is at most a bound:
    /// [org.toydiff.optim.Gradients#clipNorm]. The history then has a column `gradient_norm`, the norm before.
    ///
    /// @param maxNorm the bound, positive
    /// @return this
    /// @throws IllegalArgumentException if it is not positive
    public Trainer clipNorm(double maxNorm) {
        begin("clipNorm");
        if (!(maxNorm > 0)) {
            throw new IllegalArgumentException("Trainer: clipNorm " + maxNorm + " must be positive");
        }
        this.clipNorm = maxNorm;
        return this;
    }

    /// Bounds every element of the gradients before each step, and before their norm is:
    /// [org.toydiff.optim.Gradients#clipValue].
    ///
    /// @param bound the bound, positive
    /// @return this
    /// @throws IllegalArgumentException if it is not positive
    public Trainer clipValue(double bound) {
        begin("clipValue");
        if (!(bound > 0)) {
            throw new IllegalArgumentException("Trainer: clipValue " + bound + " must be positive");
        }
        this.clipValue = bound;
        return this;
    }

    /// By which column of epochs the best epoch is told: by `validation_loss` unless set, or `loss` where nothing
    /// is validated.
    ///
    /// @param column `loss`, a metric's name, or one of these with `validation_` before it
    /// @return this
    public Trainer monitor(String column) {
        begin("monitor");
        this.monitor = Objects.requireNonNull(column, "column");
        return this;
    }

    /// `earlyStopping(patience, 0)`.
    ///
    /// @param patience how many epochs without improvement are waited for
    /// @return this
    /// @throws IllegalArgumentException if it is not positive
    public Trainer earlyStopping(int patience) {
        return earlyStopping(patience, 0);
    }

    /// Stops once the monitored value has not improved for some epochs.
    ///
    /// @param patience how many epochs without improvement are waited for, positive
    /// @param minDelta by more than how much a value must be better to be an improvement, 0 or more
    /// @return this
    /// @throws IllegalArgumentException if a setting is out of range
    public Trainer earlyStopping(int patience, double minDelta) {
        begin("earlyStopping");
        requirePositive("earlyStopping patience", patience);
        if (!(minDelta >= 0)) {
            throw new IllegalArgumentException("Trainer: earlyStopping minDelta " + minDelta + " must be 0 or more");
        }
        this.patience = patience;
        this.minDelta = minDelta;
        return this;
    }

    /// Puts back, at the end, the model's parameters and buffers of the best epoch.
    ///
    /// **Memory** one copy of them, while training.
    ///
    /// @return this
    public Trainer restoreBest() {
        begin("restoreBest");
        this.restoreBest = true;
        return this;
    }

    /// Leaves out the prediction of a step's memory, for models whose forward reads elements: it would be refused.
    ///
    /// @return this
    public Trainer withoutMemoryPlan() {
        begin("withoutMemoryPlan");
        this.planning = false;
        return this;
    }

    /// Goes on when a loss or a gradient is NaN or infinite, which stops training otherwise.
    ///
    /// @return this
    public Trainer allowNonFiniteLoss() {
        begin("allowNonFiniteLoss");
        this.nonFinite = true;
        return this;
    }

    /// Saves, in a folder, all that training depends on: after each epoch, and when it is stopped. The files are
    /// those of [org.toydiff.io.CheckpointFile#saveNumbered], of which the last two are kept.
    ///
    /// Saved are model, optimizer, schedules, metrics, history, the best parameters, where the training loader
    /// stands, and the random generator. With a folder set, Ctrl-C ends training after its step, with a checkpoint; a
    /// data set that blocks is interrupted after two seconds, and two later the process ends without a checkpoint.
    ///
    /// A folder is for one run: [#fit] refuses one that has the checkpoints of another, unless that is resumed, and one
    /// in which another training, of any process, is under way. In the files the string `run` tells runs apart.
    ///
    /// @param folder where; it is made if it is not there
    /// @return this
    /// @throws IllegalStateException if Gson is not there, saying what to add
    public Trainer checkpoints(Path folder) {
        begin("checkpoints");
        OptionalLibrary.GSON.require("checkpoints");
        this.checkpoints = Objects.requireNonNull(folder, "folder");
        return this;
    }

    /// Saves after every so many steps too.
    ///
    /// @param steps how many, positive
    /// @return this
    /// @throws IllegalArgumentException if it is not positive
    public Trainer checkpointEvery(long steps) {
        begin("checkpointEvery");
        requirePositive("checkpointEvery", steps);
        this.checkpointSteps = steps;
        return this;
    }

    /// How many checkpoints are kept.
    ///
    /// @param checkpoints the number, positive
    /// @return this
    /// @throws IllegalArgumentException if it is not positive
    public Trainer keepCheckpoints(int checkpoints) {
        begin("keepCheckpoints");
        requirePositive("keepCheckpoints", checkpoints);
        this.keep = checkpoints;
        return this;
    }

    /// Saves something else with the checkpoints: a moving average of the parameters, a callback.
    ///
    /// @param name what to call it, without dots
    /// @param part what to save
    /// @return this
    /// @throws IllegalArgumentException if the name has a dot or is taken
    public Trainer alsoSaving(String name, Stateful part) {
        begin("alsoSaving");
        boolean reserved = name.matches(
                "random|progress|model|optimizer|loader|history|best|confusion|mean_loss|(schedule|metric)\\d+");
        if (name.isEmpty() || name.contains(".") || reserved || ownParts.containsKey(name)) {
            throw new IllegalArgumentException(
                    "Trainer: alsoSaving: the name \"" + name + "\" is taken, empty or has a dot; choose another");
        }
        ownParts.put(name, Objects.requireNonNull(part, "part"));
        return this;
    }

    /// Goes on from the latest checkpoint in the folder, if there is one, as if training had never stopped: to the
    /// bit, times aside. [#fit] refuses a folder with checkpoints of several runs, and a checkpoint that was changed.
    ///
    /// The trainer must be set up as it was, the number of epochs aside, and the loaders must give the same
    /// batches.
    ///
    /// @return this
    public Trainer resume() {
        begin("resume");
        this.resume = true;
        return this;
    }

    /// Writes the history as CSV after each epoch and at the end: [org.toydiff.train.report.History#writeCsv].
    ///
    /// @param folder where
    /// @return this
    /// @throws IllegalStateException if FastCSV is not there, saying what to add
    public Trainer historyCsv(Path folder) {
        begin("historyCsv");
        OptionalLibrary.FASTCSV.require("historyCsv");
        this.csv = Objects.requireNonNull(folder, "folder");
        return this;
    }

    /// Writes the history as JSON after each epoch and at the end: [org.toydiff.train.report.History#writeJson].
    ///
    /// @param file where
    /// @return this
    /// @throws IllegalStateException if Gson is not there, saying what to add
    public Trainer historyJson(Path file) {
        begin("historyJson");
        OptionalLibrary.GSON.require("historyJson");
        this.json = Objects.requireNonNull(file, "file");
        return this;
    }

    /// Writes a report at the end, also when training ends by an exception.
    ///
    /// @param file where
    /// @return this
    /// @throws IllegalStateException if ECharts or Gson is not there, saying what to add
    public Trainer report(Path file) {
        begin("report");
        OptionalLibrary.GSON.require("report");
        OptionalLibrary.ECHARTS.require("report");
        this.report = Objects.requireNonNull(file, "file");
        return this;
    }

    /// Sets the report's heading.
    ///
    /// @param title the heading
    /// @return this
    public Trainer title(String title) {
        begin("title");
        this.title = Objects.requireNonNull(title, "title");
        return this;
    }

    /// Names the classes, for the report's confusion matrix.
    ///
    /// @param names a name for each class, in the order of the labels
    /// @return this
    public Trainer classNames(String... names) {
        begin("classNames");
        this.classNames = List.of(names);
        return this;
    }

    /// Adds a line to the report's facts about the run.
    ///
    /// @param name what it is: `Data`
    /// @param value how it is: `Fashion-MNIST, 60,000 images`
    /// @return this
    public Trainer fact(String name, String value) {
        begin("fact");
        facts.put(Objects.requireNonNull(name, "name"), Objects.requireNonNull(value, "value"));
        return this;
    }

    /// Trains without validation.
    ///
    /// @param training gives the batches
    /// @return where training ended
    /// @throws IOException if a history, a checkpoint or the report cannot be written; and before the first step if
    ///     the folder of checkpoints is in use or another run's, or the one to be resumed cannot be read
    /// @throws IllegalArgumentException if settings do not fit each other or the data, or the loss is no scalar
    /// @throws ArithmeticException if a loss or a gradient is NaN or infinite, naming epoch and step; as with every
    ///     step that fails before the optimizer's, parameters, buffers and the optimizer's state are those before it
    /// @throws org.toydiff.MemoryLimitException if a step would pass the memory limit, before it is begun
    public Training fit(DataLoader training) throws IOException {
        return run(training, null);
    }

    /// Trains, and after each epoch computes loss and metrics of examples that are not trained on, with the model
    /// set to evaluation and nothing recorded.
    ///
    /// @param training gives the batches
    /// @param validation gives those to validate with
    /// @return where training ended
    /// @throws IOException if a history, a checkpoint or the report cannot be written; and before the first step if
    ///     the folder of checkpoints is in use or another run's, or the one to be resumed cannot be read
    /// @throws IllegalArgumentException if settings do not fit each other or the data, or the loss is no scalar
    /// @throws ArithmeticException if a loss or a gradient is NaN or infinite, naming epoch and step; as with every
    ///     step that fails before the optimizer's, parameters, buffers and the optimizer's state are those before it
    /// @throws org.toydiff.MemoryLimitException if a step would pass the memory limit, before it is begun
    public Training fit(DataLoader training, DataLoader validation) throws IOException {
        return run(training, Objects.requireNonNull(validation, "validation"));
    }

    private Training run(DataLoader training, DataLoader validation) throws IOException {
        begin("fit");
        if (checkpoints == null && (resume || checkpointSteps < Long.MAX_VALUE)) {
            throw new IllegalStateException(
                    "fit: there is no folder to save to or resume from; set one with checkpoints(folder)");
        }
        fitting = true;
        try (var memory = TensorArena.ofConfined()) {
            return new TrainingLoop(this, Objects.requireNonNull(training, "training"), validation, memory).run();
        } finally {
            fitting = false;
        }
    }

    /// Begins a change of a setting, or a fit. A callback has the trainer at hand while its settings are in use.
    private void begin(String call) {
        if (fitting) {
            throw new IllegalStateException("Trainer: " + call
                    + " cannot be called while a fit is under way; call it before, or after fit has returned");
        }
    }

    private static void requirePositive(String setting, long value) {
        if (value <= 0) {
            throw new IllegalArgumentException("Trainer: " + setting + " " + value + " must be positive");
        }
    }
}
