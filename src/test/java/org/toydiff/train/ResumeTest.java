package org.toydiff.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.names;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.Memory;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.Batch;
import org.toydiff.data.DataLoader;
import org.toydiff.data.Dataset;
import org.toydiff.data.TensorDataset;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;
import org.toydiff.optim.ReduceOnPlateau;
import org.toydiff.optim.Schedule;
import org.toydiff.optim.Scheduler;
import org.toydiff.train.metrics.Accuracy;
import org.toydiff.train.metrics.ConfusionMatrix;
import org.toydiff.train.metrics.F1;
import org.toydiff.train.metrics.TopKAccuracy;
import org.toydiff.train.report.History;

/// A training that was stopped anywhere and resumed is, to the bit, the one that was not.
class ResumeTest {
    private static final int EPOCHS = 4;
    private static final int STEPS = 5;

    /// The columns that depend on the clock and the memory of the process.
    private static final Set<String> TIMES = Set.of(
            "seconds",
            "wait_seconds",
            "validation_seconds",
            "examples_per_second",
            "live_bytes",
            "peak_bytes",
            "gc_count",
            "gc_seconds");

    @TempDir
    private Path folder;

    private long live;

    @BeforeEach
    void noteMemory() {
        live = Memory.liveBytes();
    }

    @AfterEach
    void nothingIsLeft() {
        assertEquals(live, Memory.liveBytes());
    }

    /// Everything of a run, made as a new process would make it.
    private static final class Setup {
        final Sequential net;
        final Adam optimizer;
        final Trainer trainer;
        final DataLoader training;
        final DataLoader validation;

        /// Called with each batch of validation.
        Runnable onValidation = () -> {};

        Setup(long seed, int prefetch) {
            Tensor.manualSeed(11);
            Tensor x = Tensor.randn(90, 6);
            Tensor y = x.argmax(1);
            Tensor.manualSeed(seed);
            net = new Sequential(new Linear(6, 12), new ReLU(), new Dropout(0.3), new Linear(12, 6));
            optimizer = new Adam(net.parameters(), 0.01);
            training = DataLoader.of(new TensorDataset(x.slice(0, 0, 65), y.slice(0, 0, 65)), 13)
                    .shuffle(4)
                    .prefetch(prefetch);
            Dataset rest = new TensorDataset(x.slice(0, 65, 90), y.slice(0, 65, 90));
            validation = DataLoader.of(
                    new Dataset() {
                        @Override
                        public long size() {
                            return rest.size();
                        }

                        @Override
                        public Batch batch(long... indices) {
                            onValidation.run();
                            return rest.batch(indices);
                        }
                    },
                    10);
            trainer = Trainer.of(net, optimizer, Functional::crossEntropyLoss)
                    .metrics(new Accuracy(), new ConfusionMatrix(6), new TopKAccuracy(2))
                    .everyStep(new Scheduler(optimizer, Schedule.cosine(30, 0)))
                    .everyEpoch(new ReduceOnPlateau(optimizer, 0.5, 1))
                    .clipNorm(1)
                    .microBatch(8)
                    .restoreBest()
                    .epochs(EPOCHS);
        }

        Training fit() throws IOException {
            return trainer.fit(training, validation);
        }
    }

    private static void assertSame(Setup expected, Training straight, Setup actual, Training resumed, String where) {
        for (Map.Entry<Stateful, Stateful> pair : Map.<Stateful, Stateful>of(
                        expected.net, actual.net, expected.optimizer, actual.optimizer)
                .entrySet()) {
            Map<String, Tensor> saved = pair.getValue().stateDict();
            pair.getKey()
                    .stateDict()
                    .forEach((name, tensor) -> assertArrayEquals(
                            tensor.toDoubleArray(), saved.get(name).toDoubleArray(), where + ": " + name));
        }
        History history = straight.history();
        for (String column : history.epochColumns()) {
            if (!TIMES.contains(column)) {
                assertArrayEquals(
                        history.epochValues(column), resumed.history().epochValues(column), where + ": " + column);
            }
        }
        for (String column : history.stepColumns()) {
            if (!TIMES.contains(column)) {
                assertArrayEquals(
                        history.stepValues(column), resumed.history().stepValues(column), where + ": " + column);
            }
        }
        assertEquals(straight.bestEpoch(), resumed.bestEpoch());
        double[] seconds = resumed.history().epochValues("seconds");
        assertEquals(EPOCHS, seconds.length);
    }

    private static Callback stopAt(long step) {
        return new Callback() {
            @Override
            public void onStepEnd(Training training) {
                if (training.step() == step) {
                    training.stop("for a test");
                }
            }
        };
    }

    @Test
    void stoppedAfterAnyStepItResumesToTheBit() throws IOException {
        for (int prefetch = 0; prefetch < 2; prefetch++) {
            for (int stop = 1; stop <= EPOCHS * STEPS; stop += prefetch == 0 ? 1 : 6) {
                try (var arena = TensorArena.ofShared()) {
                    var expected = new Setup(1, 0);
                    Training straight = expected.fit();
                    Path run = folder.resolve("run" + prefetch + "-" + stop);
                    var first = new Setup(1, prefetch);
                    first.trainer.checkpoints(run).callbacks(stopAt(stop));
                    assertEquals("for a test", first.fit().stopReason());
                    var second = new Setup(99, prefetch);
                    second.trainer.checkpoints(run).resume();
                    Training resumed = second.fit();
                    assertSame(expected, straight, second, resumed, "stopped at " + stop);
                }
            }
        }
    }

    @Test
    void stoppedInValidationItResumesToTheBit() throws IOException {
        for (int batch = 1; batch <= 3 * EPOCHS; batch += 2) {
            try (var arena = TensorArena.ofShared()) {
                var expected = new Setup(1, 0);
                Training straight = expected.fit();
                Path run = folder.resolve("run" + batch);
                var first = new Setup(1, 0);
                int[] left = {batch};
                first.onValidation = () -> {
                    if (--left[0] == 0) {
                        Thread.currentThread().interrupt();
                    }
                };
                Training stopped =
                        first.trainer.checkpoints(run).checkpointEvery(3).fit(first.training, first.validation);
                assertTrue(Thread.interrupted());
                assertEquals((batch - 1) / 3, stopped.history().epochs());
                var second = new Setup(99, 0);
                second.trainer.checkpoints(run).resume();
                assertSame(expected, straight, second, second.fit(), "interrupted at batch " + batch);
            }
        }
    }

    @Test
    void aRunThatFailedResumesFromItsLastCheckpoint() throws IOException {
        try (var arena = TensorArena.ofShared()) {
            var expected = new Setup(1, 0);
            Training straight = expected.fit();
            var first = new Setup(1, 0);
            first.trainer.checkpoints(folder).checkpointEvery(4).callbacks(new Callback() {
                @Override
                public void onStepEnd(Training training) {
                    if (training.step() == 14) {
                        throw new IllegalStateException("power cut");
                    }
                }
            });
            assertThrows(IllegalStateException.class, first::fit);
            assertEquals(List.of("checkpoint-000010.safetensors", "checkpoint-000012.safetensors"), names(folder));
            var second = new Setup(99, 0);
            second.trainer.checkpoints(folder).resume();
            assertSame(expected, straight, second, second.fit(), "failed");
        }
    }

    @Test
    void anEndedRunIsNotTrainedOn() throws IOException {
        try (var arena = TensorArena.ofShared()) {
            var first = new Setup(1, 0);
            first.trainer
                    .checkpoints(folder)
                    .keepCheckpoints(1)
                    .monitor("validation_accuracy")
                    .earlyStopping(1, 1);
            Training stopped = first.fit();
            assertEquals(2, stopped.epoch());
            assertEquals(List.of("checkpoint-000010.safetensors"), names(folder));
            var second = new Setup(99, 0);
            second.trainer
                    .checkpoints(folder)
                    .resume()
                    .monitor("validation_accuracy")
                    .earlyStopping(1, 1);
            Training resumed = second.fit();
            assertEquals(10, resumed.step());
            assertEquals(stopped.stopReason(), resumed.stopReason());
            first.net
                    .stateDict()
                    .forEach((name, tensor) -> assertArrayEquals(
                            tensor.toFloatArray(),
                            second.net.stateDict().get(name).toFloatArray(),
                            name));
        }
    }

    @Test
    void moreEpochsContinueWhereTheLastEnded() throws IOException {
        try (var arena = TensorArena.ofShared()) {
            var expected = new Setup(1, 0);
            Training straight = expected.fit();
            var first = new Setup(1, 0);
            first.trainer.checkpoints(folder).epochs(2);
            first.fit();
            var second = new Setup(99, 0);
            second.trainer.checkpoints(folder).resume();
            assertSame(expected, straight, second, second.fit(), "two epochs, then two more");
        }
    }

    @Test
    void additionalPartsAreSavedAndRestored() throws IOException {
        try (var arena = TensorArena.ofShared()) {
            var first = new Setup(1, 0);
            Tensor own = Tensor.of(5f, 6f);
            first.trainer.checkpoints(folder).alsoSaving("own", part(own)).epochs(1);
            first.fit();
            var second = new Setup(99, 0);
            Tensor other = Tensor.of(0f, 0f);
            second.trainer
                    .checkpoints(folder)
                    .alsoSaving("own", part(other))
                    .resume()
                    .epochs(1);
            second.fit();
            assertArrayEquals(new float[] {5, 6}, other.toFloatArray());
        }
    }

    private static Stateful part(Tensor tensor) {
        return new Stateful() {
            @Override
            public Map<String, Tensor> stateDict() {
                return Map.of("tensor", tensor);
            }

            @Override
            public void loadStateDict(Map<String, Tensor> state) {
                tensor.copyFrom(state.get("tensor"));
            }
        };
    }

    @Test
    void withoutACheckpointItStartsFromTheBeginning() throws IOException {
        try (var arena = TensorArena.ofShared()) {
            var setup = new Setup(1, 0);
            setup.trainer.checkpoints(folder.resolve("none yet")).resume();
            assertEquals(EPOCHS * STEPS, setup.fit().step());
        }
    }

    @Test
    void anotherSetupIsRefusedAndNamed() throws IOException {
        try (var arena = TensorArena.ofShared()) {
            var first = new Setup(1, 0);
            first.trainer.checkpoints(folder).epochs(1);
            first.fit();
            var second = new Setup(1, 0);
            second.trainer.checkpoints(folder).resume().metrics(new F1(6));
            assertTrue(assertThrows(IllegalArgumentException.class, second::fit)
                    .getMessage()
                    .contains("resume with the same metrics and validation"));
            var third = new Setup(1, 0);
            var wider = new Sequential(new Linear(6, 13), new ReLU(), new Linear(13, 6));
            Trainer trainer = Trainer.of(wider, new Adam(wider.parameters(), 0.01), Functional::crossEntropyLoss)
                    .metrics(new Accuracy(), new ConfusionMatrix(6), new TopKAccuracy(2))
                    .clipNorm(1)
                    .checkpoints(folder)
                    .resume();
            String message = assertThrows(
                            IllegalArgumentException.class, () -> trainer.fit(third.training, third.validation))
                    .getMessage();
            assertTrue(message.contains("model.0.weight is [12, 6]"), message);
        }
    }

    @Test
    void badSettingsAreNamed() {
        try (var arena = TensorArena.ofShared()) {
            var setup = new Setup(1, 0);
            assertEquals(
                    "fit: there is no folder to save to or resume from; set one with checkpoints(folder)",
                    assertThrows(
                                    IllegalStateException.class,
                                    () -> setup.trainer.resume().fit(setup.training))
                            .getMessage());
            for (String name : List.of("", "a.b", "model", "metric3", "random")) {
                assertEquals(
                        "Trainer: alsoSaving: the name \"" + name + "\" is taken, empty or has a dot; choose another",
                        assertThrows(IllegalArgumentException.class, () -> setup.trainer.alsoSaving(name, setup.net))
                                .getMessage());
            }
        }
    }
}
