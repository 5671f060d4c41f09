package org.toydiff.train.metrics;

import java.util.Arrays;
import java.util.OptionalInt;
import org.toydiff.Tensor;

/// The fraction of examples that are classified correctly.
///
/// The predicted class is the one with the largest score, the first of equal ones; in a row with NaN it is the class
/// of the first NaN. Outputs are `[…, classes]`. Targets are labels `[…]` (INT32 or INT64), or probabilities of the
/// shape of the outputs, of which the class of the largest is the label. Probabilities are refused where a label is
/// ignored.
public final class Accuracy extends FractionCorrect {
    private final boolean binary;
    private final double threshold;

    /// Makes a metric for outputs with one score for each class.
    public Accuracy() {
        this(false, 0);
    }

    private Accuracy(boolean binary, double threshold) {
        this.binary = binary;
        this.threshold = threshold;
    }

    /// Makes a metric for binary classification, with one score for each decision: it is correct if the output is
    /// above the threshold and the target above one half, or neither is. Outputs and targets have the same shape,
    /// and each element counts.
    ///
    /// @param threshold the threshold above which a prediction is positive: 0 for logits, 0.5 for probabilities
    /// @return the metric
    /// @throws IllegalArgumentException if the threshold is NaN
    public static Accuracy binary(double threshold) {
        if (Double.isNaN(threshold)) {
            throw new IllegalArgumentException(
                    "accuracy: the threshold is NaN; use 0 for logits, 0.5 for probabilities");
        }
        return new Accuracy(true, threshold);
    }

    /// Leaves out the examples with a certain label, as [org.toydiff.nn.CrossEntropyLoss#ignoreIndex(int)] does.
    /// Without this call every label counts, and one that is none of the classes is counted as wrong.
    ///
    /// @param ignoreIndex the label of the examples to leave out, one of the classes or any other number
    /// @return this
    public Accuracy ignoreIndex(int ignoreIndex) {
        this.ignoreIndex = OptionalInt.of(ignoreIndex);
        return this;
    }

    @Override
    public String name() {
        return "accuracy";
    }

    @Override
    Tensor correct(Tensor output, Tensor target) {
        return binary ? binaryCorrect(output, target) : classCorrect(output, target);
    }

    private Tensor classCorrect(Tensor output, Tensor target) {
        ClassScores counted =
                ClassScores.of(name(), output, target, ignoreIndex).without(ignoreIndex);
        return counted.scores().argmax(1).equalTo(counted.labels());
    }

    private Tensor binaryCorrect(Tensor output, Tensor target) {
        if (!output.dtype().isFloating() || !Arrays.equals(output.shape(), target.shape())) {
            throw new IllegalArgumentException(
                    "accuracy: output " + ClassScores.describe(output) + " and target " + ClassScores.describe(target)
                            + " do not fit; they must have one shape, and the output a floating dtype");
        }
        Tensor predicted = output.greater(Tensor.scalar(output.dtype(), threshold));
        Tensor positive = target.greater(0.5);
        Tensor correct = predicted.equalTo(positive);
        return ignoreIndex.isEmpty() ? correct : correct.select(target.notEqualTo(ignoreIndex.getAsInt()));
    }
}
