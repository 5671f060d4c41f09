package org.toydiff.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.toydiff.Autograd;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.Layer;

/// The server's answers: right, the same under load, and errors with a message for requests that are not valid.
class ServeTest {
    private final long live = Memory.liveBytes();
    private final TensorArena arena = TensorArena.ofShared();
    private final HttpClient client = HttpClient.newHttpClient();
    private Layer net;
    private DigitServer server;

    @BeforeEach
    void start() throws IOException {
        Tensor.manualSeed(3);
        net = Digits.net();
        net.eval();
        server = new DigitServer(net, new InetSocketAddress("localhost", 0), 8);
    }

    @AfterEach
    void stop() {
        server.close();
        arena.close();
        client.close();
        assertEquals(live, Memory.liveBytes());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://localhost:" + server.port() + path));
    }

    private HttpResponse<String> classify(String body) throws Exception {
        return client.send(
                request("/classify").POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString());
    }

    private static int[][] images(int n) {
        var random = new Random(n);
        return IntStream.range(0, n)
                .mapToObj(i -> random.ints(Digits.PIXELS, 0, Digits.WHITE + 1).toArray())
                .toArray(int[][]::new);
    }

    private static String json(int[]... images) {
        return "{\"images\": " + Arrays.deepToString(images) + "}";
    }

    /// Returns the answer that the model gives on this thread.
    private DigitServer.Labels expected(int[]... images) {
        float[][] pixels = new float[images.length][Digits.PIXELS];
        for (int i = 0; i < images.length; i++) {
            for (int j = 0; j < Digits.PIXELS; j++) {
                pixels[i][j] = images[i][j] / 16f;
            }
        }
        try (var scratch = TensorArena.ofConfined();
                var inference = Autograd.noGradient()) {
            Tensor p = net.forward(Tensor.of(pixels)).softmax(1);
            return new DigitServer.Labels(p.argmax(1).toLongArray(), p.max(1).toFloatArray());
        }
    }

    private static void assertAnswer(DigitServer.Labels expected, HttpResponse<String> answer) {
        assertEquals(200, answer.statusCode(), answer.body());
        assertEquals(
                "application/json", answer.headers().firstValue("Content-Type").orElseThrow());
        var labels = new Gson().fromJson(answer.body(), DigitServer.Labels.class);
        assertArrayEquals(expected.labels(), labels.labels());
        assertArrayEquals(expected.probabilities(), labels.probabilities());
    }

    @Test
    void imagesAreClassifiedAsByTheModel() throws Exception {
        for (int n : new int[] {1, 3, 256}) {
            assertAnswer(expected(images(n)), classify(json(images(n))));
        }
    }

    @Test
    void manyRequestsAtOnceAreAnsweredToTheBitAndCounted() throws Exception {
        int[][] images = images(40);
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            HttpRequest request = request("/classify")
                    .POST(BodyPublishers.ofString(json(images[i % images.length])))
                    .build();
            answers.add(client.sendAsync(request, BodyHandlers.ofString()));
        }
        for (int i = 0; i < answers.size(); i++) {
            assertAnswer(expected(images[i % images.length]), answers.get(i).join());
        }
        JsonObject statistics = new Gson()
                .fromJson(
                        client.send(request("/statistics").build(), BodyHandlers.ofString())
                                .body(),
                        JsonObject.class);
        assertEquals(400, statistics.get("requests").getAsLong());
        assertTrue(statistics.get("heapBytes").getAsLong() > 0);
        assertEquals(arena.liveBytes(), statistics.get("offHeapBytes").getAsLong(), "the model alone");
    }

    @Test
    void requestsThatAreNotValidAreAnsweredWithTheReason() throws Exception {
        String good = Arrays.toString(images(1)[0]);
        Map<String, String> reasons = new LinkedHashMap<>();
        for (String none : List.of("", "{}", "null", "{\"images\": null}", "{\"images\": []}")) {
            reasons.put(none, "there must be 1 to 256 \\\"images\\\"");
        }
        reasons.put(json(images(257)).replace(" ", ""), "there must be 1 to 256 \\\"images\\\"");
        reasons.put("{\"images\": [null]}", "image 0 must have 64 numbers, and has none");
        reasons.put("{\"images\": [" + good + ", [1, 2]]}", "image 1 must have 64 numbers, and has 2");
        reasons.put(json(images(1)).replaceFirst("\\d+", "-1"), "image 0 has the pixel -1.0, not within 0 to 16");
        reasons.put(json(images(1)).replaceFirst("\\d+", "1e99"), "image 0 has the pixel Infinity, not within 0 to 16");
        for (String malformed : List.of(
                "{", "[1]", "{'images': 1}", json(images(1)).replaceFirst("\\d+", "NaN"), json(images(1)) + "x")) {
            reasons.put(malformed, "the request is not the JSON {\\\"images\\\": [[…], …]}: ");
        }
        for (Map.Entry<String, String> bad : reasons.entrySet()) {
            HttpResponse<String> answer = classify(bad.getKey());
            assertEquals(400, answer.statusCode(), bad.getKey());
            assertTrue(answer.body().startsWith("{\"error\":\"" + bad.getValue()), answer.body());
        }
        assertAnswer(expected(images(1)), classify(json(images(1))));
    }

    @Test
    void longRequestsOtherMethodsAndOtherPathsAreRefused() throws Exception {
        HttpResponse<String> tooLong = classify(" ".repeat(200_000));
        assertEquals(413, tooLong.statusCode());
        assertTrue(tooLong.body().contains("longer than 131072 bytes; send fewer images at a time"), tooLong.body());
        HttpResponse<String> get = client.send(request("/classify").build(), BodyHandlers.ofString());
        assertEquals(405, get.statusCode());
        assertEquals("POST", get.headers().firstValue("Allow").orElseThrow());
        assertEquals("{\"error\":\"/classify takes POST, not GET\"}", get.body());
        HttpResponse<String> unknown = client.send(request("/classify/it").build(), BodyHandlers.ofString());
        assertEquals(404, unknown.statusCode());
    }

    @Test
    void percentilesAreTheSmallestLatenciesThatTheShareDoesNotExceed() {
        long[] latencies =
                IntStream.rangeClosed(1, 1000).mapToLong(i -> i * 1_000_000L).toArray();
        var outcome = new Load.Outcome(latencies, 0);
        assertEquals(500, outcome.millis(0.5));
        assertEquals(990, outcome.millis(0.99));
        assertEquals(999, outcome.millis(0.999));
        assertEquals(1000, outcome.millis(1));
        assertEquals(7, new Load.Outcome(new long[] {7_000_000}, 0).millis(0.5));
    }
}
