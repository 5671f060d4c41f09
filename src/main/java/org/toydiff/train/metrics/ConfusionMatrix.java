package org.toydiff.train.metrics;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import org.toydiff.Autograd;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// The confusion matrix of a classification: counts the examples of each label by their predicted class.
///
/// Outputs and targets are those of [Accuracy]. The value is the balanced accuracy, the mean of the recall of the
/// classes that occur, as scikit-learn's `balanced_accuracy_score`
/// (<https://scikit-learn.org/stable/modules/model_evaluation.html#balanced-accuracy-score>). A
/// [org.toydiff.train.report.Report] shows the counts.
public final class ConfusionMatrix implements Metric {
    /// Limits the counts, which lie on the heap.
    private static final int MAX_CLASSES = 4096;

    private final int classes;
    private final long[] counts;
    private final long[] supports;
    private final long[] predictions;
    private OptionalInt ignoreIndex = OptionalInt.empty();

    /// Makes a metric for outputs with one score for each class.
    ///
    /// @param classes the number of classes, 1 to 4096
    /// @throws IllegalArgumentException if it is out of range
    public ConfusionMatrix(int classes) {
        if (classes < 1 || classes > MAX_CLASSES) {
            throw new IllegalArgumentException(
                    "confusion matrix: classes " + classes + " must be within 1 to " + MAX_CLASSES);
        }
        this.classes = classes;
        this.counts = new long[classes * classes];
        this.supports = new long[classes];
        this.predictions = new long[classes];
    }

    /// Leaves out the examples with a certain label, as [org.toydiff.nn.CrossEntropyLoss#ignoreIndex(int)] does.
    /// Without this call every label counts, and one that is none of the classes is refused.
    ///
    /// @param ignoreIndex the label of the examples to leave out, one of the classes or any other number
    /// @return this
    public ConfusionMatrix ignoreIndex(int ignoreIndex) {
        this.ignoreIndex = OptionalInt.of(ignoreIndex);
        return this;
    }

    @Override
    public String name() {
        return "balanced_accuracy";
    }

    /// Adds a batch.
    ///
    /// @throws IllegalArgumentException if the shapes do not fit, or a label is not one of the classes and not
    ///     ignored; nothing is added then
    @Override
    public void update(Tensor output, Tensor target) {
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            ClassScores batch = ClassScores.of("confusion matrix", output, target, ignoreIndex);
            Tensor scores = batch.scores();
            if (scores.shape()[1] != classes) {
                throw new IllegalArgumentException("confusion matrix: output " + ClassScores.describe(output) + " has "
                        + scores.shape()[1] + " classes, not " + classes);
            }
            MemorySegment predicted = scores.argmax(1).segment();
            // A copy, because labels may be a view with gaps.
            MemorySegment labels = batch.labels().copyTo(scratch).segment();
            requireClasses(labels);
            count(predicted, labels);
        }
    }

    private void requireClasses(MemorySegment labels) {
        long examples = labels.byteSize() / Long.BYTES;
        for (long i = 0; i < examples; i++) {
            long label = labels.getAtIndex(JAVA_LONG, i);
            if (counts(label) && (label < 0 || label >= classes)) {
                throw new IllegalArgumentException("confusion matrix: label " + label + " of example " + i
                        + " is not one of the " + classes + " classes");
            }
        }
    }

    private void count(MemorySegment predicted, MemorySegment labels) {
        long examples = labels.byteSize() / Long.BYTES;
        for (long i = 0; i < examples; i++) {
            long label = labels.getAtIndex(JAVA_LONG, i);
            if (counts(label)) {
                add((int) label, (int) predicted.getAtIndex(JAVA_LONG, i), 1);
            }
        }
    }

    private boolean counts(long label) {
        return ignoreIndex.isEmpty() || label != ignoreIndex.getAsInt();
    }

    private void add(int label, int predicted, long times) {
        counts[label * classes + predicted] += times;
        supports[label] += times;
        predictions[predicted] += times;
    }

    /// {@return the number of classes}
    public int classes() {
        return classes;
    }

    /// Returns the number of examples with a label that were predicted to be of a class.
    ///
    /// @param label the label
    /// @param predicted the predicted class
    /// @return the count
    /// @throws IndexOutOfBoundsException if one of them is not a class
    public long count(int label, int predicted) {
        Objects.checkIndex(label, classes);
        Objects.checkIndex(predicted, classes);
        return counts[label * classes + predicted];
    }

    /// Returns the number of examples with a label.
    ///
    /// @param label the label
    /// @return the sum of its row
    /// @throws IndexOutOfBoundsException if it is not a class
    public long support(int label) {
        return supports[Objects.checkIndex(label, classes)];
    }

    /// Returns the number of examples that were predicted to be of a class.
    ///
    /// @param predicted the class
    /// @return the sum of its column
    /// @throws IndexOutOfBoundsException if it is not a class
    public long predictions(int predicted) {
        return predictions[Objects.checkIndex(predicted, classes)];
    }

    /// Returns the precision of a class: of the examples that were predicted to be of it, the fraction that are,
    /// `tp / (tp + fp)`.
    ///
    /// @param label the class
    /// @return 0 to 1, NaN if it was never predicted
    /// @throws IndexOutOfBoundsException if it is not a class
    public double precision(int label) {
        return (double) count(label, label) / predictions(label);
    }

    /// Returns the recall of a class: of its examples, the fraction that were predicted to be of it, `tp / (tp +
    /// fn)`.
    ///
    /// @param label the class
    /// @return 0 to 1, NaN if no example has it
    /// @throws IndexOutOfBoundsException if it is not a class
    public double recall(int label) {
        return (double) count(label, label) / support(label);
    }

    /// Returns the F1 score of a class, the harmonic mean of precision and recall, `2·tp / (2·tp + fp + fn)`.
    ///
    /// @param label the class
    /// @return 0 to 1, NaN if no example has it and it was never predicted
    /// @throws IndexOutOfBoundsException if it is not a class
    public double f1(int label) {
        return 2.0 * count(label, label) / (support(label) + predictions(label));
    }

    @Override
    public double value() {
        double sum = 0;
        int present = 0;
        for (int label = 0; label < classes; label++) {
            if (support(label) > 0) {
                sum += recall(label);
                present++;
            }
        }
        return sum / present;
    }

    @Override
    public void reset() {
        Arrays.fill(counts, 0);
        Arrays.fill(supports, 0);
        Arrays.fill(predictions, 0);
    }

    /// Returns the counts.
    ///
    /// @return `counts` INT64 `[classes, classes]`, a row for each label
    @Override
    public Map<String, Tensor> stateDict() {
        return Map.of("counts", Tensor.of(counts, classes, classes));
    }

    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        try (var scratch = TensorArena.ofConfined()) {
            Stateful.requireFits("confusion matrix: loadStateDict", stateDict(), state);
        }
        long[] saved = state.get("counts").toLongArray();
        reset();
        for (int i = 0; i < saved.length; i++) {
            add(i / classes, i % classes, saved[i]);
        }
    }

    /// Returns the counts as a table.
    ///
    /// @return one line for each label
    @Override
    public String toString() {
        var text = new StringBuilder();
        for (int label = 0; label < classes; label++) {
            for (int predicted = 0; predicted < classes; predicted++) {
                text.append(predicted == 0 ? "" : " ").append(count(label, predicted));
            }
            text.append('\n');
        }
        return text.toString();
    }
}
