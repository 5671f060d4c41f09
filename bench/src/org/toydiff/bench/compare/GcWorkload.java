package org.toydiff.bench.compare;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
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
    /// For instance `[1.234s][info][gc] GC(0) Pause Young (Normal) (G1 Evacuation Pause) 24M->5M(64M) 1.234ms`.
    private static final Pattern PAUSE_LINE =
            Pattern.compile("^\\[(\\d+\\.\\d+)s\\].* Pause .* (\\d+\\.\\d+)ms$", Pattern.MULTILINE);

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
        Path collections = LOGS.resolve(name + "-gc.log");
        List<String> command = CommandLines.java(main, "-Xmx64m", "-Xlog:gc:file=" + collections);
        var peer = new PeerCommand(name, command, LOGS.resolve(name + "-gc-stderr.log"));
        return new Contestant(name, () -> {
            JsonObject answer = peer.askOnce(request);
            double bytes = answer.get("bytes_per_step").getAsDouble();
            rows.get(0).add(name, bytes);
            rows.get(1).add(name, answer.get("collections").getAsDouble());
            double from = answer.get("from_s").getAsDouble();
            double to = answer.get("to_s").getAsDouble();
            rows.get(2).add(name, longestPause(collections, from, to));
            rows.get(3).add(name, longestPause(collections, 0, Double.MAX_VALUE));
            return bytes;
        });
    }

    private static double longestPause(Path log, double from, double to) throws IOException {
        return PAUSE_LINE
                .matcher(Files.readString(log))
                .results()
                .filter(pause -> from <= seconds(pause) && seconds(pause) <= to)
                .mapToDouble(pause -> Double.parseDouble(pause.group(2)))
                .max()
                .orElse(0);
    }

    private static double seconds(MatchResult pause) {
        return Double.parseDouble(pause.group(1));
    }
}
