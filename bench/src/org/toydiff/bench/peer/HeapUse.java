package org.toydiff.bench.peer;

import com.sun.management.ThreadMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;

/// What training steps take from the Java heap, on all threads together.
public final class HeapUse {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private HeapUse() {}

    /// Runs steps and tells what they allocated, after as many untimed ones as the compilers need.
    ///
    /// @param steps how many
    /// @param step one step
    /// @return the answer to the request: `bytes_per_step` and `collections`
    public static Map<String, ?> of(int steps, Runnable step) {
        repeat(Math.max(steps / 2, 100), step);
        long collections = collections();
        long bytes = THREADS.getTotalThreadAllocatedBytes();
        repeat(steps, step);
        double perStep = (double) (THREADS.getTotalThreadAllocatedBytes() - bytes) / steps;
        return Map.of("bytes_per_step", perStep, "collections", collections() - collections);
    }

    private static void repeat(int steps, Runnable step) {
        for (int i = 0; i < steps; i++) {
            step.run();
        }
    }

    private static long collections() {
        return ManagementFactory.getGarbageCollectorMXBeans().stream()
                .mapToLong(GarbageCollectorMXBean::getCollectionCount)
                .sum();
    }
}
