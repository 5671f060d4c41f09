package org.toydiff.bench.compare;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.toydiff.bench.peer.StartupPeer;

/// The time of a process from its start to the end of its 100th small training step.
final class StartupWorkload implements Workload {
    private static final double LOSS_TOLERANCE = 0.01;

    @Override
    public List<Measurement> run(Peers peers, RunOptions options) throws IOException {
        List<String> toydiff = CommandLines.java(StartupPeer.class);
        List<Contestant> contestants = new ArrayList<>();
        contestants.add(new Contestant(Peers.TOYDIFF, () -> milliseconds(toydiff)));
        if (peers.find(Peers.PYTORCH).isPresent()) {
            List<String> pytorch = List.of(options.python(), "bench/peers/torch_peer.py", "--startup");
            requireSameLoss(toydiff, pytorch);
            contestants.add(new Contestant(Peers.PYTORCH, () -> milliseconds(pytorch)));
        }
        return List.of(options.roundsOf().cold("start and 100 steps", "ms", contestants));
    }

    private static double milliseconds(List<String> command) throws IOException {
        long start = System.nanoTime();
        CommandLines.output(command);
        return (System.nanoTime() - start) / 1e6;
    }

    /// Requires equal losses. This also reads both programs' files once, so that no round includes a cold disk.
    private static void requireSameLoss(List<String> toydiff, List<String> pytorch) throws IOException {
        double ours = loss(toydiff);
        double theirs = loss(pytorch);
        if (!(Math.abs(ours - theirs) <= LOSS_TOLERANCE * Math.abs(theirs))) {
            throw new IOException("after 100 steps toydiff's loss is " + ours + " and PyTorch's " + theirs
                    + "; they do not train the same net, so their times cannot be compared");
        }
    }

    private static double loss(List<String> command) throws IOException {
        return JsonParser.parseString(CommandLines.output(command))
                .getAsJsonObject()
                .get("loss")
                .getAsDouble();
    }
}
