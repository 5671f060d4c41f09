package org.toydiff.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.toydiff.Autograd;
import org.toydiff.Memory;
import org.toydiff.MemoryPlan;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Updates;
import org.toydiff.data.Batch;
import org.toydiff.optim.Gradients;

/// Computes a batch: a training step, or losses and metrics only.
final class TrainingStep {
    private final Trainer settings;
    private final Training training;
    private final Set<List<Long>> planned = new HashSet<>();
    private long[] lastShape;
    private final List<Tensor> parameters;
    private final BufferSnapshot buffers;
    private final MicroBatches microBatches;
    private long peakBytes;
    private double gradientNorm;

    /// Makes the steps of a training.
    ///
    /// @param home the arena for the copies of the model's buffers
    TrainingStep(Trainer settings, Training training, TensorArena home) {
        this.settings = settings;
        this.training = training;
        this.buffers = new BufferSnapshot(settings.model, home);
        this.microBatches = new MicroBatches(settings.microBatch < Long.MAX_VALUE);
        this.parameters = settings.optimizer.groups().stream()
                .flatMap(group -> group.parameters().stream())
                .toList();
    }

    /// Trains on a batch: forward and backward for each micro-batch, then one step of the optimizer. If it fails
    /// before the latter, parameters, buffers and the state of the optimizer are unchanged.
    ///
    /// @return the loss of the batch
    double train(Batch batch) {
        buffers.copy();
        try {
            requireFits(batch);
            computeGradients(batch);
            clip();
            requireFiniteGradients();
        } catch (Throwable e) {
            undo(e);
            throw e;
        }
        settings.optimizer.step();
        settings.optimizer.zeroGradients();
        return microBatches.loss();
    }

    private void computeGradients(Batch batch) {
        long live = Memory.liveBytes();
        long size = batch.size();
        peakBytes = 0;
        microBatches.begin(size);
        for (long from = 0; from < size; from += settings.microBatch) {
            trainPart(batch, from, Math.min(size, from + Math.min(settings.microBatch, size)));
        }
        requireFinite(microBatches.loss());
        if (microBatches.correction() != 1) {
            for (Tensor parameter : parameters) {
                if (parameter.hasGradient()) {
                    Updates.scale(parameter.gradient(), microBatches.correction());
                }
            }
        }
        peakBytes += live;
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

    /// Returns the norm of the last step's gradients before clipping, if it was clipped.
    double gradientNorm() {
        return gradientNorm;
    }

    /// Returns the peak of live bytes in the last step.
    long peakBytes() {
        return peakBytes;
    }

    /// Returns the divisor of the last batch's loss, NaN if it is not recorded.
    double denominator() {
        return microBatches.denominator();
    }

    private void trainPart(Batch batch, long from, long to) {
        try (var arena = TensorArena.ofConfined()) {
            Tensor target = part(batch.y(), from, to);
            Tensor output = settings.model.forward(part(batch.x(), from, to));
            Tensor loss = microBatches.compute(settings.loss, output, target);
            requireScalar(loss);
            double value = loss.item();
            double share = microBatches.add(value, to - from);
            if (share != 0) {
                requireFinite(value);
            }
            update(output, target);
            noteSchedule(loss);
            if (share != 0) {
                backward(loss, share);
            }
            peakBytes = Math.max(peakBytes, arena.peakBytes());
            training.measured(arena.peakBytes());
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

    /// Computes the loss of a batch without training on it, and updates the metrics.
    ///
    /// @return the loss of the batch
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
            Tensor target = part(batch.y(), from, to);
            Tensor output = settings.model.forward(part(batch.x(), from, to));
            update(output, target);
            microBatches.add(microBatches.compute(settings.loss, output, target).item(), to - from);
        }
    }

    /// Predicts the memory of the first step of each shape of batch, and refuses a step that does not fit.
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
            throw new IllegalArgumentException(
                    "fit: the loss is " + describe(loss) + ", not a scalar; reduce it to the mean over the batch");
        }
    }

    private void requireFinite(double loss) {
        if (!settings.nonFinite && !Double.isFinite(loss)) {
            throw notFinite("the loss is " + loss);
        }
    }

    private void requireFiniteGradients() {
        boolean normed = settings.clipNorm < Double.POSITIVE_INFINITY;
        if (settings.nonFinite || normed && Double.isFinite(gradientNorm)) {
            return;
        }
        for (int i = 0; i < parameters.size(); i++) {
            if (parameters.get(i).hasGradient() && !isFinite(parameters.get(i).gradient())) {
                throw notFinite("the loss is " + microBatches.loss() + " and the gradient of "
                        + nameOf(parameters.get(i)) + " has NaN or infinite elements");
            }
        }
    }

    private static boolean isFinite(Tensor gradient) {
        if (Double.isFinite(Updates.norm(gradient))) {
            return true;
        }
        // The norm of finite elements may be infinite.
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            return gradient.subtract(gradient).sum().item() == 0;
        }
    }

    private String nameOf(Tensor parameter) {
        return settings.model.namedParameters().entrySet().stream()
                .filter(named -> named.getValue() == parameter)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseGet(() -> "a parameter " + describe(parameter) + " that is not in the model");
    }

    private static String describe(Tensor tensor) {
        return Arrays.toString(tensor.shape()) + " " + tensor.dtype();
    }

    private ArithmeticException notFinite(String problem) {
        return new ArithmeticException(String.format(
                Locale.ROOT,
                "fit: %s in epoch %d, step %d (step %d of the epoch); the parameters are unchanged by the step."
                        + " Lower the learning rate, clip gradients or check the data; allowNonFiniteLoss() continues",
                problem,
                training.epoch(),
                training.step() + 1,
                training.stepOfEpoch() + 1));
    }
}
