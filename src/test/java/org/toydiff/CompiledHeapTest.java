package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.toydiff.child.Child;
import org.toydiff.child.ReplayedSteps;

/// Replays allocate nothing on the heap of their thread. They run in a JVM of their own: calls of other tests would
/// decide whether the compiler sees that an object is not needed. It compiles in the foreground, since otherwise chance
/// would decide whether calls of BLAS are inlined.
@Execution(ExecutionMode.CONCURRENT)
class CompiledHeapTest {
    private static List<String> lines(Class<?> program, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "-Xbatch",
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                "-cp",
                Child.classPath(),
                program.getName()));
        command.addAll(Arrays.asList(arguments));
        Child child = Child.run(command);
        assertEquals(0, child.exit(), child.err());
        return child.out().lines().toList();
    }

    @Test
    void inferenceAndTrainingStepsAllocateNothing() throws Exception {
        List<String> steps = lines(ReplayedSteps.class);
        assertEquals(18, steps.size());
        for (String bytes : steps) {
            assertTrue(bytes.endsWith(", 0]") || bytes.endsWith("[0]"), bytes);
        }
    }

    /// Of all ops but those of the caller's.
    @Test
    void replaysOfOpsAllocateNothing() throws Exception {
        assertEquals(List.of(), lines(ReplayHeap.class, "custom"), "bytes of each run");
    }
}
