package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Kernels stay compiled in a process that uses confined segments of its own: what [org.toydiff.internal.kernels]
/// tells the compiler about memory. Without it, a kernel over four segments is compiled and thrown away again and
/// again.
class CompiledKernelsTest {
    private static final int MOST_RECOMPILATIONS = 10;

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

    @TempDir
    private Path folder;

    @Test
    void aStepIsNotCompiledOverAndOver() throws Exception {
        Path program = Files.writeString(folder.resolve("Program.java"), PROGRAM);
        Child child = Child.run(
                Map.of(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                "-XX:+PrintCompilation",
                "-cp",
                Child.classPath(),
                program.toString());
        assertEquals(0, child.exit(), child.err());
        var compilations = child.out()
                .lines()
                .filter(line -> line.matches(".* 4 .*\\.Float(Vector)?Updates::adam .*"))
                .toList();
        assertTrue(compilations.stream().anyMatch(line -> line.endsWith("bytes)")), "it was compiled");
        long thrownAway = compilations.stream()
                .filter(line -> line.contains("made not entrant"))
                .count();
        assertTrue(thrownAway <= MOST_RECOMPILATIONS, () -> String.join("\n", compilations));
    }
}
