package org.toydiff.examples;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.toydiff.Autograd;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.Layer;

/// Answers requests by a model in a shared arena.
///
/// | request | answer |
/// |---|---|
/// | `POST /classify` with `{"images": [[64 numbers within 0 to 16], …]}` | the label of each, and its probability |
/// | `GET /statistics` | requests and garbage collections since the last call, and the memory now |
///
/// A request that is not valid is answered with status 400 and `{"error": "…"}`.
final class DigitServer implements AutoCloseable {
    /// The largest request in bytes: room for the images at a time.
    private static final int MAX_BYTES = 128 << 10;

    private static final int MAX_IMAGES = 256;

    /// The time in seconds that requests under way have when the server is closed.
    private static final int PATIENCE = 10;

    /// NaN, single quotes and what else lenient parsers accept is no JSON.
    private static final Gson GSON =
            new GsonBuilder().setStrictness(Strictness.STRICT).create();

    private final Layer net;
    private final HttpServer server;
    private final ExecutorService threads;
    private final GcPauses pauses;
    private final LongAdder requests = new LongAdder();

    record Images(float[][] images) {}

    record Labels(long[] labels, float[] probabilities) {}

    record Statistics(
            long requests,
            long gcPauses,
            double gcPauseMillis,
            double longestGcPauseMillis,
            long heapBytes,
            long offHeapBytes) {}

    private record Failure(String error) {}

    /// A request that is answered with an error.
    private static final class BadRequest extends Exception {
        private static final long serialVersionUID = 1;
        private final int status;

        BadRequest(int status, String message) {
            super(message);
            this.status = status;
        }
    }

    /// Starts a server.
    ///
    /// @param net the model, in evaluation mode and a shared arena, which must outlive the server
    /// @param address the address, with port 0 for any that is free
    /// @param threads the number of requests that are answered at a time
    DigitServer(Layer net, InetSocketAddress address, int threads) throws IOException {
        // Without the first, an answer may wait 40 ms for the acknowledgement of the one before it; with the second, a
        // client that sends slowly keeps a thread for ten seconds at most.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        System.setProperty("sun.net.httpserver.maxReqTime", "10");
        this.net = net;
        this.server = HttpServer.create(address, 0);
        // Threads that stay keep their scratch memory; a new virtual thread for each request would make it again.
        this.threads = Executors.newFixedThreadPool(threads);
        this.pauses = new GcPauses();
        server.setExecutor(this.threads);
        server.createContext("/", this::handle);
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    /// Accepts no more requests, and waits for those under way.
    @Override
    public void close() {
        server.stop(PATIENCE);
        threads.shutdown();
        try {
            threads.awaitTermination(PATIENCE, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        pauses.close();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            try {
                send(exchange, 200, answer(exchange));
            } catch (BadRequest e) {
                send(exchange, e.status, new Failure(e.getMessage()));
            } catch (RuntimeException e) {
                e.printStackTrace();
                send(exchange, 500, new Failure("the request failed; the log of the server has the reason"));
            }
        }
    }

    private Object answer(HttpExchange exchange) throws IOException, BadRequest {
        String path = exchange.getRequestURI().getPath();
        switch (path) {
            case "/classify" -> {
                requireMethod(exchange, "POST");
                requests.increment();
                return classify(parse(exchange));
            }
            case "/statistics" -> {
                requireMethod(exchange, "GET");
                return statistics();
            }
            default -> throw new BadRequest(404, "there is no " + path + "; POST /classify, or GET /statistics");
        }
    }

    private static void requireMethod(HttpExchange exchange, String method) throws BadRequest {
        if (!exchange.getRequestMethod().equals(method)) {
            exchange.getResponseHeaders().set("Allow", method);
            throw new BadRequest(
                    405,
                    exchange.getRequestURI().getPath() + " takes " + method + ", not " + exchange.getRequestMethod());
        }
    }

    private static float[][] parse(HttpExchange exchange) throws IOException, BadRequest {
        byte[] body = exchange.getRequestBody().readNBytes(MAX_BYTES + 1);
        if (body.length > MAX_BYTES) {
            throw new BadRequest(
                    413, "the request is longer than " + MAX_BYTES + " bytes; send fewer images at a time");
        }
        try {
            Images parsed = GSON.fromJson(new String(body, StandardCharsets.UTF_8), Images.class);
            return requireValid(parsed == null ? null : parsed.images);
        } catch (JsonParseException e) {
            throw new BadRequest(400, "the request is not the JSON {\"images\": [[…], …]}: " + e.getMessage());
        }
    }

    private static float[][] requireValid(float[][] images) throws BadRequest {
        if (images == null || images.length == 0 || images.length > MAX_IMAGES) {
            throw new BadRequest(400, "there must be 1 to " + MAX_IMAGES + " \"images\"");
        }
        for (int i = 0; i < images.length; i++) {
            if (images[i] == null || images[i].length != Digits.PIXELS) {
                throw new BadRequest(
                        400,
                        "image " + i + " must have " + Digits.PIXELS + " numbers, and has "
                                + (images[i] == null ? "none" : images[i].length));
            }
            for (float pixel : images[i]) {
                if (!(pixel >= 0 && pixel <= Digits.WHITE)) {
                    throw new BadRequest(
                            400, "image " + i + " has the pixel " + pixel + ", not within 0 to " + Digits.WHITE);
                }
            }
        }
        return images;
    }

    /// Classifies images in an arena for this request alone.
    Labels classify(float[][] images) {
        try (var request = TensorArena.ofConfined();
                var inference = Autograd.noGradient()) {
            Tensor probabilities =
                    net.forward(Tensor.of(images).divide(Digits.WHITE)).softmax(1);
            return new Labels(
                    probabilities.argmax(1).toLongArray(), probabilities.max(1).toFloatArray());
        }
    }

    private Statistics statistics() {
        GcPauses.Sum sum = pauses.takeSum();
        Runtime runtime = Runtime.getRuntime();
        return new Statistics(
                requests.sumThenReset(),
                sum.count(),
                sum.nanos() / 1e6,
                sum.longestNanos() / 1e6,
                runtime.totalMemory() - runtime.freeMemory(),
                Memory.liveBytes());
    }

    private static void send(HttpExchange exchange, int status, Object answer) throws IOException {
        byte[] body = GSON.toJson(answer).getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }
}
