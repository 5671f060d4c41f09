package org.toydiff.examples;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.toydiff.Memory;
import org.toydiff.TensorArena;
import org.toydiff.io.SafeTensors;
import org.toydiff.nn.Layer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Serves the classifier of handwritten digits that [Digits] has trained, by HTTP and JSON, until the process is
/// told to end: then requests under way are answered, and the memory of the model is freed.
///
/// ```text
/// curl -d '{"images": [[0, 0, 5, 13, …, 0, 0]]}' localhost:8080/classify
/// {"labels":[0],"probabilities":[0.99]}
/// ```
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Serves a classifier of handwritten digits by HTTP.")
public final class Serve implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--model",
            paramLabel = "FILE",
            defaultValue = "target/digits.safetensors",
            description = "The model (default: ${DEFAULT-VALUE}).")
    private Path model;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            defaultValue = "localhost",
            description = "The address, 0.0.0.0 for all of this machine (default: ${DEFAULT-VALUE}).")
    private String host;

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "8080",
            description = "The port, 0 for any that is free (default: ${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "16",
            description = "Requests that are answered at a time (default: ${DEFAULT-VALUE}).")
    private int threads;

    private Serve() {}

    /// Serves until the process is told to end.
    ///
    /// @param arguments see `--help`
    public static void main(String[] arguments) {
        int exit = new CommandLine(new Serve())
                .setExecutionExceptionHandler((e, line, parsed) -> {
                    System.err.println("serve: " + e.getMessage());
                    return 1;
                })
                .execute(arguments);
        // Exiting while the JVM shuts down would wait for ever.
        if (exit != 0) {
            System.exit(exit);
        }
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        requireValidOptions();
        var shutdown = new Shutdown();
        try {
            serve(shutdown);
            System.out.println("live after closing: " + Memory.liveBytes() + " B");
        } finally {
            shutdown.done.countDown();
        }
        return 0;
    }

    private void requireValidOptions() {
        if (port < 0 || port > 65_535 || threads <= 0) {
            throw new ParameterException(
                    spec.commandLine(), "--port must be within 0 to 65535, and --threads positive");
        }
        if (!Files.isReadable(model)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "there is no model " + model + "; `mvn -q compile exec:exec@train` trains one, --model=FILE names"
                            + " another");
        }
    }

    /// Opens the arena of the model, serves, and closes it. Each request has an arena of its own.
    private void serve(Shutdown shutdown) throws IOException, InterruptedException {
        try (var parameters = TensorArena.ofShared();
                var server = new DigitServer(load(), new InetSocketAddress(host, port), threads)) {
            System.out.println("serving " + model + " at http://" + host + ":" + server.port() + "/classify");
            shutdown.begun.await();
        }
    }

    private Layer load() throws IOException {
        Layer net = Digits.net();
        try (var saved = SafeTensors.open(model)) {
            net.loadStateDict(saved.toMap());
        }
        net.eval();
        return net;
    }

    /// Lets a shutdown of the JVM, by Ctrl-C or SIGTERM, wait until the server is closed.
    private static final class Shutdown {
        private final CountDownLatch begun = new CountDownLatch(1);
        private final CountDownLatch done = new CountDownLatch(1);

        Shutdown() {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                begun.countDown();
                try {
                    done.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }));
        }
    }
}
