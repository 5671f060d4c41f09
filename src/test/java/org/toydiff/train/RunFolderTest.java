package org.toydiff.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.names;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.ArenaTest;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.child.Child;
import org.toydiff.child.SleepingTraining;
import org.toydiff.data.DataLoader;
import org.toydiff.data.TensorDataset;
import org.toydiff.io.CheckpointFile;
import org.toydiff.io.MalformedFileException;
import org.toydiff.io.SafeTensors;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.optim.SGD;

/// A folder of checkpoints belongs to one run at a time, and a run to its folder.
class RunFolderTest extends ArenaTest {
    @TempDir
    private Path temporary;

    RunFolderTest() {
        super(TensorArena::ofShared);
    }

    private Path folder() {
        return temporary.resolve("run");
    }

    private static DataLoader loader() {
        return DataLoader.of(new TensorDataset(Tensor.ones(8, 2), Tensor.of(new int[8])), 2);
    }

    private static Trainer trainer(Path folder) {
        var net = new Linear(2, 2);
        return Trainer.of(net, new SGD(net.parameters(), 0.1), Functional::crossEntropyLoss)
                .checkpoints(folder);
    }

    private static Callback onFirstStep(Runnable what) {
        return new Callback() {
            @Override
            public void onStepEnd(Training training) {
                if (training.step() == 1) {
                    what.run();
                }
            }
        };
    }

    @Test
    void aFreshRunDoesNotBeginAmongTheCheckpointsOfAnother() throws IOException {
        trainer(folder()).epochs(3).fit(loader());
        List<String> before = names(folder());
        var e = assertThrows(
                FileAlreadyExistsException.class, () -> trainer(folder()).fit(loader()));
        assertEquals(
                folder().resolve("checkpoint-000012.safetensors") + ": is a checkpoint of another run; call resume() to"
                        + " continue that run, or pass an empty folder to checkpoints(folder)",
                e.getMessage());
        assertEquals(before, names(folder()));
        assertEquals(16, trainer(folder()).epochs(4).resume().fit(loader()).step());
        assertEquals(4, trainer(temporary.resolve("other")).fit(loader()).step());
    }

    @Test
    void aRunKeepsItsIdentityAndAnotherHasAnother() throws IOException {
        trainer(folder()).epochs(1).fit(loader());
        trainer(folder()).epochs(2).resume().fit(loader());
        trainer(temporary.resolve("other")).fit(loader());
        List<String> runs = new ArrayList<>();
        for (Path file : CheckpointFile.numbered(folder())) {
            runs.add(CheckpointFile.progress(file).metadata().get("run"));
        }
        assertEquals(2, runs.size());
        assertEquals(runs.get(0), runs.get(1));
        Path other = CheckpointFile.latest(temporary.resolve("other")).orElseThrow();
        assertTrue(!runs.get(0).equals(CheckpointFile.progress(other).metadata().get("run")));
    }

    @Test
    void checkpointsOfSeveralRunsAreNotResumed() throws IOException {
        trainer(folder()).epochs(2).fit(loader());
        trainer(temporary.resolve("other")).epochs(3).keepCheckpoints(1).fit(loader());
        Files.copy(
                temporary.resolve("other/checkpoint-000012.safetensors"),
                folder().resolve("checkpoint-000012.safetensors"));
        var e = assertThrows(
                FileSystemException.class, () -> trainer(folder()).resume().fit(loader()));
        assertEquals(
                folder() + ": has checkpoints of several runs, [[checkpoint-000004.safetensors,"
                        + " checkpoint-000008.safetensors], [checkpoint-000012.safetensors]]; keep only those of the"
                        + " run to resume",
                e.getMessage());
        Files.delete(folder().resolve("checkpoint-000012.safetensors"));
        assertEquals(12, trainer(folder()).epochs(3).resume().fit(loader()).step());
    }

    /// The ways in which a file is damaged: a bit, a lost end, a lost header, nothing left.
    private static List<UnaryOperator<byte[]>> damages() {
        return List.of(
                bytes -> {
                    bytes[bytes.length - 1] ^= 1;
                    return bytes;
                },
                bytes -> Arrays.copyOf(bytes, bytes.length - 1),
                bytes -> Arrays.copyOf(bytes, 20),
                bytes -> new byte[bytes.length],
                bytes -> new byte[0]);
    }

    private static String damage(Path file, UnaryOperator<byte[]> how) throws IOException {
        Files.write(file, how.apply(Files.readAllBytes(file)));
        return assertThrows(MalformedFileException.class, () -> CheckpointFile.progress(file))
                .getMessage();
    }

    /// Returns the warnings that are logged while something runs.
    private static List<String> warnings(Executable run) throws Throwable {
        List<String> warnings = new ArrayList<>();
        var handler = new Handler() {
            @Override
            public void publish(LogRecord record) {
                warnings.add(record.getLevel() + " " + record.getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger logger = Logger.getLogger("org.toydiff");
        logger.addHandler(handler);
        logger.setUseParentHandlers(false);
        try {
            run.execute();
        } finally {
            logger.removeHandler(handler);
            logger.setUseParentHandlers(true);
        }
        return warnings;
    }

    @Test
    void whereTheLatestCheckpointIsDamagedTheOneBeforeItIsResumed() throws Throwable {
        Path whole = temporary.resolve("whole");
        Tensor.manualSeed(1);
        double[] losses = trainer(whole).epochs(4).fit(loader()).history().stepValues("loss");
        int number = 0;
        for (UnaryOperator<byte[]> damage : damages()) {
            Path folder = temporary.resolve("run" + number++);
            Tensor.manualSeed(1);
            trainer(folder).epochs(3).fit(loader());
            Path latest = folder.resolve("checkpoint-000012.safetensors");
            Path before = folder.resolve("checkpoint-000008.safetensors");
            String reason = damage(latest, damage);
            assertTrue(reason.startsWith(latest + ": "), reason);
            List<Training> trainings = new ArrayList<>();
            List<String> warnings = warnings(
                    () -> trainings.add(trainer(folder).epochs(4).resume().fit(loader())));
            assertEquals(
                    List.of("WARNING resume: " + reason + ". The training resumes from " + before
                            + " instead; the damaged file is now " + latest + ".damaged"),
                    warnings);
            assertArrayEquals(losses, trainings.getFirst().history().stepValues("loss"));
            assertEquals(
                    List.of(
                            "checkpoint-000012.safetensors",
                            "checkpoint-000012.safetensors.damaged",
                            "checkpoint-000016.safetensors"),
                    names(folder));
            assertEquals(
                    List.of(),
                    warnings(() -> trainer(folder).epochs(4).resume().fit(loader())),
                    "the damaged file is out of the way");
        }
    }

    @Test
    void severalDamagedCheckpointsArePassedOver() throws Throwable {
        trainer(folder()).epochs(4).keepCheckpoints(4).fit(loader());
        List<Path> files = CheckpointFile.numbered(folder());
        damage(files.get(3), damages().get(0));
        damage(files.get(2), damages().get(4));
        damage(files.get(0), damages().get(2));
        List<String> warnings = warnings(() -> assertEquals(
                16,
                trainer(folder())
                        .epochs(4)
                        .keepCheckpoints(9)
                        .resume()
                        .fit(loader())
                        .step()));
        assertEquals(2, warnings.size(), warnings.toString());
        for (int i = 0; i < 2; i++) {
            assertTrue(warnings.get(i).contains("resumes from " + files.get(1) + " instead"), warnings.get(i));
            assertTrue(warnings.get(i).endsWith("is now " + files.get(3 - i) + ".damaged"), warnings.get(i));
        }
    }

    @Test
    void aFolderOfDamagedCheckpointsAloneIsNotResumedAndNotChanged() throws Throwable {
        trainer(folder()).epochs(2).fit(loader());
        List<Path> files = CheckpointFile.numbered(folder());
        String older = damage(files.get(0), damages().get(1));
        String latest = damage(files.get(1), damages().get(0));
        assertTrue(latest.contains("was changed or damaged"), latest);
        List<String> before = names(folder());
        List<String> warnings = warnings(() -> {
            var e = assertThrows(
                    MalformedFileException.class,
                    () -> trainer(folder()).resume().fit(loader()));
            assertEquals(latest, e.getMessage());
            assertEquals(older, e.getSuppressed()[0].getMessage());
        });
        assertEquals(List.of(), warnings);
        assertEquals(before, names(folder()));
    }

    /// Files of versions without a checksum, a run, and the mean loss of the epoch.
    @Test
    void checkpointsOfOlderVersionsAreResumed() throws IOException {
        Trainer first = trainer(folder()).keepCheckpoints(1);
        Training whole = trainer(temporary.resolve("whole")).epochs(2).fit(loader());
        first.callbacks(new Callback() {
            @Override
            public void onStepEnd(Training training) {
                if (training.step() == 3) {
                    training.stop("for a test");
                }
            }
        });
        first.fit(loader());
        Path file = CheckpointFile.latest(folder()).orElseThrow();
        Path old = temporary.resolve("old");
        try (var saved = SafeTensors.open(file)) {
            Map<String, Tensor> tensors = new LinkedHashMap<>(saved.toMap());
            tensors.keySet().removeIf(name -> name.startsWith("mean_loss."));
            SafeTensors.save(old, tensors);
        }
        Files.move(old, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Training resumed = trainer(folder()).epochs(2).resume().fit(loader());
        assertEquals(8, resumed.step());
        double[] losses = resumed.history().stepValues("loss");
        assertEquals(
                (losses[0] + losses[1] + losses[2] + losses[3]) / 4,
                resumed.history().epochValues("loss")[0],
                1e-12);
        assertEquals(
                whole.step(), trainer(folder()).epochs(2).resume().fit(loader()).step(), "and once more");
    }

    @Test
    void twoTrainingsOfOneProcessDoNotShareAFolder() throws IOException {
        List<String> messages = new ArrayList<>();
        Files.createDirectories(folder());
        Path link = Files.createSymbolicLink(temporary.resolve("link"), folder());
        Training training = trainer(folder())
                .callbacks(onFirstStep(() -> {
                    for (Path name : List.of(folder(), link, folder().resolve("../run"))) {
                        messages.add(assertThrows(
                                        FileSystemException.class,
                                        () -> trainer(name).resume().fit(loader()))
                                .getMessage());
                    }
                }))
                .fit(loader());
        assertEquals(4, training.step());
        String reason = ": another training is saving its checkpoints there; wait until it has ended,"
                + " or pass another folder to checkpoints(folder)";
        assertEquals(List.of(folder() + reason, link + reason, folder().resolve("../run") + reason), messages);
        assertEquals(List.of("checkpoint-000004.safetensors"), names(folder()));
        assertEquals(4, trainer(folder()).resume().fit(loader()).step());
    }

    @Test
    void aTrainingThatFailsLeavesTheFolderFree() throws IOException {
        Trainer failing = trainer(folder()).callbacks(onFirstStep(() -> {
            throw new IllegalStateException("mine");
        }));
        assertThrows(IllegalStateException.class, () -> failing.fit(loader()));
        assertEquals(List.of(), names(folder()));
        assertEquals(4, trainer(folder()).fit(loader()).step());
    }

    @Test
    void aTrainingOfAnotherProcessKeepsTheFolderUntilThatDies() throws Exception {
        Path out = temporary.resolve("out");
        Process process = Child.start(
                out,
                temporary.resolve("err"),
                List.of(
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        Child.classPath(),
                        SleepingTraining.class.getName(),
                        folder().toString()));
        try {
            Child.awaitOutput(process, out, "under way");
            var e = assertThrows(
                    FileSystemException.class, () -> trainer(folder()).fit(loader()));
            assertTrue(e.getMessage().startsWith(folder() + ": another training"), e.getMessage());
            assertEquals(1, names(folder()).size(), "the lock of the other alone");
        } finally {
            process.destroyForcibly().waitFor();
        }
        assertEquals(4, trainer(folder()).fit(loader()).step());
        assertEquals(List.of("checkpoint-000004.safetensors"), names(folder()));
    }
}
