package org.toydiff.bench.compare;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.toydiff.bench.peer.DjlPeer;
import org.toydiff.bench.peer.ToydiffPeer;

/// The garbage collection that small steps cause, in a JVM with a small heap.
final class GcWorkload implements Workload {
    /// The row of heap bytes.
    static final String BYTES = "heap bytes per step";

    /// The row of collections.
    static final String COLLECTIONS = "collections in the steps";

    /// The row of pauses.
    static final String PAUSE = "longest pause in the steps";

    /// The row of pauses in the whole life of the process.
    static final String PAUSE_OF_PROCESS = "longest pause of the process";

    private static final int STEPS = 10_000;
    private static final int QUICK_STEPS = 300;
    private static final int BATCH = 32;
    private static final Path LOGS = Path.of("target", "bench-logs");

    @Override
    public List<Measurement> run(Peers peers, RunOptions options) throws IOException {
        List<Measurement> rows = List.of(
                Measurement.of(BYTES, "B"),
                Measurement.of(COLLECTIONS, ""),
                Measurement.of(PAUSE, "ms"),
                Measurement.of(PAUSE_OF_PROCESS, "ms"));
        String request = "gc " + (options.quick() ? QUICK_STEPS : STEPS) + " " + BATCH;
        List<Contestant> contestants = new ArrayList<>();
        contestants.add(contestant(Peers.TOYDIFF, ToydiffPeer.class, request, rows));
        if (peers.find(Peers.DJL).isPresent()) {
            contestants.add(contestant(Peers.DJL, DjlPeer.class, request, rows));
        }
        for (Contestant contestant : contestants) {
            Progress.say("  " + contestant.name() + " " + contestant.measure().once() + " " + BYTES);
        }
        return rows;
    }

    private static Contestant contestant(String name, Class<?> main, String request, List<Measurement> rows) {
        var pauses = new PauseLog(LOGS.resolve(name + "-gc.log"));
        List<String> command = CommandLines.java(main, "-Xmx64m", pauses.flag());
        var peer = new PeerCommand(name, command, LOGS.resolve(name + "-gc-stderr.log"));
        return new Contestant(name, () -> {
            JsonObject answer = peer.askOnce(request);
            double bytes = answer.get("bytes_per_step").getAsDouble();
            rows.get(0).add(name, bytes);
            rows.get(1).add(name, answer.get("collections").getAsDouble());
            double from = answer.get("from_s").getAsDouble();
            double to = answer.get("to_s").getAsDouble();
            rows.get(2).add(name, pauses.longest(from, to));
            rows.get(3).add(name, pauses.longest(0, Double.MAX_VALUE));
            return bytes;
        });
    }
}
