package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// What the JVM must not have been started with: said by each entrance of the library, each time.
class JvmOptionsTest {
    private static final String CLASSES = System.getProperty("toydiff.test.classes");

    /// Each entrance is the first one in a JVM or comes after others; both must do.
    private static void requireSaid(String said, String... options) throws Exception {
        for (String[] entrances : new String[][] {{}, {"product"}, {"threads"}, {"global"}}) {
            List<String> arguments = new ArrayList<>(List.of(options));
            arguments.add("org.toydiff.consumer.Entrances");
            arguments.addAll(List.of(entrances));
            Child child = Child.run(Map.of(), arguments.toArray(String[]::new));
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
        Child child = Child.run(
                Map.of(),
                "-Dtoydiff.threads=-2",
                "-Dtoydiff.memory.limit=x",
                "-cp",
                Child.classPath(),
                "org.toydiff.consumer.Entrances",
                "arena");
        String said = """
                arena: IllegalArgumentException: -Dtoydiff.threads=-2: give a number of threads, 1 to 1024
                -Dtoydiff.memory.limit=x: give a size as 8g, 512m, 64k or bytes
                """;
        assertEquals(said.repeat(2), child.out().replace("\r", ""));
    }

    @Test
    void aJvmThatDeniesNativeAccessIsToldTheFlag() throws Exception {
        requireSaid(
                "IllegalStateException: toydiff keeps tensors in native memory, which this JVM denies it; start it with"
                        + " --enable-native-access=ALL-UNNAMED",
                "--illegal-native-access=deny",
                "-cp",
                Child.classPath());
        String others = Arrays.stream(Child.classPath().split(File.pathSeparator))
                .filter(entry -> !entry.equals(CLASSES))
                .collect(Collectors.joining(File.pathSeparator));
        requireSaid(
                "IllegalStateException: toydiff keeps tensors in native memory, which this JVM denies it; start it with"
                        + " --enable-native-access=org.toydiff",
                "--illegal-native-access=deny",
                "-p",
                CLASSES,
                "--add-modules",
                "org.toydiff",
                "-cp",
                others);
    }

    @Test
    void theFlagIsEnough() throws Exception {
        Child child = Child.run(
                Map.of(),
                "--illegal-native-access=deny",
                "--enable-native-access=ALL-UNNAMED",
                "-Dtoydiff.memory.limit=1G",
                "-Dtoydiff.threads= 2 ",
                "-cp",
                Child.classPath(),
                "org.toydiff.consumer.Entrances");
        assertTrue(child.out().lines().allMatch(line -> line.endsWith(": nothing")), child.out() + child.err());
    }
}
