package org.toydiff.bench.blas;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;

/// A child process in a comparison, started on first use and restarted after it was lost.
final class ComparedChild implements AutoCloseable {
    /// The least time of a sample: more than a thousand times the cost of reading the clock.
    private static final double SAMPLE_MICROS = 1_000;

    private static final int MAX_CALLS = 1_000_000;
    private static final int GROUP = 10;
    private static final double SETTLED = 0.05;
    private static final double MIN_WARM_UP_MICROS = 1.5e5;
    private static final double MAX_WARM_UP_MICROS = 5e5;

    /// The largest number of samples in a turn, and the time they may take.
    private static final int SAMPLES = 15;

    private static final double TURN_MICROS = 2e5;

    /// The untimed start of a turn on several threads: after a pause a kernel may keep busy threads on one core for
    /// a few milliseconds, which made products on two threads two to four times slower.
    private static final double SPREADING_MICROS = 5e4;

    /// A child is done after `ENOUGH_SAMPLES` samples spread over `MOMENT_MICROS` or more, or after `ENOUGH_MICROS`
    /// with at least `MIN_SAMPLES` samples.
    private static final int ENOUGH_SAMPLES = 30;

    private static final double MOMENT_MICROS = 6e4;
    private static final double ENOUGH_MICROS = 1e6;
    private static final int MIN_SAMPLES = 3;

    private final List<String> command;
    private final Map<String, String> environment;
    private final int threads;
    private Worker worker;

    private int calls;
    private double sampleMicros;
    private double[] times;
    private double spent;

    /// @param threads the number of threads it computes on
    ComparedChild(List<String> command, Map<String, String> environment, int threads) {
        this.command = command;
        this.environment = environment;
        this.threads = threads;
    }

    /// Sends a request, starting the child if there is none.
    ///
    /// @throws Worker.Lost if it ends instead of answering
    JsonObject ask(String request) throws IOException {
        if (worker == null) {
            worker = new Worker(command, environment);
            JsonObject hello = worker.ask("hello");
            if (request.equals("hello") || hello.has("error")) {
                return hello;
            }
        }
        try {
            return worker.ask(request);
        } catch (Worker.Lost e) {
            close();
            throw e;
        }
    }

    /// Calls until the times settle: for a minimum time, and then until the medians of two consecutive groups of
    /// samples differ by a few percent at most, or the maximum time has passed.
    void warmUp() throws IOException {
        times = new double[0];
        spent = 0;
        calls = 1;
        double warmed = 0;
        double last = Double.NaN;
        boolean settled = false;
        for (int samples = 1; warmed < MIN_WARM_UP_MICROS || !settled && warmed < MAX_WARM_UP_MICROS; ) {
            double[] group = time(samples);
            double median = Statistics.of(group).median();
            warmed += Arrays.stream(group).sum() * calls;
            settled = Math.abs(median - last) <= SETTLED * median;
            last = median;
            calls = (int) Math.clamp(SAMPLE_MICROS / median, 1, MAX_CALLS);
            samples = (int) Math.clamp(MIN_WARM_UP_MICROS / (median * calls), 1, GROUP);
        }
        sampleMicros = last * calls;
    }

    private double[] time(int samples) throws IOException {
        JsonObject answer = ask("time " + calls + " " + samples);
        if (answer.has("error")) {
            throw new IOException(answer.get("error").getAsString());
        }
        JsonArray array = answer.getAsJsonArray("times_us");
        return array.asList().stream().mapToDouble(time -> time.getAsDouble()).toArray();
    }

    /// Returns whether it has taken enough samples.
    boolean isDone() {
        return times.length >= ENOUGH_SAMPLES && spent >= MOMENT_MICROS
                || spent >= ENOUGH_MICROS && times.length >= MIN_SAMPLES;
    }

    /// Takes the samples of one turn.
    void takeTurn() throws IOException {
        if (threads > 1) {
            time((int) Math.ceil(SPREADING_MICROS / sampleMicros));
        }
        double[] turn = time((int) Math.clamp(TURN_MICROS / sampleMicros, 1, SAMPLES));
        times = DoubleStream.concat(Arrays.stream(times), Arrays.stream(turn)).toArray();
        spent += Arrays.stream(turn).sum() * calls;
    }

    /// Returns the statistics of all samples so far, per call.
    Statistics statistics() {
        return Statistics.of(times);
    }

    @Override
    public void close() {
        if (worker != null) {
            worker.close();
            worker = null;
        }
    }
}
