package org.toydiff.distributed;

import java.util.List;
import java.util.Objects;
import java.util.function.IntFunction;
import java.util.function.IntToDoubleFunction;
import org.toydiff.Autograd;
import org.toydiff.Region;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.ShardRange;
import org.toydiff.nn.Layer;
import org.toydiff.optim.Division;
import org.toydiff.optim.Optimizer;

/// Trains one model on the processes of a group, each with its part of every batch.
///
/// ```java
/// try (var group = ProcessGroup.mpi(); var arena = TensorArena.ofShared()) {
///     var net = new Sequential(new Linear(784, 512), new ReLU(), new Linear(512, 10));
///     var optimizer = new Adam(net.parameters(), 1e-3);
///     try (var parallel = DataParallel.of(net, optimizer, group, 8)) {
///         for (Batch batch : loader) {                                     // the same batches in every process
///             long each = batch.size() / 8;
///             double loss = parallel.backward(shard -> {
///                 Tensor x = batch.x().slice(0, shard * each, (shard + 1) * each);
///                 Tensor y = batch.y().slice(0, shard * each, (shard + 1) * each);
///                 return crossEntropyLoss(net.forward(x), y);
///             });
///             parallel.step();
///         }
///     }
/// }
/// ```
///
/// **Same bits** A batch is a number of shards that the caller fixes, whatever the number of processes: each
/// process computes neighbouring ones, and losses and gradients are added up in the order of one binary tree. So
/// losses, parameters and the optimizer's state have the same bits for any number of processes with one kind of
/// processor; in particular for one, which computes the shards one after another, as micro-batches. Random draws in
/// a shard, for dropout, do not depend on the process that computes it. Buffers, such as the running statistics of
/// batch normalization, are computed by each shard from those before the step, and then their mean over the shards
/// is taken; [#synchronizeBatchNorm()] makes these statistics those of the whole batch instead.
///
/// **Communication** While backward of the process's last shard goes on, gradients are sent as soon as they are
/// complete: in buckets of at most 2 MiB, or one larger parameter, in the reverse order of the optimizer's
/// parameters, by a thread of its own. Every process updates its part of each parameter, with the optimizer's state
/// of that part alone (ZeRO stage 1), and receives the others' parts. Per step a process sends and receives twice
/// the bytes of the parameters, times `1 − 1/size`, as with a ring all-reduce.
///
/// **Memory** [#plan()] has the bytes; they live until [#close()], except for the optimizer's state, which is in the
/// arena that was innermost in [#of]. On the Java heap a step takes about 3 KB for two shards and a batch
/// normalization, beside the graphs of the shards: a compiled step takes no more than that.
///
/// For one thread at a time. An exception in [#backward] or [#step] leaves the other processes waiting: see
/// [ProcessGroup] for how the job ends then.
public final class DataParallel implements AutoCloseable {
    private final Layer model;
    private final Optimizer optimizer;
    private final Processes processes;
    private final TensorArena home;
    private final Layout layout;
    private final ParallelPlan plan;
    private final ShardRange own;
    private final GradientExchange exchange;
    private final BufferMeans buffers;
    private final StepRecord record;
    private final ShardSeeds seeds;
    private final SummedGradients gradients;
    private final AccumulatedGradients accumulated;
    private boolean synchronizes = true;

    /// The region of [#synchronizeBatchNorm()]; null without it and for one process.
    private Region normalization;

    private StepState state = StepState.NONE;

    /// The shard under way, counted from this process's first, and its weight.
    private int shard;

    private double weightHere;

    /// Of the shards of the last backward.
    private long peakBytes;

    private DataParallel(Layer model, Optimizer optimizer, ProcessGroup group, int shards) {
        this.model = model;
        this.optimizer = optimizer;
        List<Tensor> parameters = optimizer.parameters();
        this.layout = new Layout(parameters, group.size(), shards);
        this.processes = new Processes(group);
        int rank = group.rank();
        this.own = layout.shardsOf.get(rank);
        this.plan = ParallelPlan.of(model, optimizer, rank, layout.ranks, shards);
        processes.requireOpen("of");
        processes.requireAlike(model, optimizer, shards);
        this.home = TensorArena.ofDetached();
        try {
            try (var inside = home.enter();
                    var unrecorded = Autograd.noGradient()) {
                this.exchange = new GradientExchange(layout, parameters, rank, processes, this::takeGradient);
                this.gradients = new SummedGradients(layout, exchange, processes, home);
                this.accumulated = new AccumulatedGradients(parameters, own.count(), home);
                List<Tensor> all = List.copyOf(model.namedBuffers().values());
                this.record = new StepRecord(layout, parameters.size(), BufferMeans.elements(all), home);
                this.buffers = new BufferMeans(all, layout, rank, record);
                this.seeds = new ShardSeeds();
            }
            processes.copyFromFirst(model, parameters);
            // At the end, because the state of the others' elements is gone then.
            optimizer.divide(new OwnParts());
        } catch (RuntimeException | Error e) {
            home.close();
            throw e;
        }
    }

    /// Begins to train a model: copies the parameters and buffers of rank 0, and the state of its random generator,
    /// to all processes, and divides the optimizer's state. If it throws, the state is not divided, and no memory is
    /// left behind.
    ///
    /// **Memory** as [DataParallel] says; the state of the optimizer's part is made in the innermost arena.
    ///
    /// @param model the model, made by the same program in every process
    /// @param optimizer the optimizer of its parameters, which keeps its groups, settings and schedules
    /// @param group the processes, which stay open
    /// @param shards the number of parts of a batch, the group's size or more, best a multiple of it
    /// @return the training, to be closed before the group
    /// @throws IllegalArgumentException if there are fewer shards than processes, or the optimizer's steps are not
    ///     elementwise, see [Optimizer#divide]
    /// @throws IllegalStateException if the group is closed; the processes differ in versions, shards, the shapes or
    ///     dtypes of parameters or buffers, or the class of the optimizer, naming what each has; or the optimizer is
    ///     divided already
    /// @throws org.toydiff.MemoryLimitException if a limit would be passed
    public static DataParallel of(Layer model, Optimizer optimizer, ProcessGroup group, int shards) {
        return new DataParallel(
                Objects.requireNonNull(model, "model"),
                Objects.requireNonNull(optimizer, "optimizer"),
                Objects.requireNonNull(group, "group"),
                shards);
    }

    /// Makes batch normalizations, in training mode, take mean and variance over the whole batch instead of the shard,
    /// until this is closed: PyTorch's `SyncBatchNorm`. Outputs, gradients and running statistics are then those of one
    /// process with the whole batch, up to rounding, also with shards of different sizes. All processes call this.
    ///
    /// Every process must have one shard: it would compute several one after another, and the first cannot wait for the
    /// statistics of the next. Every shard must have examples and a weight other than 0, and each layer must be in the
    /// same mode in all processes: if only some train it, all processes throw. With one process nothing changes.
    ///
    /// **Communication** for each layer two collectives forward and two backward, in [#noSync()] too, of `8·channels`
    /// bytes from each process to all. Gradients are sent after backward, lest a parameter without gradient in one
    /// process put these collectives in another order there.
    /// **Memory** each layer keeps `x − mean` for backward instead of x.
    ///
    /// @throws IllegalStateException if there are more shards than processes; a layer is synchronized already; not all
    ///     processes call this, or one has failed; or this or its group is closed
    public void synchronizeBatchNorm() {
        requireUsable("synchronizeBatchNorm");
        normalization = processes.synchronizeBatchNorm(model, layout.shards);
    }

    /// {@return the memory of this process, without that of [#noSync()]}
    public ParallelPlan plan() {
        return plan;
    }

    /// {@return the bytes that this keeps until it is closed: those of the plan without parameters, gradients and the
    /// optimizer's state, and those of [#noSync()]}
    public long liveBytes() {
        return home.liveBytes();
    }

    /// {@return the shards that this process computes, for [org.toydiff.data.DataLoader#shards(ShardRange)]}
    public ShardRange shards() {
        return own;
    }

    /// Computes the mean of the losses of all shards and its gradients: calls `backward(loss, shard -> 1.0 / shards)`.
    ///
    /// @param loss the loss of a shard, a scalar, usually the mean over its examples
    /// @return the mean of the losses, the same in every process
    /// @throws IllegalArgumentException as [#backward(IntFunction, IntToDoubleFunction)]
    /// @throws IllegalStateException as [#backward(IntFunction, IntToDoubleFunction)]
    public double backward(IntFunction<Tensor> loss) {
        return backward(loss, any -> 1.0 / layout.shards);
    }

    /// Computes the sum of the losses of all shards, each times its weight, and its gradients. Gradients of earlier
    /// calls are replaced, except for those within [#noSync()], which are added.
    ///
    /// **Memory** each loss is computed in an arena that is closed after its backward, which is
    /// [Release#EAGER].
    ///
    /// @param loss the loss of a shard, a scalar; called for each shard of this process, in ascending order
    /// @param weight the weight of a shard, called after its loss; a shard of weight 0 has no backward. With shards of
    ///     n of N examples, `n / N` gives the mean over all examples
    /// @return the sum, the same in every process
    /// @throws IllegalArgumentException if a loss is not a scalar, or a weight is 0 after [#synchronizeBatchNorm()]
    /// @throws IllegalStateException if a loss tracks no gradient; the processes do not call the same, or one has
    ///     failed; or this or its group is closed
    public double backward(IntFunction<Tensor> loss, IntToDoubleFunction weight) {
        Objects.requireNonNull(loss, "loss");
        return backward(new EagerPass(loss), weight);
    }

    /// As [#backward(IntFunction, IntToDoubleFunction)], where the caller goes backward: for a
    /// [org.toydiff.CompiledFunction] of forward and backward. Gradients are sent after the last shard's.
    ///
    /// @param pass computes the loss of a shard and adds the gradients of the loss times the shard's weight to those of
    ///     the parameters, which are empty before; returns the loss
    /// @param weight the weight of a shard, called after the pass
    /// @return the sum of the losses of all shards, each times its weight; the same in every process
    /// @throws IllegalArgumentException if a weight is 0 after [#synchronizeBatchNorm()]
    /// @throws IllegalStateException if the processes do not call the same, or one has failed; or this or its group is
    ///     closed
    public double backwardBy(IntToDoubleFunction pass, IntToDoubleFunction weight) {
        Objects.requireNonNull(pass, "pass");
        return backward(
                (number, weights, sends) -> {
                    double loss = pass.applyAsDouble(number);
                    weightHere = weights.applyAsDouble(number);
                    return loss;
                },
                weight);
    }

    /// Forward and backward of a shard.
    private interface Pass {
        /// Sets [#weightHere].
        ///
        /// @param sends whether gradients are sent as they are completed
        /// @return the loss
        double run(int number, IntToDoubleFunction weight, boolean sends);
    }

    private final class EagerPass implements Pass {
        private final IntFunction<Tensor> losses;

        EagerPass(IntFunction<Tensor> losses) {
            this.losses = losses;
        }

        @Override
        public double run(int number, IntToDoubleFunction weights, boolean sends) {
            try (var arena = TensorArena.ofConfined()) {
                Tensor loss = Objects.requireNonNull(losses.apply(number), "the loss of a shard");
                if (loss.size() != 1) {
                    throw new IllegalArgumentException("DataParallel: the loss of a shard is "
                            + Collectives.describe(loss) + ", not a scalar; reduce it to the mean over its examples");
                }
                double value = loss.item();
                weightHere = weights.applyAsDouble(number);
                if (weightHere != 0) {
                    Tensor seed = Tensor.full(loss.dtype(), weightHere, loss.shape());
                    if (sends) {
                        Autograd.backward(loss, seed, Release.EAGER, exchange::completed);
                    } else {
                        loss.backward(seed, Release.EAGER);
                    }
                }
                peakBytes = Math.max(peakBytes, arena.peakBytes());
                return value;
            }
        }
    }

    private double backward(Pass pass, IntToDoubleFunction weight) {
        Objects.requireNonNull(weight, "weight");
        requireUsable("backward");
        state = StepState.IN_BACKWARD;
        try {
            double sum = synchronizes ? synchronizedBackward(pass, weight) : localBackward(pass, weight);
            state = synchronizes ? StepState.SUMMED : StepState.NONE;
            return sum;
        } catch (Throwable e) {
            state = StepState.FAILED;
            processes.failed();
            throw e;
        }
    }

    private double synchronizedBackward(Pass pass, IntToDoubleFunction weight) {
        begin();
        buffers.begin();
        for (shard = 0; shard < own.count(); shard++) {
            boolean last = shard == own.count() - 1;
            if (shard > 0) {
                buffers.restore();
            }
            exchange.push(shard);
            record.setShard(shard, run(pass, weight, last && normalization == null), weightHere);
            buffers.add(shard);
            if (last) {
                exchange.sendRest();
            } else {
                exchange.keep();
            }
        }
        seeds.end();
        exchangeRecord();
        accumulated.endSent();
        return record.losses();
    }

    private void begin() {
        peakBytes = 0;
        exchange.begin();
        seeds.begin();
        accumulated.begin();
    }

    private double run(Pass pass, IntToDoubleFunction weight, boolean sends) {
        optimizer.zeroGradients();
        seeds.begin(own.first() + shard);
        double loss = pass.run(own.first() + shard, weight, sends);
        if (normalization != null && weightHere == 0) {
            throw new IllegalArgumentException("backward: a shard of weight 0 has no backward, in which the others"
                    + " wait for its part of synchronized batch normalization; give every shard a positive weight");
        }
        return loss;
    }

    private void exchangeRecord() {
        buffers.send();
        accumulated.send(record);
        processes.begin(record.transfer());
        exchange.awaitSums();
        processes.await("backward", record.transfer());
        buffers.receive();
    }

    private Tensor takeGradient(int parameter) {
        return accumulated.take(shard, parameter);
    }

    private double localBackward(Pass pass, IntToDoubleFunction weight) {
        begin();
        buffers.begin();
        double sum = 0;
        for (shard = 0; shard < own.count(); shard++) {
            double loss = run(pass, weight, false);
            sum += weightHere == 0 ? 0 : weightHere * loss;
            buffers.restore();
            accumulated.keep(shard);
        }
        seeds.end();
        accumulated.endKept();
        return sum;
    }

    /// Begins a region in which [#backward] does not communicate, and adds gradients up for the first one after it:
    /// for batches of more examples than fit. Each shard's gradients are added in the order of the calls, before
    /// the shards' are: so the bits do not depend on the number of processes here either.
    ///
    /// In the region `backward` returns the sum of this process's losses alone, and buffers stay as they are.
    ///
    /// **Memory** the gradients of each shard of this process, from the first call on, until [#close()]. More
    /// shards per process, computed one after another by one `backward`, need less.
    ///
    /// @return the region, to be closed on this thread
    /// @throws IllegalStateException if one is open, backward is under way or has failed, or this or its group is
    ///     closed
    public Region noSync() {
        requireUsable("noSync");
        if (!synchronizes) {
            throw new IllegalStateException("noSync: a region without communication is open already; close it first");
        }
        synchronizes = false;
        return () -> synchronizes = true;
    }

    /// {@return the peak of the tensors of a shard of this process in the last backward, in bytes; 0 after
    /// [#backwardBy(IntToDoubleFunction, IntToDoubleFunction)], whose caller knows}
    public long peakBytes() {
        return peakBytes;
    }

    /// {@return the sum of the weights of all shards in the last backward, the same in every process}
    ///
    /// @throws IllegalStateException unless backward was called after the last step, or if this or its group is closed
    public double weights() {
        requireSummed("weights");
        return record.weights();
    }

    /// Sets a flag, of which the next backward makes one for all processes: to stop together, for instance, when one is
    /// asked to.
    ///
    /// @param flag the flag of this process, false before the first call
    /// @throws IllegalStateException if backward is under way or has failed, or if this or its group is closed
    public void setFlag(boolean flag) {
        requireUsable("setFlag");
        record.setFlag(flag);
    }

    /// {@return whether any process's flag was set in the last backward}
    ///
    /// @throws IllegalStateException unless backward was called after the last step, or if this or its group is closed
    public boolean anyFlag() {
        requireSummed("anyFlag");
        return record.flag();
    }

    /// Scales the summed gradients, of the mean of losses with other weights for instance.
    ///
    /// @param factor the factor, the same in every process
    /// @throws IllegalStateException unless backward was called after the last step, or if this or its group is closed
    public void scaleGradients(double factor) {
        requireSummed("scaleGradients");
        gradients.scale(factor);
    }

    /// Clips every element of the summed gradients to `±bound`, as [org.toydiff.optim.Gradients#clipValue] does.
    ///
    /// @param bound the bound, positive, the same in every process
    /// @throws IllegalArgumentException if it is not positive
    /// @throws IllegalStateException unless backward was called after the last step, or if this or its group is closed
    public void clipValue(double bound) {
        requirePositive("clipValue: bound", bound);
        requireSummed("clipValue");
        gradients.clamp(bound);
    }

    /// Scales the summed gradients so that their joint norm is at most `maxNorm`, as
    /// [org.toydiff.optim.Gradients#clipNorm] does.
    ///
    /// @param maxNorm the bound, positive, the same in every process
    /// @return the norm before clipping, the same in every process; if it is not finite, nothing is changed
    /// @throws IllegalArgumentException if it is not positive
    /// @throws IllegalStateException unless backward was called after the last step; if this or its group is closed; or
    ///     if a process has failed
    public double clipNorm(double maxNorm) {
        requirePositive("clipNorm: maxNorm", maxNorm);
        double norm = gradientNorm();
        if (norm > maxNorm && Double.isFinite(norm)) {
            // PyTorch adds the same 1e-6.
            scaleGradients(maxNorm / (norm + 1e-6));
        }
        return norm;
    }

    private static void requirePositive(String what, double value) {
        if (!(value > 0)) {
            throw new IllegalArgumentException(what + " " + value + " must be positive");
        }
    }

    /// {@return the joint norm of the summed gradients, the same in every process: not finite if one of them is not}
    ///
    /// @throws IllegalStateException unless backward was called after the last step; if this or its group is closed; or
    ///     if a process has failed
    public double gradientNorm() {
        requireSummed("gradientNorm");
        return gradients.norm();
    }

    /// {@return whether all elements of the summed gradients are finite, the same in every process}
    ///
    /// @throws IllegalStateException unless backward was called after the last step; if this or its group is closed; or
    ///     if a process has failed
    public boolean areFinite() {
        requireSummed("areFinite");
        return gradients.areFinite();
    }

    /// Steps the optimizer with the summed gradients: each process updates its part of the parameters and receives the
    /// others'. Parameters that have no gradient in any shard stay as they are.
    ///
    /// @throws IllegalStateException unless backward was called after the last step; if this or its group is closed; or
    ///     if a process has failed
    public void step() {
        requireSummed("step");
        state = StepState.STEPPING;
        try {
            optimizer.step();
            exchange.exchangeParameters();
            optimizer.zeroGradients();
            state = StepState.NONE;
        } catch (Throwable e) {
            state = StepState.FAILED;
            processes.failed();
            throw e;
        }
    }

    private void requireUsable(String op) {
        state.requireUsable(op);
        processes.requireOpen(op);
    }

    private void requireSummed(String op) {
        state.requireSummed(op);
        processes.requireOpen(op);
    }

    /// The division of the optimizer's state.
    private final class OwnParts implements Division {
        @Override
        public long from(int parameter) {
            return layout.from(parameter, processes.rank());
        }

        @Override
        public long to(int parameter) {
            return layout.to(parameter, processes.rank());
        }

        @Override
        public Tensor gradient(int parameter) {
            if (state != StepState.STEPPING) {
                throw new IllegalStateException(
                        "step: the optimizer's state is divided among processes; call DataParallel.step() after backward");
            }
            return record.present(parameter) ? exchange.own(parameter) : null;
        }

        @Override
        public void sum(double[] numbers) {
            gradients.sum(numbers);
        }

        @Override
        public Tensor whole(int parameter, Tensor own) {
            state.requireOutsideBackward("stateDict");
            processes.requireOpen("stateDict");
            if (state == StepState.CLOSED || processes.mayUseMemory()) {
                throw new IllegalStateException(
                        "stateDict: the training that has divided the optimizer's state is closed or"
                                + " has failed; save before that");
            }
            return exchange.whole(parameter, own);
        }
    }

    /// Frees the memory of this. The optimizer cannot step or be saved any more, unless [Optimizer#unite()] was called.
    /// After a failure the memory stays until the process ends, because others may be reading it.
    ///
    /// @throws IllegalStateException if backward is under way
    @Override
    public void close() {
        state.requireOutsideBackward("close");
        boolean free = state != StepState.CLOSED && !processes.mayUseMemory();
        state = StepState.CLOSED;
        if (normalization != null) {
            normalization.close();
        }
        if (free) {
            home.close();
        }
    }
}
