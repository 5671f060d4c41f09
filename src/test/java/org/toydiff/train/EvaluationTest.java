package org.toydiff.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.toydiff.ArenaTest;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.data.Dataset;
import org.toydiff.data.TensorDataset;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Linear;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.SGD;
import org.toydiff.train.metrics.Accuracy;
import org.toydiff.train.metrics.ConfusionMatrix;

/// Evaluation and prediction outside a training: the values, the modes of the layers, the memory and the events.
class EvaluationTest extends ArenaTest {
    private static final int ROWS = 23;

    private Sequential net;
    private Tensor x;
    private Dataset data;
    private Tensor expected;

    EvaluationTest() {
        super(TensorArena::ofShared);
    }

    @BeforeEach
    void makeNet() {
        Tensor.manualSeed(5);
        net = new Sequential(new Linear(3, 6), new BatchNorm1d(6), new Dropout(0.5), new Linear(6, 2));
        x = Tensor.randn(ROWS, 3);
        data = new TensorDataset(x, x.sum(1).greater(0).cast(DType.INT64));
        net.eval();
        try (var off = Autograd.noGradient()) {
            expected = net.forward(x);
        }
        net.train();
    }

    private static Trainer trainer(Layer net) {
        return Trainer.of(net, new SGD(net.parameters(), 0.1), Functional::crossEntropyLoss);
    }

    private Map<String, double[]> numbers() {
        Map<String, double[]> numbers = new LinkedHashMap<>();
        net.stateDict().forEach((name, tensor) -> numbers.put(name, tensor.toDoubleArray()));
        return numbers;
    }

    @Test
    void evaluationReturnsLossAndMetricsOverAllExamplesAndChangesNothing() {
        Map<String, double[]> before = numbers();
        Tensor labels = data.batch(LongStream.range(0, ROWS).toArray()).y();
        double loss = Functional.crossEntropyLoss(expected, labels).item();
        double accuracy =
                expected.argmax(1).equalTo(labels).cast(DType.FLOAT64).mean().item();
        long live = Memory.liveBytes();
        for (long microBatch : new long[] {Long.MAX_VALUE, 4}) {
            var confusion = new ConfusionMatrix(2);
            Trainer trainer = trainer(net).metrics(new Accuracy(), confusion).microBatch(microBatch);
            DataLoader loader = DataLoader.of(data, 5);
            Map<String, Double> values = trainer.evaluate(loader);
            assertEquals(List.of("loss", "accuracy", confusion.name()), List.copyOf(values.keySet()));
            assertEquals(loss, values.get("loss"), 1e-6);
            assertEquals(accuracy, values.get("accuracy"), 1e-12);
            assertEquals(values, trainer.evaluate(loader), "again, from the first example");
            assertThrows(UnsupportedOperationException.class, () -> values.put("loss", 0.0));
        }
        assertEquals(live, Memory.liveBytes());
        assertTrue(net.isTraining());
        numbers().forEach((name, now) -> assertArrayEquals(before.get(name), now, name));
    }

    @Test
    void aTrainerWithoutAnOptimizerEvaluatesAndPredictsOnly() {
        DataLoader loader = DataLoader.of(data, 5);
        Trainer trainer = Trainer.of(net, Functional::crossEntropyLoss).metrics(new Accuracy());
        assertEquals(trainer(net).metrics(new Accuracy()).evaluate(loader), trainer.evaluate(loader));
        assertArrayEquals(
                trainer(net).predict(x, 4).toFloatArray(), trainer.predict(x, 4).toFloatArray());
        var e = assertThrows(IllegalStateException.class, () -> trainer.fit(loader));
        assertEquals(
                "fit: this trainer has no optimizer; make it by Trainer.of(model, optimizer, loss)", e.getMessage());
        assertThrows(IllegalStateException.class, () -> trainer.fit(loader, loader));
        assertThrows(NullPointerException.class, () -> Trainer.of(net, null, Functional::crossEntropyLoss));
        assertEquals(
                List.of("loss", "accuracy"),
                List.copyOf(trainer.evaluate(loader).keySet()),
                "still usable");
    }

    @Test
    void predictionsAreThoseOfOneForwardInBatchesOfAnySize() {
        for (int batch : new int[] {1, 5, ROWS, 100}) {
            try (var arena = TensorArena.ofConfined()) {
                Tensor rows = trainer(net).predict(x, batch);
                Tensor loaded = trainer(net).predict(DataLoader.of(data, batch));
                for (Tensor outputs : List.of(rows, loaded)) {
                    assertArrayEquals(new long[] {ROWS, 2}, outputs.shape());
                    assertArrayEquals(expected.toFloatArray(), outputs.toFloatArray(), 1e-6f);
                    assertFalse(outputs.tracksGradient());
                }
                assertEquals(2 * 192, arena.liveBytes(), "the outputs alone");
            }
        }
        try (var arena = TensorArena.ofConfined()) {
            Tensor most = trainer(net).predict(DataLoader.of(data, 10).dropLast());
            assertArrayEquals(new long[] {20, 2}, most.shape());
            Tensor none = trainer(net).predict(x.slice(0, 0, 0), 5);
            assertArrayEquals(new long[] {0, 2}, none.shape());
            Tensor background = trainer(net).predict(DataLoader.of(data, 4).prefetch(2));
            assertArrayEquals(expected.toFloatArray(), background.toFloatArray(), 1e-6f);
        }
    }

    @Test
    void eachLayerIsInTheModeBeforeAlsoAfterAFailure() {
        var frozen = new BatchNorm1d(3);
        var inner = new Linear(3, 2);
        inner.eval();
        frozen.freeze();
        boolean[] fails = {false};
        var model = new Layer() {
            private final Layer parts = child("parts", new Sequential(frozen, inner));

            @Override
            protected Tensor compute(Tensor input) {
                assertFalse(isTraining() || parts.isTraining() || inner.isTraining());
                if (fails[0]) {
                    throw new IllegalStateException("mine");
                }
                return parts.forward(input);
            }
        };
        List<String> events = new ArrayList<>();
        Trainer trainer = trainer(model).callbacks(new Callback() {
            @Override
            public void onEvaluationBegin(String call, long batches) {
                events.add(call + " " + batches);
            }

            @Override
            public void onBatchEvaluated() {
                events.add("batch");
            }

            @Override
            public void onEvaluationEnd() {
                events.add("end");
            }
        });
        trainer.evaluate(DataLoader.of(data, 12));
        trainer.predict(x, 20);
        fails[0] = true;
        assertEquals(
                "mine",
                assertThrows(IllegalStateException.class, () -> trainer.predict(DataLoader.of(data, 23)))
                        .getMessage());
        assertEquals(
                List.of(
                        "evaluate 2",
                        "batch",
                        "batch",
                        "end",
                        "predict 2",
                        "batch",
                        "batch",
                        "end",
                        "predict 1",
                        "end"),
                events);
        assertTrue(model.isTraining() && !inner.isTraining() && !frozen.isTraining());
        fails[0] = false;
        trainer.epochs(2);
        assertArrayEquals(
                new long[] {ROWS, 2}, trainer.predict(x, 7).shape(), "a failure does not block what comes after it");
    }

    @Test
    void outputsThatAreNoRowsAndMissingExamplesAreNamed() {
        assertEquals(
                "evaluate: the loader has no batch: 0 examples; add examples, or do not drop the last batch",
                message(() -> trainer(net).evaluate(DataLoader.of(data.slice(0, 0), 5))));
        assertEquals(
                "predict: the loader has no batch: 23 examples; add examples, or do not drop the last batch",
                message(() -> trainer(net).predict(DataLoader.of(data, 50).dropLast())));
        assertEquals("Trainer: predict: batch size 0 must be positive", message(() -> trainer(net)
                .predict(x, 0)));
        var summing = new Layer() {
            private final Linear linear = child("linear", new Linear(3, 2));

            @Override
            protected Tensor compute(Tensor input) {
                return linear.forward(input).sum(0);
            }
        };
        assertEquals(
                "predict: the output [2] has not one row for each of the 23 examples; return one from the model's"
                        + " compute",
                message(() -> trainer(summing).predict(x, 50)));
        var widening = new Layer() {
            private final Linear linear = child("linear", new Linear(3, 2));

            @Override
            protected Tensor compute(Tensor input) {
                Tensor y = linear.forward(input);
                return input.size(0) == 3 ? Tensor.concat(1, y, y) : y;
            }
        };
        assertEquals(
                "predict: the output [3, 4] does not fit the outputs before it, rows of [23, 2]; make batches whose"
                        + " examples have one shape",
                message(() -> trainer(widening).predict(x, 10)));
    }

    private static String message(Runnable call) {
        return assertThrows(IllegalArgumentException.class, call::run).getMessage();
    }

    @Test
    void aCallbackCannotEvaluateOrChangeSettingsWhileTheTrainerRuns() throws IOException {
        Trainer trainer = trainer(net);
        List<String> messages = new ArrayList<>();
        trainer.callbacks(new Callback() {
            @Override
            public void onEpochEnd(Training training) {
                messages.add(refused(() -> trainer.evaluate(DataLoader.of(data, 5))));
            }

            @Override
            public void onBatchEvaluated() {
                messages.add(refused(() -> trainer.epochs(2)));
            }
        });
        assertNull(trainer.fit(DataLoader.of(data, 10).dropLast()).stopReason());
        trainer.predict(x, 50);
        assertEquals(
                List.of(
                        "Trainer: evaluate cannot be called while fit is under way; call it before, or after fit has"
                                + " returned",
                        "Trainer: epochs cannot be called while predict is under way; call it before, or after predict"
                                + " has returned"),
                messages);
    }

    private static String refused(Runnable call) {
        return assertThrows(IllegalStateException.class, call::run).getMessage();
    }
}
