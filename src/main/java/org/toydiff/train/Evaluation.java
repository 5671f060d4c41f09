package org.toydiff.train;

import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.toydiff.Autograd;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.Batch;
import org.toydiff.data.DataLoader;
import org.toydiff.train.metrics.Mean;
import org.toydiff.train.metrics.Metric;

/// Computes losses, metrics and outputs with the model in evaluation mode, outside a training.
final class Evaluation {
    private final Trainer settings;

    Evaluation(Trainer settings) {
        this.settings = settings;
    }

    /// {@return the loss and the metrics over the examples of a loader, by name}
    Map<String, Double> evaluate(DataLoader loader) {
        var step = new EvaluationStep(settings, null);
        var loss = new Mean("loss", settings.loss);
        settings.metrics.forEach(Metric::reset);
        run(
                "evaluate",
                loader,
                batch -> loss.add(step.evaluate(batch, batch.size()), batch.size(), step.denominator()));
        Map<String, Double> values = new LinkedHashMap<>();
        values.put(loss.name(), loss.value());
        settings.metrics.forEach(metric -> values.put(metric.name(), metric.value()));
        return Collections.unmodifiableMap(values);
    }

    /// {@return the outputs for the examples of a loader, in the innermost arena}
    Tensor predict(DataLoader loader) {
        var outputs = new Outputs(loader.size());
        run("predict", loader, batch -> outputs.add(batch.x()));
        return outputs.all();
    }

    /// {@return the outputs for the rows of a tensor, in the innermost arena}
    Tensor predict(Tensor x, long batchSize) {
        long rows = x.size(0);
        var outputs = new Outputs(rows);
        run("predict", Math.max(1, Math.ceilDiv(rows, batchSize)), progress -> {
            // Without rows, one empty batch has the shape of the output.
            for (long from = 0; from == 0 || from < rows; from += batchSize) {
                outputs.add(x.slice(0, from, Math.min(rows, from + Math.min(batchSize, rows))));
                progress.run();
            }
        });
        return outputs.all();
    }

    private void run(String call, DataLoader loader, Consumer<Batch> step) {
        if (loader.batches() == 0) {
            throw new IllegalArgumentException(call + ": the loader has no batch: " + loader.size()
                    + " examples; add examples, or do not drop the last batch");
        }
        run(call, loader.batches(), progress -> {
            try (loader) {
                for (Iterator<Batch> batches = loader.iterator(); batches.hasNext(); ) {
                    step.accept(batches.next());
                    progress.run();
                }
            }
        });
    }

    /// Runs batches in evaluation mode, with nothing recorded, in an arena for what is shared by them. They call
    /// `progress` after each batch.
    private void run(String call, long count, Consumer<Runnable> batches) {
        try (var mode = settings.model.evaluating();
                var inference = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            call(callback -> callback.onEvaluationBegin(call, count));
            batches.accept(() -> call(Callback::onBatchEvaluated));
        } finally {
            call(Callback::onEvaluationEnd);
        }
    }

    private void call(Consumer<Callback> event) {
        settings.callbacks.forEach(event);
    }

    /// The outputs of all batches in one tensor, made with the first of them.
    private final class Outputs {
        private final TensorArena home = TensorArena.innermost();
        private final long rows;
        private Tensor outputs;
        private long filled;

        Outputs(long rows) {
            this.rows = rows;
        }

        void add(Tensor x) {
            try (var arena = TensorArena.ofConfined()) {
                Tensor output = settings.model.forward(x);
                long[] shape = output.shape();
                long[] all = shape.clone();
                if (output.rank() == 0 || shape[0] != x.size(0)) {
                    throw new IllegalArgumentException("predict: the output " + Arrays.toString(shape)
                            + " has not one row for each of the " + x.size(0)
                            + " examples; return one from the model's compute");
                }
                all[0] = rows;
                if (outputs == null) {
                    outputs = Tensor.empty(home, output.dtype(), all);
                }
                if (!Arrays.equals(all, outputs.shape())) {
                    throw new IllegalArgumentException("predict: the output " + Arrays.toString(shape)
                            + " does not fit the outputs before it, rows of " + Arrays.toString(outputs.shape())
                            + "; make batches whose examples have one shape");
                }
                outputs.slice(0, filled, filled + shape[0]).copyFrom(output);
                filled += shape[0];
            }
        }

        /// Returns the rows that were filled: a loader may leave out its last batch.
        Tensor all() {
            return filled == rows ? outputs : outputs.slice(0, 0, filled);
        }
    }
}
