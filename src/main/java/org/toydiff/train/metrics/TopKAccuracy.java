package org.toydiff.train.metrics;

import org.toydiff.Tensor;

/// How many of all examples have their label among the k classes with the largest scores.
///
/// Of classes with equal scores that straddle the k-th place all count as among them, as in TensorFlow's `in_top_k`
/// (<https://www.tensorflow.org/api_docs/python/tf/math/in_top_k>). NaN is larger than every number, and a label
/// whose own score is NaN is not among them. Outputs and targets are those of [Accuracy].
public final class TopKAccuracy extends FractionCorrect {
    private final int k;

    /// Of outputs with one score for each class.
    ///
    /// @param k how many classes count, positive
    /// @throws IllegalArgumentException if k is not positive
    public TopKAccuracy(int k) {
        if (k < 1) {
            throw new IllegalArgumentException("top_k: k " + k + " must be positive");
        }
        this.k = k;
    }

    @Override
    public String name() {
        return "top_" + k;
    }

    @Override
    Tensor right(Tensor output, Tensor target) {
        Tensor scores = ClassScores.scores(name(), output, target);
        Tensor labels = ClassScores.labels(target, scores);
        long classes = scores.shape()[1];
        if (k > classes) {
            throw new IllegalArgumentException(
                    name() + ": there are only " + classes + " classes; use a k of at most " + classes);
        }
        Tensor own = scores.gather(1, labels.reshape(labels.size(), 1));
        Tensor notLarger = own.greaterOrEqual(scores).cast(scores.dtype()).sum(1);
        return notLarger.greater(classes - k);
    }
}
