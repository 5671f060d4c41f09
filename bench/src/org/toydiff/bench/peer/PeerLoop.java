package org.toydiff.bench.peer;

import com.google.gson.Gson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;

/// The peer's side of the line protocol: a request is a line of words on stdin, the answer one line of JSON on
/// stdout. An idle peer is blocked in read and takes no processor time.
public final class PeerLoop {
    private static final Gson JSON = new Gson();

    private final String name;
    private final String version;
    private final Map<String, Workload> workloads;

    /// A workload that a peer offers.
    @FunctionalInterface
    public interface Workload {
        /// Answers one request.
        ///
        /// @param words the request without its first word
        /// @return the answer
        /// @throws Exception on any failure; the driver reports it
        Map<String, ?> run(String... words) throws Exception;
    }

    /// Creates a peer.
    ///
    /// @param name its name in tables
    /// @param version the version of its library
    /// @param workloads the workloads by the first word of the request
    public PeerLoop(String name, String version, Map<String, Workload> workloads) {
        this.name = name;
        this.version = version;
        this.workloads = workloads;
    }

    /// Answers requests until stdin ends.
    ///
    /// @throws IOException if stdin cannot be read
    public void serve() throws IOException {
        PrintStream answers = System.out;
        // A library's output must not be mistaken for an answer.
        System.setOut(System.err);
        var requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            answers.println(JSON.toJson(answer(line)));
            answers.flush();
        }
    }

    private Map<String, ?> answer(String line) {
        String[] words = line.strip().split(" +");
        if (words[0].equals("hello")) {
            return Map.of("name", name, "version", version, "workloads", workloads.keySet());
        }
        try {
            String[] rest = Arrays.copyOfRange(words, 1, words.length);
            return workload(words[0]).run(rest);
        } catch (Exception | LinkageError e) {
            e.printStackTrace();
            return Map.of("error", name + ": " + line + ": " + e);
        }
    }

    private Workload workload(String word) {
        Workload workload = workloads.get(word);
        if (workload == null) {
            throw new IllegalArgumentException(word + " is not one of " + workloads.keySet());
        }
        return workload;
    }
}
