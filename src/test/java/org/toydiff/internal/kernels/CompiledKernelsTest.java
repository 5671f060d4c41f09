package org.toydiff.internal.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.toydiff.child.Child;

/// The compilation of kernels. In a process that uses confined segments they stay compiled: without the checks of
/// [Bounds], a kernel over four segments is compiled and discarded again and again. And vectors do not become
/// objects, whichever dtype comes first.
class CompiledKernelsTest {
    private static final int MAX_RECOMPILATIONS = 10;

    private static final String PROGRAM = """
            import java.lang.foreign.*;
            import java.util.List;
            import org.toydiff.*;
            import org.toydiff.optim.*;

            public class Program {
                public static void main(String[] arguments) {
                    try (var arena = Arena.ofConfined()) {
                        MemorySegment own = arena.allocate(4096);
                        for (int i = 0; i < 2_000_000; i++) {
                            own.setAtIndex(ValueLayout.JAVA_FLOAT, i & 1023, i);
                        }
                    }
                    try (var model = TensorArena.ofConfined()) {
                        Tensor p = Tensor.rand(100_000).trackGradient();
                        var optimizer = new Adam(List.of(p), 1e-3);
                        p.sum().backward();
                        for (int i = 0; i < 3_000; i++) {
                            optimizer.step();
                        }
                    }
                }
            }
            """;

    /// Prints the bytes that each op allocates for a call in each round after the first, where that is too many, and
    /// then how many kernels run their vector form.
    private static final String ROUNDS = """
            import com.sun.management.ThreadMXBean;
            import java.lang.management.ManagementFactory;
            import java.util.*;
            import java.util.function.UnaryOperator;
            import org.toydiff.*;
            import org.toydiff.internal.kernels.Kernels;

            public class Program {
                static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
                static final int CALLS = 1_000;

                static long bytes(UnaryOperator<Tensor> op, Tensor x) {
                    long before = THREADS.getCurrentThreadAllocatedBytes();
                    for (int i = 0; i < CALLS; i++) {
                        try (var arena = TensorArena.ofConfined()) {
                            op.apply(x);
                        }
                    }
                    return (THREADS.getCurrentThreadAllocatedBytes() - before) / CALLS;
                }

                public static void main(String[] dtypes) {
                    Map<String, UnaryOperator<Tensor>> ops = new LinkedHashMap<>();
                    ops.put("sum", x -> x.sum());
                    ops.put("sum of columns", x -> x.sum(0));
                    ops.put("max", x -> x.max());
                    ops.put("min", x -> x.min());
                    ops.put("var", x -> x.var());
                    ops.put("softmax", x -> x.softmax(1));
                    ops.put("logSoftmax", x -> x.logSoftmax(1));
                    ops.put("logSumExp", x -> x.logSumExp(1));
                    ops.put("exp", x -> x.exp());
                    ops.put("tanh", x -> x.tanh());
                    ops.put("erf", x -> x.erf());
                    ops.put("matmul", x -> x.matmul(x));
                    for (int round = 0; round < 4; round++) {
                        for (String dtype : dtypes) {
                            try (var arena = TensorArena.ofConfined()) {
                                Tensor x = Tensor.rand(DType.valueOf(dtype), 64, 64);
                                for (String name : ops.keySet()) {
                                    long bytes = bytes(ops.get(name), x);
                                    if (round > 0 && bytes > %d) {
                                        System.out.println(name + " " + dtype + ": " + bytes + " B in round " + round);
                                    }
                                }
                            }
                        }
                    }
                    System.out.println(Kernels.vectorLoops());
                }
            }
            """;

    /// The graph's objects take fewer, and a vector for each of 64 rows takes more. There is room for the trials of
    /// forms that are not proven yet. A proven form whose code the JVM discards allocates until the next look, 64 runs
    /// later: of a long loop that is megabytes, and a fault, for nothing here makes the JVM discard it.
    private static final int MAX_BYTES = 4_096;

    /// The sums, extremes and functions of both dtypes, of which a slow compiler may leave some for later.
    private static final int LEAST_VECTOR_FORMS = 8;

    @TempDir
    private Path folder;

    private String output(String option, String program, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                option,
                "-cp",
                Child.classPath(),
                Files.writeString(folder.resolve("Program.java"), program).toString()));
        command.addAll(List.of(arguments));
        Child child = Child.run(command);
        assertEquals(0, child.exit(), child.err());
        return child.out();
    }

    @ParameterizedTest
    @CsvSource({"FLOAT32, FLOAT64", "FLOAT64, FLOAT32"})
    void vectorsAreNoObjectsWhicheverDtypeComesFirst(String first, String second) throws Exception {
        String[] lines = output("-Dtoydiff.threads=1", ROUNDS.formatted(MAX_BYTES), first, second)
                .strip()
                .split("\n");
        assertEquals(1, lines.length, () -> "ops that make objects of vectors: " + String.join("; ", lines));
        int vectorForms = Integer.parseInt(lines[0]);
        assertTrue(vectorForms >= LEAST_VECTOR_FORMS, vectorForms + " kernels run their vector form");
    }

    @Test
    void aStepIsNotCompiledOverAndOver() throws Exception {
        var compilations = output("-XX:+PrintCompilation", PROGRAM)
                .lines()
                .filter(line -> line.matches(".* 4 .*\\.adamFloat32(Vectors)?.*::part .*"))
                .toList();
        assertTrue(compilations.stream().anyMatch(line -> line.endsWith("bytes)")), "it was compiled");
        long thrownAway = compilations.stream()
                .filter(line -> line.contains("made not entrant"))
                .count();
        assertTrue(thrownAway <= MAX_RECOMPILATIONS, () -> String.join("\n", compilations));
    }
}
