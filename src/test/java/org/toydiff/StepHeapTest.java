package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.toydiff.child.Child;
import org.toydiff.child.Steps;

/// The Java heap that a training step takes, in a JVM of its own: the objects of its graph, and no more.
class StepHeapTest {
    private static final int MAX_BYTES = 4_096;

    private static final int ROUNDS = 5;

    /// The compiler has seen each method of a step often enough after some ten.
    private static final int MAX_ROUNDS_OF_WARM_UP = 60;

    @Test
    void aCompiledStepTakesAtMostFourKilobytesOnAllThreadsTogether() throws Exception {
        Child child = Child.run(List.of(
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                "-cp",
                Child.classPath(),
                Steps.class.getName(),
                Integer.toString(ROUNDS),
                Integer.toString(MAX_BYTES),
                Integer.toString(MAX_ROUNDS_OF_WARM_UP)));
        assertEquals(0, child.exit(), child.err());
        List<Long> bytes = child.out().lines().map(Long::valueOf).toList();
        assertEquals(ROUNDS, bytes.size());
        assertTrue(bytes.stream().allMatch(each -> each <= MAX_BYTES), () -> "bytes for each step: " + bytes);
    }
}
