package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.child.Child;
import org.toydiff.io.CheckpointFile;

/// A training in a process of its own: told to end, and without the libraries that it can do without.
class TrainingProcessTest {
    private static final String PROGRAM = """
            import java.nio.file.Path;
            import org.toydiff.*;
            import org.toydiff.data.*;
            import org.toydiff.nn.*;
            import org.toydiff.optim.*;
            import org.toydiff.train.*;
            import org.toydiff.train.metrics.*;
            import org.toydiff.train.report.*;

            public class Program {
                public static void main(String[] arguments) throws Exception {
                    Path folder = Path.of(arguments[0]);
                    try (var arena = TensorArena.ofShared()) {
                        Tensor x = Tensor.rand(64, 4);
                        var loader = DataLoader.of(new TensorDataset(x, x.argmax(1)), 16);
                        var net = new Linear(4, 4);
                        var trainer = Trainer.of(net, new SGD(net.parameters(), 0.1), Functional::crossEntropyLoss)
                                .callbacks(ConsoleProgress.standard());
                        %s
                    }
                }
            }
            """;

    @TempDir
    private Path folder;

    /// Compiles a program here, where the compiler is warm after the first one, and not in the JVM that runs it.
    private void compile(String body) throws Exception {
        Path source = Files.writeString(folder.resolve("Program.java"), PROGRAM.formatted(body));
        int errors = ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, "-proc:none", "-cp", Child.classPath(), source.toString());
        assertEquals(0, errors);
    }

    private List<String> arguments(List<String> options, String classPath) {
        List<String> arguments = new ArrayList<>(options);
        arguments.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
        arguments.addAll(List.of(folder + File.pathSeparator + classPath, "Program", folder.toString()));
        return arguments;
    }

    /// Starts the program, which prints to a file.
    private Process start(Path out) throws Exception {
        return Child.start(out, folder.resolve("err"), arguments(Child.SHORT_LIVED, Child.classPath()));
    }

    @Test
    void toldToEndItSavesWhereItIs() throws Exception {
        compile("""
                trainer.epochs(1_000_000).checkpoints(folder.resolve("saved")).report(folder.resolve("report.html"));
                trainer.callbacks(new Callback() {
                    public void onStepEnd(Training training) {
                        if (training.step() == 10) {
                            System.out.println("under way");
                        }
                    }
                });
                trainer.fit(loader);
                """);
        Path out = folder.resolve("out");
        Process process = start(out);
        try {
            Child.awaitOutput(process, out, "under way");
            process.destroy();
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it ends");
        } finally {
            process.destroyForcibly();
        }
        String printed = Child.read(out);
        assertTrue(
                printed.endsWith("stopped: the JVM is shutting down\n"), printed + Child.read(folder.resolve("err")));
        assertTrue(printed.chars().allMatch(c -> c == '\n' || c >= ' '), "a file is no terminal");
        assertTrue(CheckpointFile.latest(folder.resolve("saved")).isPresent());
        assertTrue(Files.readString(folder.resolve("report.html")).contains("the JVM is shutting down"));
    }

    /// Trains on a data set of which the fourth batch never comes, and tells the process to end.
    private void endWhileTheDataSetBlocks(String blocking, int prefetch) throws Exception {
        compile("""
                var data = new TensorDataset(x, x.argmax(1));
                loader = DataLoader.of(new Dataset() {
                    private int batches;
                    public long size() {
                        return data.size();
                    }
                    public Batch batch(long... indices) {
                        if (++batches == 4) {
                            System.out.println("under way");
                            %s
                        }
                        return data.batch(indices);
                    }
                }, 16).prefetch(%d);
                trainer.checkpoints(folder.resolve("saved")).fit(loader);
                """.formatted(blocking, prefetch));
        Path out = folder.resolve("out");
        Process process = start(out);
        try {
            Child.awaitOutput(process, out, "under way");
            assertTrue(process.isAlive(), () -> "it blocks");
            process.destroy();
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it ends");
        } finally {
            process.destroyForcibly();
        }
        assertEquals(128 + 15, process.exitValue(), Child.read(folder.resolve("err")));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void aDataSetThatCanBeInterruptedLetsItSaveWhereItIs(int prefetch) throws Exception {
        endWhileTheDataSetBlocks("""
                try {
                    new java.util.concurrent.CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    throw new IllegalArgumentException("interrupted", e);
                }
                """, prefetch);
        assertEquals(
                "checkpoint-000003.safetensors",
                CheckpointFile.latest(folder.resolve("saved"))
                        .orElseThrow()
                        .getFileName()
                        .toString());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void aDataSetThatCannotBeInterruptedDoesNotKeepTheProcess(int prefetch) throws Exception {
        endWhileTheDataSetBlocks("""
                while (indices != null) {
                    java.util.concurrent.locks.LockSupport.park();
                    Thread.interrupted();
                }
                """, prefetch);
    }

    @Test
    void endingTheJvmFromACallbackEndsIt() throws Exception {
        compile("""
                trainer.epochs(1_000_000).checkpoints(folder.resolve("saved"));
                trainer.callbacks(new Callback() {
                    public void onStepEnd(Training training) {
                        System.exit(7);
                    }
                });
                trainer.fit(loader);
                """);
        Child child = Child.run(arguments(Child.SHORT_LIVED, Child.classPath()));
        assertEquals(7, child.exit(), child.err());
    }

    @Test
    void withoutTheOptionalLibrariesItTrainsAndSaysWhatIsMissing() throws Exception {
        compile("""
                trainer.epochs(2).fit(loader);
                var history = trainer.fit(loader).history();
                Runnable[] calls = {
                    () -> trainer.historyCsv(folder), () -> trainer.historyJson(folder), () -> trainer.report(folder),
                    () -> trainer.checkpoints(folder)
                };
                for (Runnable call : calls) {
                    try {
                        call.run();
                    } catch (IllegalStateException e) {
                        System.out.println(e.getMessage());
                    }
                }
                """);
        String classPath = Child.LIBRARY + File.pathSeparator + Child.openBlasJars();
        Child child = Child.run(arguments(Child.SHORT_LIVED, classPath));
        assertEquals(0, child.exit(), child.err());
        List<String> lines = child.out().lines().toList();
        assertEquals(4 + 4, lines.size(), child.out());
        assertTrue(lines.get(1).startsWith("epoch 2/2  loss "), lines.get(1));
        String path = " (where toydiff is on the module path, there too, with --add-modules ALL-MODULE-PATH)";
        assertEquals(
                List.of(
                        "historyCsv: needs FastCSV; add the dependency de.siegmar:fastcsv:4.4.0" + path,
                        "historyJson: needs Gson; add the dependency com.google.code.gson:gson:2.15.0" + path,
                        "report: needs Gson; add the dependency com.google.code.gson:gson:2.15.0" + path,
                        "checkpoints: needs Gson; add the dependency com.google.code.gson:gson:2.15.0" + path),
                lines.subList(4, 8));
        assertFalse(child.out().contains("\u001b"));
    }

    @Test
    void aStepMakesHardlyMoreGarbageThanTheLoopWrittenByHand() throws Exception {
        compile("""
                var threads = (com.sun.management.ThreadMXBean)
                        java.lang.management.ManagementFactory.getThreadMXBean();
                int epochs = 60;
                loader = DataLoader.of(new TensorDataset(x, x.argmax(1)), 1);
                trainer = Trainer.of(net, new SGD(net.parameters(), 0.1), Functional::crossEntropyLoss).epochs(epochs);
                var optimizer = new SGD(net.parameters(), 0.1);
                long least = Long.MAX_VALUE;
                // The compiler takes its time, a few rounds as a rule.
                for (int round = 0; round < 8 && least >= 1000; round++) {
                    long start = threads.getCurrentThreadAllocatedBytes();
                    trainer.fit(loader);
                    long between = threads.getCurrentThreadAllocatedBytes();
                    for (int epoch = 0; epoch < epochs; epoch++) {
                        for (Batch batch : loader) {
                            try (var step = TensorArena.ofConfined()) {
                                Tensor loss = Functional.crossEntropyLoss(net.forward(batch.x()), batch.y());
                                loss.item();
                                loss.backward(Release.EAGER);
                                optimizer.step();
                                optimizer.zeroGradients();
                            }
                        }
                    }
                    long byHand = threads.getCurrentThreadAllocatedBytes() - between;
                    least = Math.min(least, (between - start - byHand) / (64 * epochs));
                }
                System.out.println(least);
                """);
        Child child = Child.run(arguments(List.of(), Child.classPath()));
        assertEquals(0, child.exit(), child.err());
        long more = Long.parseLong(child.out().strip());
        // Rows of the history, which grow by doubling, and a share of what an epoch takes.
        assertTrue(more < 1000, more + " B a step");
    }
}
