package org.toydiff.bench.compare;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.toydiff.bench.peer.ToydiffPeer;

/// The latency of single inferences of 784-512-256-10 at 1,000 requests a second for a minute, each form in a new JVM
/// with a small heap and one thread, in turn; and of requests of arithmetic alone, the limit set by the machine.
final class LatencyWorkload implements Workload {
    /// The rows of the median and of the slowest thousandth.
    static final String MEDIAN = "p50";

    static final String SLOWEST = "p99.9";

    /// The row of pauses.
    static final String PAUSES = "GC pauses";

    private static final String ARITHMETIC = "arithmetic";
    private static final int RATE = 1000;
    private static final int WARM_UP_SECONDS = 10;
    private static final int SECONDS = 60;
    private static final int ROUNDS = 3;
    private static final Path LOGS = Path.of("target", "bench-logs");

    @Override
    public List<Measurement> run(Peers peers, RunOptions options) throws IOException {
        Map<String, Measurement> rows = new LinkedHashMap<>();
        rows.put("p50_us", Measurement.of(MEDIAN, "µs"));
        rows.put("p99_us", Measurement.of("p99", "µs"));
        rows.put("p999_us", Measurement.of(SLOWEST, "µs"));
        rows.put("max_us", Measurement.of("longest", "µs"));
        rows.put("bytes_per_request", Measurement.of("heap bytes per request", "B"));
        Measurement pauses = Measurement.of(PAUSES, "");
        Measurement longestPause = Measurement.of("longest pause", "ms");
        for (int round = 0; round < (options.quick() ? 1 : ROUNDS); round++) {
            for (String form : List.of(ProgramWorkload.COMPILED, ProgramWorkload.EAGER, ARITHMETIC)) {
                var log = new PauseLog(LOGS.resolve("latency-" + form + "-gc.log"));
                JsonObject answer = measure(form, log, options.quick());
                rows.forEach((key, row) -> row.add(form, answer.get(key).getAsDouble()));
                double from = answer.get("from_s").getAsDouble();
                double to = answer.get("to_s").getAsDouble();
                pauses.add(form, log.pauses(from, to).count());
                longestPause.add(form, log.longest(from, to));
            }
        }
        List<Measurement> measurements = new ArrayList<>(rows.values());
        measurements.addAll(List.of(pauses, longestPause));
        return measurements;
    }

    private static JsonObject measure(String form, PauseLog log, boolean quick) throws IOException {
        String name = "latency-" + form;
        List<String> command = CommandLines.java(ToydiffPeer.class, "-Xmx64m", "-Dtoydiff.threads=1", log.flag());
        JsonObject answer = new PeerCommand(name, command, LOGS.resolve(name + "-stderr.log"))
                .askOnce(String.join(" ", "latency", form, "" + RATE, quick ? "1 2" : WARM_UP_SECONDS + " " + SECONDS));
        Progress.say("  " + form + " p50 " + answer.get("p50_us") + "   p99.9 " + answer.get("p999_us") + " µs");
        return answer;
    }
}
