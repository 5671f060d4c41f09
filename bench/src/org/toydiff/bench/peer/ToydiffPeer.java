package org.toydiff.bench.peer;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.toydiff.Blas;
import org.toydiff.Memory;
import org.toydiff.StraightLine;

/// toydiff as a peer.
public final class ToydiffPeer {
    private static final Map<String, PeerLoop.Workload> WORKLOADS = new LinkedHashMap<>();

    // A new workload is a line here, and a table or a column in the driver.
    static {
        WORKLOADS.put("blas", words -> Map.of("library", Blas.library(), "version", Blas.version()));
        WORKLOADS.put("step", ToydiffPeer::step);
        WORKLOADS.put("straight", StraightLine::run);
        WORKLOADS.put("losses", ToydiffPeer::losses);
        WORKLOADS.put("elementwise", ToydiffPeer::elementwise);
        WORKLOADS.put("gemm", ToydiffPeer::gemm);
        WORKLOADS.put("memory", ToydiffPeer::memory);
        WORKLOADS.put("gc", ToydiffPeer::gc);
        WORKLOADS.put("eager", ToydiffPrograms::eager);
        WORKLOADS.put("compiled", ToydiffPrograms::compiled);
        WORKLOADS.put("check", ToydiffPrograms::check);
        WORKLOADS.put("temporaries", ToydiffPrograms::temporaries);
        WORKLOADS.put("latency", ToydiffLatency::run);
    }

    private ToydiffPeer() {}

    /// Answers requests until stdin ends.
    ///
    /// @param arguments not used
    /// @throws IOException if stdin cannot be read
    public static void main(String[] arguments) throws IOException {
        new PeerLoop("toydiff", System.getProperty("java.vm.version"), WORKLOADS).serve();
    }

    private static Map<String, ?> step(String... words) {
        try (var training = new ToydiffTraining(words[0], StartingNumbers.STEP_WIDTHS)) {
            training.use(Integer.parseInt(words[1]));
            return Timing.samples(Integer.parseInt(words[2]), training::step);
        }
    }

    private static Map<String, ?> losses(String... words) {
        double[] losses = new double[Integer.parseInt(words[2])];
        try (var training = new ToydiffTraining(words[0], StartingNumbers.STEP_WIDTHS)) {
            training.use(Integer.parseInt(words[1]));
            for (int i = 0; i < losses.length; i++) {
                losses[i] = training.step();
            }
        }
        return Map.of("losses", losses);
    }

    /// Times an op. Its result takes a recycled block, so `new` and `into` measure the same here.
    private static Map<String, ?> elementwise(String... words) {
        long elements = Long.parseLong(words[1]);
        try (var op = new ToydiffElementwise(words[0], elements)) {
            return Timing.samples(Integer.parseInt(words[3]), Timing.callsPerSample(elements), op::run);
        }
    }

    private static Map<String, ?> gemm(String... words) {
        int threads = Blas.threads();
        Blas.setThreads(Integer.parseInt(words[4]));
        try (var product = new ToydiffProduct(
                words[0], Long.parseLong(words[1]), Long.parseLong(words[2]), Long.parseLong(words[3]))) {
            return Timing.samples(Integer.parseInt(words[5]), product.callsPerSample(), product::run);
        } finally {
            Blas.setThreads(threads);
        }
    }

    private static Map<String, ?> memory(String... words) throws IOException {
        try (var training = new ToydiffTraining("sgd", StartingNumbers.MEMORY_WIDTHS)) {
            // The first step loads and compiles code, which is not memory of a step.
            training.use(8);
            training.step();
            training.use(Integer.parseInt(words[0]));
            int steps = Integer.parseInt(words[1]);
            long live = Memory.liveBytes();
            Memory.resetPeak();
            long peak = ResidentMemory.peakBytes(() -> {
                for (int i = 0; i < steps; i++) {
                    training.step();
                }
            });
            return Map.of("peak_bytes", peak, "accounted_bytes", Memory.peakBytes() - live);
        }
    }

    private static Map<String, ?> gc(String... words) {
        try (var training = new ToydiffTraining("sgd", StartingNumbers.STEP_WIDTHS)) {
            training.use(Integer.parseInt(words[1]));
            return HeapUse.of(Integer.parseInt(words[0]), training::step);
        }
    }
}
