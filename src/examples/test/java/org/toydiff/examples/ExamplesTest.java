package org.toydiff.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.Tensor;
import picocli.CommandLine;

/// Runs the programs as a user does, each in a separate JVM.
class ExamplesTest {
    private static final String CLASS_PATH =
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    private static final String INCUBATOR = "WARNING: Using incubator modules: jdk.incubator.vector";
    private static final int PIXELS = 28 * 28;

    @TempDir
    private Path folder;

    private record Outcome(int exit, String out, String err) {}

    private static ProcessBuilder command(String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--add-modules=jdk.incubator.vector");
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command);
    }

    private static ProcessBuilder command(Class<?> program, String... options) {
        Stream<String> jvm = Stream.of("--enable-native-access=ALL-UNNAMED", "-cp", CLASS_PATH, program.getName());
        return command(Stream.concat(jvm, Stream.of(options)).toArray(String[]::new));
    }

    private Outcome run(ProcessBuilder command) throws Exception {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        int exit = command.redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start()
                .waitFor();
        return new Outcome(exit, Files.readString(out), Files.readString(err));
    }

    private Outcome run(Class<?> program, String... options) throws Exception {
        return run(command(program, options));
    }

    private static String origin(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI())
                .toString();
    }

    private static String openBlas() {
        return Stream.of(CLASS_PATH.split(File.pathSeparator))
                .filter(entry -> new File(entry).getName().startsWith("openblas-"))
                .findFirst()
                .orElseThrow();
    }

    private static double number(String pattern, String text) {
        var matcher = Pattern.compile(pattern).matcher(text);
        assertTrue(matcher.find(), text);
        return Double.parseDouble(matcher.group(1));
    }

    @Test
    void aLineIsFittedByNamedModulesWithoutWarnings() throws Exception {
        String modules = String.join(
                File.pathSeparator,
                origin(Tensor.class),
                origin(Regression.class),
                origin(CommandLine.class),
                origin(Gson.class));
        Outcome outcome = run(command(
                "--enable-native-access=org.toydiff",
                "--module-path=" + modules,
                "--class-path",
                openBlas(),
                "--module",
                "org.toydiff.examples/" + Regression.class.getName()));
        assertEquals(INCUBATOR, outcome.err().strip());
        double fitted = number("slope: fitted ([0-9.]+)", outcome.out());
        assertEquals(number("closed form ([0-9.]+)", outcome.out()), fitted, 1e-3);
    }

    @Test
    void digitsAreClassifiedAndNothingIsLeftAllocated() throws Exception {
        Outcome outcome = run(Digits.class);
        assertEquals(INCUBATOR, outcome.err().strip());
        assertTrue(number("(?m)^test accuracy: ([0-9.]+)$", outcome.out()) > 0.94, outcome.out());
        assertTrue(outcome.out().endsWith("live after closing: 0 B\n"), outcome.out());
    }

    @Test
    void aSavedModelIsServedUnderLoadUntilTheProcessIsToldToEnd() throws Exception {
        String model = folder.resolve("digits.safetensors").toString();
        assertTrue(run(Digits.class, model).out().contains("model: " + model + "\n"));
        Path out = folder.resolve("served");
        ProcessBuilder serve = command(Serve.class, "--model=" + model, "--port=0", "--threads=4");
        serve.command().add(1, "-Xmx64m");
        Process server =
                serve.redirectOutput(out.toFile()).redirectErrorStream(true).start();
        try {
            String url = "http://localhost:" + (int) number("localhost:(\\d+)/classify", awaited(server, out));
            Outcome load = run(Load.class, "--url=" + url, "--rate=100", "--seconds=2", "--warm-up=1");
            assertEquals(0, load.exit(), load.err() + load.out());
            assertTrue(load.out().contains("\n200 requests, 100 a second for 2 s; failed: 0\n"), load.out());
            double p50 = number("p50 ([\\d.]+) ms", load.out());
            double p99 = number("p99 ([\\d.]+) ms", load.out());
            assertTrue(0 < p50 && p50 <= p99 && p99 <= number("p99.9 ([\\d.]+) ms", load.out()), load.out());
            assertTrue(number("GC pauses of the server: (\\d+)", load.out()) >= 0, load.out());
            Outcome taken = run(Serve.class, "--model=" + model, "--port=" + url.replaceFirst(".*:", ""));
            assertEquals(1, taken.exit());
            assertTrue(taken.err().contains("serve: "), taken.err());
        } finally {
            server.destroy();
            assertEquals(128 + 15, server.waitFor());
        }
        String text = Files.readString(out);
        assertTrue(text.endsWith("live after closing: 0 B\n"), text);
    }

    /// Waits until a server prints where it serves, and returns its output.
    private static String awaited(Process server, Path out) throws Exception {
        while (!Files.readString(out).contains("/classify\n")) {
            assertTrue(server.isAlive(), () -> "the server ended");
            Thread.sleep(20);
        }
        return Files.readString(out);
    }

    @Test
    void aModelThatIsMissingOrNoneIsRefusedWithARemedy() throws Exception {
        Outcome missing = run(Serve.class, "--model=" + folder.resolve("nowhere"));
        assertEquals(2, missing.exit());
        assertTrue(missing.err().contains("`mvn -q compile exec:exec@train` trains one, --model=FILE names another"));
        Path text = Files.writeString(folder.resolve("text"), "no model");
        Outcome malformed = run(Serve.class, "--model=" + text);
        assertEquals(1, malformed.exit());
        assertTrue(malformed.err().contains("serve: " + text + ": offset 0"), malformed.err());
    }

    @BeforeEach
    void writeImages() throws IOException {
        Random random = new Random(1);
        for (String part : List.of("train", "t10k")) {
            byte[] labels = new byte[200];
            byte[] images = new byte[labels.length * PIXELS];
            random.nextBytes(images);
            for (int i = 0; i < labels.length; i++) {
                labels[i] = (byte) (i % 10);
            }
            write(part + "-images-idx3-ubyte", images, labels.length, 28, 28);
            write(part + "-labels-idx1-ubyte", labels, labels.length);
        }
    }

    /// Writes an IDX file of unsigned bytes.
    private void write(String name, byte[] elements, int... shape) throws IOException {
        ByteBuffer file = ByteBuffer.allocate(4 + 4 * shape.length + elements.length);
        file.putInt(0x08 << 8 | shape.length);
        for (int n : shape) {
            file.putInt(n);
        }
        Files.write(folder.resolve(name), file.put(elements).array());
    }

    private Outcome fashion(String... options) throws Exception {
        Stream<String> places = Stream.of(
                "--data=" + folder,
                "--checkpoints=" + folder.resolve("checkpoints"),
                "--report=" + folder.resolve("report.html"));
        return run(FashionMnist.class, Stream.concat(places, Stream.of(options)).toArray(String[]::new));
    }

    @Test
    void aTrainingOnImagesTakesItsOptionsIsResumedAndWritesAReport() throws Exception {
        String[] options = {"--batch=50", "--micro-batch=20", "--optimizer=lamb", "--lr=0.05", "--warm-up=2"};
        Outcome first = fashion(
                Stream.concat(Stream.of(options), Stream.of("--epochs=1")).toArray(String[]::new));
        assertEquals(0, first.exit(), first.err());
        assertTrue(first.out().endsWith("live after closing: 0 B\n"), first.out());
        assertTrue(Files.readString(folder.resolve("report.html")).contains("LAMB"), "the report names the optimizer");

        Outcome again = fashion("--epochs=2");
        assertEquals(1, again.exit(), again.out());
        assertTrue(again.err().contains("--resume continues an earlier run"), again.err());

        Outcome resumed = fashion(Stream.concat(Stream.of(options), Stream.of("--epochs=2", "--resume"))
                .toArray(String[]::new));
        assertEquals(0, resumed.exit(), resumed.err());
        assertTrue(resumed.out().contains("epoch 2/2"), resumed.out());
    }

    @Test
    void optionsAndFoldersThatAreWrongAreRefusedWithARemedy() throws Exception {
        Outcome negative = fashion("--batch=-1");
        assertEquals(2, negative.exit());
        assertTrue(negative.err().contains("--batch and --epochs must be positive"), negative.err());

        Outcome empty = run(FashionMnist.class, "--data=" + folder.resolve("nowhere"));
        assertEquals(2, empty.exit());
        assertTrue(empty.err().contains("--data=DIR"), empty.err());
    }
}
