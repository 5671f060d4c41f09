package org.toydiff.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.distributed.ProcessGroup;
import org.toydiff.internal.files.OptionalLibrary;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Loss;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.ReduceOnPlateau;
import org.toydiff.optim.Scheduler;
import org.toydiff.train.metrics.Metric;

/// Trains a model: a training loop with metrics, validation, history, early stopping and a report.
///
/// ```java
/// try (var arena = TensorArena.ofShared()) {
///     var net = new Sequential(new Linear(784, 512), new ReLU(), new Linear(512, 10));
///     var training = Trainer.of(net, new SGD(net.parameters(), 0.1).momentum(0.9), Functional::crossEntropyLoss)
///             .metrics(new Accuracy())
///             .epochs(20)
///             .earlyStopping(5)
///             .callbacks(ConsoleProgress.standard())
///             .report(Path.of("report.html"))
///             .fit(trainingLoader, validationLoader);
/// }
/// ```
///
/// A step keeps no memory: the batch, outputs and gradients of intermediates live in an arena that is closed at the
/// end of the step ([org.toydiff.Release#EAGER] frees most of it earlier). Before the first step of each shape of
/// batch its memory is predicted ([org.toydiff.MemoryPlan]); a step that would exceed the limit is refused with the
/// largest micro-batch that fits.
///
/// Frozen layers ([Layer#freeze()]) stay as they are, in evaluation mode, while the others train.
///
/// Settings follow the convention of [org.toydiff.data]; all of them throw IllegalStateException while a fit or an
/// evaluation is under way. For one thread at a time.
public final class Trainer extends TrainerSettings {
    /// The call that uses the settings, null without one.
    private String running;

    private Trainer(Layer model, Optimizer optimizer, Loss loss) {
        super(model, optimizer, loss);
    }

    /// Makes a trainer for one epoch.
    ///
    /// @param model the model to train
    /// @param optimizer the optimizer of the parameters of the model
    /// @param loss the loss to minimize
    /// @return the trainer, whose methods named after the other settings change those
    public static Trainer of(Layer model, Optimizer optimizer, Loss loss) {
        return new Trainer(model, Objects.requireNonNull(optimizer, "optimizer"), loss);
    }

    /// Makes a trainer that evaluates and predicts only.
    ///
    /// @param model the model to evaluate
    /// @param loss the loss that [#evaluate] returns
    /// @return the trainer, whose [#fit] is refused
    public static Trainer of(Layer model, Loss loss) {
        return new Trainer(model, null, loss);
    }

    /// Sets the number of epochs, passes over the training examples.
    ///
    /// @param epochs the number, positive, 1 without this call; it includes the epochs before a training was resumed
    /// @return this
    /// @throws IllegalArgumentException if it is not positive
    public Trainer epochs(int epochs) {
        begin("epochs");
        requirePositive("epochs", epochs);
        this.epochs = epochs;
        return this;
    }

    /// Adds metrics, which are computed in training and in validation.
    ///
    /// @param metrics the metrics, with distinct names
    /// @return this
    /// @throws IllegalArgumentException if a name is repeated, is not valid or is used by the history
    public Trainer metrics(Metric... metrics) {
        begin("metrics");
        var names = new HashSet<>(HistoryRecorder.BOOKKEEPING);
        names.add("loss");
        this.metrics.forEach(metric -> names.add(metric.name()));
        for (Metric metric : metrics) {
            Metric.requireName(metric.name());
            if (metric.name().startsWith("validation_") || !names.add(metric.name())) {
                throw new IllegalArgumentException("Trainer: metrics: the name " + metric.name()
                        + " is taken; use distinct names that do not begin with validation_");
            }
        }
        this.metrics.addAll(List.of(metrics));
        return this;
    }

    /// Adds callbacks: progress, custom schedules.
    ///
    /// @param callbacks the callbacks, called in this order
    /// @return this
    public Trainer callbacks(Callback... callbacks) {
        begin("callbacks");
        this.callbacks.addAll(List.of(callbacks));
        return this;
    }

    /// Computes each step in micro-batches, parts of a batch, to use less memory: accumulates their gradients, each
    /// weighted by its share of the examples, or of the weights of the loss, and steps the optimizer once.
    ///
    /// The loss must record the divisor of its mean, see [Loss]; otherwise [#fit] refuses the first batch.
    ///
    /// The gradient is that of the whole batch up to rounding, but layers that depend on the whole batch, as batch
    /// normalization does, see only the micro-batch. Validation uses micro-batches too.
    ///
    /// @param examples the largest number of examples of a micro-batch, positive
    /// @return this
    /// @throws IllegalArgumentException if it is not positive
    public Trainer microBatch(long examples) {
        begin("microBatch");
        requirePositive("microBatch", examples);
        this.microBatch = examples;
        return this;
    }

    /// Calls `processes(group, group.size())`: one shard for each process.
    ///
    /// @param group the processes
    /// @return this
    public Trainer processes(ProcessGroup group) {
        begin("processes");
        return processes(group, group.size());
    }

    /// Trains with the processes of a group, each of which runs this program: see
    /// [org.toydiff.distributed.DataParallel]. The results have the same bits for any number of processes.
    ///
    /// Every batch of the loaders is divided into shards, of which each process reads, computes and sends its own
    /// ([DataLoader#shards]); the loaders must be the same in all processes. Validation is divided
    /// alike. Metrics get the outputs of all processes, and so have their values everywhere. Files and progress
    /// ([ConsoleProgress]) are those of rank 0: checkpoints hold the whole state, and [#resume()] works with any
    /// other number of processes, which read them from a shared file system. Other callbacks are called in all
    /// processes. A [Training#stop] in one process ends the training in all.
    ///
    /// [#evaluate] and [#predict] are of this process alone. Shards take the place of [#microBatch]: their number
    /// may be larger than that of processes.
    ///
    /// **Memory** [org.toydiff.distributed.ParallelPlan]; with metrics also the outputs and targets of all processes
    /// during a step.
    ///
    /// @param group the processes, which stay open
    /// @param shards the number of shards of a batch, the number of processes or more, best a multiple of it
    /// @return this
    /// @throws IllegalArgumentException if there are fewer shards than processes
    public Trainer processes(ProcessGroup group, int shards) {
        begin("processes");
        if (shards < group.size()) {
            throw new IllegalArgumentException(
                    "Trainer: processes: " + shards + " shards are too few for " + group.size() + " processes");
        }
        this.ranks = new Ranks(group, shards);
        return this;
    }

    /// Makes batch normalizations take their statistics over the whole batch instead of each shard:
    /// [org.toydiff.distributed.DataParallel#synchronizeBatchNorm()]. [#fit] refuses it without `processes(group)`, or
    /// with more shards than processes. Results then depend on the number of processes, by rounding.
    ///
    /// @return this
    public Trainer synchronizeBatchNorm() {
        begin("synchronizeBatchNorm");
        this.synchronizeBatchNorm = true;
        return this;
    }

    /// Adds a scheduler that steps after each step of the optimizer.
    ///
    /// @param scheduler a scheduler of this trainer's optimizer
    /// @return this
    public Trainer everyStep(Scheduler scheduler) {
        begin("everyStep");
        stepSchedules.add(Objects.requireNonNull(scheduler, "scheduler"));
        schedules.add(scheduler);
        return this;
    }

    /// Adds a scheduler that steps after each epoch.
    ///
    /// @param scheduler a scheduler of this trainer's optimizer
    /// @return this
    public Trainer everyEpoch(Scheduler scheduler) {
        begin("everyEpoch");
        epochSchedules.add(Objects.requireNonNull(scheduler, "scheduler"));
        schedules.add(scheduler);
        return this;
    }

    /// Adds a scheduler that steps after each epoch with the monitored value, negated if larger values are better.
    ///
    /// @param scheduler a scheduler of this trainer's optimizer
    /// @return this
    public Trainer everyEpoch(ReduceOnPlateau scheduler) {
        begin("everyEpoch");
        plateauSchedules.add(Objects.requireNonNull(scheduler, "scheduler"));
        schedules.add(scheduler);
        return this;
    }

    /// Scales the gradients before each step so that their total norm is at most a bound:
    /// [org.toydiff.optim.Gradients#clipNorm]. The history then has a column `gradient_norm`, the norm before
    /// clipping.
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

    /// Clips every element of the gradients before each step, and before the norm is clipped:
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

    /// Sets the monitored column of epochs, which decides the best epoch: `validation_loss` without this call, or
    /// `loss` without validation.
    ///
    /// @param column `loss`, the name of a metric, or one of these prefixed by `validation_`
    /// @return this
    public Trainer monitor(String column) {
        begin("monitor");
        this.monitor = Objects.requireNonNull(column, "column");
        return this;
    }

    /// Calls `earlyStopping(patience, 0)`.
    ///
    /// @param patience the number of epochs without improvement, positive
    /// @return this
    /// @throws IllegalArgumentException if it is not positive
    public Trainer earlyStopping(int patience) {
        return earlyStopping(patience, 0);
    }

    /// Stops once the monitored value has not improved for a number of epochs.
    ///
    /// @param patience the number of epochs without improvement, positive
    /// @param minDelta the difference that an improvement must exceed, 0 or more
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

    /// Restores the parameters and buffers of the best epoch at the end.
    ///
    /// **Memory** one copy of them during the training.
    ///
    /// @return this
    public Trainer restoreBest() {
        begin("restoreBest");
        this.restoreBest = true;
        return this;
    }

    /// Leaves out the prediction of a step's memory, which refuses models whose forward reads elements.
    ///
    /// @return this
    public Trainer withoutMemoryPlan() {
        begin("withoutMemoryPlan");
        this.planning = false;
        return this;
    }

    /// Compiles forward and backward of the training step: see [org.toydiff.CompiledFunction]. The results stay the
    /// same, bit for bit.
    ///
    /// Micro-batches run one after another. [#fit] refuses what a compiled function does, by IllegalStateException: a
    /// model or loss that reads elements, for instance.
    ///
    /// @param compiled whether to compile; false without this call
    /// @return this
    public Trainer compiled(boolean compiled) {
        begin("compiled");
        this.compiled = compiled;
        return this;
    }

    /// Sets the response to a loss or a gradient that is NaN or infinite. Gradients are checked after clipping and
    /// before the optimizer steps, by their norms: one pass over each, or none where [#clipNorm] has computed it.
    ///
    /// @param response the response, [NonFinite#STOP] without this call
    /// @return this
    public Trainer onNonFinite(NonFinite response) {
        begin("onNonFinite");
        this.nonFinite = Objects.requireNonNull(response, "response");
        return this;
    }

    /// Saves the complete state of the training to checkpoint files in a folder, after each epoch and when it is
    /// stopped. The files are those of [org.toydiff.io.CheckpointFile#saveNumbered], of which the last two are kept.
    ///
    /// The state is that of model, optimizer, schedulers, metrics, history, the best parameters, the position of the
    /// training loader, and the random generator. With a folder set, Ctrl-C ends the training after its step, with a
    /// checkpoint; a data set that blocks is interrupted after two seconds, and two seconds later the process ends
    /// without a checkpoint.
    ///
    /// A folder is for one run: [#fit] refuses a folder with the checkpoints of another run, unless that is resumed,
    /// and one in which another training, of any process, is under way. The metadata entry `run` of the files
    /// identifies their run.
    ///
    /// @param folder the folder, which is created if it does not exist
    /// @return this
    /// @throws IllegalStateException if Gson is missing: the message names the artifact to add
    public Trainer checkpoints(Path folder) {
        begin("checkpoints");
        OptionalLibrary.GSON.require("checkpoints");
        this.checkpoints = Objects.requireNonNull(folder, "folder");
        return this;
    }

    /// Also saves a checkpoint after a number of steps.
    ///
    /// @param steps the number of steps between checkpoints, positive
    /// @return this
    /// @throws IllegalArgumentException if it is not positive
    public Trainer checkpointEvery(long steps) {
        begin("checkpointEvery");
        requirePositive("checkpointEvery", steps);
        this.checkpointSteps = steps;
        return this;
    }

    /// Sets the number of checkpoints that are kept.
    ///
    /// @param checkpoints the number, positive, 2 without this call
    /// @return this
    /// @throws IllegalArgumentException if it is not positive
    public Trainer keepCheckpoints(int checkpoints) {
        begin("keepCheckpoints");
        requirePositive("keepCheckpoints", checkpoints);
        this.keep = checkpoints;
        return this;
    }

    /// Saves another part with the checkpoints: a moving average of the parameters, a callback.
    ///
    /// @param name the name of the part, without dots
    /// @param part the part
    /// @return this
    /// @throws IllegalArgumentException if the name has a dot or is taken
    public Trainer alsoSaving(String name, Stateful part) {
        begin("alsoSaving");
        boolean reserved = name.matches(
                "random|progress|model|optimizer|loader|history|best|confusion|mean_loss|(schedule|metric)\\d+");
        if (name.isEmpty() || name.contains(".") || reserved || extraParts.containsKey(name)) {
            throw new IllegalArgumentException(
                    "Trainer: alsoSaving: the name \"" + name + "\" is taken, empty or has a dot; choose another");
        }
        extraParts.put(name, Objects.requireNonNull(part, "part"));
        return this;
    }

    /// Resumes from the latest checkpoint in the folder, if there is one, as if the training had never stopped: to
    /// the bit, except for times. [#fit] refuses a folder with checkpoints of several runs.
    ///
    /// Where the latest checkpoint is damaged, cut off or changed, the one before it is used: the logger `org.toydiff`
    /// gets a warning with both files and the reason, and the damaged file is renamed to end with `.damaged`.
    ///
    /// The settings must be the same, except for the number of epochs, and the loaders must return the same batches.
    ///
    /// @return this
    public Trainer resume() {
        begin("resume");
        this.resume = true;
        return this;
    }

    /// Writes the history as CSV after each epoch and at the end: [org.toydiff.train.report.History#writeCsv].
    ///
    /// @param folder the folder, which is created if it does not exist
    /// @return this
    /// @throws IllegalStateException if FastCSV is missing: the message names the artifact to add
    public Trainer historyCsv(Path folder) {
        begin("historyCsv");
        OptionalLibrary.FASTCSV.require("historyCsv");
        this.csv = Objects.requireNonNull(folder, "folder");
        return this;
    }

    /// Writes the history as JSON after each epoch and at the end: [org.toydiff.train.report.History#writeJson].
    ///
    /// @param file the file, whose folder is created if it does not exist
    /// @return this
    /// @throws IllegalStateException if Gson is missing: the message names the artifact to add
    public Trainer historyJson(Path file) {
        begin("historyJson");
        OptionalLibrary.GSON.require("historyJson");
        this.json = Objects.requireNonNull(file, "file");
        return this;
    }

    /// Writes a report at the end, also if an exception ends the training: [org.toydiff.train.report.Report#write].
    ///
    /// @param file the file, whose folder is created if it does not exist
    /// @return this
    /// @throws IllegalStateException if ECharts or Gson is missing: the message names the artifact to add
    public Trainer report(Path file) {
        begin("report");
        OptionalLibrary.GSON.require("report");
        OptionalLibrary.ECHARTS.require("report");
        this.report = Objects.requireNonNull(file, "file");
        return this;
    }

    /// Sets the heading of the report.
    ///
    /// @param title the heading
    /// @return this
    public Trainer title(String title) {
        begin("title");
        this.title = Objects.requireNonNull(title, "title");
        return this;
    }

    /// Names the classes in the confusion matrix of the report.
    ///
    /// @param names a name for each class, in the order of the labels
    /// @return this
    public Trainer classNames(String... names) {
        begin("classNames");
        this.classNames = List.of(names);
        return this;
    }

    /// Adds a line to the facts about the run in the report.
    ///
    /// @param name the name of the fact: `Data`
    /// @param value its value: `Fashion-MNIST, 60,000 images`
    /// @return this
    public Trainer fact(String name, String value) {
        begin("fact");
        facts.put(Objects.requireNonNull(name, "name"), Objects.requireNonNull(value, "value"));
        return this;
    }

    /// Trains without validation.
    ///
    /// @param training the loader of the training examples
    /// @return the state in which the training ended
    /// @throws IOException if a history, a checkpoint or the report cannot be written; and before the first step if
    ///     the folder of checkpoints is in use or belongs to another run, or the checkpoint to resume from cannot be
    ///     read or every checkpoint is damaged
    /// @throws IllegalArgumentException if the settings do not fit the loaders or each other, or the loss is not a
    ///     scalar
    /// @throws IllegalStateException if there is no optimizer, checkpoints are to be saved or resumed from and no
    ///     folder is set, or a fit is under way
    /// @throws ArithmeticException with [NonFinite#STOP], if a loss or a gradient is NaN or infinite; the message
    ///     names epoch and step. As after every step that fails before the optimizer steps, parameters, buffers and
    ///     the state of the optimizer are unchanged by it
    /// @throws org.toydiff.MemoryLimitException if a step would exceed the memory limit, before it begins
    public Training fit(DataLoader training) throws IOException {
        return run(training, null);
    }

    /// Trains, and after each epoch computes loss and metrics of examples that are not trained on, with the model in
    /// evaluation mode and nothing recorded for gradients.
    ///
    /// @param training the loader of the training examples
    /// @param validation the loader of the validation examples
    /// @return the state in which the training ended
    /// @throws IOException if a history, a checkpoint or the report cannot be written; and before the first step if
    ///     the folder of checkpoints is in use or belongs to another run, or the checkpoint to resume from cannot be
    ///     read or every checkpoint is damaged
    /// @throws IllegalArgumentException if the settings do not fit the loaders or each other, or the loss is not a
    ///     scalar
    /// @throws IllegalStateException if there is no optimizer, checkpoints are to be saved or resumed from and no
    ///     folder is set, or a fit is under way
    /// @throws ArithmeticException with [NonFinite#STOP], if a loss or a gradient is NaN or infinite; the message
    ///     names epoch and step. As after every step that fails before the optimizer steps, parameters, buffers and
    ///     the state of the optimizer are unchanged by it
    /// @throws org.toydiff.MemoryLimitException if a step would exceed the memory limit, before it begins
    public Training fit(DataLoader training, DataLoader validation) throws IOException {
        return run(training, Objects.requireNonNull(validation, "validation"));
    }

    private Training run(DataLoader training, DataLoader validation) throws IOException {
        begin("fit");
        requireTraining();
        // Several processes divide the optimizer's state, which is put together again for the caller.
        TensorArena home = ranks == null ? null : TensorArena.innermost();
        running = "fit";
        try (var memory = TensorArena.ofConfined()) {
            return new TrainingLoop(this, Objects.requireNonNull(training, "training"), validation, home, memory).run();
        } finally {
            running = null;
        }
    }

    /// Computes the loss and the metrics over the examples of a loader, with the model in evaluation mode and nothing
    /// recorded for gradients; afterwards each layer is in the mode in which it was before.
    ///
    /// ```java
    /// double accuracy = trainer.evaluate(testLoader).get("accuracy");
    /// ```
    ///
    /// The metrics themselves keep the examples until the next evaluation or fit, a confusion matrix for instance.
    /// Micro-batches, if set, are used, and callbacks show the progress. **Memory** nothing is kept.
    ///
    /// @param loader the loader of the examples
    /// @return `loss`, the mean over the examples with the weights of the loss, and then each metric, by name
    /// @throws IllegalArgumentException if there are no examples, or they do not fit the model, the loss or a metric
    /// @throws IllegalStateException if a fit or an evaluation is under way
    public Map<String, Double> evaluate(DataLoader loader) {
        return evaluating("evaluate", () -> new Evaluation(this).evaluate(loader));
    }

    /// Computes the outputs for the inputs of a loader, with the model in evaluation mode and nothing recorded for
    /// gradients; afterwards each layer is in the mode in which it was before. Targets are not read.
    ///
    /// **Memory** one new tensor in the innermost arena, to which the outputs of each batch are copied.
    ///
    /// @param loader the loader of the examples
    /// @return the outputs `[n, …]`, in the order of the loader
    /// @throws IllegalArgumentException if there are no examples, they do not fit the model, or an output has not one
    ///     row for each example
    /// @throws IllegalStateException if a fit or an evaluation is under way, or no arena is open
    public Tensor predict(DataLoader loader) {
        return evaluating("predict", () -> new Evaluation(this).predict(loader));
    }

    /// Computes the outputs for the rows of a tensor, as [#predict(DataLoader)] does for those of a loader.
    ///
    /// @param x the inputs `[n, …]`
    /// @param batchSize the number of rows that are computed at a time, positive
    /// @return the outputs `[n, …]`, a new tensor in the innermost arena
    /// @throws IllegalArgumentException if the batch size is not positive, x is a scalar or does not fit the model, or
    ///     an output has not one row for each row of x
    /// @throws IllegalStateException if a fit or an evaluation is under way, or no arena is open
    public Tensor predict(Tensor x, long batchSize) {
        requirePositive("predict: batch size", batchSize);
        return evaluating("predict", () -> new Evaluation(this).predict(x, batchSize));
    }

    private <T> T evaluating(String call, Supplier<T> evaluation) {
        begin(call);
        running = call;
        try {
            return evaluation.get();
        } finally {
            running = null;
        }
    }

    /// Begins a change of a setting, or a call that uses them. A callback could call either during such a call.
    private void begin(String call) {
        if (running != null) {
            throw new IllegalStateException("Trainer: " + call + " cannot be called while " + running
                    + " is under way; call it before, or after " + running + " has returned");
        }
    }

    private static void requirePositive(String setting, long value) {
        if (value <= 0) {
            throw new IllegalArgumentException("Trainer: " + setting + " " + value + " must be positive");
        }
    }
}
