package org.toydiff.train;

import java.util.Map;
import org.toydiff.DType;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// The mean loss over the examples of several batches, each batch counting by what its loss divided by.
final class MeanLoss implements Stateful {
    private double sum;
    private double weight;

    /// What the first batch's loss divided by, for each example: so that where all count alike a batch counts by its
    /// examples.
    private double reference;

    /// Adds a batch.
    ///
    /// @param denominator what its loss divided by; NaN for one that does not tell, which counts by its examples
    void add(double loss, long examples, double denominator) {
        double batch = examples * weight(denominator / examples);
        // The loss of nothing is 0 / 0.
        if (batch != 0) {
            sum += loss * batch;
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

    /// The mean, NaN of nothing.
    double value() {
        return sum / weight;
    }

    boolean isEmpty() {
        return weight == 0;
    }

    void reset() {
        sum = 0;
        weight = 0;
        reference = 0;
    }

    /// @return `sums` FLOAT64 `[3]`: of the losses, of the weights, and the weight of the first batch's examples
    @Override
    public Map<String, Tensor> stateDict() {
        return Map.of("sums", Tensor.of(DType.FLOAT64, new double[] {sum, weight, reference}, 3));
    }

    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        try (var scratch = TensorArena.ofConfined()) {
            States.requireFits("mean loss", stateDict(), state);
        }
        double[] sums = state.get("sums").toDoubleArray();
        sum = sums[0];
        weight = sums[1];
        reference = sums[2];
    }
}
