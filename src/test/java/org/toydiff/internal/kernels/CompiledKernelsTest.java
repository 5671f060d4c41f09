package org.toydiff.internal.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

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

    /// The fewest bytes that an op allocates on the Java heap, over some rounds: the compiler may take a while.
    private static final String ROUNDS = """
            import com.sun.management.ThreadMXBean;
            import java.lang.management.ManagementFactory;
            import java.util.*;
            import java.util.function.UnaryOperator;
            import org.toydiff.*;

            public class Program {
                static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

                static long bytes(UnaryOperator<Tensor> op, Tensor x) {
                    long least = Long.MAX_VALUE;
                    for (int round = 0; round < 30 && least > %1$d; round++) {
                        long before = THREADS.getCurrentThreadAllocatedBytes();
                        for (int i = 0; i < 2_000; i++) {
                            try (var arena = TensorArena.ofConfined()) {
                                op.apply(x);
                            }
                        }
                        least = Math.min(least, (THREADS.getCurrentThreadAllocatedBytes() - before) / 2_000);
                    }
                    return least;
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
                    for (int again = 0; again < 2; again++) {
                        for (String dtype : dtypes) {
                            try (var arena = TensorArena.ofConfined()) {
                                Tensor x = Tensor.rand(DType.valueOf(dtype), 64, 64);
                                ops.forEach((name, op) -> {
                                    long bytes = bytes(op, x);
                                    if (bytes > %1$d) {
                                        System.out.println(name + " " + dtype + ": " + bytes + " bytes");
                                    }
                                });
                            }
                        }
                    }
                }
            }
            """;

    /// The graph's objects take fewer, and a vector for each of 64 rows takes more.
    private static final int MAX_BYTES = 4_096;

    /// In some JVMs the compiler allocates objects for `max` over doubles all the same: in 1 of 15 on a Zen 4, in 5
    /// of 14 on a Xeon with AVX-512, where three in a row occur too often for a test. It must not be the rule.
    private static final int JVMS = 5;

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
        List<String> objects = new ArrayList<>();
        for (int jvm = 0; jvm < JVMS; jvm++) {
            String told = output("-Dtoydiff.threads=1", ROUNDS.formatted(MAX_BYTES), first, second);
            if (told.isEmpty()) {
                return;
            }
            objects.add(told);
        }
        fail("ops that make objects of vectors, in " + JVMS + " JVMs: " + objects);
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
