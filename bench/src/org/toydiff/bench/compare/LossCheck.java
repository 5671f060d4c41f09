package org.toydiff.bench.compare;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Checks that all peers train the same net: unless their first losses agree, comparing times means nothing.
final class LossCheck {
    private static final Path REFERENCE = Path.of("bench", "losses.json");
    private static final int LOSSES = 10;
    private static final double TOLERANCE = 1e-3;

    /// SGD hardly changes the loss in ten steps, so agreement of the losses alone would prove little.
    private static final double CHANGE_TOLERANCE = 0.05;

    /// DJL's Adam adds epsilon before the bias correction instead of after it. The steps differ where gradients are
    /// tiny, and the losses diverge from the fourth on.
    private static final int LOSSES_OF_DJL_ADAM = 3;

    private final JsonObject reference;

    LossCheck() throws IOException {
        reference = new Gson().fromJson(Files.readString(REFERENCE), JsonObject.class);
    }

    /// Checks every peer against toydiff, and toydiff against the committed losses of PyTorch.
    ///
    /// @throws IOException if one differs
    void check(Peers peers, String optimizer, int batch) throws IOException {
        double[] ours = losses(peers.toydiff(), optimizer, batch);
        compare(
                "bench/losses.json",
                ours,
                doubles(reference.getAsJsonArray(optimizer + " " + batch)),
                optimizer,
                batch);
        for (PeerProcess peer : peers.offering("losses")) {
            compare(peer.name(), ours, losses(peer, optimizer, batch), optimizer, batch);
        }
    }

    private static double[] losses(PeerProcess peer, String optimizer, int batch) throws IOException {
        String request = "losses " + optimizer + " " + batch + " " + LOSSES;
        return doubles(peer.ask(request).getAsJsonArray("losses"));
    }

    private static double[] doubles(JsonArray array) {
        return array.asList().stream().mapToDouble(e -> e.getAsDouble()).toArray();
    }

    private static void compare(String name, double[] ours, double[] theirs, String optimizer, int batch)
            throws IOException {
        String where = name + " and toydiff, " + optimizer + " at batch " + batch + ": ";
        if (name.equals(Peers.DJL) && optimizer.equals("adam")) {
            requireSameLosses(where, ours, theirs, LOSSES_OF_DJL_ADAM);
        } else {
            requireSameLosses(where, ours, theirs, LOSSES);
            requireSameChange(where, ours, theirs);
        }
    }

    private static void requireSameLosses(String where, double[] ours, double[] theirs, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            if (!near(theirs[i], ours[i], TOLERANCE)) {
                throw new IOException(where + "loss " + i + " is " + theirs[i] + " and " + ours[i]
                        + "; they do not train the same net, so their times cannot be compared");
            }
        }
    }

    private static void requireSameChange(String where, double[] ours, double[] theirs) throws IOException {
        double change = ours[LOSSES - 1] - ours[0];
        double theirChange = theirs[LOSSES - 1] - theirs[0];
        if (!near(theirChange, change, CHANGE_TOLERANCE)) {
            throw new IOException(where + "the loss changes by " + theirChange + " and by " + change + " in " + LOSSES
                    + " steps; they do not take the same steps, so their times cannot be compared");
        }
    }

    /// Returns whether two values agree; false for NaN.
    private static boolean near(double value, double expected, double tolerance) {
        return Math.abs(value - expected) <= tolerance * Math.abs(expected);
    }
}
