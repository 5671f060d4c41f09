package org.toydiff.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.toydiff.Memory;
import org.toydiff.MemoryPlan;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Updates;
import org.toydiff.data.Batch;
import org.toydiff.optim.Gradients;

/// Trains on a batch.
final class TrainingStep implements Step {
    private final Trainer settings;
    private final Training training;
    private final Set<List<Long>> planned = new HashSet<>();
    private long[] lastShape;
    private int lastFrozen;
    private final List<Tensor> parameters;
    private final BufferSnapshot buffers;
    private final MicroBatches microBatches;

    /// Null for uncompiled steps.
    private final CompiledPass compiled;

    private long peakBytes;
    private double gradientNorm;
    private boolean skipped;

    /// Makes the steps of a training.
    ///
    /// @param home the arena for the copies of the model's buffers
    TrainingStep(Trainer settings, Training training, TensorArena home) {
        this.settings = settings;
        this.training = training;
        this.buffers = new BufferSnapshot(settings.model, home);
        this.microBatches = new MicroBatches(settings.microBatch < Long.MAX_VALUE);
        this.compiled =
                settings.compiled ? new CompiledPass(settings, training, microBatches, this::share, home) : null;
        this.parameters = settings.optimizer.groups().stream()
                .flatMap(group -> group.parameters().stream())
                .toList();
    }

    /// Forward and backward for each micro-batch, then one step of the optimizer.
    @Override
    public double train(Batch batch, long examples) {
        buffers.copy();
        skipped = false;
        gradientNorm = Double.NaN;
        try {
            requireFits(batch);
            computeGradients(batch);
            if (!skipped) {
                clip();
                checkGradients();
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
        peakBytes = 0;
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

    private void measured(long bytes) {
        peakBytes = Math.max(peakBytes, bytes);
        training.measured(bytes);
    }

    private static void backward(Tensor loss, double share) {
        if (share == 1) {
            loss.backward(Release.EAGER);
        } else {
            loss.backward(Tensor.full(loss.dtype(), share, loss.shape()), Release.EAGER);
        }
    }

    /// Predicts the memory of the first step of each shape of batch, and of the first after layers were frozen or
    /// unfrozen, and refuses a step that does not fit.
    private void requireFits(Batch batch) {
        long[] shape = batch.x().shape();
        int frozen = frozen();
        if (!settings.planning || frozen == lastFrozen && Arrays.equals(shape, lastShape)) {
            return;
        }
        long to = Math.min(batch.size(), settings.microBatch);
        List<Tensor> largest = List.of(MicroBatches.part(batch.x(), 0, to), MicroBatches.part(batch.y(), 0, to));
        List<Long> key = new ArrayList<>(List.of((long) frozen));
        largest.forEach(tensor -> Arrays.stream(tensor.shape()).forEach(key::add));
        if (planned.add(key)) {
            MemoryPlan plan = MemoryPlan.requireFits(
                    in -> settings.loss.of(settings.model.forward(in.get(0)), in.get(1)), largest);
            training.schedule(plan.schedule());
            training.predicted(plan.schedule().peakBytes());
        }
        lastShape = shape;
        lastFrozen = frozen;
    }

    /// Returns a hash of which parameters are frozen.
    private int frozen() {
        int hash = 0;
        for (int i = 0; i < parameters.size(); i++) {
            hash = 31 * hash + (parameters.get(i).tracksGradient() ? 1 : 2);
        }
        return hash;
    }

    private void noteSchedule(Tensor loss) {
        if (training.schedule() == null) {
            training.schedule(loss.releaseSchedule());
        }
    }

    static void requireScalar(Tensor loss) {
        if (loss.size() != 1) {
            throw new IllegalArgumentException(
                    "fit: the loss is " + describe(loss) + ", not a scalar; reduce it to the mean over the batch");
        }
    }

    /// Responds to a loss that is not finite.
    private void check(double loss) {
        if (!Double.isFinite(loss)) {
            switch (settings.nonFinite) {
                case STOP -> throw notFinite(training, "the loss is " + loss);
                case SKIP -> skipped = true;
                case ALLOW -> {}
            }
        }
    }

    /// Responds to gradients that are not finite. A finite norm, which clipping has computed, proves that they are.
    private void checkGradients() {
        if (settings.nonFinite == NonFinite.ALLOW || Double.isFinite(gradientNorm) || Gradients.areFinite(parameters)) {
            return;
        }
        if (settings.nonFinite == NonFinite.SKIP) {
            skipped = true;
            return;
        }
        Tensor first = parameters.stream()
                .filter(parameter -> !Gradients.areFinite(List.of(parameter)))
                .findFirst()
                .orElseThrow();
        throw notFinite(
                training,
                "the loss is " + microBatches.loss() + " and the gradient of " + nameOf(first)
                        + " has NaN or infinite elements");
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

    private static String describe(Tensor tensor) {
        return Arrays.toString(tensor.shape()) + " " + tensor.dtype();
    }

    static ArithmeticException notFinite(Training training, String problem) {
        return new ArithmeticException(String.format(
                Locale.ROOT,
                "fit: %s in epoch %d, step %d (step %d of the epoch); the parameters are unchanged by the step."
                        + " Lower the learning rate, clip gradients or check the data; onNonFinite(NonFinite.SKIP)"
                        + " leaves such steps out",
                problem,
                training.epoch(),
                training.step() + 1,
                training.stepOfEpoch() + 1));
    }
}
