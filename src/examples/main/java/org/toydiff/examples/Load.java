package org.toydiff.examples;

import com.google.gson.Gson;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Sends requests to [Serve] at a constant rate, whether or not earlier ones have been answered (an open loop), and
/// prints percentiles of the latency.
///
/// A latency counts from the time at which its request was due, not from the time at which it was sent. So requests
/// that wait because the server, or this program, is late count with the delay: coordinated omission is avoided.
@Command(
        name = "load",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Sends requests to the example `serve` at a constant rate and prints latencies.")
public final class Load implements Callable<Integer> {
    private static final int IMAGES = 64;
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    /// The server reports its pauses about a second late.
    private static final long REPORT_MILLIS = 2000;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--url",
            paramLabel = "URL",
            defaultValue = "http://localhost:8080",
            description = "The server (default: ${DEFAULT-VALUE}).")
    private URI url;

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "200",
            description = "Requests a second (default: ${DEFAULT-VALUE}).")
    private double rate;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "60",
            description = "The duration of the measurement (default: ${DEFAULT-VALUE}).")
    private int seconds;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            defaultValue = "20",
            description = "Seconds of requests before it (default: ${DEFAULT-VALUE}).")
    private int warmUp;

    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(TIMEOUT)
            .build();
    private HttpRequest[] requests;

    private Load() {}

    /// Runs the load.
    ///
    /// @param arguments see `--help`
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Load())
                .setExecutionExceptionHandler((e, line, parsed) -> {
                    System.err.println("load: " + e);
                    return 1;
                })
                .execute(arguments));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (!(rate > 0 && rate <= 100_000) || seconds <= 0 || warmUp < 0) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--rate must be within 0 to 100000, --seconds positive, --warm-up not negative");
        }
        requests = requests();
        System.out.println("warming up for " + warmUp + " s, then measuring for " + seconds + " s");
        run(warmUp);
        statistics();
        Outcome outcome = run(seconds);
        Thread.sleep(REPORT_MILLIS);
        outcome.print(rate, seconds);
        print(statistics());
        return outcome.failed == 0 ? 0 : 1;
    }

    private HttpRequest[] requests() {
        RandomGenerator random = new Random(1);
        return IntStream.range(0, IMAGES)
                .mapToObj(i -> {
                    int[] pixels =
                            random.ints(Digits.PIXELS, 0, Digits.WHITE + 1).toArray();
                    return HttpRequest.newBuilder(url.resolve("/classify"))
                            .timeout(TIMEOUT)
                            .POST(HttpRequest.BodyPublishers.ofString(
                                    "{\"images\": [" + Arrays.toString(pixels) + "]}"))
                            .build();
                })
                .toArray(HttpRequest[]::new);
    }

    /// Sends requests for some seconds and waits for their answers.
    private Outcome run(int seconds) {
        int count = (int) Math.round(rate * seconds);
        long[] latencies = new long[count];
        var failed = new LongAdder();
        var answers = new CompletableFuture<?>[count];
        long begin = System.nanoTime();
        for (int i = 0; i < count; i++) {
            int number = i;
            long due = begin + (long) (i / rate * 1e9);
            for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
            answers[i] = client.sendAsync(requests[i % IMAGES], BodyHandlers.discarding())
                    .handle((answer, failure) -> {
                        latencies[number] = System.nanoTime() - due;
                        if (failure != null || answer.statusCode() != 200) {
                            failed.increment();
                        }
                        return null;
                    });
        }
        CompletableFuture.allOf(answers).join();
        Arrays.sort(latencies);
        return new Outcome(latencies, failed.sum());
    }

    private DigitServer.Statistics statistics() throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(url.resolve("/statistics"))
                .timeout(TIMEOUT)
                .build();
        return new Gson().fromJson(client.send(request, BodyHandlers.ofString()).body(), DigitServer.Statistics.class);
    }

    /// @param latencies in nanoseconds, ascending; those of failed requests are included
    record Outcome(long[] latencies, long failed) {
        /// Returns the smallest latency that a share of all latencies does not exceed.
        double millis(double share) {
            int rank = (int) Math.ceil(share * latencies.length);
            return latencies[Math.max(rank, 1) - 1] / 1e6;
        }

        void print(double rate, int seconds) {
            System.out.printf(
                    Locale.ROOT,
                    "%,d requests, %.0f a second for %d s; failed: %d%n",
                    latencies.length,
                    rate,
                    seconds,
                    failed);
            System.out.printf(
                    Locale.ROOT,
                    "latency from when due: p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, max %.2f ms%n",
                    millis(0.5),
                    millis(0.99),
                    millis(0.999),
                    millis(1));
        }
    }

    private static void print(DigitServer.Statistics server) {
        System.out.printf(
                Locale.ROOT,
                "GC pauses of the server: %d, together %.2f ms, longest %.2f ms%n",
                server.gcPauses(),
                server.gcPauseMillis(),
                server.longestGcPauseMillis());
        System.out.printf(
                Locale.ROOT,
                "memory of the server: heap %,d B, off-heap %,d B%n",
                server.heapBytes(),
                server.offHeapBytes());
    }
}
