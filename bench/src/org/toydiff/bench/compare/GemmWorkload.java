package org.toydiff.bench.compare;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Square products: toydiff's matmul and the same library called from C.
final class GemmWorkload implements Workload {
    private static final int[] SIZES = {8, 16, 32, 64, 128, 256, 512, 1024, 2048};
    private static final int LARGE = 1024;
    private static final int SAMPLES = 40;
    private static final int LARGE_SAMPLES = 5;

    @Override
    public List<Measurement> run(Peers peers, RunOptions options) throws IOException {
        List<Measurement> measurements = new ArrayList<>();
        for (int threads : threads()) {
            for (int n : SIZES) {
                int samples = options.samples(n < LARGE ? SAMPLES : LARGE_SAMPLES);
                String request = String.join(" ", "gemm NN", "" + n, "" + n, "" + n, "" + threads, "" + samples);
                List<Contestant> contestants = peers.offering("gemm").stream()
                        .filter(peer -> !peer.name().equals(Peers.PYTORCH))
                        .map(peer -> Contestant.timed(peer.name(), peer, request))
                        .toList();
                measurements.add(options.roundsOf().warm(name(n, threads), "µs", contestants));
            }
        }
        return measurements;
    }

    private static int[] threads() {
        int cores = Runtime.getRuntime().availableProcessors();
        return cores == 1 ? new int[] {1} : new int[] {1, cores};
    }

    private static String name(int n, int threads) {
        return n + "×" + n + ", " + threads + (threads == 1 ? " thread" : " threads");
    }

    /// Returns the size in the name of a row.
    static int size(String name) {
        return Integer.parseInt(name.substring(0, name.indexOf('×')));
    }
}
