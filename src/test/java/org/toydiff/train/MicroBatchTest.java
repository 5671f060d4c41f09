package org.toydiff.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.toydiff.ArenaTest;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.data.Dataset;
import org.toydiff.data.TensorDataset;
import org.toydiff.nn.CrossEntropyLoss;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Linear;
import org.toydiff.nn.Loss;
import org.toydiff.nn.Reduction;
import org.toydiff.optim.SGD;
import org.toydiff.train.metrics.Mean;
import org.toydiff.train.report.History;

/// Micro-batches of a batch, and batches of an epoch, give the values of all examples at once, for every divisor of a
/// loss.
class MicroBatchTest extends ArenaTest {
    private static final int N = 23;
    private static final int CLASSES = 3;

    MicroBatchTest() {
        super(TensorArena::ofShared);
    }

    private static Tensor labels() {
        var random = new Random(1);
        int[] labels = new int[N];
        for (int i = 0; i < N; i++) {
            // The rare class is not in every micro-batch.
            labels[i] = random.nextInt(5) < 3 ? 0 : random.nextInt(CLASSES);
        }
        return Tensor.of(labels);
    }

    private static Tensor inputs() {
        Tensor.manualSeed(5);
        return Tensor.randn(N, 4);
    }

    private static Tensor weights() {
        return Tensor.of(0.2f, 1, 7.5f);
    }

    private static Loss weighted(double smoothing, Reduction reduction) {
        return new CrossEntropyLoss()
                .weight(weights())
                .labelSmoothing(smoothing)
                .reduction(reduction)::forward;
    }

    private record Case(Loss loss, boolean classes) {}

    private static Map<String, Case> cases() {
        Map<String, Case> cases = new LinkedHashMap<>();
        cases.put("cross entropy", new Case(Functional::crossEntropyLoss, true));
        cases.put("weighted", new Case((y, t) -> weighted(0, Reduction.MEAN).of(y, t), true));
        cases.put(
                "weighted, smoothed",
                new Case((y, t) -> weighted(0.2, Reduction.MEAN).of(y, t), true));
        cases.put(
                "weighted sum", new Case((y, t) -> weighted(0.2, Reduction.SUM).of(y, t), true));
        cases.put(
                "a class of weight 0",
                new Case(
                        (y, t) -> new CrossEntropyLoss()
                                .weight(Tensor.of(0f, 0, 2))
                                .forward(y, t),
                        true));
        cases.put(
                "smoothed",
                new Case((y, t) -> new CrossEntropyLoss().labelSmoothing(0.2).forward(y, t), true));
        cases.put("an ignored class", new Case((y, t) -> Functional.crossEntropyLoss(y, t, Reduction.MEAN, 1), true));
        cases.put(
                "an ignored class, weighted and smoothed",
                new Case(
                        (y, t) -> new CrossEntropyLoss()
                                .weight(weights())
                                .labelSmoothing(0.2)
                                .ignoreIndex(1)
                                .forward(y, t),
                        true));
        cases.put(
                "nll of an ignored class",
                new Case((y, t) -> Functional.nllLoss(y.logSoftmax(1), t, Reduction.MEAN, 2), true));
        cases.put("nll", new Case((y, t) -> Functional.nllLoss(y.logSoftmax(1), t), true));
        cases.put("nll sum", new Case((y, t) -> Functional.nllLoss(y.logSoftmax(1), t, Reduction.SUM), true));
        cases.put(
                "two means",
                new Case((y, t) -> Functional.crossEntropyLoss(y, t).add(Functional.maeLoss(y, y.multiply(3))), true));
        cases.put(
                "with a penalty",
                new Case(
                        (y, t) ->
                                weighted(0, Reduction.MEAN).of(y, t).multiply(3).add(0.5),
                        true));
        cases.put("custom", new Case((y, t) -> Functional.reduce(y.subtract(t).power(4), Reduction.MEAN), false));
        cases.put("mse", new Case(Functional::mseLoss, false));
        cases.put("mae sum", new Case((y, t) -> Functional.maeLoss(y, t, Reduction.SUM), false));
        cases.put("huber", new Case(Functional::huberLoss, false));
        cases.put("binary", new Case((y, t) -> Functional.binaryCrossEntropyWithLogits(y, t.sigmoid()), false));
        cases.put(
                "probabilities",
                new Case((y, t) -> weighted(0.2, Reduction.MEAN).of(y, t.softmax(1)), false));
        return cases;
    }

    static Stream<String> names() {
        return Stream.of(
                "cross entropy",
                "weighted",
                "weighted, smoothed",
                "weighted sum",
                "a class of weight 0",
                "smoothed",
                "an ignored class",
                "an ignored class, weighted and smoothed",
                "nll of an ignored class",
                "nll",
                "nll sum",
                "two means",
                "with a penalty",
                "custom",
                "mse",
                "mae sum",
                "huber",
                "binary",
                "probabilities");
    }

    private static Dataset data(boolean classes) {
        Tensor x = inputs();
        return new TensorDataset(x, classes ? labels() : x.slice(1, 0, CLASSES).sin());
    }

    private record Run(double loss, double validation, Layer net) {}

    private static Run run(Case of, long microBatch) throws IOException {
        Tensor.manualSeed(9);
        var net = new Linear(4, CLASSES);
        Dataset data = data(of.classes);
        History history = Trainer.of(net, new SGD(net.parameters(), 0.02), of.loss)
                .microBatch(microBatch)
                .fit(DataLoader.of(data, N), DataLoader.of(data, N))
                .history();
        return new Run(history.stepValues("loss")[0], history.epochValues("validation_loss")[0], net);
    }

    @ParameterizedTest
    @MethodSource("names")
    void microBatchesAddUpToTheBatch(String name) throws IOException {
        Case of = cases().get(name);
        Run whole = run(of, N);
        for (long part : new long[] {1, 2, 7, 22}) {
            Run parts = run(of, part);
            assertEquals(whole.loss, parts.loss, 2e-6 * Math.abs(whole.loss), "parts of " + part);
            assertEquals(whole.validation, parts.validation, 2e-6 * Math.abs(whole.validation), "parts of " + part);
            whole.net
                    .namedParameters()
                    .forEach((parameter, tensor) -> assertArrayEquals(
                            tensor.toFloatArray(),
                            parts.net.namedParameters().get(parameter).toFloatArray(),
                            2e-6f,
                            "parts of " + part + ": " + parameter));
        }
    }

    /// Losses that are means in each batch: a batch without weight is NaN, and a sum over an epoch is not defined.
    static Stream<String> means() {
        return names().filter(name -> !name.contains("sum") && !name.contains("weight 0"));
    }

    @ParameterizedTest
    @MethodSource("means")
    void batchesAddUpToTheEpoch(String name) throws IOException {
        Case of = cases().get(name);
        double whole = run(of, N).loss;
        Tensor.manualSeed(9);
        var net = new Linear(4, CLASSES);
        Dataset data = data(of.classes);
        History history = Trainer.of(net, new SGD(net.parameters(), 0), of.loss)
                .metrics(new Mean("again", of.loss))
                .fit(DataLoader.of(data, 5), DataLoader.of(data, 4))
                .history();
        for (String column : new String[] {"loss", "validation_loss", "again", "validation_again"}) {
            assertEquals(whole, history.epochValues(column)[0], 2e-6 * Math.abs(whole), column);
        }
    }

    private static String refused(Loss loss) {
        return assertThrows(IllegalArgumentException.class, () -> run(new Case(loss, false), 5))
                .getMessage();
    }

    @Test
    void aLossThatRecordsNoDivisorIsRefused() throws IOException {
        String remedy = "; end it with Functional.reduce(losses, Reduction.MEAN) or Functional.meanOver(losses,"
                + " denominator), or train without microBatch";
        String unrecorded = "microBatch: micro-batches cannot be combined, because the loss does not record the divisor"
                + " of its mean" + remedy;
        assertEquals(unrecorded, refused((y, t) -> y.subtract(t).abs().mean()));
        assertEquals(unrecorded, refused((y, t) -> Functional.maeLoss(y, t, Reduction.NONE)
                .mean()));
        assertEquals(
                "microBatch: micro-batches cannot be combined, because the loss has means and sums" + remedy,
                refused((y, t) -> Functional.maeLoss(y, t).add(Functional.mseLoss(y, t, Reduction.SUM))));
        Loss uneven = (y, t) -> {
            Tensor positive = t.greater(Tensor.scalar(0)).cast(t.dtype());
            Tensor errors = y.subtract(t).abs().multiply(positive);
            return Functional.mseLoss(y, t).add(Functional.meanOver(errors, positive.sum()));
        };
        String message = refused(uneven);
        assertTrue(message.contains("give the examples of one micro-batch different weights"), message);
    }

    @Test
    void itIsRefusedBeforeTheFirstBatchThatHasParts() throws IOException {
        var net = new Linear(4, CLASSES);
        Dataset data = data(false);
        List<Long> steps = new ArrayList<>();
        Loss loss = (y, t) -> y.subtract(t).abs().mean();
        Trainer trainer = Trainer.of(net, new SGD(net.parameters(), 0.1), loss).callbacks(new Callback() {
            @Override
            public void onStepEnd(Training training) {
                steps.add(training.step());
            }
        });
        assertThrows(IllegalArgumentException.class, () -> trainer.microBatch(5)
                .fit(DataLoader.of(data, 5), DataLoader.of(data, N)));
        assertEquals(List.of(), steps);
        trainer.microBatch(Long.MAX_VALUE).fit(DataLoader.of(data, 5), DataLoader.of(data, N));
        assertEquals(5, steps.size());
    }

    @Test
    void aRefusedLossChangesNothing() throws IOException {
        Tensor.manualSeed(9);
        var net = new Linear(4, CLASSES);
        float[] before = net.parameters().getFirst().toFloatArray();
        Trainer trainer = Trainer.of(net, new SGD(net.parameters(), 0.1), (y, t) -> y.subtract(t)
                        .abs()
                        .mean())
                .microBatch(4);
        assertThrows(IllegalArgumentException.class, () -> trainer.fit(DataLoader.of(data(false), N)));
        assertArrayEquals(before, net.parameters().getFirst().toFloatArray());
    }
}
