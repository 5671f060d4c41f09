package org.toydiff.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.toydiff.child.Child;
import org.toydiff.child.Entrances;

/// What the JVM must not have been started with: said by each entrance of the library, each time.
@Execution(ExecutionMode.CONCURRENT)
class JvmOptionsTest {
    /// Each entrance is the first one in a JVM or comes after others; both must do.
    private static void requireSaid(String said, String... options) throws Exception {
        for (String[] entrances : new String[][] {{}, {"product"}, {"threads"}, {"global"}}) {
            List<String> arguments = new ArrayList<>(List.of(options));
            arguments.add(Entrances.class.getName());
            arguments.addAll(List.of(entrances));
            Child child = Child.run(arguments);
            assertEquals(0, child.exit(), child.err());
            List<String> lines = child.out().lines().toList();
            assertEquals(entrances.length == 0 ? 24 : 2, lines.size(), child.out());
            for (String line : lines) {
                assertEquals(said, line.substring(line.indexOf(": ") + 2), line);
            }
        }
    }

    private static void requireRefused(String option, String allowed, String... more) throws Exception {
        List<String> options = new ArrayList<>(List.of(more));
        options.addAll(List.of(option, "--enable-native-access=ALL-UNNAMED", "-cp", Child.classPath()));
        requireSaid("IllegalArgumentException: " + option + ": give " + allowed, options.toArray(String[]::new));
    }

    @Test
    void aBadNumberOfThreadsIsNamed() throws Exception {
        for (String wrong : new String[] {"0", "1025", "many"}) {
            requireRefused("-Dtoydiff.threads=" + wrong, "a number of threads, 1 to 1024");
        }
    }

    @Test
    void theFormerNameOfThePropertyOfBlasIsRefusedWithTheNew() throws Exception {
        requireRefused("-Dtoydiff.blas.library=bundled", "-Dtoydiff.blas=openblas, mkl, system or a path instead");
    }

    @Test
    void aBadLimitIsNamed() throws Exception {
        for (String wrong : new String[] {"", "8gb"}) {
            requireRefused("-Dtoydiff.memory.limit=" + wrong, "a size as 8g, 512m, 64k or bytes");
        }
    }

    @Test
    void aBadFlagIsNamed() throws Exception {
        requireRefused("-Dtoydiff.memory.trace=yes", "true or false");
        requireRefused("-Dtoydiff.memory.hugepages=0", "true or false");
    }

    @Test
    void badKernelsAreNamed() throws Exception {
        requireRefused("-Dtoydiff.kernels=fast", "vector or scalar", "--add-modules=jdk.incubator.vector");
        requireRefused("-Dtoydiff.kernels=vector", "scalar, or vector with --add-modules jdk.incubator.vector");
    }

    @Test
    void everyBadValueIsNamedAtOnce() throws Exception {
        Child child = Child.run(List.of(
                "-Dtoydiff.threads=-2",
                "-Dtoydiff.memory.limit=x",
                "-cp",
                Child.classPath(),
                Entrances.class.getName(),
                "arena"));
        String said = """
                arena: IllegalArgumentException: -Dtoydiff.threads=-2: give a number of threads, 1 to 1024
                -Dtoydiff.memory.limit=x: give a size as 8g, 512m, 64k or bytes
                """;
        assertEquals(said.repeat(2), child.out().replace("\r", ""));
    }

    @Test
    void aJvmThatDeniesNativeAccessIsToldTheFlag() throws Exception {
        requireSaid(
                "IllegalStateException: toydiff keeps tensors in native memory, to which this JVM denies it access; start it with"
                        + " --enable-native-access=ALL-UNNAMED",
                "--illegal-native-access=deny",
                "-cp",
                Child.classPath());
        String others = Child.classPathWithoutLibrary();
        requireSaid(
                "IllegalStateException: toydiff keeps tensors in native memory, to which this JVM denies it access; start it with"
                        + " --enable-native-access=org.toydiff",
                "--illegal-native-access=deny",
                "-p",
                Child.LIBRARY,
                "--add-modules",
                "org.toydiff",
                "-cp",
                others);
    }

    @Test
    void theFlagIsEnough() throws Exception {
        Child child = Child.run(List.of(
                "--illegal-native-access=deny",
                "--enable-native-access=ALL-UNNAMED",
                "-Dtoydiff.memory.limit=1G",
                "-Dtoydiff.threads= 2 ",
                "-cp",
                Child.classPath(),
                Entrances.class.getName()));
        assertTrue(child.out().lines().allMatch(line -> line.endsWith(": nothing")), child.out() + child.err());
    }

    @Test
    void limitsAreReadAsTheJvmReadsThem() {
        assertEquals(8L << 30, JvmOptions.bytes("8g"));
        assertEquals(512L << 20, JvmOptions.bytes("512m"));
        assertEquals(2L << 40, JvmOptions.bytes("2t"));
        assertEquals(100, JvmOptions.bytes("100"));
        for (String wrong : new String[] {"", "g", "-1", "8gb", "0", "99999999999g", "9223372036854775808"}) {
            assertNull(JvmOptions.bytes(wrong), wrong);
        }
    }
}
