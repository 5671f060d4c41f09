package org.toydiff.distributed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.toydiff.child.Child;
import org.toydiff.child.ParallelHeap;

/// The Java heap that a step of [DataParallel] takes beside that of its shards, in a JVM of its own, because other
/// tests' calls would decide how the compiler sees these.
@Execution(ExecutionMode.CONCURRENT)
class ParallelHeapTest {
    private static final long MAX_BYTES = 4_096;

    @Test
    void aStepTakesAtMostFourKilobytesMoreThanItsShards() throws Exception {
        Child child = Child.run(List.of(
                "-Xbatch",
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                "-cp",
                Child.classPath(),
                ParallelHeap.class.getName()));
        assertEquals(0, child.exit(), child.err());
        long[] bytes = child.out()
                .lines()
                .mapToLong(line -> Long.parseLong(line.split(" ")[1]))
                .toArray();
        assertEquals(3, bytes.length, child.out());
        assertTrue(bytes[1] - bytes[0] <= MAX_BYTES, child.out());
        // Its shards take nothing.
        assertTrue(bytes[2] <= MAX_BYTES, child.out());
    }
}
