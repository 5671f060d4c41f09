package org.toydiff.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.toydiff.Autograd;
import org.toydiff.Memory;
import org.toydiff.MemoryPlan;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.Batch;
import org.toydiff.optim.Gradients;

/// What is computed from a batch: a training step, or losses and metrics alone.
final class Step {
    private final Trainer settings;
    private final Training training;
    private final Set<List<Long>> planned = new HashSet<>();
    private long[] lastShape;
    private final List<Tensor> parameters;
    private long peakBytes;
    private double gradientNorm;

    Step(Trainer settings, Training training) {
        this.settings = settings;
        this.training = training;
        this.parameters = settings.optimizer.groups().stream()
                .flatMap(group -> group.parameters().stream())
                .toList();
    }

    /// Trains on a batch: parts of it forward and backward, then one step of the optimizer.
    ///
    /// @return the mean loss over the batch
    double train(Batch batch) {
        requireFits(batch);
        long live = Memory.liveBytes();
        long size = batch.size();
        double loss = 0;
        peakBytes = 0;
        for (long from = 0; from < size; from += settings.microBatch) {
            long to = Math.min(size, from + Math.min(settings.microBatch, size));
            loss += trainPart(batch, from, to) * (to - from) / size;
        }
        clip();
        settings.optimizer.step();
        settings.optimizer.zeroGradients();
        peakBytes += live;
        return loss;
    }

    private void clip() {
        if (settings.clipValue < Double.POSITIVE_INFINITY) {
            Gradients.clipValue(parameters, settings.clipValue);
        }
        if (settings.clipNorm < Double.POSITIVE_INFINITY) {
            gradientNorm = Gradients.clipNorm(parameters, settings.clipNorm);
        }
    }

    /// The norm of the last step's gradients before it was bounded, if it was.
    double gradientNorm() {
        return gradientNorm;
    }

    /// The most bytes that were live in the last step.
    long peakBytes() {
        return peakBytes;
    }

    private double trainPart(Batch batch, long from, long to) {
        try (var arena = TensorArena.ofConfined()) {
            Tensor target = part(batch.y(), from, to);
            Tensor output = settings.model.forward(part(batch.x(), from, to));
            Tensor loss = settings.loss.of(output, target);
            requireScalar(loss);
            update(output, target);
            double value = loss.item();
            requireFinite(value);
            noteSchedule(loss);
            backward(loss, (double) (to - from) / batch.size());
            peakBytes = Math.max(peakBytes, arena.peakBytes());
            training.measured(arena.peakBytes());
            return value;
        }
    }

    private static void backward(Tensor loss, double share) {
        if (share == 1) {
            loss.backward(Release.EAGER);
        } else {
            loss.backward(Tensor.full(loss.dtype(), share, loss.shape()), Release.EAGER);
        }
    }

    private static Tensor part(Tensor tensor, long from, long to) {
        return from == 0 && to == tensor.shape()[0] ? tensor : tensor.slice(0, from, to);
    }

    private void update(Tensor output, Tensor target) {
        for (int i = 0; i < settings.metrics.size(); i++) {
            settings.metrics.get(i).update(output, target);
        }
    }

    /// Computes the loss of a batch that is not trained on, and adds it to the metrics.
    ///
    /// @return the mean loss over the batch
    double evaluate(Batch batch) {
        long size = batch.size();
        double loss = 0;
        try (var off = Autograd.noGradient()) {
            for (long from = 0; from < size; from += settings.microBatch) {
                long to = Math.min(size, from + Math.min(settings.microBatch, size));
                loss += evaluatePart(batch, from, to) * (to - from) / size;
            }
        }
        return loss;
    }

    private double evaluatePart(Batch batch, long from, long to) {
        try (var arena = TensorArena.ofConfined()) {
            Tensor target = part(batch.y(), from, to);
            Tensor output = settings.model.forward(part(batch.x(), from, to));
            update(output, target);
            return settings.loss.of(output, target).item();
        }
    }

    // Before memory is taken.

    /// Predicts what the first step of each shape of batch takes, and refuses it when it does not fit.
    private void requireFits(Batch batch) {
        long[] shape = batch.x().shape();
        if (!settings.planning || Arrays.equals(shape, lastShape)) {
            return;
        }
        long to = Math.min(batch.size(), settings.microBatch);
        List<Tensor> largest = List.of(part(batch.x(), 0, to), part(batch.y(), 0, to));
        List<Long> key = new ArrayList<>();
        largest.forEach(tensor -> Arrays.stream(tensor.shape()).forEach(key::add));
        if (planned.add(key)) {
            MemoryPlan plan = MemoryPlan.requireFits(
                    in -> settings.loss.of(settings.model.forward(in.get(0)), in.get(1)), largest);
            training.schedule(plan.schedule());
            training.predicted(plan.schedule().peakBytes());
        }
        lastShape = shape;
    }

    private void noteSchedule(Tensor loss) {
        if (training.schedule() == null) {
            training.schedule(loss.releaseSchedule());
        }
    }

    private static void requireScalar(Tensor loss) {
        if (loss.size() != 1) {
            throw new IllegalArgumentException("fit: the loss is " + States.describe(loss)
                    + " and no scalar; reduce it to the mean over the batch");
        }
    }

    private void requireFinite(double loss) {
        if (settings.nonFinite || Double.isFinite(loss)) {
            return;
        }
        settings.optimizer.zeroGradients();
        throw new ArithmeticException(String.format(
                Locale.ROOT,
                "fit: the loss is %s in epoch %d, step %d (step %d of the epoch); the parameters are those before it."
                        + " Lower the learning rate, clip gradients or look at the data; allowNonFiniteLoss() goes on",
                loss,
                training.epoch(),
                training.step() + 1,
                training.stepOfEpoch() + 1));
    }
}
