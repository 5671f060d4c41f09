package org.toydiff.train;

import java.util.List;
import org.toydiff.CompiledFunction;
import org.toydiff.Release;
import org.toydiff.Tensor;

/// Forward, loss and backward of a batch as a [CompiledFunction].
final class CompiledPass implements AutoCloseable {
    private final Trainer settings;
    private final Training training;
    private final MicroBatches batches;
    private final CompiledFunction function = CompiledFunction.ofList(this::pass);

    CompiledPass(Trainer settings, Training training, MicroBatches batches) {
        if (settings.microBatch < Long.MAX_VALUE) {
            throw new IllegalStateException("fit: a compiled step has no micro-batches, whose weights depend on labels;"
                    + " leave out microBatch or compiled(true)");
        }
        this.settings = settings;
        this.training = training;
        this.batches = batches;
    }

    private List<Tensor> pass(List<Tensor> batch) {
        Tensor output = settings.model.forward(batch.get(0)).retain();
        Tensor loss = batches.compute(settings.loss, output, batch.get(1));
        TrainingStep.requireScalar(loss);
        double divisor = batches.divisor();
        CompiledFunction.onEachRun("divisor of the loss", () -> batches.divisor(divisor));
        if (training.schedule() == null) {
            training.schedule(loss.releaseSchedule());
        }
        loss.backward(Release.EAGER);
        return List.of(output, loss);
    }

    /// Computes gradients.
    ///
    /// @return output and loss, which the next call overwrites
    List<Tensor> run(Tensor x, Tensor y) {
        return function.run(List.of(x, y));
    }

    /// {@return the bytes in which the last call kept its temporaries}
    long bytes() {
        return function.plan().plannedBytes();
    }

    @Override
    public void close() {
        function.close();
    }
}
