package org.toydiff.distributed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.child.DistributedTraining;
import org.toydiff.data.DataLoader;
import org.toydiff.data.TensorDataset;
import org.toydiff.io.CheckpointFile;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.nn.Sequential;
import org.toydiff.nn.Tanh;
import org.toydiff.optim.Adam;
import org.toydiff.optim.LAMB;
import org.toydiff.optim.SGD;
import org.toydiff.train.Callback;
import org.toydiff.train.NonFinite;
import org.toydiff.train.Trainer;
import org.toydiff.train.Training;
import org.toydiff.train.report.History;

/// A trainer's training by several processes is that by one.
class DistributedTrainerTest {
    private static List<String> alone(String... arguments) throws IOException {
        try (var group = ProcessGroup.single()) {
            return DistributedTraining.lines(group, arguments);
        }
    }

    private static void assertEqualEverywhere(List<String> expected, MpiJob job, int ranks) {
        assertEquals(0, job.exit(), job::toString);
        for (int rank = 0; rank < ranks; rank++) {
            assertEquals(expected, results(job, rank), job::toString);
        }
    }

    /// Without the lines of progress, which rank 0 prints.
    private static List<String> results(MpiJob job, int rank) {
        return job.out().get(rank).stream()
                .filter(line -> !line.matches("epoch \\d+/.*|resumed .*"))
                .toList();
    }

    /// The gradients of two parts are added up in one order only.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void twoShardsAreTwoMicroBatches(boolean compiled) throws Exception {
        try (var group = ProcessGroup.single()) {
            List<double[]> shards =
                    trained(trainer -> trainer.processes(group, 2).compiled(compiled));
            List<double[]> microBatches = trained(trainer -> trainer.microBatch(16));
            for (int i = 0; i < shards.size(); i++) {
                assertArrayEquals(microBatches.get(i), shards.get(i));
            }
        }
    }

    /// Of three batches one has an example that is not a number.
    @Test
    void stepsThatAreNotFiniteAreSkippedAsByOneProcess() throws Exception {
        try (var group = ProcessGroup.single()) {
            List<double[]> shards =
                    trained(Double.NaN, trainer -> trainer.processes(group, 2).onNonFinite(NonFinite.SKIP));
            List<double[]> microBatches =
                    trained(Double.NaN, trainer -> trainer.microBatch(16).onNonFinite(NonFinite.SKIP));
            for (int i = 0; i < shards.size(); i++) {
                assertArrayEquals(microBatches.get(i), shards.get(i));
            }
            double[] losses = shards.getFirst();
            assertEquals(3, Arrays.stream(losses).filter(Double::isNaN).count());
            var e = assertThrows(
                    ArithmeticException.class, () -> trained(Double.NaN, trainer -> trainer.processes(group, 2)));
            assertTrue(e.getMessage().startsWith("fit: the loss is NaN in epoch 1, step "), e.getMessage());
        }
    }

    private static List<double[]> trained(UnaryOperator<Trainer> settings) throws IOException {
        return trained(0, settings);
    }

    /// Losses, norms and parameters after a training on batches of 32, of which one example has a first number.
    private static List<double[]> trained(double first, UnaryOperator<Trainer> settings) throws IOException {
        try (var arena = TensorArena.ofConfined()) {
            Tensor.manualSeed(2);
            var net = new Sequential(new Linear(6, 20), new Tanh(), new Linear(20, 3));
            Tensor x = Tensor.randn(96, 6);
            Tensor y = x.argmax(1).remainder(Tensor.full(DType.INT64, 3));
            x.get(0).slice(0, 0, 1).copyFrom(Tensor.scalar(first));
            var data = new TensorDataset(x, y);
            Trainer trainer = Trainer.of(net, new LAMB(net.parameters(), 0.01), Functional::crossEntropyLoss)
                    .clipNorm(0.5)
                    .epochs(3);
            History history = settings.apply(trainer)
                    .fit(DataLoader.of(data, 32).shuffle(1))
                    .history();
            List<double[]> results = new ArrayList<>();
            results.add(history.stepValues("loss"));
            results.add(history.stepValues("gradient_norm"));
            net.parameters().forEach(parameter -> results.add(parameter.toDoubleArray()));
            return results;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"eager", "compiled"})
    void threeProcessesTrainAsOne(String mode) throws Exception {
        MpiJob.requireMpi();
        List<String> expected = alone("-", "2", "eager");
        assertEquals(expected, alone("-", "2", mode));
        MpiJob job = MpiJob.run(3, DistributedTraining.class, "-", "2", mode);
        assertEqualEverywhere(expected, job, 3);
        assertTrue(
                job.out().get(1).stream().noneMatch(line -> line.startsWith("epoch 1/")),
                "progress is that of rank 0: " + job);
    }

    @Test
    void synchronizedBatchNormalizationNeedsOneShardForEachProcess() {
        try (var arena = TensorArena.ofShared();
                var group = ProcessGroup.single()) {
            var net = new BatchNorm1d(2);
            var loader = DataLoader.of(new TensorDataset(Tensor.ones(4, 2), Tensor.ones(4, 2)), 4);
            var trainer = Trainer.of(net, new SGD(net.parameters(), 0.1), Functional::mseLoss)
                    .synchronizeBatchNorm();
            var alone = assertThrows(IllegalArgumentException.class, () -> trainer.fit(loader));
            assertEquals(
                    "fit: synchronizeBatchNorm needs processes with one shard each, not this one alone; use"
                            + " processes(group)",
                    alone.getMessage());
            trainer.processes(group, 3);
            var shards = assertThrows(IllegalArgumentException.class, () -> trainer.fit(loader));
            assertTrue(shards.getMessage().contains("not 3 shards for 1; use processes(group)"), shards.getMessage());
        }
    }

    @Test
    void aCheckpointOfTwoProcessesIsResumedByOneAndByThree(@TempDir Path folder) throws Exception {
        MpiJob.requireMpi();
        List<String> expected = alone("-", "2", "eager");
        Path one = folder.resolve("one");
        assertEquals(
                0,
                MpiJob.run(2, DistributedTraining.class, one.toString(), "1", "eager")
                        .exit());
        Path three = folder.resolve("three");
        Files.createDirectories(three);
        for (Path file : CheckpointFile.numbered(one)) {
            Files.copy(file, three.resolve(file.getFileName()));
        }
        assertEquals(expected, alone(one.toString(), "2", "resume"));
        assertEqualEverywhere(expected, MpiJob.run(3, DistributedTraining.class, three.toString(), "2", "resume"), 3);
    }

    @Test
    void aProcessThatIsAskedToStopStopsAll() throws Exception {
        MpiJob.requireMpi();
        MpiJob job = MpiJob.run(2, DistributedTraining.class, "-", "9", "stop");
        assertEquals(0, job.exit(), job::toString);
        for (int rank = 0; rank < 2; rank++) {
            assertEquals(
                    6,
                    results(job, rank).stream()
                            .filter(line -> line.startsWith("step"))
                            .count(),
                    job::toString);
            assertTrue(
                    job.out()
                            .get(rank)
                            .getFirst()
                            .startsWith("refused: fit: the processes differ in training loader's"
                                    + " seed: rank 0: 0, rank 1: 1;"),
                    job::toString);
        }
        assertTrue(job.out().get(0).contains("stopped: another process was asked to stop"), job::toString);
        assertTrue(job.out().get(1).contains("stopped: asked to"), job::toString);
    }

    @Test
    void theLastCheckpointIsWholeAfterAProcessWasKilled(@TempDir Path folder) throws Exception {
        MpiJob.requireMpi();
        List<String> expected = alone("-", "2", "eager");
        MpiJob job = MpiJob.run(2, DistributedTraining.class, folder.toString(), "2", "kill");
        assertNotEquals(0, job.exit());
        assertTrue(job.errors(0).contains("rank 0 of 2 ends before its process group is closed"), job::toString);
        assertEquals(
                6,
                CheckpointFile.progress(CheckpointFile.latest(folder).orElseThrow())
                        .step());
        assertEquals(expected, alone(folder.toString(), "2", "resume"));
    }

    @Test
    void aFolderThatCannotBeWrittenIsReportedByEveryProcess(@TempDir Path folder) throws Exception {
        MpiJob.requireMpi();
        Path file = Files.createFile(folder.resolve("file"));
        MpiJob job =
                MpiJob.run(2, DistributedTraining.class, file.resolve("folder").toString(), "1", "eager");
        assertNotEquals(0, job.exit());
        assertTrue(job.seconds() < 30, job::toString);
        for (int rank = 0; rank < 2; rank++) {
            assertTrue(job.errors(rank).contains(file.toString()), job::toString);
        }
    }

    @Test
    void anOptimizerOfATrainingThatFailedAloneTrainsAgain(@TempDir Path folder) throws Exception {
        try (var group = ProcessGroup.single();
                var arena = TensorArena.ofConfined()) {
            var net = new Linear(2, 2);
            var optimizer = new Adam(net.parameters(), 1e-3);
            var loader = DataLoader.of(new TensorDataset(Tensor.ones(8, 2), Tensor.ones(8, 2)), 4);
            var failing = Trainer.of(net, optimizer, Functional::mseLoss)
                    .processes(group, 2)
                    .callbacks(new Callback() {
                        @Override
                        public void onStepEnd(Training training) {
                            throw new IllegalArgumentException("the callback failed");
                        }
                    });
            assertThrows(IllegalArgumentException.class, () -> failing.fit(loader));
            // With the gradients, which stay.
            long live = Memory.liveBytes();
            var trainer = Trainer.of(net, optimizer, Functional::mseLoss)
                    .processes(group, 2)
                    .checkpoints(folder);
            assertEquals(2, trainer.fit(loader).step());
            assertThrows(FileAlreadyExistsException.class, () -> trainer.fit(loader));
            assertEquals(4, trainer.epochs(2).resume().fit(loader).step());
            assertEquals(live, Memory.liveBytes());
        }
    }

    @Test
    void aFolderThatVanishesInATrainingIsReportedAsSuch(@TempDir Path folder) throws Exception {
        Path checkpoints = folder.resolve("checkpoints");
        try (var group = ProcessGroup.single();
                var arena = TensorArena.ofConfined()) {
            var net = new Linear(2, 2);
            var loader = DataLoader.of(new TensorDataset(Tensor.ones(8, 2), Tensor.ones(8, 2)), 4);
            var trainer = Trainer.of(net, new Adam(net.parameters(), 1e-3), Functional::mseLoss)
                    .processes(group)
                    .checkpoints(checkpoints)
                    .callbacks(new Callback() {
                        @Override
                        public void onTrainBegin(Training training) {
                            assertDoesNotThrow(() -> Files.move(checkpoints, folder.resolve("moved")));
                            assertDoesNotThrow(() -> Files.createFile(checkpoints));
                        }
                    });
            var e = assertThrows(FileSystemException.class, () -> trainer.fit(loader));
            assertTrue(e.getMessage().contains("not saved"), e.getMessage());
        }
    }
}
