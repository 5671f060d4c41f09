package org.toydiff.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.data.TensorDataset;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.optim.SGD;
import org.toydiff.train.ConsoleProgress.Style;
import org.toydiff.train.metrics.Accuracy;
import org.toydiff.train.metrics.Mean;
import org.toydiff.train.metrics.Metric;
import org.toydiff.train.metrics.TopKAccuracy;

/// The output on a terminal, on one without colours, and in a log.
class ConsoleProgressTest {
    private static final String EPOCH =
            "epoch \\d/3  loss \\d\\.\\d{4}  accuracy [01]\\.\\d{4} \\| validation loss \\d\\.\\d{4}  accuracy [01]\\.\\d{4}"
                    + " \\| [\\d.]+ m?s  [\\d,]+ examples/s";

    private static ConsoleProgress wide(PrintStream out) {
        return new ConsoleProgress(out, 120, Style.LINES, Long.MAX_VALUE);
    }

    private static String printed(Charset charset, Function<PrintStream, ConsoleProgress> progress, Callback... others)
            throws IOException {
        return printed(trainer -> trainer.callbacks(others), charset, progress);
    }

    private static String printed(
            UnaryOperator<Trainer> with, Charset charset, Function<PrintStream, ConsoleProgress> progress)
            throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var arena = TensorArena.ofShared();
                var out = new PrintStream(bytes, true, charset)) {
            Tensor x = Tensor.randn(40, 4);
            var loader = DataLoader.of(new TensorDataset(x, x.argmax(1)), 10);
            var net = new Linear(4, 4);
            with.apply(Trainer.of(net, new SGD(net.parameters(), 0.1), Functional::crossEntropyLoss))
                    .metrics(new Accuracy())
                    .epochs(3)
                    .callbacks(progress.apply(out))
                    .fit(loader, loader);
        }
        return bytes.toString(charset);
    }

    private static void assertPlain(String text) {
        assertTrue(text.chars().allMatch(c -> c == '\n' || c >= ' ' && c < 0x7f), text);
    }

    @Test
    void aLogGetsALineForEachEpoch() throws IOException {
        String text = printed(StandardCharsets.UTF_8, ConsoleProgressTest::wide);
        assertPlain(text);
        List<String> lines = text.lines().toList();
        assertEquals(3, lines.size(), text);
        for (int i = 0; i < 3; i++) {
            assertTrue(lines.get(i).matches(EPOCH), lines.get(i));
            assertTrue(lines.get(i).startsWith("epoch " + (i + 1)), lines.get(i));
        }
    }

    @Test
    void aLongEpochGetsFurtherLines() throws IOException {
        String text = printed(StandardCharsets.UTF_8, out -> new ConsoleProgress(out, 120, Style.LINES, 0));
        assertPlain(text);
        List<String> lines = text.lines().toList();
        assertEquals(3 * 4, lines.size(), text);
        assertTrue(lines.get(1).matches("epoch 1/3  2/4  loss \\d\\.\\d{4}  accuracy [01]\\.\\d{4}"), lines.get(1));
        assertTrue(lines.get(3).matches(EPOCH), lines.get(3));
    }

    /// A metric with a long name, beside others.
    private static Metric distance() {
        return new Mean("mean_absolute_distance", (y, t) -> y.sum().abs());
    }

    @Test
    void noLineIsLongerThanTheConsoleIsWide() throws IOException {
        for (int width : new int[] {30, 40, 60, 80, 100, 120, 200}) {
            for (Style style : Style.values()) {
                String text = printed(
                        trainer ->
                                trainer.metrics(distance(), new TopKAccuracy(2)).epochs(12),
                        StandardCharsets.UTF_8,
                        out -> new ConsoleProgress(out, width, style, 0));
                List<String> lines =
                        text.replaceAll("\u001b\\[\\d*m", "").lines().toList();
                lines.forEach(line -> assertTrue(line.length() <= width, width + ": " + line));
                if (width >= 40) {
                    requireEpochs(width, lines);
                }
            }
        }
    }

    private static void requireEpochs(int width, List<String> lines) {
        List<String> epochs =
                lines.stream().filter(line -> line.contains(" | val")).toList();
        assertEquals(3, epochs.size(), () -> lines.toString());
        for (String line : epochs) {
            assertTrue(line.matches("epoch \\d/3  loss \\d\\.\\d{4}.* \\| val(idation)? loss \\d\\.\\d{4}.*"), line);
            assertTrue(width < 120 || line.matches(".*\\| val.*accuracy .*"), line);
            assertTrue(width < 200 || line.matches(".* \\| validation loss .* \\| \\S+ m?s  \\S+ examples/s"), line);
        }
    }

    @Test
    void whatMattersMostStaysInANarrowLine() throws IOException {
        Map<Integer, String> shown = new TreeMap<>();
        shown.put(40, "");
        shown.put(65, "  top 2 N");
        shown.put(77, "  top 2 N  accuracy N");
        for (Map.Entry<Integer, String> expected : shown.entrySet()) {
            String text = printed(
                    trainer -> trainer.metrics(new TopKAccuracy(2)),
                    StandardCharsets.UTF_8,
                    out -> new ConsoleProgress(out, expected.getKey(), Style.LINES, Long.MAX_VALUE));
            String names = text.lines().findFirst().orElseThrow().replaceAll("\\d\\.\\d{4}", "N");
            assertTrue(names.startsWith("epoch 1/3  loss N"), text);
            assertTrue(names.matches(".* \\| val loss N" + expected.getValue() + "( \\| \\d+ m?s)?"), text);
        }
    }

    @Test
    void theWidthIsThatOfColumnsElseEighty() throws IOException {
        UnaryOperator<Trainer> with = trainer -> trainer.metrics(distance(), new TopKAccuracy(2));
        for (Map.Entry<String, Integer> columns : Map.of(
                        "60", 60, "120", 120, "", 80, "0", 80, "-5", 80, "wide", 80, "99999999999", 80)
                .entrySet()) {
            String text = printed(
                    with,
                    StandardCharsets.UTF_8,
                    out -> ConsoleProgress.of(out, false, Map.of("COLUMNS", columns.getKey())));
            int longest = text.lines().mapToInt(String::length).max().orElseThrow();
            assertTrue(longest <= columns.getValue() && longest > columns.getValue() - 20, columns + "\n" + text);
        }
    }

    @Test
    void anEvaluationShowsItsBatches() {
        for (Style style : Style.values()) {
            var bytes = new ByteArrayOutputStream();
            try (var arena = TensorArena.ofShared();
                    var out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
                var net = new Linear(4, 4);
                Trainer trainer = Trainer.of(net, new SGD(net.parameters(), 0.1), Functional::crossEntropyLoss)
                        .callbacks(new ConsoleProgress(out, 60, style, 0));
                trainer.predict(Tensor.randn(30, 4), 10);
            }
            String text = bytes.toString(StandardCharsets.UTF_8);
            if (style == Style.LINES) {
                assertEquals("predict  1/3\npredict  2/3\n", text);
            } else {
                assertTrue(text.contains("predict") && text.contains("3/3"), text);
                assertTrue(text.endsWith("\r" + " ".repeat(60) + "\r"), text);
            }
        }
    }

    @Test
    void aTerminalGetsAColouredBarThatIsRedrawn() throws IOException {
        String text = printed(StandardCharsets.UTF_8, out -> new ConsoleProgress(out, 120, Style.COLORED_BAR, 0));
        assertTrue(text.contains("\r"), text);
        assertTrue(text.contains("\u001b[36m"), text);
        assertTrue(text.contains("━"), text);
        assertTrue(text.contains("4/4"), text);
        // A carriage return ends a line here too, so that only the text after the last one stays.
        assertEquals(3, text.lines().filter(line -> line.matches(EPOCH)).count(), text);
    }

    @Test
    void theMessageOfABarLeavesRoomForTheBar() throws IOException {
        for (int width : new int[] {80, 120}) {
            String text = printed(
                    trainer -> trainer.metrics(distance(), new TopKAccuracy(2)),
                    StandardCharsets.UTF_8,
                    out -> new ConsoleProgress(out, width, Style.BAR, 0));
            assertTrue(text.contains("━━━━━━━━"), text);
        }
    }

    @Test
    void withoutColoursNothingButTheReturnIsACommand() throws IOException {
        String text = printed(StandardCharsets.UTF_8, out -> new ConsoleProgress(out, 120, Style.BAR, 0));
        assertTrue(text.contains("\r") && text.contains("━"), text);
        assertFalse(text.contains("\u001b"), text);
    }

    @Test
    void aCharsetWithoutTheBarsCharactersGetsAnother() throws IOException {
        String text = printed(StandardCharsets.US_ASCII, out -> new ConsoleProgress(out, 120, Style.BAR, 0));
        assertTrue(text.contains("=") && text.contains("\r"), text);
        assertPlain(text.replace('\r', ' '));
        assertFalse(text.contains("??"), text);
    }

    @Test
    void outputsThatAreNotTerminalsGetLines() throws IOException {
        for (Map<String, String> environment :
                List.of(Map.of("TERM", "dumb"), Map.of("TERM", "dumb", "NO_COLOR", "1"))) {
            assertPlain(printed(StandardCharsets.UTF_8, out -> ConsoleProgress.of(out, true, environment)));
        }
        assertPlain(printed(StandardCharsets.UTF_8, out -> ConsoleProgress.of(out, false, Map.of("TERM", "xterm"))));
    }

    @Test
    void theLocaleChangesNothing() throws IOException {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("ar-EG"));
        try {
            String text = printed(StandardCharsets.UTF_8, ConsoleProgressTest::wide);
            assertTrue(text.lines().allMatch(line -> line.matches(EPOCH)), text);
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void whyItStoppedIsTheLastLine() throws IOException {
        String text = printed(StandardCharsets.UTF_8, ConsoleProgressTest::wide, new Callback() {
            @Override
            public void onEpochEnd(Training training) {
                training.stop("enough");
            }
        });
        assertEquals(2, text.lines().count(), text);
        assertTrue(text.endsWith("stopped: enough\n"), text);
    }

    @Test
    void aResumedTrainingPrintsItsStep(@TempDir Path folder) throws IOException {
        Callback stop = new Callback() {
            @Override
            public void onStepEnd(Training training) {
                if (training.step() == 6) {
                    training.stop("enough");
                }
            }
        };
        assertTrue(printed(
                        trainer -> trainer.checkpoints(folder).callbacks(stop),
                        StandardCharsets.UTF_8,
                        ConsoleProgressTest::wide)
                .endsWith("stopped: enough\n"));
        String text = printed(
                trainer -> trainer.checkpoints(folder).resume(), StandardCharsets.UTF_8, ConsoleProgressTest::wide);
        assertTrue(text.startsWith("resumed after step 6, epochs done: 1/3\nepoch 2/3"), text);
        text = printed(
                trainer -> trainer.checkpoints(folder).resume(), StandardCharsets.UTF_8, ConsoleProgressTest::wide);
        assertEquals("resumed after step 12, epochs done: 3/3\n", text);
    }

    @Test
    void aBarThatIsClosedAtOnceIsClearedToo() {
        for (int i = 0; i < 100; i++) {
            var bytes = new ByteArrayOutputStream();
            var out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
            var bar = new TerminalBar(out, 80, true, "epoch", 4, 0);
            bar.step();
            bar.close();
            String text = bytes.toString(StandardCharsets.UTF_8);
            assertTrue(text.endsWith("\r" + " ".repeat(80) + "\r"), text);
        }
    }
}
