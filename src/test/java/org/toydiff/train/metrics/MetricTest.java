package org.toydiff.train.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.toydiff.Checks.rejected;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.nn.Functional;

/// Metrics against naive loops over the same numbers.
class MetricTest extends ArenaTest {
    private static final int CLASSES = 7;

    /// Examples in batches of different sizes, with equal scores and a class that never occurs.
    private record Examples(float[][] scores, int[] labels) {
        static Examples random(long seed, int n) {
            var random = new Random(seed);
            float[][] scores = new float[n][CLASSES];
            int[] labels = new int[n];
            for (int i = 0; i < n; i++) {
                for (int c = 0; c < CLASSES; c++) {
                    scores[i][c] = random.nextInt(-5, 6);
                }
                scores[i][CLASSES - 1] = -9;
                labels[i] = random.nextInt(CLASSES - 1);
            }
            return new Examples(scores, labels);
        }

        int predicted(int example) {
            int best = 0;
            for (int c = 1; c < CLASSES; c++) {
                best = scores[example][c] > scores[example][best] ? c : best;
            }
            return best;
        }

        void feed(Metric metric, DType floats, DType whole) {
            int from = 0;
            for (int size = 1; from < labels.length; size = size * 2 + 1) {
                int to = Math.min(labels.length, from + size);
                Tensor output = Tensor.of(Arrays.copyOfRange(scores, from, to)).cast(floats);
                metric.update(
                        output, Tensor.of(Arrays.copyOfRange(labels, from, to)).cast(whole));
                from = to;
            }
        }
    }

    private double fed(Metric metric, Examples examples) {
        double[] values = new double[2];
        examples.feed(metric, DType.FLOAT32, DType.INT32);
        values[0] = metric.value();
        metric.reset();
        examples.feed(metric, DType.FLOAT64, DType.INT64);
        values[1] = metric.value();
        assertEquals(values[0], values[1]);
        return values[0];
    }

    @Test
    void accuracyMatchesANaiveLoop() {
        Examples examples = Examples.random(1, 1000);
        int right = 0;
        for (int i = 0; i < 1000; i++) {
            right += examples.predicted(i) == examples.labels[i] ? 1 : 0;
        }
        assertEquals(right / 1000.0, fed(new Accuracy(), examples));
    }

    @Test
    void topKMatchesANaiveLoop() {
        Examples examples = Examples.random(2, 1000);
        for (int k = 1; k <= CLASSES; k++) {
            int right = 0;
            for (int i = 0; i < 1000; i++) {
                float own = examples.scores[i][examples.labels[i]];
                int larger = 0;
                for (float score : examples.scores[i]) {
                    larger += score > own ? 1 : 0;
                }
                right += larger < k ? 1 : 0;
            }
            assertEquals(right / 1000.0, fed(new TopKAccuracy(k), examples), "k " + k);
        }
    }

    @Test
    void confusionAndF1MatchANaiveLoop() {
        Examples examples = Examples.random(3, 1000);
        long[][] counts = new long[CLASSES][CLASSES];
        for (int i = 0; i < 1000; i++) {
            counts[examples.labels[i]][examples.predicted(i)]++;
        }
        var matrix = new ConfusionMatrix(CLASSES);
        double balanced = fed(matrix, examples);
        double recalls = 0;
        double scores = 0;
        double weighted = 0;
        double[] perClass = new double[CLASSES];
        long right = 0;
        for (int c = 0; c < CLASSES; c++) {
            long support = 0;
            long predictions = 0;
            for (int other = 0; other < CLASSES; other++) {
                assertEquals(counts[c][other], matrix.count(c, other));
                support += counts[c][other];
                predictions += counts[other][c];
            }
            assertEquals(support, matrix.support(c));
            assertEquals(predictions, matrix.predictions(c));
            assertEquals((double) counts[c][c] / predictions, matrix.precision(c));
            assertEquals((double) counts[c][c] / support, matrix.recall(c));
            double precision = (double) counts[c][c] / predictions;
            double recall = (double) counts[c][c] / support;
            perClass[c] = 2 * precision * recall / (precision + recall);
            right += counts[c][c];
            if (c < CLASSES - 1) {
                recalls += recall;
                scores += perClass[c];
                weighted += perClass[c] * support;
            }
        }
        assertEquals(recalls / (CLASSES - 1), balanced, 1e-15);
        assertEquals(scores / (CLASSES - 1), fed(new F1(CLASSES), examples), 1e-12);
        assertEquals(weighted / 1000, fed(new F1(CLASSES, F1.Average.WEIGHTED), examples), 1e-12);
        assertEquals(right / 1000.0, fed(new F1(CLASSES, F1.Average.MICRO), examples));
        var f1 = new F1(CLASSES);
        examples.feed(f1, DType.FLOAT32, DType.INT32);
        assertArrayEquals(perClass, f1.perClass(), 1e-12);
    }

    @Test
    void aMeanWeighsBatchesByTheirExamples() {
        var mean = new Mean("mae", Functional::maeLoss);
        mean.update(Tensor.of(1, 2, 3), Tensor.of(0, 0, 0));
        mean.update(Tensor.of(10f), Tensor.of(0f));
        mean.update(Tensor.zeros(0), Tensor.zeros(0));
        assertEquals(4, mean.value());
        mean.reset();
        assertEquals(Double.NaN, mean.value());
    }

    @Test
    void binaryAccuracyCountsElements() {
        Accuracy accuracy = Accuracy.binary(0);
        accuracy.update(Tensor.of(new float[] {-1, 2, 3, -4}, 4, 1), Tensor.of(new float[] {0, 1, 0, 0}, 4, 1));
        assertEquals(0.75, accuracy.value());
        accuracy.reset();
        accuracy.update(Tensor.of(Float.NaN, 0, 1e-30f), Tensor.of(new int[] {1, 0, 1}));
        assertEquals(2 / 3.0, accuracy.value());
        assertEquals(2 / 3.0, binary(0.5, Tensor.of(0.4f, 0.5f, 0.6f), Tensor.of(1f, 0f, 1f)));
    }

    private static double binary(double threshold, Tensor output, Tensor target) {
        Accuracy accuracy = Accuracy.binary(threshold);
        accuracy.update(output, target);
        return accuracy.value();
    }

    @Test
    void probabilitiesAndFurtherAxesAreTargetsToo() {
        Tensor output = Tensor.of(new float[] {1, 2, 0, 5, 4, 3, 0, 0, 1, 7, 8, 9}, 2, 2, 3);
        Tensor labels = Tensor.of(new int[] {1, 0, 2, 0}, 2, 2);
        Tensor probabilities = Tensor.of(new float[] {.1f, .9f, 0, 1, 0, 0, .2f, .2f, .6f, .5f, .3f, .2f}, 2, 2, 3);
        for (Supplier<Metric> metric : List.<Supplier<Metric>>of(Accuracy::new, () -> new TopKAccuracy(1))) {
            Metric one = metric.get();
            one.update(output, labels);
            assertEquals(0.75, one.value());
            Metric other = metric.get();
            other.update(output, probabilities);
            assertEquals(0.75, other.value());
        }
    }

    @Test
    void viewsCountAsTheirElements() {
        Tensor output = Tensor.of(new float[][] {{1, 5, 9}, {2, 4, 3}}).transpose();
        Tensor labels =
                Tensor.of(new int[] {0, 9, 1, 9, 0, 9}, 3, 2).transpose().get(0);
        for (Metric metric : List.of(new Accuracy(), new TopKAccuracy(1), new F1(2, F1.Average.MICRO))) {
            metric.update(output, labels);
            assertEquals(1 / 3.0, metric.value(), metric.name());
        }
    }

    private static List<Metric> ignoring(int label) {
        return List.of(
                new Accuracy().ignoreIndex(label),
                new TopKAccuracy(2).ignoreIndex(label),
                new F1(CLASSES).ignoreIndex(label),
                new F1(CLASSES, F1.Average.WEIGHTED).ignoreIndex(label),
                new ConfusionMatrix(CLASSES).ignoreIndex(label));
    }

    private static List<Metric> plain() {
        return List.of(
                new Accuracy(),
                new TopKAccuracy(2),
                new F1(CLASSES),
                new F1(CLASSES, F1.Average.WEIGHTED),
                new ConfusionMatrix(CLASSES));
    }

    @Test
    void ignoredLabelsCountAsIfTheirExamplesWereMissing() {
        for (int ignored : new int[] {-100, 2, CLASSES}) {
            Examples all = Examples.random(6, 300);
            for (int i = 0; i < 300; i += 4) {
                all.labels[i] = ignored;
            }
            int[] rest = IntStream.range(0, 300)
                    .filter(i -> all.labels[i] != ignored)
                    .toArray();
            var others = new Examples(
                    Arrays.stream(rest).mapToObj(i -> all.scores[i]).toArray(float[][]::new),
                    Arrays.stream(rest).map(i -> all.labels[i]).toArray());
            for (int i = 0; i < plain().size(); i++) {
                Metric metric = ignoring(ignored).get(i);
                assertEquals(fed(plain().get(i), others), fed(metric, all), metric.name() + " without " + ignored);
            }
        }
    }

    /// As the mean of [Functional#crossEntropyLoss(Tensor, Tensor, org.toydiff.nn.Reduction, int)].
    @Test
    void nothingButIgnoredLabelsHaveNoValueAndChangeNone() {
        Tensor output = Tensor.ones(3, CLASSES);
        Tensor ignored = Tensor.full(DType.INT64, -100, 3);
        for (Metric metric : ignoring(-100)) {
            metric.update(output, ignored);
            assertEquals(Double.NaN, metric.value(), metric.name());
            metric.update(output, Tensor.zeros(DType.INT32, 3));
            double value = metric.value();
            metric.update(output, ignored);
            assertEquals(value, metric.value(), metric.name());
        }
    }

    @Test
    void ignoredLabelsOfBinaryTargetsAndOfSeveralAxes() {
        Accuracy binary = Accuracy.binary(0).ignoreIndex(-1);
        binary.update(Tensor.of(1, -1, 1, 2), Tensor.of(new float[] {1, 1, -1, -1}));
        assertEquals(0.5, binary.value());
        binary.update(Tensor.of(new float[] {1, -1}, 2, 1), Tensor.of(new int[] {-1, 0}, 2, 1));
        assertEquals(2 / 3.0, binary.value());
        Tensor output = Tensor.of(new float[] {1, 2, 0, 5, 4, 3, 0, 0, 1, 7, 8, 9}, 2, 2, 3);
        Accuracy accuracy = new Accuracy().ignoreIndex(-100);
        accuracy.update(output, Tensor.of(new int[] {1, -100, 2, 0}, 2, 2));
        assertEquals(2 / 3.0, accuracy.value());
    }

    @Test
    void otherLabelsAreCheckedAndProbabilitiesHaveNoneToIgnore() {
        rejected(
                "confusion matrix: label -1 of example 2 is not one of the 3 classes",
                () -> new F1(3).ignoreIndex(-100).update(Tensor.ones(3, 3), Tensor.of(new int[] {0, -100, -1})));
        rejected("gather: index -1 is out of range for axis 1 of [2, 3]", () -> new TopKAccuracy(2)
                .ignoreIndex(-100)
                .update(Tensor.ones(3, 3), Tensor.of(new int[] {0, -100, -1})));
        for (Metric metric : ignoring(0)) {
            String name = metric instanceof Accuracy
                    ? "accuracy"
                    : metric instanceof TopKAccuracy ? "top_2" : "confusion matrix";
            rejected(
                    name
                            + ": the target [2, 7] float32 is probabilities, and ignoreIndex is for labels; give labels without"
                            + " the last axis",
                    () -> metric.update(Tensor.ones(2, CLASSES), Tensor.ones(2, CLASSES)));
        }
    }

    @Test
    void aScoreThatIsNaNIsNeverRightByAccident() {
        Tensor output = Tensor.of(new float[][] {{Float.NaN, 1, 2}, {0, Float.NaN, 2}});
        Tensor labels = Tensor.of(new int[] {0, 2});
        var top = new TopKAccuracy(2);
        top.update(output, labels);
        assertEquals(0.5, top.value(), "the first's label is NaN; the second has only NaN above it");
        var first = new TopKAccuracy(1);
        first.update(output, labels);
        assertEquals(0, first.value());
    }

    @Test
    void nothingHasNoValue() {
        for (Metric metric : List.of(new Accuracy(), new TopKAccuracy(2), new F1(3), new ConfusionMatrix(3))) {
            assertEquals(Double.NaN, metric.value());
            metric.update(Tensor.zeros(0, 3), Tensor.zeros(DType.INT64, 0));
            assertEquals(Double.NaN, metric.value());
        }
    }

    @Test
    void aLoadedStateContinues() {
        Examples examples = Examples.random(4, 100);
        for (Supplier<Metric> kind : List.<Supplier<Metric>>of(
                Accuracy::new,
                () -> new TopKAccuracy(2),
                () -> new F1(CLASSES),
                () -> new ConfusionMatrix(CLASSES),
                () -> new Mean("loss", Functional::crossEntropyLoss))) {
            Metric one = kind.get();
            examples.feed(one, DType.FLOAT32, DType.INT32);
            Metric other = kind.get();
            other.loadStateDict(one.stateDict());
            assertEquals(one.value(), other.value());
            examples.feed(one, DType.FLOAT32, DType.INT32);
            examples.feed(other, DType.FLOAT32, DType.INT32);
            assertEquals(one.value(), other.value());
            assertEquals(100 * 2, one instanceof ConfusionMatrix m ? total(m) : 200);
        }
    }

    private static long total(ConfusionMatrix matrix) {
        long sum = 0;
        for (int c = 0; c < matrix.classes(); c++) {
            sum += matrix.support(c);
        }
        return sum;
    }

    @Test
    void badInputIsNamedAndAddsNothing() {
        var accuracy = new Accuracy();
        rejected(
                "accuracy: output [2, 3] float32 and target [3] int32 do not fit; the output must have a score for each"
                        + " class along its last axis, and the target either labels, without that axis, or"
                        + " probabilities of the output's shape",
                () -> accuracy.update(Tensor.ones(2, 3), Tensor.of(new int[] {1, 2, 3})));
        rejected(
                "accuracy: labels [2] float32 must be INT32 or INT64; cast them: labels.cast(DType.INT64)",
                () -> accuracy.update(Tensor.ones(2, 3), Tensor.ones(2)));
        rejected(
                "accuracy: output [2] float32 and target [3] float32 do not fit; they must have one shape, and the output a"
                        + " floating dtype",
                () -> Accuracy.binary(0).update(Tensor.ones(2), Tensor.ones(3)));
        rejected("top_4: the output has 3 classes; use a k of at most 3", () -> new TopKAccuracy(4)
                .update(Tensor.ones(2, 3), Tensor.of(new int[] {1, 2})));
        rejected("top_k: k 0 must be positive", () -> new TopKAccuracy(0));
        rejected("confusion matrix: classes 0 must be within 1 to 4096", () -> new F1(0));
        var matrix = new ConfusionMatrix(3);
        rejected(
                "confusion matrix: label 3 of example 1 is not one of the 3 classes",
                () -> matrix.update(Tensor.ones(2, 3), Tensor.of(new int[] {1, 3})));
        rejected(
                "confusion matrix: output [2, 4] float32 has 4 classes, not 3",
                () -> matrix.update(Tensor.ones(2, 4), Tensor.of(new int[] {1, 3})));
        assertEquals(0, total(matrix));
        rejected(
                "confusion matrix: loadStateDict: counts is [2, 2] int64 and not [3, 3] int64",
                () -> matrix.loadStateDict(new ConfusionMatrix(2).stateDict()));
        rejected(
                "accuracy: loadStateDict: counts is missing; sum is unknown",
                () -> accuracy.loadStateDict(Map.of("sum", Tensor.ones(1))));
        rejected(
                "history: \"a b\" is not a name for a column; use visible ASCII without commas and quotes",
                () -> new Mean("a b", Functional::mseLoss));
        rejected(
                "accuracy: the threshold is NaN; use 0 for logits, 0.5 for probabilities",
                () -> Accuracy.binary(Double.NaN));
    }

    @Test
    void knownMeansAreWeightedByTheirDivisors() {
        var mean = new Mean("m", Functional::mseLoss);
        mean.add(1, 10, 10);
        mean.add(4, 5, 10);
        assertEquals((1.0 * 10 + 4 * 10) / 20, mean.value());
        mean.reset();
        mean.add(1, 10, Double.NaN);
        mean.add(4, 5, Double.NaN);
        assertEquals((1.0 * 10 + 4 * 5) / 15, mean.value());
        mean.add(Double.NaN, 3, 0);
        assertEquals(2, mean.value());
    }

    @Test
    void nothingIsLeftBehind() {
        Examples examples = Examples.random(5, 100);
        for (Metric metric : List.of(
                new Accuracy(), new TopKAccuracy(2), new F1(CLASSES), new Mean("m", Functional::crossEntropyLoss))) {
            Tensor output = Tensor.of(examples.scores).trackGradient();
            Tensor labels = Tensor.of(examples.labels);
            long live = arena.liveBytes();
            metric.update(output, labels);
            assertEquals(live, arena.liveBytes());
        }
    }
}
