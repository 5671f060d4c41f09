package org.toydiff.bench.peer;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/// Makes requests at a constant rate, whether or not earlier ones were late, on the calling thread. A latency counts
/// from the time at which its request was due, so a request that waits for a slow one before it counts with its
/// wait: coordinated omission is avoided.
final class OpenLoop {
    /// The end of a wait, which is spun: a parked thread wakes up later than it asked to.
    private static final long SPIN_NANOS = 200_000;

    private final long periodNanos;
    private final Request request;

    /// The sum of all answers: the compiler could leave out what has no use.
    private double answers;

    /// A request.
    @FunctionalInterface
    interface Request {
        /// Answers request i.
        double answer(int i);
    }

    /// @param rate requests a second
    OpenLoop(int rate, Request request) {
        periodNanos = 1_000_000_000L / rate;
        this.request = request;
    }

    /// Makes requests for some seconds that do not count, then for some that do.
    ///
    /// @return the answer to the peer's request: percentiles and the longest latency in µs, the heap bytes that the
    ///     thread allocated for each request, the sum of the answers, and the seconds of the JVM's life `from_s` and
    ///     `to_s` between which it ran
    Map<String, ?> run(int warmUpSeconds, int seconds) {
        measure(new long[requests(warmUpSeconds)]);
        long[] latencies = new long[requests(seconds)];
        double from = HeapUse.uptimeSeconds();
        long bytes = HeapUse.bytesOfThisThread();
        measure(latencies);
        bytes = HeapUse.bytesOfThisThread() - bytes;
        double to = HeapUse.uptimeSeconds();
        Arrays.sort(latencies);
        return Map.of(
                "p50_us",
                percentile(latencies, 0.5),
                "p99_us",
                percentile(latencies, 0.99),
                "p999_us",
                percentile(latencies, 0.999),
                "max_us",
                percentile(latencies, 1),
                "bytes_per_request",
                (double) bytes / latencies.length,
                "answers",
                answers,
                "from_s",
                from,
                "to_s",
                to);
    }

    private int requests(int seconds) {
        return Math.toIntExact(seconds * 1_000_000_000L / periodNanos);
    }

    private void measure(long[] latencies) {
        long start = System.nanoTime();
        for (int i = 0; i < latencies.length; i++) {
            long due = start + i * periodNanos;
            awaitTime(due);
            answers += request.answer(i);
            latencies[i] = System.nanoTime() - due;
        }
    }

    private static void awaitTime(long due) {
        long wait = due - System.nanoTime();
        if (wait > SPIN_NANOS) {
            LockSupport.parkNanos(wait - SPIN_NANOS);
        }
        while (System.nanoTime() - due < 0) {
            Thread.onSpinWait();
        }
    }

    /// Returns the latency in µs that a share of the sorted ones does not exceed.
    static double percentile(long[] sorted, double share) {
        return sorted[Math.max(0, (int) Math.ceil(share * sorted.length) - 1)] / 1e3;
    }
}
