package org.toydiff.bench.blas;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonSyntaxException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Serial;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/// A child process that answers each request, a line, with a line of JSON.
final class Worker implements AutoCloseable {
    /// The time that a child is given to end by itself.
    private static final long PATIENCE_SECONDS = 5;

    private static final String CRASH = "#  SIG";
    private static final int SIGINT_EXIT = 128 + 2;

    /// The running children, which are ended with this JVM.
    private static final Set<Process> RUNNING = ConcurrentHashMap.newKeySet();

    private static volatile boolean stopping;

    private final Process process;
    private final PrintStream requests;
    private final BufferedReader answers;
    private final Path errors;

    /// The line in which a crashing JVM names the signal.
    private String crash;

    /// Thrown when a child has ended by itself.
    static final class Lost extends IOException {
        @Serial
        private static final long serialVersionUID = 1L;

        Lost(String message) {
            super(message);
        }
    }

    /// Thrown when a child was ended because this JVM is about to end.
    static final class Stopped extends RuntimeException {
        @Serial
        private static final long serialVersionUID = 1L;

        Stopped() {
            super("stopped");
        }
    }

    /// Starts a program.
    ///
    /// @param environment variables in addition to those of this process
    Worker(List<String> command, Map<String, String> environment) throws IOException {
        errors = Files.createTempFile("blasbench", ".err");
        errors.toFile().deleteOnExit();
        var builder = new ProcessBuilder(command).redirectError(errors.toFile());
        builder.environment().putAll(environment);
        synchronized (RUNNING) {
            if (stopping) {
                throw new Stopped();
            }
            process = builder.start();
            RUNNING.add(process);
        }
        requests = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
        answers = process.inputReader(StandardCharsets.UTF_8);
    }

    /// Ends every child and refuses to start others.
    static void stopAll() {
        synchronized (RUNNING) {
            stopping = true;
        }
        for (Process process : RUNNING) {
            process.destroyForcibly();
        }
        for (Process process : RUNNING) {
            process.onExit().join();
        }
    }

    /// Sends a request and waits for the answer.
    ///
    /// @throws Lost if the child ends instead of answering
    JsonObject ask(String request) throws IOException {
        requests.println(request);
        for (String line = answers.readLine(); line != null; line = answers.readLine()) {
            JsonObject answer = parse(line);
            if (answer != null) {
                return answer;
            }
            if (line.startsWith(CRASH)) {
                crash = line.substring(1).strip();
            }
        }
        throw lost();
    }

    /// Parses an answer; returns null for any other line, since libraries may print too.
    private static JsonObject parse(String line) {
        try {
            JsonElement element = JsonParser.parseString(line);
            return element.isJsonObject() ? element.getAsJsonObject() : null;
        } catch (JsonSyntaxException e) {
            return null;
        }
    }

    private Lost lost() throws IOException {
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                process.waitFor();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (process.exitValue() == SIGINT_EXIT) {
            // Ctrl-C in the terminal; this JVM is interrupted too.
            stopping = true;
        }
        if (stopping) {
            throw new Stopped();
        }
        int exit = process.exitValue();
        return new Lost("the child ended with exit code " + exit + signal(exit) + lastWords());
    }

    /// Returns the signal that a crashed JVM reported, or else the last line that the child wrote.
    private String lastWords() throws IOException {
        if (crash != null) {
            return ": " + crash;
        }
        return Files.readString(errors)
                .lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty() && !line.startsWith("WARNING: Using incubator modules"))
                .reduce((first, second) -> second)
                .map(line -> ": " + line)
                .orElse("");
    }

    private static String signal(int exit) {
        return switch (exit) {
            case 128 + 4 -> " (SIGILL)";
            case 128 + 6 -> " (SIGABRT)";
            case 128 + 7 -> " (SIGBUS)";
            case 128 + 8 -> " (SIGFPE)";
            case 128 + 9 -> " (SIGKILL)";
            case 128 + 11 -> " (SIGSEGV)";
            default -> "";
        };
    }

    /// Ends the child, which stops when its stdin is closed.
    @Override
    public void close() {
        requests.close();
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                process.waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        RUNNING.remove(process);
        try {
            answers.close();
            Files.deleteIfExists(errors);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
