package org.toydiff.bench.blas;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;

/// One child that takes part in a comparison. It is started when it is first needed, and again after it was lost.
final class ComparedChild implements AutoCloseable {
    /// What a sample shall take at least: a thousand times what reading the clock costs, and more.
    private static final double SAMPLE_MICROS = 1_000;

    private static final int MOST_CALLS = 1_000_000;
    private static final int GROUP = 10;
    private static final double SETTLED = 0.05;
    private static final double LEAST_WARM_UP_MICROS = 1.5e5;
    private static final double MOST_WARM_UP_MICROS = 5e5;

    /// Samples asked for at a time, and what they may take.
    private static final int SAMPLES = 15;

    private static final double TURN_MICROS = 2e5;

    /// What a turn on several threads begins with and does not count: after a pause a kernel may keep threads that
    /// work for a few milliseconds together on one core, which made products on two threads two to four times
    /// slower.
    private static final double SPREADING_MICROS = 5e4;

    /// A child is done after so many samples, which shall not all lie in a moment, or after so much time in at
    /// least a few of them.
    private static final int ENOUGH_SAMPLES = 30;

    private static final double MOMENT_MICROS = 6e4;
    private static final double ENOUGH_MICROS = 1e6;
    private static final int FEWEST_SAMPLES = 3;

    private final List<String> command;
    private final Map<String, String> environment;
    private final int threads;
    private Worker worker;

    private int calls;
    private double sampleMicros;
    private double[] times;
    private double spent;

    /// @param threads on how many threads it computes
    ComparedChild(List<String> command, Map<String, String> environment, int threads) {
        this.command = command;
        this.environment = environment;
        this.threads = threads;
    }

    /// Asks the child, which is started if there is none.
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

    /// Calls until times settle: for a while, and until two groups of samples have the same median but for a few
    /// percent, or too much time has passed.
    void warmUp() throws IOException {
        times = new double[0];
        spent = 0;
        calls = 1;
        double warmed = 0;
        double last = Double.NaN;
        boolean settled = false;
        for (int samples = 1; warmed < LEAST_WARM_UP_MICROS || !settled && warmed < MOST_WARM_UP_MICROS; ) {
            double[] group = time(samples);
            double median = Statistics.of(group).median();
            warmed += Arrays.stream(group).sum() * calls;
            settled = Math.abs(median - last) <= SETTLED * median;
            last = median;
            calls = (int) Math.clamp(SAMPLE_MICROS / median, 1, MOST_CALLS);
            samples = (int) Math.clamp(LEAST_WARM_UP_MICROS / (median * calls), 1, GROUP);
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

    /// Whether it has been measured enough.
    boolean isDone() {
        return times.length >= ENOUGH_SAMPLES && spent >= MOMENT_MICROS
                || spent >= ENOUGH_MICROS && times.length >= FEWEST_SAMPLES;
    }

    /// Takes some samples.
    void takeTurn() throws IOException {
        if (threads > 1) {
            time((int) Math.ceil(SPREADING_MICROS / sampleMicros));
        }
        double[] turn = time((int) Math.clamp(TURN_MICROS / sampleMicros, 1, SAMPLES));
        times = DoubleStream.concat(Arrays.stream(times), Arrays.stream(turn)).toArray();
        spent += Arrays.stream(turn).sum() * calls;
    }

    /// Of all samples so far, per call.
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
