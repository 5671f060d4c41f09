package org.toydiff.train.metrics;

import java.util.Map;
import java.util.Objects;
import org.toydiff.Tensor;

/// The F1 score of a classification: the harmonic mean of precision and recall, `2·tp / (2·tp + fp + fn)`.
///
/// Outputs and targets are those of [Accuracy]. Classes that no example has and none was given are left out, as
/// scikit-learn's `f1_score` does
/// (<https://scikit-learn.org/stable/modules/generated/sklearn.metrics.f1_score.html>).
public final class F1 implements Metric {
    /// How the scores of the classes become one.
    public enum Average {
        /// Their mean.
        MACRO,
        /// The score of all decisions counted together: where each example has one class, the accuracy.
        MICRO,
        /// Their mean weighted by how many examples have the class.
        WEIGHTED
    }

    private final ConfusionMatrix matrix;
    private final Average average;

    /// The mean over the classes.
    ///
    /// @param classes how many there are
    /// @throws IllegalArgumentException if it is out of the range of [ConfusionMatrix]
    public F1(int classes) {
        this(classes, Average.MACRO);
    }

    /// Some average over the classes.
    ///
    /// @param classes how many there are
    /// @param average how their scores become one
    /// @throws IllegalArgumentException if the number is out of the range of [ConfusionMatrix]
    public F1(int classes, Average average) {
        this.matrix = new ConfusionMatrix(classes);
        this.average = Objects.requireNonNull(average, "average");
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
        long right = 0;
        long all = 0;
        for (int label = 0; label < matrix.classes(); label++) {
            right += matrix.count(label, label);
            all += matrix.support(label);
        }
        return (double) right / all;
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

    /// The score of each class.
    ///
    /// @return one value for each class, NaN where no example has it and none was given it
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

    /// What was counted.
    ///
    /// @return that of [ConfusionMatrix#stateDict()]
    @Override
    public Map<String, Tensor> stateDict() {
        return matrix.stateDict();
    }

    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        matrix.loadStateDict(state);
    }
}
