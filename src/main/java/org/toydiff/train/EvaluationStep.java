package org.toydiff.train;

import java.util.ArrayList;
import java.util.List;
import org.toydiff.Autograd;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.Batch;
import org.toydiff.train.metrics.Metric;

/// Computes the loss of a batch without training on it, and updates the metrics.
final class EvaluationStep {
    private final Trainer settings;
    private final MicroBatches microBatches;

    /// Null if this process evaluates whole batches.
    private final Ranks ranks;

    EvaluationStep(Trainer settings, Ranks ranks) {
        this.settings = settings;
        this.microBatches = new MicroBatches(settings.microBatch < Long.MAX_VALUE);
        this.ranks = ranks;
    }

    /// {@return the loss of a batch}
    ///
    /// @param examples the number of its examples, with those that other processes have
    double evaluate(Batch batch, long examples) {
        microBatches.begin(examples);
        try (var off = Autograd.noGradient()) {
            if (ranks != null) {
                evaluateShards(batch, examples);
                return microBatches.loss();
            }
            for (long from = 0; from < examples; from += settings.microBatch) {
                evaluatePart(batch, from, Math.min(examples, from + Math.min(settings.microBatch, examples)));
            }
        }
        return microBatches.loss();
    }

    /// Computes the outputs of the shards of this process, and the loss of all outputs in every process.
    private void evaluateShards(Batch batch, long examples) {
        try (var arena = TensorArena.ofConfined()) {
            List<Tensor> outputs = new ArrayList<>();
            for (int shard = ranks.shards().first(); shard < ranks.shards().end(); shard++) {
                try (var scratch = TensorArena.ofConfined()) {
                    Tensor x = ranks.rowsOf(shard, batch.x(), examples);
                    outputs.add(settings.model.forward(x).copyTo(arena));
                }
            }
            Tensor output = ranks.gather(Tensor.concat(0, outputs.toArray(Tensor[]::new)), examples);
            Tensor target = ranks.gather(batch.y(), examples);
            update(settings.metrics, output, target);
            microBatches.add(microBatches.compute(settings.loss, output, target).item(), examples);
        }
    }

    private void evaluatePart(Batch batch, long from, long to) {
        try (var arena = TensorArena.ofConfined()) {
            Tensor target = MicroBatches.part(batch.y(), from, to);
            Tensor output = settings.model.forward(MicroBatches.part(batch.x(), from, to));
            update(settings.metrics, output, target);
            microBatches.add(microBatches.compute(settings.loss, output, target).item(), to - from);
        }
    }

    static void update(List<Metric> metrics, Tensor output, Tensor target) {
        for (int i = 0; i < metrics.size(); i++) {
            metrics.get(i).update(output, target);
        }
    }

    /// {@return the divisor of the last batch's loss, NaN if it is not recorded}
    double denominator() {
        return microBatches.denominator();
    }
}
