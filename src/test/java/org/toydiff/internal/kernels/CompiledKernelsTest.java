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

    /// Long rows of strided elements, through every kind of loop in memory.
    private static final String LONG_ROWS = """
            import org.toydiff.*;

            public class Program {
                static Tensor column(Tensor x, long axis) {
                    return x.slice(1, axis, axis + 1);
                }

                static Tensor fused(Tensor x) {
                    return column(x, 0).multiply(column(x, 1)).add(column(x, 2));
                }

                public static void main(String[] arguments) {
                    try (var model = TensorArena.ofConfined();
                            var compiled = CompiledFunction.of(Program::fused)) {
                        Tensor x = Tensor.rand(1_000_000, 3);
                        Tensor mask = column(x, 0).greater(0.5);
                        Tensor index = Tensor.zeros(DType.INT64, 1_000_000, 1);
                        for (int i = 0; i < 4; i++) {
                            try (var arena = TensorArena.ofConfined()) {
                                column(x, 0).sigmoid();
                                column(x, 0).add(column(x, 1));
                                column(x, 0).cast(DType.FLOAT64);
                                column(x, 2).gather(1, index);
                                column(x, 0).put(mask, 0);
                                x.sum(0);
                                compiled.run(x);
                            }
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

    /// Runs reductions until their vector forms are proven, for half a minute at most, and prints the bytes of each
    /// later call that makes more than a few; then how many forms were proven.
    private static final String CALLS = """
            import com.sun.management.ThreadMXBean;
            import java.lang.foreign.*;
            import java.lang.management.ManagementFactory;
            import java.util.*;
            import org.toydiff.internal.kernels.*;

            public class Program {
                interface Op {
                    double of(ContiguousKernels kernels, MemorySegment x, long n);
                }

                static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
                static final long START = System.nanoTime();
                static double total;

                static boolean proves(Op op, ContiguousKernels kernels, MemorySegment x) {
                    int before = Kernels.vectorLoops();
                    while (Kernels.vectorLoops() == before) {
                        if (System.nanoTime() - START > 30_000_000_000L) {
                            return false;
                        }
                        total += op.of(kernels, x, 4_096);
                    }
                    return true;
                }

                public static void main(String[] arguments) {
                    MemorySegment x = Arena.global().allocate(4_096 * 8, 64);
                    Map<String, Op> ops = new LinkedHashMap<>();
                    ops.put("sum", (k, y, n) -> k.sum(y, 0, n));
                    ops.put("max", (k, y, n) -> k.max(y, 0, n));
                    ops.put("squares", (k, y, n) -> k.squares(y, 0, n, 1));
                    ops.put("dot", (k, y, n) -> k.dot(y, 0, y, 0, n));
                    int proven = 0;
                    for (boolean wide : new boolean[] {true, false}) {
                        var kernels = ContiguousKernels.of(wide);
                        for (String name : ops.keySet()) {
                            Op op = ops.get(name);
                            if (!proves(op, kernels, x)) {
                                continue;
                            }
                            proven++;
                            for (int n : new int[] {64, 1_021, 130, 4_096}) {
                                for (int call = 0; call < 10_000; call++) {
                                    long before = THREADS.getCurrentThreadAllocatedBytes();
                                    total += op.of(kernels, x, n);
                                    long bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
                                    if (bytes > %d) {
                                        System.out.println(name + " of " + n + (wide ? " doubles" : " floats")
                                                + ": " + bytes + " B in call " + call);
                                    }
                                }
                            }
                        }
                    }
                    System.out.println(proven);
                }
            }
            """;

    /// A fifth of what 1,021 doubles as vectors take. The JVM itself makes some, once for a class: before C2 compiles
    /// a method, the thread that asked for it makes all strings of its class, 896 B for `sun.management.ThreadImpl`,
    /// and 1,808 B were seen in one call.
    private static final int MAX_BYTES_OF_CALL = 2_048;

    /// The graph's objects take fewer, and a vector for each of 64 rows takes more. There is room for the trials of
    /// forms that are not proven yet. A proven form whose code the JVM discards allocates until the next look, 64 runs
    /// later: of a long loop that is megabytes, and a fault, for nothing here makes the JVM discard it.
    private static final int MAX_BYTES = 4_096;

    /// The sums, extremes and functions of both dtypes, of which a slow compiler may leave some for later.
    private static final int LEAST_VECTOR_FORMS = 8;

    @TempDir
    private Path folder;

    private String output(List<String> options, String program, String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of("--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector"));
        command.addAll(options);
        command.addAll(List.of(
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
        String[] lines = output(List.of("-Dtoydiff.threads=1"), ROUNDS.formatted(MAX_BYTES), first, second)
                .strip()
                .split("\n");
        assertEquals(1, lines.length, () -> "ops that make objects of vectors: " + String.join("; ", lines));
        int vectorForms = Integer.parseInt(lines[0]);
        assertTrue(vectorForms >= LEAST_VECTOR_FORMS, vectorForms + " kernels run their vector form");
    }

    @Test
    void aProvenFormMakesNoObjectsOfVectorsAtAnyLength() throws Exception {
        String[] lines = output(List.of("-Dtoydiff.threads=1"), CALLS.formatted(MAX_BYTES_OF_CALL))
                .strip()
                .split("\n");
        assertEquals(1, lines.length, () -> "calls that make objects of vectors: " + String.join("; ", lines));
        assertTrue(Integer.parseInt(lines[0]) > 0, "a form was proven");
    }

    /// C2 has crashed where it compiled such a loop from its middle on. The program waits for the compilers: it could
    /// end before them.
    @Test
    void aLoopInMemoryIsCompiledAsAWhole() throws Exception {
        var compilations = output(List.of("-XX:+PrintCompilation", "-Xbatch"), LONG_ROWS)
                .lines()
                .filter(line -> line.matches(".*[. ]kernels\\.\\w+/0x\\w+::(row|addInMemory|blocks|singles|rest) .*"))
                .toList();
        for (String loop : List.of("sigmoid", "add", "cast", "gather", "put", "columns", "fused")) {
            assertTrue(
                    compilations.stream().anyMatch(line -> line.matches(".* 4 .*\\." + loop + "\\w*/.*")),
                    () -> loop + " is not compiled: " + String.join("\n", compilations));
        }
        assertEquals(
                List.of(),
                compilations.stream().filter(line -> line.contains(" % ")).toList());
    }

    @Test
    void aStepIsNotCompiledOverAndOver() throws Exception {
        var compilations = output(List.of("-XX:+PrintCompilation"), PROGRAM)
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
