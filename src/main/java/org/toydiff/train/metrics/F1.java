package org.toydiff.train.metrics;

import java.util.Map;
import java.util.Objects;
import org.toydiff.Tensor;

/// The F1 score of a classification: the harmonic mean of precision and recall, `2·tp / (2·tp + fp + fn)`.
///
/// Outputs and targets are those of [Accuracy]. Classes that occur neither as label nor as prediction are left out,
/// as scikit-learn's `f1_score` does
/// (<https://scikit-learn.org/stable/modules/generated/sklearn.metrics.f1_score.html>).
public final class F1 implements Metric {
    /// The average over the scores of the classes.
    public enum Average {
        /// The mean.
        MACRO,
        /// The score of the decisions of all classes counted together, which is the accuracy if each example has one
        /// class.
        MICRO,
        /// The mean weighted by the number of examples of the class.
        WEIGHTED
    }

    private final ConfusionMatrix matrix;
    private final Average average;

    /// Makes a metric with the mean over the classes, [Average#MACRO].
    ///
    /// @param classes the number of classes
    /// @throws IllegalArgumentException if it is out of the range of [ConfusionMatrix]
    public F1(int classes) {
        this(classes, Average.MACRO);
    }

    /// Makes a metric with a given average over the classes.
    ///
    /// @param classes the number of classes
    /// @param average the average over their scores
    /// @throws IllegalArgumentException if the number is out of the range of [ConfusionMatrix]
    public F1(int classes, Average average) {
        this.matrix = new ConfusionMatrix(classes);
        this.average = Objects.requireNonNull(average, "average");
    }

    /// Leaves out the examples with a certain label, as [org.toydiff.nn.CrossEntropyLoss#ignoreIndex(int)] does.
    /// Without this call every label counts, and one that is none of the classes is refused.
    ///
    /// @param ignoreIndex the label of the examples to leave out, one of the classes or any other number
    /// @return this
    public F1 ignoreIndex(int ignoreIndex) {
        matrix.ignoreIndex(ignoreIndex);
        return this;
    }

    @Override
    public String name() {
        return switch (average) {
            case MACRO -> "f1";
            case MICRO -> "f1_micro";
            case WEIGHTED -> "f1_weighted";
        };
    }

    @Override
    public void update(Tensor output, Tensor target) {
        matrix.update(output, target);
    }

    @Override
    public double value() {
        return switch (average) {
            case MACRO -> macro();
            case MICRO -> micro();
            case WEIGHTED -> weighted();
        };
    }

    private double macro() {
        double sum = 0;
        int present = 0;
        for (int label = 0; label < matrix.classes(); label++) {
            double score = matrix.f1(label);
            if (!Double.isNaN(score)) {
                sum += score;
                present++;
            }
        }
        return sum / present;
    }

    private double micro() {
        long correct = 0;
        long all = 0;
        for (int label = 0; label < matrix.classes(); label++) {
            correct += matrix.count(label, label);
            all += matrix.support(label);
        }
        return (double) correct / all;
    }

    private double weighted() {
        double sum = 0;
        long all = 0;
        for (int label = 0; label < matrix.classes(); label++) {
            long support = matrix.support(label);
            sum += support == 0 ? 0 : support * matrix.f1(label);
            all += support;
        }
        return sum / all;
    }

    /// Returns the score of each class.
    ///
    /// @return one value for each class, NaN if no example has it and it was never predicted
    public double[] perClass() {
        double[] scores = new double[matrix.classes()];
        for (int label = 0; label < scores.length; label++) {
            scores[label] = matrix.f1(label);
        }
        return scores;
    }

    @Override
    public void reset() {
        matrix.reset();
    }

    /// Returns the counts.
    ///
    /// @return the state of [ConfusionMatrix#stateDict()]
    @Override
    public Map<String, Tensor> stateDict() {
        return matrix.stateDict();
    }

    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        matrix.loadStateDict(state);
    }
}
