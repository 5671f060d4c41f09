package org.toydiff.train.metrics;

import java.util.Arrays;
import org.toydiff.Tensor;

/// How many of all examples are classified right.
///
/// Right is where the label is the class with the largest score, the first of equal ones; a row with a NaN is taken
/// to say the first NaN's class. Outputs are `[…, classes]`, targets labels `[…]` (INT32 or INT64) or probabilities
/// of the output's shape, whose largest is the label.
public final class Accuracy extends FractionCorrect {
    private final boolean binary;
    private final double threshold;

    /// Of outputs with one score for each class.
    public Accuracy() {
        this(false, 0);
    }

    private Accuracy(boolean binary, double threshold) {
        this.binary = binary;
        this.threshold = threshold;
    }

    /// Of outputs with one score for a yes or no: right is where the output is above the threshold and the target
    /// above one half, or neither. Output and target have the same shape, and each element counts.
    ///
    /// @param threshold above what an output means yes: 0 for logits, 0.5 for probabilities
    /// @return the metric
    /// @throws IllegalArgumentException if the threshold is NaN
    public static Accuracy binary(double threshold) {
        if (Double.isNaN(threshold)) {
            throw new IllegalArgumentException(
                    "accuracy: the threshold is NaN; use 0 for logits, 0.5 for probabilities");
        }
        return new Accuracy(true, threshold);
    }

    @Override
    public String name() {
        return "accuracy";
    }

    @Override
    Tensor right(Tensor output, Tensor target) {
        return binary ? binaryRight(output, target) : classRight(output, target);
    }

    private Tensor classRight(Tensor output, Tensor target) {
        Tensor scores = ClassScores.scores(name(), output, target);
        return scores.argmax(1).equalTo(ClassScores.labels(target, scores));
    }

    private Tensor binaryRight(Tensor output, Tensor target) {
        if (!output.dtype().isFloating() || !Arrays.equals(output.shape(), target.shape())) {
            throw new IllegalArgumentException(
                    "accuracy: output " + ClassScores.describe(output) + " and target " + ClassScores.describe(target)
                            + " do not fit; they must have one shape, the output a floating dtype");
        }
        Tensor yes = output.greater(Tensor.scalar(output.dtype(), threshold));
        Tensor wanted = target.greater(0.5);
        return yes.equalTo(wanted);
    }
}
