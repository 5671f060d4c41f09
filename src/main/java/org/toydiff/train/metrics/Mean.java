package org.toydiff.train.metrics;

import java.util.Map;
import java.util.Objects;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.Loss;
import org.toydiff.nn.LossTerms;

/// The mean over all examples of a function of output and target: a loss, an error. Examples weigh what the losses
/// of [org.toydiff.nn.Functional] and [org.toydiff.nn.CrossEntropyLoss] give them, and are alike where a function
/// does not tell.
public final class Mean implements Metric {
    private final String name;
    private final Loss function;
    private final LossTerms terms = new LossTerms();
    private double sum;
    private double weight;

    /// What the first batch's mean divided by, for each example: so that where all count alike a batch counts by its
    /// examples.
    private double reference;

    /// Of a function that gives the mean over a batch: `new Mean("mae", Functional::maeLoss)`.
    ///
    /// @param name what to call it
    /// @param function gives a scalar, the mean over the examples of the batch; smaller is better
    /// @throws IllegalArgumentException if the name is none, as [Metric#requireName] says
    public Mean(String name, Loss function) {
        this.name = Metric.requireName(name);
        this.function = Objects.requireNonNull(function, "function");
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void update(Tensor output, Tensor target) {
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            double mean = terms.record(() -> function.of(output, target)).item();
            add(mean, target.rank() == 0 ? 1 : target.shape()[0], terms.denominator());
        }
    }

    /// Adds a batch whose mean is known: the loss of a training step, say.
    ///
    /// @param mean over the examples of the batch
    /// @param examples how many they are
    /// @param denominator what the mean divided by, [LossTerms#denominator()]; NaN where that is not known: then the
    ///     batch counts by its examples
    public void add(double mean, long examples, double denominator) {
        double batch = examples * weight(denominator / examples);
        // The mean of nothing is 0 / 0.
        if (batch != 0) {
            sum += mean * batch;
            weight += batch;
        }
    }

    private double weight(double density) {
        if (Double.isNaN(density)) {
            return 1;
        }
        if (reference == 0) {
            reference = density;
        }
        return density == 0 ? 0 : density / reference;
    }

    @Override
    public double value() {
        return sum / weight;
    }

    @Override
    public void reset() {
        sum = 0;
        weight = 0;
        reference = 0;
    }

    @Override
    public boolean higherIsBetter() {
        return false;
    }

    /// What was added.
    ///
    /// @return `sums` FLOAT64 `[3]`: of the means, of the weights, and the weight of the first batch's examples
    @Override
    public Map<String, Tensor> stateDict() {
        return Map.of("sums", Tensor.of(DType.FLOAT64, new double[] {sum, weight, reference}, 3));
    }

    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        try (var scratch = TensorArena.ofConfined()) {
            Stateful.requireFits(name + ": loadStateDict", stateDict(), state);
        }
        double[] sums = state.get("sums").toDoubleArray();
        sum = sums[0];
        weight = sums[1];
        reference = sums[2];
    }
}
