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

/// The mean over all examples of a function of output and target: a loss, an error. Examples have the weights that
/// the losses of [org.toydiff.nn.Functional] and [org.toydiff.nn.CrossEntropyLoss] record, and equal weights for
/// functions that record none.
public final class Mean implements Metric {
    private final String name;
    private final Loss function;
    private final LossTerms terms = new LossTerms();
    private double sum;
    private double weight;

    /// The divisor of the first batch's mean, for each example: if all have equal weights, the weight of a batch is
    /// its number of examples.
    private double reference;

    /// Makes a metric of a function that returns the mean over a batch: `new Mean("mae", Functional::maeLoss)`.
    ///
    /// @param name the name of the metric
    /// @param function returns a scalar, the mean over the examples of the batch; smaller is better
    /// @throws IllegalArgumentException if the name is not valid, see [Metric#requireName]
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

    /// Adds a batch whose mean is known, the loss of a training step for instance.
    ///
    /// @param mean the mean over the examples of the batch
    /// @param examples the number of examples
    /// @param denominator the divisor of the mean, [LossTerms#denominator()]; if it is not known, NaN: then the
    ///     weight of the batch is its number of examples
    public void add(double mean, long examples, double denominator) {
        double batch = examples * weight(denominator / examples);
        // The mean over no weight is 0 / 0.
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

    /// Returns the sums.
    ///
    /// @return `sums` FLOAT64 `[3]`: of the weighted means, of the weights, and the weight of an example of the
    ///     first batch
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
