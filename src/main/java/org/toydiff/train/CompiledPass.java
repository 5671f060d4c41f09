package org.toydiff.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.toydiff.CompiledFunction;
import org.toydiff.DType;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Forward, loss and backward of a micro-batch as a [CompiledFunction].
final class CompiledPass implements AutoCloseable {
    /// Decides about the backward of a micro-batch.
    @FunctionalInterface
    interface Share {
        /// {@return the factor of the gradient of a loss over a number of examples; 0 for no backward}
        double of(double loss, long examples);
    }

    /// Ends a run before backward, whose recording, if it was the first one, is not kept.
    private static final class NoBackward extends RuntimeException {
        private static final long serialVersionUID = 1;

        NoBackward() {
            super(null, null, false, false);
        }
    }

    private static final NoBackward NO_BACKWARD = new NoBackward();

    private final Trainer settings;
    private final Training training;
    private final MicroBatches batches;
    private final Share share;
    private final TensorArena home;
    private final CompiledFunction function = CompiledFunction.ofList(this::pass);

    /// Tensors outside of the function, by their use, dtype and shape: what it computes is read from copies.
    private final Map<List<Object>, Tensor> copies = new HashMap<>();

    /// A copy of the output of the last run, and its loss.
    private Tensor output;

    private double value;

    /// Creates a pass, with memory in the innermost arena and, for copies, in `home`.
    CompiledPass(Trainer settings, Training training, MicroBatches batches, Share share, TensorArena home) {
        this.settings = settings;
        this.training = training;
        this.batches = batches;
        this.share = share;
        this.home = home;
    }

    private List<Tensor> pass(List<Tensor> batch) {
        Tensor y = settings.model.forward(batch.get(0));
        Tensor loss = batches.compute(settings.loss, y, batch.get(1));
        Step.requireScalar(loss);
        Tensor kept = outside("output", y).copyFrom(y.detach());
        Tensor value = outside("loss", loss).copyFrom(loss.detach());
        Tensor factor = outside("factor", loss);
        long examples = batch.get(0).size(0);
        CompiledFunction.onEachRun("share of the batch", () -> begin(kept, value, examples, factor));
        if (training.schedule() == null) {
            training.schedule(loss.releaseSchedule());
        }
        loss.backward(factor, Release.EAGER);
        return List.of();
    }

    private Tensor outside(String use, Tensor like) {
        DType dtype = like.dtype();
        long[] shape = like.shape();
        List<Object> key = new ArrayList<>(List.of(use, dtype));
        Arrays.stream(shape).forEach(key::add);
        return copies.computeIfAbsent(
                key, absent -> Tensor.wrap(home.allocate(like.size() * dtype.bytes(), Long.BYTES), dtype, shape));
    }

    /// Sets the factor of the gradient.
    private void begin(Tensor output, Tensor loss, long examples, Tensor factor) {
        this.output = output;
        value = loss.item();
        double gradient = share.of(value, examples);
        if (gradient == 0) {
            throw NO_BACKWARD;
        }
        factor.copyFrom(Tensor.full(factor.dtype(), gradient, factor.shape()));
    }

    /// Computes the gradients of a micro-batch, or none if its share is 0.
    ///
    /// @return the output, which the next call overwrites
    Tensor run(Tensor x, Tensor y) {
        int before = function.recordings();
        try {
            function.run(List.of(x, y));
            if (function.recordings() > before) {
                training.planned(function.plan());
            }
        } catch (NoBackward e) {
            // The output and the loss are computed.
        }
        return output;
    }

    /// {@return the loss of the last run}
    double loss() {
        return value;
    }

    /// {@return the bytes in which the last call kept its temporaries; 0 if there was no backward yet}
    long bytes() {
        return function.recordings() == 0 ? 0 : function.plan().plannedBytes();
    }

    @Override
    public void close() {
        function.close();
    }
}
