package org.toydiff.bench.compare;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonSyntaxException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The driver's side of the line protocol: a peer that runs until it is closed.
final class PeerProcess implements AutoCloseable {
    private final Process process;
    private final PrintStream requests;
    private final BufferedReader answers;
    private final Path log;
    private final JsonObject hello;

    /// Starts a peer and waits until it answers.
    ///
    /// @throws IOException if it does not answer
    PeerProcess(List<String> command, Path log) throws IOException {
        this.log = log;
        process = CommandLines.builder(command)
                .redirectError(Files.createDirectories(log.getParent())
                        .resolve(log.getFileName())
                        .toFile())
                .start();
        requests = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
        answers = process.inputReader(StandardCharsets.UTF_8);
        try {
            hello = ask("hello");
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    String name() {
        return hello.get("name").getAsString();
    }

    String version() {
        return hello.get("version").getAsString();
    }

    boolean offers(String workload) {
        return hello.getAsJsonArray("workloads").asList().stream()
                .anyMatch(offered -> offered.getAsString().equals(workload));
    }

    /// Sends a request and waits for the answer.
    ///
    /// @throws IOException if the peer ends or answers with an error
    JsonObject ask(String request) throws IOException {
        requests.println(request);
        String line = answers.readLine();
        if (line == null) {
            throw new IOException("a peer ended at \"" + request + "\": " + lastLogLine());
        }
        try {
            JsonObject answer = JsonParser.parseString(line).getAsJsonObject();
            if (answer.has("error")) {
                throw new IOException(answer.get("error").getAsString() + "; see " + log);
            }
            return answer;
        } catch (JsonSyntaxException | IllegalStateException e) {
            throw new IOException("a peer's answer to \"" + request + "\" is not a JSON object: " + line, e);
        }
    }

    private String lastLogLine() throws IOException {
        List<String> lines = Files.readAllLines(log);
        return lines.isEmpty() ? "it wrote nothing to " + log : lines.getLast();
    }

    /// Ends the peer, which stops when its stdin is closed.
    @Override
    public void close() {
        requests.close();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
