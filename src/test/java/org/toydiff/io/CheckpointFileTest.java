package org.toydiff.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.names;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Release;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.io.CheckpointFile.Progress;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Linear;
import org.toydiff.nn.Sequential;
import org.toydiff.nn.Tanh;
import org.toydiff.optim.Adam;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.SGD;

/// Resumed training, checkpoints that do not fit, and which numbered files are kept.
class CheckpointFileTest extends ArenaTest {
    @TempDir
    private Path folder;

    CheckpointFileTest() {
        super(TensorArena::ofShared);
    }

    @BeforeEach
    void seed() {
        Tensor.manualSeed(1);
    }

    /// A model trained on batches from the random generator.
    private record Training(Layer model, Optimizer optimizer) {
        static Training fresh() {
            return fresh(false);
        }

        static Training fresh(boolean adam) {
            Layer model = new Sequential(new Linear(5, 7), new Tanh(), new Linear(7, 3));
            return new Training(
                    model, adam ? new Adam(model.parameters(), 0.01) : new SGD(model.parameters(), 0.1, 0.9));
        }

        Map<String, Stateful> parts() {
            return Map.of("model", model, "optimizer", optimizer);
        }

        void train(int steps, Release release) {
            for (int i = 0; i < steps; i++) {
                try (var step = TensorArena.ofConfined()) {
                    Tensor y = model.forward(Tensor.randn(11, 5));
                    y.multiply(y).mean().backward(release);
                    optimizer.step();
                    optimizer.zeroGradients();
                }
            }
        }

        List<String> numbers() {
            try (var scratch = TensorArena.ofConfined()) {
                List<String> numbers = new ArrayList<>();
                Map<String, Tensor> state = new LinkedHashMap<>(model.stateDict());
                state.putAll(optimizer.stateDict());
                state.put("random", Tensor.randomState());
                state.forEach((name, tensor) -> numbers.add(name
                        + (tensor.dtype().isFloating()
                                ? Arrays.toString(tensor.toFloatArray())
                                : Arrays.toString(tensor.toLongArray()))));
                return numbers;
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"EAGER, false", "EAGER, true", "AT_CLOSE, false", "AT_CLOSE, true"})
    void trainingGoesOnBitForBitInFreshObjects(Release release, boolean adam) throws IOException {
        Path file = folder.resolve("run.safetensors");
        Training first = Training.fresh(adam);
        first.train(4, release);
        List<String> atSave = first.numbers();
        CheckpointFile.save(file, first.parts(), new Progress(2, 4, Map.of("git", "abc")));
        first.train(6, release);

        Tensor.manualSeed(99);
        Training second = Training.fresh(adam);
        second.train(1, release);
        Progress progress = CheckpointFile.load(file, second.parts());
        assertEquals(new Progress(2, 4, Map.of("git", "abc")), progress);
        assertEquals(atSave, second.numbers());
        second.train(6, release);
        assertEquals(first.numbers(), second.numbers());
    }

    @Test
    void aCheckpointIsASafetensorsFile() throws IOException {
        Path file = folder.resolve("run.safetensors");
        Training training = Training.fresh();
        CheckpointFile.save(file, training.parts(), new Progress(3, 1L << 60));
        try (var saved = SafeTensors.open(file)) {
            assertEquals(
                    new TreeSet<>(List.of(
                            "model.0.bias",
                            "model.0.weight",
                            "model.2.bias",
                            "model.2.weight",
                            "optimizer.0.momentum_buffer",
                            "optimizer.1.momentum_buffer",
                            "optimizer.2.momentum_buffer",
                            "optimizer.3.momentum_buffer",
                            "optimizer.lr",
                            "optimizer.steps",
                            "optimizer.weight_decay",
                            "progress.epoch",
                            "progress.step",
                            "random.state")),
                    new TreeSet<>(saved.names()));
            assertArrayEquals(
                    training.model().stateDict().get("0.weight").toFloatArray(),
                    saved.get("model.0.weight").toFloatArray());
            assertArrayEquals(new long[] {1L << 60}, saved.get("progress.step").toLongArray());
        }
    }

    @Test
    void theSameStateIsTheSameBytes() throws IOException {
        Training training = Training.fresh();
        CheckpointFile.save(folder.resolve("a"), training.parts(), new Progress(0, 0));
        CheckpointFile.save(folder.resolve("b"), training.parts(), new Progress(0, 0));
        assertEquals(-1, Files.mismatch(folder.resolve("a"), folder.resolve("b")));
    }

    @Test
    void onePartCanBeLoadedAlone() throws IOException {
        Path file = folder.resolve("run.safetensors");
        Training first = Training.fresh();
        CheckpointFile.save(file, first.parts(), new Progress(0, 0));
        Training second = Training.fresh();
        second.train(1, Release.EAGER);
        List<String> before = second.numbers();
        CheckpointFile.loadPart(file, "model", second.model());
        List<String> after = second.numbers();
        assertEquals(first.numbers().subList(0, 4), after.subList(0, 4));
        assertEquals(before.subList(4, before.size()), after.subList(4, after.size()));
        var e = assertThrows(
                IllegalArgumentException.class, () -> CheckpointFile.loadPart(file, "net", second.model()));
        assertEquals(
                "loadPart: " + file + " does not fit, and nothing was changed: net.0.weight is missing;"
                        + " net.0.bias is missing; net.2.weight is missing; net.2.bias is missing",
                e.getMessage());
    }

    @Test
    void everythingThatDoesNotFitIsNamedAndNothingIsChanged() throws IOException {
        Path file = folder.resolve("run.safetensors");
        CheckpointFile.save(
                file, Map.of("model", new Linear(2, 3), "other", new Linear(1, 1, false)), new Progress(0, 0));
        Layer model = new Sequential(new Linear(2, 3));
        Map<String, Stateful> parts = new LinkedHashMap<>();
        parts.put("optimizer", new SGD(model.parameters(), 0.1));
        parts.put("model", new Linear(3, 3));
        List<String> before = new Training(model, new SGD(model.parameters(), 0.1)).numbers();
        var e = assertThrows(IllegalArgumentException.class, () -> CheckpointFile.load(file, parts));
        assertEquals(
                "load: " + file + " does not fit, and nothing was changed: optimizer.steps is missing; optimizer.lr is"
                        + " missing; optimizer.weight_decay is missing; model.weight is [3, 2] float32 and not [3, 3]"
                        + " float32; other.weight is unknown",
                e.getMessage());
        assertEquals(before, new Training(model, new SGD(model.parameters(), 0.1)).numbers());
    }

    /// A part that may refuse its numbers although their shapes fit.
    private static final class Picky implements Stateful {
        private final long size;
        private double value;
        private RuntimeException refusal;

        Picky(long size, double value) {
            this.size = size;
            this.value = value;
        }

        @Override
        public Map<String, Tensor> stateDict() {
            return Map.of("value", Tensor.full(DType.FLOAT64, value, size));
        }

        @Override
        public void loadStateDict(Map<String, Tensor> state) {
            if (refusal != null) {
                throw refusal;
            }
            value = state.get("value").at(0);
        }
    }

    private static Map<String, Picky> pickies(double value) {
        return Map.of("small", new Picky(1, value), "middle", new Picky(10, value), "large", new Picky(100, value));
    }

    @Test
    void whenAPartRefusesTheOthersGetBackWhatTheyHad() throws IOException {
        Path file = folder.resolve("run.safetensors");
        CheckpointFile.save(file, pickies(1), new Progress(0, 0));
        for (String refusing : List.of("small", "middle", "large")) {
            Map<String, Picky> parts = pickies(2);
            parts.get(refusing).refusal = new IllegalArgumentException("loadStateDict: 1 is odd");
            Tensor.rand(3);
            long[] random = Tensor.randomState().toLongArray();
            var e = assertThrows(IllegalArgumentException.class, () -> CheckpointFile.load(file, parts));
            assertEquals(
                    "load: " + file + " does not fit, and nothing was changed: \"" + refusing
                            + "\": loadStateDict: 1 is odd",
                    e.getMessage());
            parts.values().forEach(part -> assertEquals(2, part.value));
            assertArrayEquals(random, Tensor.randomState().toLongArray());
        }
        Map<String, Picky> parts = pickies(2);
        var failure = new IllegalStateException("its arena is closed");
        parts.get("large").refusal = failure;
        assertSame(failure, assertThrows(IllegalStateException.class, () -> CheckpointFile.load(file, parts)));
        parts.values().forEach(part -> assertEquals(2, part.value));
    }

    @Test
    void aRandomStateOrProgressThatIsNoneIsRefused() throws IOException {
        Path file = folder.resolve("run.safetensors");
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("random.state", Tensor.zeros(DType.INT64, 4));
        tensors.put("progress.epoch", Tensor.of(new long[] {1}));
        tensors.put("progress.step", Tensor.of(new long[] {-1}));
        SafeTensors.save(file, tensors);
        long[] random = Tensor.randomState().toLongArray();
        var e = assertThrows(IllegalArgumentException.class, () -> CheckpointFile.load(file, Map.of()));
        assertEquals(
                "load: " + file + " does not fit, and nothing was changed: \"progress\": epoch 1 and step -1 must"
                        + " not be negative",
                e.getMessage());
        tensors.put("progress.step", Tensor.of(new long[] {1}));
        SafeTensors.save(file, tensors);
        assertThrows(IllegalArgumentException.class, () -> CheckpointFile.load(file, Map.of()));
        assertArrayEquals(random, Tensor.randomState().toLongArray());
    }

    @Test
    void aDamagedCheckpointChangesNothing() throws IOException {
        Path file = folder.resolve("run.safetensors");
        Training training = Training.fresh();
        CheckpointFile.save(file, training.parts(), new Progress(0, 0));
        training.train(1, Release.EAGER);
        List<String> before = training.numbers();
        byte[] bytes = Files.readAllBytes(file);
        for (int length : new int[] {0, 5, 100, bytes.length - 1}) {
            Files.write(file, Arrays.copyOf(bytes, length));
            assertThrows(IOException.class, () -> CheckpointFile.load(file, training.parts()));
            assertEquals(before, training.numbers());
        }
    }

    /// Returns the offset of the elements in a safetensors file.
    private static int dataStart(byte[] bytes) {
        return 8 + (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    @Test
    void everyChangedByteOfThePayloadIsRefusedAndChangesNothing() throws IOException {
        Path file = folder.resolve("run.safetensors");
        Training training = Training.fresh();
        CheckpointFile.save(file, training.parts(), new Progress(0, 0));
        training.train(1, Release.EAGER);
        List<String> before = training.numbers();
        byte[] bytes = Files.readAllBytes(file);
        int start = dataStart(bytes);
        for (int at = start; at < bytes.length; at++) {
            byte[] changed = bytes.clone();
            changed[at] ^= (byte) (1 << at % 8);
            Files.write(file, changed);
            var e = assertThrows(IOException.class, () -> CheckpointFile.load(file, training.parts()));
            assertTrue(
                    e.getMessage()
                            .matches("\\Q" + file + "\\E: offset " + start + ": the checksum of its content is"
                                    + " crc32c:[0-9a-f]{8}, and crc32c:[0-9a-f]{8} was saved with it: the file was changed or"
                                    + " damaged; use another one"),
                    e.getMessage());
            assertThrows(IOException.class, () -> CheckpointFile.loadPart(file, "model", training.model()));
            assertThrows(IOException.class, () -> CheckpointFile.progress(file));
        }
        assertEquals(before, training.numbers());
        Files.write(file, bytes);
        CheckpointFile.load(file, training.parts());
    }

    @Test
    void swappedTensorsAndChangedStringsAreRefused() throws IOException {
        Path file = folder.resolve("run.safetensors");
        Map<String, Stateful> parts = new LinkedHashMap<>();
        parts.put("a", new Linear(2, 2, false));
        parts.put("b", new Linear(2, 2, false));
        CheckpointFile.save(file, parts, new Progress(0, 0, Map.of("run", "mine")));
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        for (String changed : List.of(
                text.replace("a.weight", "x.weight")
                        .replace("b.weight", "a.weight")
                        .replace("x.weight", "b.weight"),
                text.replace("\"mine\"", "\"mind\""),
                text.replace("crc32c:", "crc32d:"))) {
            assertNotEquals(text, changed);
            Files.writeString(file, changed, StandardCharsets.ISO_8859_1);
            assertThrows(IOException.class, () -> CheckpointFile.load(file, parts));
        }
    }

    @Test
    void aFileWithoutAChecksumIsReadAsItIs() throws IOException {
        Path file = folder.resolve("run.safetensors");
        Training training = Training.fresh();
        CheckpointFile.save(file, training.parts(), new Progress(2, 4, Map.of("git", "abc")));
        List<String> expected = training.numbers();
        try (var saved = SafeTensors.open(file)) {
            assertEquals(Set.of("git", "toydiff.checksum"), saved.metadata().keySet());
            SafeTensors.save(folder.resolve("old"), saved.toMap(), Map.of("git", "abc"));
            SafeTensors.save(folder.resolve("copy"), saved.toMap(), saved.metadata());
        }
        for (String name : List.of("old", "copy")) {
            training.train(1, Release.EAGER);
            assertEquals(
                    new Progress(2, 4, Map.of("git", "abc")),
                    CheckpointFile.load(folder.resolve(name), training.parts()));
            assertEquals(expected, training.numbers());
        }
        assertEquals(new Progress(2, 4, Map.of("git", "abc")), CheckpointFile.progress(folder.resolve("old")));
        assertEquals(-1, Files.mismatch(file, folder.resolve("copy")));
    }

    @Test
    void whatTakesTheChecksumsPlaceIsRefused() {
        Path file = folder.resolve("run.safetensors");
        var e = assertThrows(
                IllegalArgumentException.class,
                () -> CheckpointFile.save(file, Map.of(), new Progress(0, 0, Map.of("toydiff.checksum", "mine"))));
        assertEquals("save: the metadata have a \"toydiff.checksum\", which is reserved; rename it", e.getMessage());
        assertFalse(Files.exists(file));
    }

    @Test
    void noStringHidesTheChecksum() throws IOException {
        Path file = folder.resolve("run.safetensors");
        Map<String, String> strings = Map.of("a", "\"toydiff.checksum\":\"crc32c:00000000\"", "z", "ä\n\ud83d\ude00");
        CheckpointFile.save(file, Map.of(), new Progress(0, 1, strings));
        assertEquals(strings, CheckpointFile.load(file, Map.of()).metadata());
    }

    @Test
    void progressOfWhatIsNoCheckpointIsRefused() throws IOException {
        Path file = folder.resolve("tensors");
        SafeTensors.save(file, Map.of("x", Tensor.ones(1)));
        var e = assertThrows(IllegalArgumentException.class, () -> CheckpointFile.progress(file));
        assertEquals(
                "progress: " + file + " does not fit, and nothing was changed: progress.epoch is missing;"
                        + " progress.step is missing",
                e.getMessage());
    }

    @Test
    void namesAndNumbersAreChecked() {
        Path file = folder.resolve("run.safetensors");
        for (String name : List.of("", "a.b", "random", "progress")) {
            var e = assertThrows(
                    IllegalArgumentException.class,
                    () -> CheckpointFile.save(file, Map.of(name, new Linear(1, 1)), new Progress(0, 0)));
            assertEquals(
                    "save: \"" + name + "\" cannot be a part's name: it is empty, has a dot, or is reserved;"
                            + " rename it",
                    e.getMessage());
        }
        assertThrows(IllegalArgumentException.class, () -> new Progress(-1, 0));
        assertThrows(IllegalArgumentException.class, () -> new Progress(0, -1));
        assertThrows(
                IllegalArgumentException.class,
                () -> CheckpointFile.saveNumbered(folder, 0, Map.of(), new Progress(0, 0)));
        assertEquals(0, folder.toFile().list().length);
    }

    @Test
    void theLastNumberedFilesAreKept() throws IOException {
        Files.createFile(folder.resolve("checkpoint-1.safetensors"));
        Files.createFile(folder.resolve("checkpoint-000001.safetensors.bak"));
        assertEquals(Optional.empty(), CheckpointFile.latest(folder));
        for (long step : new long[] {999_998, 999_999, 1_000_000}) {
            Path file = CheckpointFile.saveNumbered(folder, 2, Map.of(), new Progress(0, step));
            assertEquals(Optional.of(file), CheckpointFile.latest(folder));
            assertEquals(step, CheckpointFile.load(file, Map.of()).step());
        }
        assertEquals(
                List.of(
                        "checkpoint-000001.safetensors.bak",
                        "checkpoint-1.safetensors",
                        "checkpoint-1000000.safetensors",
                        "checkpoint-999999.safetensors"),
                names(folder));
    }

    @Test
    void theFileJustWrittenIsKeptThoughOthersHaveHigherNumbers() throws IOException {
        for (long step : new long[] {7, 8, 9}) {
            CheckpointFile.saveNumbered(folder, 3, Map.of(), new Progress(0, step));
        }
        CheckpointFile.saveNumbered(folder, 2, Map.of(), new Progress(0, 5));
        assertEquals(List.of("checkpoint-000005.safetensors", "checkpoint-000009.safetensors"), names(folder));
    }
}
