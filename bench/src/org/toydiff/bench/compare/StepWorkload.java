package org.toydiff.bench.compare;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// The training step of 784-512-256-10 in every library, and toydiff's straight-line loop where its peer offers
/// one.
final class StepWorkload implements Workload {
    /// The column of the loop without autograd.
    static final String STRAIGHT = "straight line";

    private static final int[] BATCHES = {32, 128, 1024, 8192};
    private static final int ROWS_PER_REQUEST = 20_000;

    @Override
    public List<Measurement> run(Peers peers, RunOptions options) throws IOException {
        List<Measurement> measurements = new ArrayList<>();
        var losses = new LossCheck();
        for (String optimizer : List.of("sgd", "adam")) {
            for (int batch : BATCHES) {
                losses.check(peers, optimizer, batch);
                measurements.add(options.roundsOf()
                        .warm(optimizer + " " + batch, "µs", contestants(peers, options, optimizer, batch)));
            }
        }
        return measurements;
    }

    private static List<Contestant> contestants(Peers peers, RunOptions options, String optimizer, int batch) {
        int samples = options.samples(Math.clamp(ROWS_PER_REQUEST / batch, 5, 200));
        List<Contestant> contestants = new ArrayList<>();
        for (PeerProcess peer : peers.offering("step")) {
            contestants.add(Contestant.timed(peer.name(), peer, "step " + optimizer + " " + batch + " " + samples));
        }
        if (optimizer.equals("sgd") && peers.toydiff().offers("straight")) {
            contestants.add(Contestant.timed(STRAIGHT, peers.toydiff(), "straight " + batch + " " + samples));
        }
        return contestants;
    }
}
