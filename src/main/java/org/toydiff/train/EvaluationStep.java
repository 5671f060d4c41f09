package org.toydiff.train;

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

    EvaluationStep(Trainer settings) {
        this.settings = settings;
        this.microBatches = new MicroBatches(settings.microBatch < Long.MAX_VALUE);
    }

    /// {@return the loss of a batch}
    double evaluate(Batch batch) {
        long size = batch.size();
        microBatches.begin(size);
        try (var off = Autograd.noGradient()) {
            for (long from = 0; from < size; from += settings.microBatch) {
                evaluatePart(batch, from, Math.min(size, from + Math.min(settings.microBatch, size)));
            }
        }
        return microBatches.loss();
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
