package org.toydiff.train;

import java.util.ArrayList;
import java.util.List;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.Batch;
import org.toydiff.data.ShardRange;
import org.toydiff.distributed.DataParallel;

/// Trains on the shards of a batch that this process has.
final class ParallelStep extends Step {
    /// The difference of the sum of weights from 1 that is taken for rounding.
    private static final double ROUNDING = 1e-12;

    private final Ranks ranks;
    private final DataParallel parallel;
    private final MicroBatches terms = new MicroBatches(true);

    /// Null for uncompiled steps.
    private final CompiledPass compiled;

    /// Of the batch under way.
    private Batch batch;

    private long examples;
    private boolean summed;
    private final List<Tensor> outputs = new ArrayList<>();
    private double denominator;

    /// @param home the arena for the copies of the model's buffers
    ParallelStep(Trainer settings, Training training, Ranks ranks, TensorArena home) {
        super(settings, training, home);
        this.ranks = ranks;
        this.parallel = DataParallel.of(
                settings.model,
                settings.optimizer,
                ranks.group(),
                ranks.shards().shards());
        if (settings.synchronizeBatchNorm) {
            synchronizeBatchNorm();
        }
        this.compiled =
                settings.compiled ? new CompiledPass(settings, training, terms, (loss, count) -> share(), home) : null;
    }

    private void synchronizeBatchNorm() {
        try {
            parallel.synchronizeBatchNorm();
        } catch (RuntimeException | Error e) {
            parallel.close();
            throw e;
        }
    }

    @Override
    double train(Batch batch, long examples) {
        this.batch = batch;
        this.examples = examples;
        begin();
        ShardRange shards = ranks.shards();
        requireFits(batch, shards.begin(shards.first() + 1, examples) - shards.begin(shards.first(), examples));
        long live = Memory.liveBytes();
        try (var step = TensorArena.ofConfined()) {
            double loss = backward(step);
            measured(parallel.peakBytes());
            peakBytes += live;
            training.agree(parallel.anyFlag());
            loss = corrected(loss);
            check(loss);
            if (!skipped) {
                updateMetrics();
                clip();
                checkGradients(loss);
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

    /// {@return the sum of the losses of all shards, each times its weight}
    ///
    /// @param step the arena for the outputs, which the metrics need after it
    private double backward(TensorArena step) {
        outputs.clear();
        parallel.setFlag(training.wantsToStop());
        return compiled == null
                ? parallel.backward(shard -> loss(shard, step), shard -> share())
                : parallel.backwardBy(this::runCompiled, shard -> share());
    }

    private Tensor x(int shard) {
        return ranks.rowsOf(shard, batch.x(), examples);
    }

    private Tensor y(int shard) {
        return ranks.rowsOf(shard, batch.y(), examples);
    }

    private Tensor loss(int shard, TensorArena step) {
        Tensor output = settings.model.forward(x(shard));
        Tensor loss = terms.compute(settings.loss, output, y(shard));
        requireScalar(loss);
        noteSchedule(loss);
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

    /// Adds the outputs of all processes, as if one had computed them.
    private void updateMetrics() {
        if (!settings.metrics.isEmpty()) {
            Tensor own = Tensor.concat(0, outputs.toArray(Tensor[]::new));
            EvaluationStep.update(settings.metrics, ranks.gather(own, examples), ranks.gather(batch.y(), examples));
        }
    }

    private void clip() {
        if (settings.clipValue < Double.POSITIVE_INFINITY) {
            parallel.clipValue(settings.clipValue);
        }
        if (settings.clipNorm < Double.POSITIVE_INFINITY) {
            gradientNorm = parallel.clipNorm(settings.clipNorm);
        }
    }

    @Override
    boolean areGradientsFinite() {
        return parallel.areFinite();
    }

    @Override
    String nonFiniteGradient() {
        return "a gradient";
    }

    @Override
    double denominator() {
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
