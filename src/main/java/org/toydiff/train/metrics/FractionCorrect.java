package org.toydiff.train.metrics;

import java.util.Map;
import org.toydiff.Autograd;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// How many of all examples are right, for some meaning of right.
abstract sealed class FractionCorrect implements Metric permits Accuracy, TopKAccuracy {
    private long right;
    private long examples;

    /// Which examples of a batch are right.
    ///
    /// @param output what the model gave
    /// @param target what was asked for
    /// @return a BOOL tensor with one element for each example
    abstract Tensor right(Tensor output, Tensor target);

    @Override
    public void update(Tensor output, Tensor target) {
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            Tensor matches = right(output, target);
            right += ClassScores.count(matches);
            examples += matches.size();
        }
    }

    @Override
    public double value() {
        return examples == 0 ? Double.NaN : (double) right / examples;
    }

    @Override
    public void reset() {
        right = 0;
        examples = 0;
    }

    /// What was counted.
    ///
    /// @return `counts` INT64 `[2]`: right ones and all
    @Override
    public Map<String, Tensor> stateDict() {
        return Map.of("counts", Tensor.of(new long[] {right, examples}, 2));
    }

    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        try (var scratch = TensorArena.ofConfined()) {
            Stateful.requireFits(name() + ": loadStateDict", stateDict(), state);
        }
        long[] counts = state.get("counts").toLongArray();
        right = counts[0];
        examples = counts[1];
    }
}
