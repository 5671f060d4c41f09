package org.toydiff;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// Prints the ops whose replays make objects, and the bytes of each run, one line for each op. The arguments are the
/// beginnings of the names of others.
final class ReplayHeap {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int RUNS = 1_000;

    /// Until methods are compiled and vector kernels are proven, it is the JVM's own machinery that makes objects.
    private static final int MOST_ROUNDS = 400;

    private ReplayHeap() {}

    public static void main(String[] others) {
        CompiledOpsTest.OPS.forEach((name, op) -> {
            long bytes = Stream.of(others).anyMatch(name::startsWith) ? 0 : bytes(op);
            if (bytes > 0) {
                System.out.println(name + ": " + bytes);
            }
        });
    }

    /// Returns the bytes of a run when the JVM has warmed up.
    private static long bytes(UnaryOperator<Tensor> op) {
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of(op)) {
            Tensor x = Tensor.rand(3, 4);
            long bytes = RUNS;
            for (int round = 0; round < MOST_ROUNDS && bytes >= RUNS; round++) {
                long before = THREADS.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < RUNS; i++) {
                    compiled.run(x);
                }
                bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
            }
            return bytes / RUNS;
        }
    }
}
