package org.toydiff.bench.peer;

import ai.djl.engine.Engine;
import java.io.IOException;
import java.util.Map;

/// DJL on PyTorch as a peer.
public final class DjlPeer {
    private DjlPeer() {}

    /// Answers requests until stdin ends.
    ///
    /// @param arguments not used
    /// @throws IOException if stdin cannot be read
    public static void main(String[] arguments) throws IOException {
        DjlOperands.settings();
        Engine engine = Engine.getEngine("PyTorch");
        String version = Engine.getDjlVersion() + " with PyTorch " + engine.getVersion();
        Map<String, PeerLoop.Workload> workloads = Map.of(
                "step", DjlPeer::step,
                "losses", DjlPeer::losses,
                "elementwise", DjlPeer::elementwise,
                "memory", DjlPeer::memory,
                "gc", DjlPeer::gc);
        new PeerLoop("DJL", version, workloads).serve();
    }

    private static Map<String, ?> step(String... words) {
        try (var training = new DjlTraining(words[0], StartingNumbers.STEP_WIDTHS)) {
            training.use(Integer.parseInt(words[1]));
            return Timing.samples(Integer.parseInt(words[2]), training::step);
        }
    }

    private static Map<String, ?> losses(String... words) {
        double[] losses = new double[Integer.parseInt(words[2])];
        try (var training = new DjlTraining(words[0], StartingNumbers.STEP_WIDTHS)) {
            training.use(Integer.parseInt(words[1]));
            for (int i = 0; i < losses.length; i++) {
                losses[i] = training.step();
            }
        }
        return Map.of("losses", losses);
    }

    private static Map<String, ?> elementwise(String... words) {
        if (!words[2].equals("new")) {
            throw new IllegalArgumentException("DJL allocates every result; ask for new");
        }
        long elements = Long.parseLong(words[1]);
        try (var op = new DjlElementwise(words[0], elements)) {
            return Timing.samples(Integer.parseInt(words[3]), Timing.callsPerSample(elements), op::run);
        }
    }

    private static Map<String, ?> memory(String... words) throws IOException {
        try (var training = new DjlTraining("sgd", StartingNumbers.MEMORY_WIDTHS)) {
            // The first step loads and compiles code, which is not memory of a step.
            training.use(8);
            training.step();
            training.use(Integer.parseInt(words[0]));
            int steps = Integer.parseInt(words[1]);
            return Map.of("peak_bytes", ResidentMemory.peakBytes(() -> {
                for (int i = 0; i < steps; i++) {
                    training.step();
                }
            }));
        }
    }

    private static Map<String, ?> gc(String... words) {
        try (var training = new DjlTraining("sgd", StartingNumbers.STEP_WIDTHS)) {
            training.use(Integer.parseInt(words[1]));
            return HeapUse.of(Integer.parseInt(words[0]), training::step);
        }
    }
}
