package org.toydiff.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.toydiff.Memory;
import org.toydiff.MemoryPlan;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.Batch;
import org.toydiff.distributed.DataParallel;

/// Trains on the shards of a batch that this process has.
final class ParallelStep implements Step {
    /// The difference of the sum of weights from 1 that is taken for rounding.
    private static final double ROUNDING = 1e-12;

    private final Trainer settings;
    private final Training training;
    private final Ranks ranks;
    private final DataParallel parallel;
    private final BufferSnapshot buffers;
    private final MicroBatches terms = new MicroBatches(true);
    private final Set<List<Long>> planned = new HashSet<>();

    /// Null for uncompiled steps.
    private final CompiledPass compiled;

    /// Of the batch under way.
    private Batch batch;

    private long examples;
    private boolean summed;
    private final List<Tensor> outputs = new ArrayList<>();
    private long peakBytes;
    private double gradientNorm;
    private double denominator;
    private boolean skipped;

    /// @param home the arena for the copies of the model's buffers
    ParallelStep(Trainer settings, Training training, Ranks ranks, TensorArena home) {
        this.settings = settings;
        this.training = training;
        this.ranks = ranks;
        this.parallel = DataParallel.of(settings.model, settings.optimizer, ranks.group(), ranks.shards());
        if (settings.synchronizeBatchNorm) {
            parallel.synchronizeBatchNorm();
        }
        this.buffers = new BufferSnapshot(settings.model, home);
        this.compiled =
                settings.compiled ? new CompiledPass(settings, training, terms, (loss, count) -> share(), home) : null;
    }

    @Override
    public double train(Batch batch, long examples) {
        this.batch = batch;
        this.examples = examples;
        buffers.copy();
        skipped = false;
        gradientNorm = Double.NaN;
        peakBytes = 0;
        requireFits();
        long live = Memory.liveBytes();
        try (var step = TensorArena.ofConfined()) {
            outputs.clear();
            parallel.setFlag(training.wantsToStop());
            double loss = compiled == null
                    ? parallel.backward(shard -> loss(shard, step), shard -> share())
                    : parallel.backwardBy(this::runCompiled, shard -> share());
            measured(parallel.peakBytes());
            peakBytes += live;
            training.agree(parallel.anyFlag());
            loss = corrected(loss);
            check("the loss is " + loss, Double.isFinite(loss));
            if (!skipped) {
                updateMetrics();
                clip(loss);
            }
            if (skipped) {
                buffers.restore();
            } else {
                parallel.step();
            }
            return loss;
        } catch (ArithmeticException e) {
            // By STOP, in all processes: none has stepped.
            buffers.restore();
            throw e;
        }
    }

    private Tensor x(int shard) {
        return MicroBatches.part(batch.x(), ranks.row(shard, examples), ranks.row(shard + 1, examples));
    }

    private Tensor y(int shard) {
        return MicroBatches.part(batch.y(), ranks.row(shard, examples), ranks.row(shard + 1, examples));
    }

    private Tensor loss(int shard, TensorArena step) {
        Tensor output = settings.model.forward(x(shard));
        Tensor loss = terms.compute(settings.loss, output, y(shard));
        TrainingStep.requireScalar(loss);
        if (training.schedule() == null) {
            training.schedule(loss.releaseSchedule());
        }
        keep(output, step);
        return loss;
    }

    private void keep(Tensor output, TensorArena step) {
        if (!settings.metrics.isEmpty()) {
            outputs.add(output.detach().copyTo(step));
        }
    }

    private double runCompiled(int shard) {
        Tensor output = compiled.run(x(shard), y(shard));
        keep(output, TensorArena.innermost());
        measured(compiled.bytes());
        return compiled.loss();
    }

    /// {@return the weight of a shard, of a loss that is a mean: its divisor, relative to the number of all examples}
    private double share() {
        summed = terms.terms().summed();
        int means = terms.terms().denominators().size();
        if (means + (summed ? 1 : 0) != 1) {
            throw new IllegalArgumentException("processes: shards cannot be combined, because the loss "
                    + (means == 0 ? "does not record the divisor of its mean" : "has several means, or means and sums")
                    + "; end it with one Functional.reduce(losses, Reduction.MEAN), or"
                    + " Functional.meanOver(losses, denominator)");
        }
        return summed ? 1 : terms.terms().denominators().getFirst() / examples;
    }

    /// Divides the sum of the losses, and the gradients, by the sum of their weights.
    private double corrected(double loss) {
        double weights = parallel.weights();
        denominator = summed ? Double.NaN : weights * examples;
        if (summed || Math.abs(weights - 1) <= ROUNDING) {
            return loss;
        }
        if (weights != 0) {
            parallel.scaleGradients(1 / weights);
        }
        return loss / weights;
    }

    private void measured(long bytes) {
        peakBytes = Math.max(peakBytes, bytes);
        training.measured(bytes);
    }

    /// Adds the outputs of all processes, as if one had computed them.
    private void updateMetrics() {
        if (!settings.metrics.isEmpty()) {
            Tensor own = Tensor.concat(0, outputs.toArray(Tensor[]::new));
            EvaluationStep.update(settings.metrics, ranks.gather(own, examples), ranks.gather(batch.y(), examples));
        }
    }

    private void clip(double loss) {
        if (settings.clipValue < Double.POSITIVE_INFINITY) {
            parallel.clipValue(settings.clipValue);
        }
        double norm = Double.NaN;
        if (settings.clipNorm < Double.POSITIVE_INFINITY) {
            gradientNorm = parallel.clipNorm(settings.clipNorm);
            norm = gradientNorm;
        } else if (settings.nonFinite != NonFinite.ALLOW) {
            norm = parallel.gradientNorm();
        }
        if (settings.nonFinite != NonFinite.ALLOW && !Double.isFinite(norm)) {
            check("the loss is " + loss + " and a gradient has NaN or infinite elements", parallel.areFinite());
        }
    }

    private void check(String problem, boolean finite) {
        if (!finite) {
            switch (settings.nonFinite) {
                case STOP -> throw TrainingStep.notFinite(training, problem);
                case SKIP -> skipped = true;
                case ALLOW -> {}
            }
        }
    }

    /// Predicts the memory of the largest shard, for each shape of it.
    private void requireFits() {
        if (!settings.planning) {
            return;
        }
        int first = ranks.firstShard();
        List<Tensor> shard = List.of(x(first), y(first));
        List<Long> key = new ArrayList<>();
        shard.forEach(tensor -> Arrays.stream(tensor.shape()).forEach(key::add));
        if (planned.add(key)) {
            MemoryPlan plan =
                    MemoryPlan.requireFits(in -> settings.loss.of(settings.model.forward(in.get(0)), in.get(1)), shard);
            training.schedule(plan.schedule());
            training.predicted(plan.schedule().peakBytes());
        }
    }

    @Override
    public double gradientNorm() {
        return gradientNorm;
    }

    @Override
    public boolean skipped() {
        return skipped;
    }

    @Override
    public long peakBytes() {
        return peakBytes;
    }

    @Override
    public double denominator() {
        return denominator;
    }

    @Override
    public void close() {
        if (compiled != null) {
            compiled.close();
        }
        parallel.close();
    }
}
