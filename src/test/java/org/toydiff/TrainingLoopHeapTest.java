package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.toydiff.child.Child;
import org.toydiff.child.TrainingLoop;

/// The Java heap that a plain training loop takes from each of its threads, in a JVM of its own: other tests' calls
/// would decide how the compiler sees these.
class TrainingLoopHeapTest {
    /// Until methods are compiled and vector kernels are proven, it is the JVM's own machinery that takes heap.
    private static final int MOST_EPOCHS = 200;

    /// From the loader's thread: the positions of 64 examples, and the objects that a [org.toydiff.data.TensorDataset]
    /// makes for a batch.
    private static final long LOADER = 64 * Long.BYTES + 3_072;

    @Test
    void aPlainLoopOverAPrefetchingLoaderTakesNothingForABatch() throws Exception {
        Child child = Child.run(List.of(
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                "-cp",
                Child.classPath(),
                TrainingLoop.class.getName(),
                Integer.toString(MOST_EPOCHS)));
        assertEquals(0, child.exit(), child.err());
        long[] bytes = Stream.of(child.out().lines().toList().getLast().split(" "))
                .mapToLong(Long::valueOf)
                .toArray();
        assertTrue(bytes[0] >= 0 && bytes[0] < 512, child.out());
        assertEquals(0, bytes[1], child.out());
        assertEquals(0, bytes[2], child.out());
        assertTrue(bytes[3] > 0 && bytes[3] < LOADER, child.out());
    }
}
