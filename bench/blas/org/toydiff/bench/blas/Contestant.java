package org.toydiff.bench.blas;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;

/// One child that takes part in a comparison. It is started when it is first needed, and again after it was lost.
final class Contestant implements AutoCloseable {
    /// What a sample shall take at least: a thousand times what reading the clock costs, and more.
    private static final double SAMPLE_MICROS = 1_000;

    private static final int MOST_CALLS = 1_000_000;
    private static final int GROUP = 5;
    private static final double SETTLED = 0.03;
    private static final double MOST_WARM_UP_MICROS = 1e6;

    /// Samples asked for at a time, and what they may take.
    private static final int SAMPLES = 6;

    private static final double TURN_MICROS = 2e5;

    /// A contestant is done after so many samples, or so much time in at least a few of them.
    private static final int ENOUGH_SAMPLES = 30;

    private static final double ENOUGH_MICROS = 1e6;
    private static final int FEWEST_SAMPLES = 3;

    /// A pool of threads spins for a while after its last work; the next contestant waits for that.
    private static final long PAUSE_MILLIS = 50;

    private final List<String> command;
    private final Map<String, String> environment;
    private final boolean pauses;
    private Worker worker;

    private int calls;
    private double sampleMicros;
    private double[] times;
    private double spent;

    /// @param pauses whether threads of this run may spin
    Contestant(List<String> command, Map<String, String> environment, boolean pauses) {
        this.command = command;
        this.environment = environment;
        this.pauses = pauses;
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

    /// Calls until times settle: until two groups of samples have the same median but for a few percent, or a second
    /// has passed.
    void warmUp() throws IOException {
        times = new double[0];
        spent = 0;
        pause();
        calls = 1;
        double last = median(1);
        double warmed = last;
        while (warmed < MOST_WARM_UP_MICROS) {
            calls = (int) Math.clamp(SAMPLE_MICROS / last, 1, MOST_CALLS);
            int samples = (int) Math.clamp(MOST_WARM_UP_MICROS / (last * calls), 1, GROUP);
            double next = median(samples);
            warmed += next * calls * samples;
            boolean settled = Math.abs(next - last) <= SETTLED * next;
            last = next;
            if (settled) {
                break;
            }
        }
        sampleMicros = last * calls;
    }

    private double median(int samples) throws IOException {
        return Statistics.of(time(samples)).median();
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
        return times.length >= ENOUGH_SAMPLES || spent >= ENOUGH_MICROS && times.length >= FEWEST_SAMPLES;
    }

    /// Takes some samples.
    void takeTurn() throws IOException {
        pause();
        double[] turn = time((int) Math.clamp(TURN_MICROS / sampleMicros, 1, SAMPLES));
        times = DoubleStream.concat(Arrays.stream(times), Arrays.stream(turn)).toArray();
        spent += Arrays.stream(turn).sum() * calls;
    }

    /// Of all samples so far, per call.
    Statistics statistics() {
        return Statistics.of(times);
    }

    private void pause() throws IOException {
        if (pauses) {
            try {
                Thread.sleep(PAUSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }
    }

    @Override
    public void close() {
        if (worker != null) {
            worker.close();
            worker = null;
        }
    }
}
