package org.toydiff.bench.peer;

import com.sun.management.ThreadMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;

/// The Java heap that training steps allocate, on all threads together.
public final class HeapUse {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private HeapUse() {}

    /// Runs steps and returns the bytes they allocate, after as many uncounted steps as the compilers need.
    ///
    /// @param steps the number of steps
    /// @param step one step
    /// @return the answer to the request: `bytes_per_step`, `collections`, and the seconds of the JVM's life
    ///     `from_s` and `to_s` between which the steps ran
    public static Map<String, ?> of(int steps, Runnable step) {
        repeat(Math.max(steps / 2, 100), step);
        long collections = collections();
        double from = uptimeSeconds();
        long bytes = THREADS.getTotalThreadAllocatedBytes();
        repeat(steps, step);
        double perStep = (double) (THREADS.getTotalThreadAllocatedBytes() - bytes) / steps;
        return Map.of(
                "bytes_per_step",
                perStep,
                "collections",
                collections() - collections,
                "from_s",
                from,
                "to_s",
                uptimeSeconds());
    }

    private static void repeat(int steps, Runnable step) {
        for (int i = 0; i < steps; i++) {
            step.run();
        }
    }

    /// Returns the bytes that the calling thread has allocated since it started.
    static long bytesOfThisThread() {
        return THREADS.getCurrentThreadAllocatedBytes();
    }

    /// Returns the seconds since the JVM started.
    static double uptimeSeconds() {
        return ManagementFactory.getRuntimeMXBean().getUptime() / 1e3;
    }

    private static long collections() {
        return ManagementFactory.getGarbageCollectorMXBeans().stream()
                .mapToLong(GarbageCollectorMXBean::getCollectionCount)
                .sum();
    }
}
