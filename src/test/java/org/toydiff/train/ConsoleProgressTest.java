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
import org.toydiff.train.metrics.Accuracy;

/// The output on a terminal, on one without colours, and in a log.
class ConsoleProgressTest {
    private static final String EPOCH =
            "epoch \\d/3  loss \\d\\.\\d{4}  accuracy [01]\\.\\d{4} \\| validation  loss \\d\\.\\d{4}  accuracy [01]\\.\\d{4}"
                    + " \\| [\\d,]+ examples/s  [\\d.]+ m?s";

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
        String text = printed(StandardCharsets.UTF_8, ConsoleProgress::lines);
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
        String text = printed(StandardCharsets.UTF_8, out -> new ConsoleProgress(out, 0, true, 0));
        assertPlain(text);
        List<String> lines = text.lines().toList();
        assertEquals(3 * 4, lines.size(), text);
        assertTrue(lines.get(1).matches("epoch 1/3  2/4  loss \\d\\.\\d{4}  accuracy [01]\\.\\d{4}"), lines.get(1));
        assertTrue(lines.get(3).matches(EPOCH), lines.get(3));
    }

    @Test
    void aTerminalGetsAColouredBarThatIsRedrawn() throws IOException {
        String text = printed(StandardCharsets.UTF_8, out -> new ConsoleProgress(out, 100, true, 0));
        assertTrue(text.contains("\r"), text);
        assertTrue(text.contains("\u001b[36m"), text);
        assertTrue(text.contains("━"), text);
        assertTrue(text.contains("4/4"), text);
        // A carriage return ends a line here too, so that only the text after the last one stays.
        assertEquals(3, text.lines().filter(line -> line.matches(EPOCH)).count(), text);
    }

    @Test
    void withoutColoursNothingButTheReturnIsACommand() throws IOException {
        String text = printed(StandardCharsets.UTF_8, out -> new ConsoleProgress(out, 100, false, 0));
        assertTrue(text.contains("\r") && text.contains("━"), text);
        assertFalse(text.contains("\u001b"), text);
    }

    @Test
    void aCharsetWithoutTheBarsCharactersGetsAnother() throws IOException {
        String text = printed(StandardCharsets.US_ASCII, out -> new ConsoleProgress(out, 100, false, 0));
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
            String text = printed(StandardCharsets.UTF_8, ConsoleProgress::lines);
            assertTrue(text.lines().allMatch(line -> line.matches(EPOCH)), text);
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void whyItStoppedIsTheLastLine() throws IOException {
        String text = printed(StandardCharsets.UTF_8, ConsoleProgress::lines, new Callback() {
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
                        ConsoleProgress::lines)
                .endsWith("stopped: enough\n"));
        String text = printed(
                trainer -> trainer.checkpoints(folder).resume(), StandardCharsets.UTF_8, ConsoleProgress::lines);
        assertTrue(text.startsWith("resumed after step 6, epochs done: 1/3\nepoch 2/3"), text);
        text = printed(trainer -> trainer.checkpoints(folder).resume(), StandardCharsets.UTF_8, ConsoleProgress::lines);
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
