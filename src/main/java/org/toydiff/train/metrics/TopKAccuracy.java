package org.toydiff.train.metrics;

import java.util.OptionalInt;
import org.toydiff.Tensor;

/// The fraction of examples whose label is among the k classes with the largest scores.
///
/// If classes with equal scores straddle the k-th place, all of them are among the k, as in TensorFlow's `in_top_k`
/// (<https://www.tensorflow.org/api_docs/python/tf/math/in_top_k>). NaN is larger than every number, and a label
/// whose score is NaN is not among the k. Outputs and targets are those of [Accuracy].
public final class TopKAccuracy extends FractionCorrect {
    private final int k;

    /// Makes a metric for outputs with one score for each class.
    ///
    /// @param k the number of classes that count, positive
    /// @throws IllegalArgumentException if k is not positive
    public TopKAccuracy(int k) {
        if (k < 1) {
            throw new IllegalArgumentException("top_k: k " + k + " must be positive");
        }
        this.k = k;
    }

    /// Leaves out the examples with a certain label, as [org.toydiff.nn.CrossEntropyLoss#ignoreIndex(int)] does.
    /// Without this call every label counts, and one that is none of the classes is refused.
    ///
    /// @param ignoreIndex the label of the examples to leave out, one of the classes or any other number
    /// @return this
    public TopKAccuracy ignoreIndex(int ignoreIndex) {
        this.ignoreIndex = OptionalInt.of(ignoreIndex);
        return this;
    }

    @Override
    public String name() {
        return "top_" + k;
    }

    @Override
    Tensor correct(Tensor output, Tensor target) {
        ClassScores counted =
                ClassScores.of(name(), output, target, ignoreIndex).without(ignoreIndex);
        Tensor scores = counted.scores();
        Tensor labels = counted.labels();
        long classes = scores.shape()[1];
        if (k > classes) {
            throw new IllegalArgumentException(
                    name() + ": the output has " + classes + " classes; use a k of at most " + classes);
        }
        Tensor labelScores = scores.gather(1, labels.reshape(labels.size(), 1));
        Tensor notLarger =
                labelScores.greaterOrEqual(scores).cast(scores.dtype()).sum(1);
        return notLarger.greater(classes - k);
    }
}
