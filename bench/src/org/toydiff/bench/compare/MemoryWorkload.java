package org.toydiff.bench.compare;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.List;

/// The peak memory of a training step on a large batch, each time in a new process.
final class MemoryWorkload implements Workload {
    /// The row of resident memory.
    static final String RESIDENT = "peak resident";

    /// The row of the bytes that toydiff itself counts.
    static final String ACCOUNTED = "peak by toydiff's own account";

    private static final int BATCH = 32_768;
    private static final int QUICK_BATCH = 2048;
    private static final int STEPS = 3;
    private static final double MEGABYTE = 1e6;

    @Override
    public List<Measurement> run(Peers peers, RunOptions options) throws IOException {
        String request = "memory " + (options.quick() ? QUICK_BATCH : BATCH) + " " + STEPS;
        Measurement accounted = Measurement.of(ACCOUNTED, "MB");
        List<Contestant> contestants = peers.commandsOffering("memory").stream()
                .map(command -> new Contestant(command.name(), () -> resident(command.askOnce(request), accounted)))
                .toList();
        return List.of(options.roundsOf().cold(RESIDENT, "MB", contestants), accounted);
    }

    private static double resident(JsonObject answer, Measurement accounted) {
        if (answer.has("accounted_bytes")) {
            accounted.add(Peers.TOYDIFF, answer.get("accounted_bytes").getAsDouble() / MEGABYTE);
        }
        return answer.get("peak_bytes").getAsDouble() / MEGABYTE;
    }
}
