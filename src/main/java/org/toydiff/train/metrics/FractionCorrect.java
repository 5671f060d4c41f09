package org.toydiff.train.metrics;

import java.util.Map;
import java.util.OptionalInt;
import org.toydiff.Autograd;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// The fraction of examples with a correct prediction.
abstract sealed class FractionCorrect implements Metric permits Accuracy, TopKAccuracy {
    private long correct;
    private long examples;

    /// The label of the examples that do not count.
    OptionalInt ignoreIndex = OptionalInt.empty();

    /// Decides which predictions of a batch are correct.
    ///
    /// @param output the output of the model
    /// @param target the targets
    /// @return a BOOL tensor with one element for each example that counts
    abstract Tensor correct(Tensor output, Tensor target);

    @Override
    public void update(Tensor output, Tensor target) {
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            Tensor matches = correct(output, target);
            correct += ClassScores.count(matches);
            examples += matches.size();
        }
    }

    @Override
    public double value() {
        return examples == 0 ? Double.NaN : (double) correct / examples;
    }

    @Override
    public void reset() {
        correct = 0;
        examples = 0;
    }

    /// Returns the counts.
    ///
    /// @return `counts` INT64 `[2]`: the correct examples and all examples
    @Override
    public Map<String, Tensor> stateDict() {
        return Map.of("counts", Tensor.of(new long[] {correct, examples}, 2));
    }

    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        try (var scratch = TensorArena.ofConfined()) {
            Stateful.requireFits(name() + ": loadStateDict", stateDict(), state);
        }
        long[] counts = state.get("counts").toLongArray();
        correct = counts[0];
        examples = counts[1];
    }
}
