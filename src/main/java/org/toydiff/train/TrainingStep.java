package org.toydiff.train;

import java.util.List;
import java.util.Map;
import org.toydiff.Memory;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Updates;
import org.toydiff.data.Batch;
import org.toydiff.optim.Gradients;

/// Trains on a batch.
final class TrainingStep extends Step {
    private final MicroBatches microBatches;

    /// Null for uncompiled steps.
    private final CompiledPass compiled;

    /// Makes the steps of a training.
    ///
    /// @param home the arena for the copies of the model's buffers
    TrainingStep(Trainer settings, Training training, TensorArena home) {
        super(settings, training, home);
        this.microBatches = new MicroBatches(settings.microBatch < Long.MAX_VALUE);
        this.compiled =
                settings.compiled ? new CompiledPass(settings, training, microBatches, this::share, home) : null;
    }

    /// Forward and backward for each micro-batch, then one step of the optimizer.
    @Override
    double train(Batch batch, long examples) {
        begin();
        try {
            requireFits(batch, Math.min(batch.size(), settings.microBatch));
            computeGradients(batch);
            if (!skipped) {
                clip();
                checkGradients(microBatches.loss());
            }
        } catch (Throwable e) {
            undo(e);
            throw e;
        }
        if (skipped) {
            buffers.restore();
        } else {
            settings.optimizer.step();
        }
        settings.optimizer.zeroGradients();
        return microBatches.loss();
    }

    private void computeGradients(Batch batch) {
        long live = Memory.liveBytes();
        microBatches.begin(batch.size());
        trainParts(batch);
        peakBytes += live;
        check(microBatches.loss());
        if (!skipped && microBatches.correction() != 1) {
            for (Tensor parameter : parameters) {
                if (parameter.hasGradient()) {
                    Updates.scale(parameter.gradient(), microBatches.correction());
                }
            }
        }
    }

    private void trainParts(Batch batch) {
        long size = batch.size();
        for (long from = 0; from < size && !skipped; from += settings.microBatch) {
            long to = Math.min(size, from + Math.min(settings.microBatch, size));
            Tensor x = MicroBatches.part(batch.x(), from, to);
            Tensor target = MicroBatches.part(batch.y(), from, to);
            if (compiled == null) {
                trainPart(x, target);
            } else {
                trainCompiledPart(x, target);
            }
        }
    }

    /// Undoes the changes of a step that failed, without hiding its failure.
    private void undo(Throwable failure) {
        try {
            buffers.restore();
            settings.optimizer.zeroGradients();
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    private void clip() {
        if (settings.clipValue < Double.POSITIVE_INFINITY) {
            Gradients.clipValue(parameters, settings.clipValue);
        }
        if (settings.clipNorm < Double.POSITIVE_INFINITY) {
            gradientNorm = Gradients.clipNorm(parameters, settings.clipNorm);
        }
    }

    @Override
    double denominator() {
        return microBatches.denominator();
    }

    private void trainPart(Tensor x, Tensor target) {
        try (var arena = TensorArena.ofConfined()) {
            Tensor output = settings.model.forward(x);
            Tensor loss = microBatches.compute(settings.loss, output, target);
            requireScalar(loss);
            double share = share(loss.item(), x.size(0));
            if (!skipped) {
                EvaluationStep.update(settings.metrics, output, target);
                noteSchedule(loss);
                if (share != 0) {
                    backward(loss, share);
                }
            }
            measured(arena.peakBytes());
        }
    }

    private void trainCompiledPart(Tensor x, Tensor target) {
        Tensor output = compiled.run(x, target);
        if (!skipped) {
            EvaluationStep.update(settings.metrics, output, target);
        }
        measured(compiled.bytes());
    }

    /// Adds the loss of a micro-batch, and returns the factor of its gradient, 0 for none.
    private double share(double loss, long examples) {
        double share = microBatches.add(loss, examples);
        if (share != 0) {
            check(loss);
        }
        return skipped ? 0 : share;
    }

    private static void backward(Tensor loss, double share) {
        if (share == 1) {
            loss.backward(Release.EAGER);
        } else {
            loss.backward(Tensor.full(loss.dtype(), share, loss.shape()), Release.EAGER);
        }
    }

    @Override
    boolean areGradientsFinite() {
        return Gradients.areFinite(parameters);
    }

    @Override
    String nonFiniteGradient() {
        Tensor first = parameters.stream()
                .filter(parameter -> !Gradients.areFinite(List.of(parameter)))
                .findFirst()
                .orElseThrow();
        return "the gradient of " + nameOf(first);
    }

    private String nameOf(Tensor parameter) {
        return settings.model.namedParameters().entrySet().stream()
                .filter(named -> named.getValue() == parameter)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseGet(() -> "a parameter " + describe(parameter) + " that is not in the model");
    }

    @Override
    public void close() {
        if (compiled != null) {
            compiled.close();
        }
    }
}
