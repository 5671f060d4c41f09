package org.toydiff.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.toydiff.MemoryPlan;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.Batch;

/// A step of a training: what is alike whether one process has the whole batch or several have parts of it.
abstract sealed class Step implements AutoCloseable permits TrainingStep, ParallelStep {
    final Trainer settings;
    final Training training;
    final List<Tensor> parameters;
    final BufferSnapshot buffers;
    double gradientNorm;
    boolean skipped;
    long peakBytes;

    private final Set<List<Long>> planned = new HashSet<>();
    private long[] lastShape;
    private long lastSize;
    private int lastFrozen;

    /// @param home the arena for the copies of the model's buffers
    Step(Trainer settings, Training training, TensorArena home) {
        this.settings = settings;
        this.training = training;
        this.buffers = new BufferSnapshot(settings.model, home);
        this.parameters = settings.optimizer.parameters();
    }

    /// Trains on a batch. If it fails before the optimizer steps, or is skipped, parameters, buffers and the state
    /// of the optimizer are unchanged.
    ///
    /// @param examples the number of examples of the batch, with those that other processes have
    /// @return the loss of the batch
    abstract double train(Batch batch, long examples);

    /// {@return the divisor of the last batch's loss, NaN if it is not recorded}
    abstract double denominator();

    @Override
    public abstract void close();

    /// {@return the norm of the last step's gradients before clipping, NaN if they were not clipped}
    final double gradientNorm() {
        return gradientNorm;
    }

    /// {@return whether the last step was skipped, because its loss or a gradient was not finite}
    final boolean skipped() {
        return skipped;
    }

    /// {@return the peak of live bytes in the last step}
    final long peakBytes() {
        return peakBytes;
    }

    final void begin() {
        buffers.copy();
        skipped = false;
        gradientNorm = Double.NaN;
        peakBytes = 0;
    }

    final void measured(long bytes) {
        peakBytes = Math.max(peakBytes, bytes);
        training.measured(bytes);
    }

    final void noteSchedule(Tensor loss) {
        if (training.schedule() == null) {
            training.schedule(loss.releaseSchedule());
        }
    }

    /// Predicts the memory of the first step of each shape of batch, and of the first after layers were frozen or
    /// unfrozen, and refuses a step that does not fit.
    ///
    /// @param size the number of the batch's first examples that are computed at a time
    final void requireFits(Batch batch, long size) {
        long[] shape = batch.x().shape();
        int frozen = frozen();
        boolean again = frozen == lastFrozen && size == lastSize && Arrays.equals(shape, lastShape);
        if (!settings.planning || again) {
            return;
        }
        List<Tensor> largest = List.of(MicroBatches.part(batch.x(), 0, size), MicroBatches.part(batch.y(), 0, size));
        List<Long> key = new ArrayList<>(List.of((long) frozen));
        largest.forEach(tensor -> Arrays.stream(tensor.shape()).forEach(key::add));
        if (planned.add(key)) {
            MemoryPlan plan = MemoryPlan.requireFits(
                    in -> settings.loss.of(settings.model.forward(in.get(0)), in.get(1)), largest);
            training.schedule(plan.schedule());
            training.predicted(plan.schedule().peakBytes());
        }
        lastShape = shape;
        lastSize = size;
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

    static void requireScalar(Tensor loss) {
        if (loss.size() != 1) {
            throw new IllegalArgumentException(
                    "fit: the loss is " + describe(loss) + ", not a scalar; reduce it to the mean over the batch");
        }
    }

    static String describe(Tensor tensor) {
        return Arrays.toString(tensor.shape()) + " " + tensor.dtype();
    }

    /// Responds to a loss that is not finite.
    final void check(double loss) {
        if (!Double.isFinite(loss)) {
            switch (settings.nonFinite) {
                case STOP -> throw notFinite("the loss is " + loss);
                case SKIP -> skipped = true;
                case ALLOW -> {}
            }
        }
    }

    /// Responds to gradients that are not finite. A finite norm, which clipping has computed, proves that they are.
    final void checkGradients(double loss) {
        if (settings.nonFinite == NonFinite.ALLOW || Double.isFinite(gradientNorm) || areGradientsFinite()) {
            return;
        }
        if (settings.nonFinite == NonFinite.SKIP) {
            skipped = true;
            return;
        }
        throw notFinite("the loss is " + loss + " and " + nonFiniteGradient() + " has NaN or infinite elements");
    }

    abstract boolean areGradientsFinite();

    /// Names a gradient that is not finite.
    abstract String nonFiniteGradient();

    private ArithmeticException notFinite(String problem) {
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
