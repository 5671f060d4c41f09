package org.toydiff.train.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.child.Child;
import org.toydiff.child.LongHistory;
import org.toydiff.io.MalformedFileException;

/// Histories are read as they were written.
class HistoryTest {
    @TempDir
    private Path folder;

    private static History sample() {
        var history = new History(List.of("epoch", "loss", "validation_loss"), List.of("step", "loss"));
        history.addEpoch(1, 0.1, Double.NaN);
        history.addEpoch(2, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY);
        history.addEpoch(3, -0.0, 0x1p60);
        var random = new Random(1);
        for (int step = 1; step <= 1000; step++) {
            history.addStep(step, Double.longBitsToDouble(random.nextLong()));
        }
        history.addStep(1L << 53, Double.MIN_VALUE);
        return history;
    }

    private static void assertSame(History expected, History actual) {
        assertEquals(expected.epochColumns(), actual.epochColumns());
        assertEquals(expected.stepColumns(), actual.stepColumns());
        for (String column : expected.epochColumns()) {
            assertArrayEquals(expected.epochValues(column), actual.epochValues(column));
        }
        for (String column : expected.stepColumns()) {
            assertArrayEquals(expected.stepValues(column), actual.stepValues(column));
        }
    }

    @Test
    void singleValuesAreThoseOfTheColumns() {
        History history = sample();
        for (int row = 0; row < history.steps(); row++) {
            assertEquals(history.stepValues("loss")[row], history.stepValue("loss", row));
        }
        assertEquals(Double.NEGATIVE_INFINITY, history.epochValue("validation_loss", 1));
        assertThrows(IndexOutOfBoundsException.class, () -> history.epochValue("loss", 3));
        assertThrows(IndexOutOfBoundsException.class, () -> history.stepValue("loss", -1));
        assertThrows(IllegalArgumentException.class, () -> history.stepValue("validation_loss", 0));
    }

    @Test
    void theBestEpochAndThePatienceWithTheRestAreOfOneColumn() {
        var history = new History(List.of("loss", "accuracy"), List.of("step"));
        assertEquals(OptionalInt.empty(), history.bestEpoch("loss", false));
        history.addEpoch(Double.NaN, 0.5);
        assertEquals(OptionalInt.empty(), history.bestEpoch("loss", false));
        assertEquals(1, history.epochsWithoutImprovement("loss", false, 0));
        history.addEpoch(3, 0.75);
        history.addEpoch(2.5, 0.75);
        history.addEpoch(2.25, 0.25);
        assertEquals(OptionalInt.of(4), history.bestEpoch("loss", false));
        assertEquals(OptionalInt.of(2), history.bestEpoch("accuracy", true));
        assertEquals(0, history.epochsWithoutImprovement("loss", false, 0));
        assertEquals(2, history.epochsWithoutImprovement("accuracy", true, 0));
        // 2.5 is better than 3 by 0.5, not by more; 2.25 is better than 3 by 0.75.
        assertEquals(0, history.epochsWithoutImprovement("loss", false, 0.5));
        assertEquals(2, history.epochsWithoutImprovement("loss", false, 0.75));
    }

    @Test
    void csvReadsBackToTheBit() throws IOException {
        History history = sample();
        history.writeCsv(folder.resolve("new/folder"));
        assertSame(history, History.readCsv(folder.resolve("new/folder")));
        List<String> lines = Files.readAllLines(folder.resolve("new/folder/epochs.csv"));
        assertEquals(List.of("epoch,loss,validation_loss", "1,0.1,NaN", "2,Infinity,-Infinity"), lines.subList(0, 3));
        try (var files = Files.list(folder.resolve("new/folder"))) {
            assertEquals(2, files.count());
        }
    }

    @Test
    void jsonReadsBackToTheBit() throws IOException {
        History history = sample();
        Path file = folder.resolve("new/history.json");
        history.writeJson(file);
        assertSame(history, History.readJson(file));
        var root = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
        assertEquals(
                "[0.1,\"Infinity\",-0.0]",
                root.getAsJsonObject("epochs").getAsJsonArray("loss").toString());
    }

    @Test
    void anEmptyHistoryIsOneToo() throws IOException {
        var history = new History(List.of("epoch"), List.of("step"));
        history.writeCsv(folder);
        assertSame(history, History.readCsv(folder));
        history.writeJson(folder.resolve("h.json"));
        assertSame(history, History.readJson(folder.resolve("h.json")));
        try (var arena = TensorArena.ofConfined()) {
            History other = sample();
            var again = new History(other.epochColumns(), other.stepColumns());
            other.loadStateDict(again.stateDict());
            assertEquals(0, other.epochs() + other.steps());
        }
    }

    @Test
    void stateReplacesEveryRow() {
        try (var arena = TensorArena.ofConfined()) {
            History history = sample();
            var other = new History(history.epochColumns(), history.stepColumns());
            other.addEpoch(9, 9, 9);
            other.loadStateDict(history.stateDict());
            assertSame(history, other);
            other.addEpoch(4, 0, 0);
            assertEquals(4, other.epochs());
        }
    }

    private static History steps(int rows) {
        var history = new History(List.of("epoch"), List.of("a", "b", "c"));
        for (int row = 0; row < rows; row++) {
            history.addStep(LongHistory.value(row, 0), LongHistory.value(row, 1), LongHistory.value(row, 2));
        }
        return history;
    }

    private static void assertSteps(int rows, History history) {
        assertEquals(rows, history.steps());
        for (int column = 0; column < 3; column++) {
            double[] values = history.stepValues(history.stepColumns().get(column));
            assertEquals(rows, values.length);
            for (int row = 0; row < rows; row++) {
                assertEquals(LongHistory.value(row, column), values[row]);
            }
        }
    }

    @Test
    void manyRowsAreKeptAsFewAre() throws IOException {
        for (int rows : new int[] {0, 1, 15, 16, 17, 4095, 4096, 4097, 8191, 8192, 20_000}) {
            History history = steps(rows);
            assertSteps(rows, history);
            try (var arena = TensorArena.ofConfined()) {
                History other = steps(rows == 0 ? 9000 : 3);
                other.loadStateDict(history.stateDict());
                assertSteps(rows, other);
                other.addStep(LongHistory.value(rows, 0), LongHistory.value(rows, 1), LongHistory.value(rows, 2));
                assertSteps(rows + 1, other);
            }
            history.writeCsv(folder);
            assertSteps(rows, History.readCsv(folder));
            history.writeJson(folder.resolve("h.json"));
            assertSteps(rows, History.readJson(folder.resolve("h.json")));
        }
    }

    @Test
    void anInterruptedThreadAddsRows() {
        Thread.currentThread().interrupt();
        History history = steps(10_000);
        assertTrue(Thread.interrupted());
        assertSteps(10_000, history);
    }

    private void keepsALongHistory(String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", Child.classPath()));
        arguments.addAll(List.of(LongHistory.class.getName(), folder.toString()));
        Child child = Child.run(arguments);
        assertEquals(0, child.exit(), child.err());
        assertEquals(LongHistory.value(LongHistory.ROWS - 1, 13) + "\n", child.out());
        try (var lines = Files.lines(folder.resolve("steps.csv"))) {
            assertEquals(LongHistory.ROWS + 1, lines.count());
        }
    }

    @Test
    void theHeapDoesNotFillWithSteps() throws Exception {
        keepsALongHistory("-Xmx20m");
    }

    @Test
    void whereNoTemporaryFileCanBeWrittenTheHeapKeepsThem() throws Exception {
        keepsALongHistory("-Xmx200m", "-Djava.io.tmpdir=" + folder.resolve("none"));
    }

    private void unreadable(String message, String csv) throws IOException {
        Path file = folder.resolve("epochs.csv");
        Files.writeString(file, csv);
        assertEquals(
                file + ": " + message,
                assertThrows(MalformedFileException.class, () -> History.readCsv(folder))
                        .getMessage());
    }

    @Test
    void brokenFilesAreNamedWithThePlace() throws IOException {
        unreadable("line 1: the file is empty; a history has a line of names", "");
        unreadable("after line 2: Record 3 has 1 fields, but first record had 2 fields", "epoch,loss\n1,2\n3\n");
        unreadable("line 2: \"x\" is not a number", "epoch,loss\n1,x\n");
        unreadable(
                "line 1: history: the columns [a, a] are empty or repeat a name; use one name for each", "a,a\n1,2\n");
        Path json = folder.resolve("h.json");
        Files.write(json, "{\"epochs\":{\"ä\":[1]}}".getBytes(StandardCharsets.ISO_8859_1));
        assertEquals(
                json + ": $: the text is not UTF-8",
                assertThrows(MalformedFileException.class, () -> History.readJson(json))
                        .getMessage());
        for (String text : List.of(
                "",
                "[]",
                "{\"steps\":{}}",
                "{\"epochs\":{\"a\":[1]},\"steps\":{\"b\":[1],\"c\":[]}}",
                "{\"epochs\":",
                "{\"epochs\":{\"a\":[\"x\"]},\"steps\":{\"b\":[]}}")) {
            Files.writeString(json, text);
            String message = assertThrows(MalformedFileException.class, () -> History.readJson(json), text)
                    .getMessage();
            assertTrue(message.startsWith(json + ": $"), message);
            assertTrue(message.contains(": the file is not a history: "), message);
        }
        byte[] notText = {'{', '"', (byte) 0xff, (byte) 0xfe, '"'};
        String message = assertThrows(IOException.class, () -> History.readJson(Files.write(json, notText)))
                .getMessage();
        assertTrue(message.startsWith(json + ": "), message);
        Path csv = Files.write(folder.resolve("epochs.csv"), notText);
        message = assertThrows(IOException.class, () -> History.readCsv(folder)).getMessage();
        assertTrue(message.startsWith(csv + ": "), message);
    }

    @Test
    void badRowsAndStatesAreRejectedAndChangeNothing() {
        History history = sample();
        assertEquals(
                "history: a row of 2 values does not fit the 3 columns [epoch, loss, validation_loss]",
                assertThrows(IllegalArgumentException.class, () -> history.addEpoch(1, 2))
                        .getMessage());
        assertEquals(
                "history: no column accuracy; the columns are [step, loss]",
                assertThrows(IllegalArgumentException.class, () -> history.stepValues("accuracy"))
                        .getMessage());
        try (var arena = TensorArena.ofConfined()) {
            Map<String, Tensor> other =
                    new History(List.of("epoch", "loss", "accuracy"), List.of("step", "loss")).stateDict();
            assertEquals(
                    "history: loadStateDict: the saved columns [epoch, loss, accuracy] are not [epoch, loss,"
                            + " validation_loss]; resume with the same metrics and validation",
                    assertThrows(IllegalArgumentException.class, () -> history.loadStateDict(other))
                            .getMessage());
            Map<String, Tensor> state = history.stateDict();
            state.put("steps", Tensor.zeros(DType.FLOAT64, 2, 3));
            assertEquals(
                    "history: loadStateDict: steps is [2, 3] float64 and not [2, 2] float64",
                    assertThrows(IllegalArgumentException.class, () -> history.loadStateDict(state))
                            .getMessage());
            state.remove("step_columns");
            state.put("steps", Tensor.scalar(DType.FLOAT64, 1));
            state.put("columns", Tensor.zeros(1));
            assertEquals(
                    "history: loadStateDict: step_columns is missing; steps is [] float64 and not [1001, 2] float64;"
                            + " columns is unknown",
                    assertThrows(IllegalArgumentException.class, () -> history.loadStateDict(state))
                            .getMessage());
        }
        assertSame(sample(), history);
    }

    @Test
    void anEmptyStateEmptiesAHistory() {
        History history = sample();
        try (var arena = TensorArena.ofConfined()) {
            var empty = new History(history.epochColumns(), history.stepColumns());
            history.loadStateDict(empty.stateDict());
            assertSame(empty, history);
        }
    }
}
