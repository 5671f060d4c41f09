package org.toydiff.train;

import java.util.Map;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// The mean over all examples of what some function computes from output and target: a loss, an error.
public final class Mean implements Metric {
    private final String name;
    private final Loss function;
    private double sum;
    private long examples;

    /// Of a function that gives the mean over a batch: `new Mean("mae", Functional::maeLoss)`.
    ///
    /// @param name what to call it
    /// @param function gives a scalar, the mean over the examples of the batch; smaller is better
    public Mean(String name, Loss function) {
        this.name = Columns.requireName(name);
        this.function = function;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void update(Tensor output, Tensor target) {
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            add(function.of(output, target).item(), target.rank() == 0 ? 1 : target.shape()[0]);
        }
    }

    /// Adds a batch's mean.
    void add(double mean, long weight) {
        if (weight > 0) {
            sum += mean * weight;
            examples += weight;
        }
    }

    @Override
    public double value() {
        return examples == 0 ? Double.NaN : sum / examples;
    }

    @Override
    public void reset() {
        sum = 0;
        examples = 0;
    }

    @Override
    public boolean higherIsBetter() {
        return false;
    }

    /// What was added.
    ///
    /// @return `sum` FLOAT64 `[1]` and `examples` INT64 `[1]`
    @Override
    public Map<String, Tensor> stateDict() {
        return Map.of(
                "sum", Tensor.of(DType.FLOAT64, new double[] {sum}, 1),
                "examples", Tensor.of(new long[] {examples}, 1));
    }

    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        try (var scratch = TensorArena.ofConfined()) {
            States.requireFits(name, stateDict(), state);
        }
        sum = state.get("sum").item();
        examples = state.get("examples").toLongArray()[0];
    }
}
