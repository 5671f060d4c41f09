package org.toydiff.internal.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.toydiff.child.Child;
import org.toydiff.child.Probe;

/// The choice of kernels, and the message about it.
class KernelChoiceTest {
    private static final String VECTOR = "--add-modules=jdk.incubator.vector";

    private static Child child(String... flags) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(flags));
        arguments.addAll(List.of(
                "--enable-native-access=ALL-UNNAMED", "-cp", Child.classPath(), Probe.class.getName(), "kernels"));
        return Child.run(arguments);
    }

    @Test
    @Tag("kernels")
    void theseTestsRunOnTheKernelsTheyAreMeantFor() {
        assertEquals(System.getProperty("toydiff.test.kernels"), Kernels.active());
    }

    @Test
    void theModulesPresenceChooses() throws Exception {
        assertEquals("vector 1.0", child(VECTOR).out().strip());
        Child scalar = child();
        assertEquals("scalar 1.0", scalar.out().strip());
        assertTrue(
                scalar.err().contains("scalar kernels: start the JVM with --add-modules jdk.incubator.vector"),
                scalar.err());
    }

    @Test
    void aPropertyForcesOne() throws Exception {
        Child scalar = child(VECTOR, "-Dtoydiff.kernels=scalar");
        assertEquals("scalar 1.0", scalar.out().strip());
        assertEquals(
                "WARNING: Using incubator modules: jdk.incubator.vector",
                scalar.err().strip());
    }

    @Test
    void aPropertySetsTheThreads() throws Exception {
        assertEquals(
                "vector 1.0 3 threads",
                child(VECTOR, "-Dtoydiff.threads=3").out().strip());
    }

    @Test
    void smallPagesDoAsWell() throws Exception {
        assertEquals(
                "vector 1.0",
                child(VECTOR, "-Dtoydiff.memory.hugepages=false").out().strip());
    }
}
