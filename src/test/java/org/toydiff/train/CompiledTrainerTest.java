package org.toydiff.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.data.Dataset;
import org.toydiff.data.TensorDataset;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.CrossEntropyLoss;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Linear;
import org.toydiff.nn.Loss;
import org.toydiff.nn.Reduction;
import org.toydiff.nn.Sequential;
import org.toydiff.nn.Tanh;
import org.toydiff.optim.Adam;
import org.toydiff.optim.Schedule;
import org.toydiff.optim.Scheduler;
import org.toydiff.train.metrics.Accuracy;

/// A trainer with compiled steps ends as one without.
class CompiledTrainerTest {
    private static Layer net() {
        return new Sequential(new Linear(3, 16), new BatchNorm1d(16), new Tanh(), new Dropout(0.2), new Linear(16, 3));
    }

    private static Dataset data() {
        Tensor x = Tensor.randn(50, 3);
        return new TensorDataset(x, x.argmax(1));
    }

    /// Returns the losses, metrics and parameters that a training leaves.
    private static List<String> train(UnaryOperator<Trainer> settings) throws IOException {
        long before = Memory.liveBytes();
        List<String> bits = new ArrayList<>();
        try (var arena = TensorArena.ofShared()) {
            Tensor.manualSeed(3);
            Layer net = net();
            var optimizer = new Adam(net.parameters(), 0.01);
            Trainer trainer = Trainer.of(net, optimizer, Functional::crossEntropyLoss)
                    .epochs(3)
                    .metrics(new Accuracy())
                    .clipNorm(0.5)
                    .everyStep(new Scheduler(optimizer, Schedule.cosine(20, 0.001)));
            Training training =
                    settings.apply(trainer).fit(DataLoader.of(data(), 16).shuffle(1), DataLoader.of(data(), 16));
            for (String column : List.of("loss", "accuracy", "validation_loss", "validation_accuracy")) {
                bits.add(column + Arrays.toString(training.history().epochValues(column)));
            }
            net.stateDict().forEach((name, tensor) -> bits.add(name + Arrays.toString(tensor.toDoubleArray())));
        }
        assertEquals(before, Memory.liveBytes());
        return bits;
    }

    @Test
    void historyAndModelAreThoseOfUncompiledSteps() throws IOException {
        assertEquals(train(trainer -> trainer), train(trainer -> trainer.compiled(true)));
    }

    @Test
    void theReportHasThePlanOfACompiledStepAlone(@TempDir Path folder) throws IOException {
        for (boolean compile : new boolean[] {true, false}) {
            Path report = folder.resolve(compile + ".html");
            train(trainer -> trainer.compiled(compile).report(report));
            assertEquals(compile, Files.readString(report).contains("\"planned\":"));
        }
    }

    @Test
    void thePlanIsThatOfTheLargestBatch() throws IOException {
        try (var arena = TensorArena.ofShared()) {
            Layer net = net();
            Training training = Trainer.of(net, new Adam(net.parameters(), 0.01), Functional::crossEntropyLoss)
                    .compiled(true)
                    .fit(DataLoader.of(data(), 16));
            assertEquals(training.measuredStepBytes(), training.plan().plannedBytes());
            assertTrue(training.plan().fusedLoops() > 0);
        }
    }

    @Test
    void skippedStepsLeaveTheModelAsItIs() throws IOException {
        try (var arena = TensorArena.ofShared()) {
            Layer net = new Sequential(new Linear(3, 3));
            double[] before = net.parameters().getFirst().toDoubleArray();
            var data = new TensorDataset(Tensor.full(Float.NaN, 8, 3), Tensor.of(new int[8]));
            Training training = Trainer.of(net, new Adam(net.parameters(), 0.01), Functional::crossEntropyLoss)
                    .onNonFinite(NonFinite.SKIP)
                    .compiled(true)
                    .fit(DataLoader.of(data, 4));
            assertArrayEquals(before, net.parameters().getFirst().toDoubleArray());
            assertEquals(false, net.parameters().getFirst().hasGradient());
            assertEquals(2, training.skippedSteps());
        }
    }

    @Test
    void microBatchesLeaveTheBitsOfUncompiledOnes() throws IOException {
        for (int examples : new int[] {2, 4, 16, 100}) {
            UnaryOperator<Trainer> parts = trainer -> trainer.microBatch(examples);
            assertEquals(train(parts), train(trainer -> parts.apply(trainer).compiled(true)));
        }
    }

    private static List<String> train(Loss loss, UnaryOperator<Trainer> settings) throws IOException {
        List<String> bits = new ArrayList<>();
        try (var arena = TensorArena.ofShared()) {
            Tensor.manualSeed(3);
            Layer net = net();
            Tensor x = Tensor.randn(50, 3);
            // The first ten are of one class.
            Tensor y = Tensor.concat(
                    0, Tensor.zeros(DType.INT64, 10), x.slice(0, 10, 50).argmax(1));
            Training training = settings.apply(Trainer.of(net, new Adam(net.parameters(), 0.01), loss)
                            .metrics(new Accuracy())
                            .onNonFinite(NonFinite.SKIP)
                            .epochs(3))
                    .fit(DataLoader.of(new TensorDataset(x, y), 20));
            for (String column : List.of("loss", "accuracy")) {
                bits.add(column + Arrays.toString(training.history().epochValues(column)));
            }
            for (int step = 0; step < training.step(); step++) {
                bits.add("" + training.history().stepValue("loss", step));
            }
            net.stateDict().forEach((name, tensor) -> bits.add(name + Arrays.toString(tensor.toDoubleArray())));
            bits.add(Arrays.toString(Tensor.randomState().toLongArray()));
        }
        return bits;
    }

    private static Map<String, Loss> losses() {
        Map<String, Loss> losses = new LinkedHashMap<>();
        losses.put("mean", Functional::crossEntropyLoss);
        losses.put("sum", (x, y) -> Functional.crossEntropyLoss(x, y, Reduction.SUM));
        losses.put("weights", new CrossEntropyLoss().weight(Tensor.of(1f, 2, 3))::forward);
        losses.put("weights, of which one is 0", new CrossEntropyLoss().weight(Tensor.of(0f, 2, 3))::forward);
        losses.put("ignored labels", new CrossEntropyLoss().ignoreIndex(0)::forward);
        losses.put("two means", (x, y) -> new CrossEntropyLoss()
                .ignoreIndex(1)
                .forward(x, y)
                .add(Functional.crossEntropyLoss(x, y, Reduction.MEAN, 1)));
        return losses;
    }

    /// Some micro-batches of the first ten examples have no weight: forward is all that they run, the first time too.
    @Test
    void eachLossAndItsMicroBatchesLeaveTheBitsOfUncompiledOnes() throws IOException {
        try (var arena = TensorArena.ofShared()) {
            for (var loss : losses().entrySet()) {
                for (int examples : new int[] {5, 8, 20}) {
                    UnaryOperator<Trainer> parts = trainer -> examples == 20 ? trainer : trainer.microBatch(examples);
                    assertEquals(
                            train(loss.getValue(), parts),
                            train(loss.getValue(), trainer -> parts.apply(trainer)
                                    .compiled(true)),
                            loss.getKey() + " " + examples);
                }
            }
        }
    }

    @Test
    void aLossThatReadsElementsIsRefused() {
        try (var arena = TensorArena.ofShared()) {
            Layer net = new Sequential(new Linear(3, 3));
            Loss loss =
                    (x, y) -> Functional.crossEntropyLoss(x, y).multiply(x.max().item());
            Trainer trainer = Trainer.of(net, new Adam(net.parameters(), 0.01), loss)
                    .withoutMemoryPlan()
                    .compiled(true);
            String message = assertThrows(IllegalStateException.class, () -> trainer.fit(DataLoader.of(data(), 16)))
                    .getMessage();
            assertTrue(message.startsWith("item: a CompiledFunction is being recorded"), message);
        }
    }
}
