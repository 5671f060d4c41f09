package org.toydiff.bench.compare;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Elementwise ops and a reduction, into new results and into existing memory.
final class ElementwiseWorkload implements Workload {
    /// The sizes in the tables.
    static final List<Integer> SIZES = List.of(1 << 12, 1 << 18, 1 << 24);

    /// The ops in the tables.
    static final List<String> OPS = List.of("exp", "tanh", "add", "sum");

    private static final int SAMPLES = 50;
    private static final int LARGE_SAMPLES = 12;

    @Override
    public List<Measurement> run(Peers peers, RunOptions options) throws IOException {
        List<Measurement> measurements = new ArrayList<>();
        for (int size : SIZES) {
            for (String op : OPS) {
                for (String mode : List.of("into", "new")) {
                    measurements.add(measure(peers, options, name(op, size, mode), samples(size)));
                }
            }
        }
        return measurements;
    }

    private static int samples(int size) {
        return size < SIZES.getLast() ? SAMPLES : LARGE_SAMPLES;
    }

    /// Returns the name of a row, which is part of the request to the peers as well.
    static String name(String op, int size, String mode) {
        return op + " " + size + " " + mode;
    }

    private static Measurement measure(Peers peers, RunOptions options, String name, int samples) throws IOException {
        String request = "elementwise " + name + " " + options.samples(samples);
        List<Contestant> contestants = peers.offering("elementwise").stream()
                .filter(peer -> name.endsWith("new") || writesInto(peer))
                .map(peer -> Contestant.timed(peer.name(), peer, request))
                .toList();
        return options.roundsOf().warm(name, "µs", contestants);
    }

    private static boolean writesInto(PeerProcess peer) {
        return peer.name().equals(Peers.TOYDIFF) || peer.name().equals(Peers.PYTORCH);
    }
}
