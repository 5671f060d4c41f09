package org.toydiff.distributed;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.toydiff.child.Child;

/// Several processes that `mpirun` has started with one program. Each prints to files of its own: in one stream the
/// launcher mixes parts of lines.
///
/// @param exit the exit status of `mpirun`
/// @param launcher what `mpirun` itself printed
/// @param out the lines that each rank printed
/// @param err the lines that each rank printed as errors
/// @param seconds how long it ran
record MpiJob(int exit, String launcher, List<List<String>> out, List<List<String>> err, double seconds) {
    private static final int PATIENCE_SECONDS = 120;

    /// Skips a test where there is no Open MPI.
    static void requireMpi() {
        boolean found = Arrays.stream(System.getenv("PATH").split(":"))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "mpirun")));
        Assumptions.assumeTrue(
                found, "there is no mpirun on the PATH: install Open MPI (Debian: openmpi-bin) to run this test");
    }

    /// Starts a job whose output goes to files of a folder.
    static Process start(Path folder, int ranks, Class<?> program, String... arguments) throws IOException {
        List<String> command =
                new ArrayList<>(List.of("mpirun", "-n", String.valueOf(ranks), "--oversubscribe", "--bind-to", "none"));
        command.addAll(List.of("--output-filename", folder + ":nocopy"));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(Child.SHORT_LIVED);
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx256m", "-cp", Child.classPath()));
        command.add(program.getName());
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(launcher(folder).toFile());
        // Containers have no other user than root.
        builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT", "1");
        builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        return builder.start();
    }

    private static Path launcher(Path folder) {
        return folder.resolve("launcher");
    }

    /// The file of a stream, `stdout` or `stderr`, of a rank: the first job of `mpirun` is 1.
    private static Path file(Path folder, int rank, String stream) {
        return folder.resolve("1", "rank." + rank, stream);
    }

    static MpiJob run(int ranks, Class<?> program, String... arguments) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("mpi");
        try {
            long begun = System.nanoTime();
            return end(start(folder, ranks, program, arguments), folder, ranks, begun);
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
            }
        }
    }

    /// Waits until the launcher has ended, and then the processes that it started: one that is killed with the job may
    /// outlive it, and hold its files for a moment.
    ///
    /// @return false if the launcher had to be stopped
    private static boolean awaitAll(Process job) throws InterruptedException {
        long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        Set<ProcessHandle> started = new HashSet<>();
        boolean ended = false;
        while (!ended && System.nanoTime() - limit < 0) {
            job.descendants().forEach(started::add);
            ended = job.waitFor(20, TimeUnit.MILLISECONDS);
        }
        if (!ended) {
            job.destroy();
            job.waitFor();
        }
        started.forEach(process ->
                process.onExit().orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join());
        return ended;
    }

    static MpiJob end(Process job, Path folder, int ranks, long begun) throws IOException, InterruptedException {
        boolean ended = awaitAll(job);
        List<List<String>> out = new ArrayList<>();
        List<List<String>> err = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            out.add(lines(file(folder, rank, "stdout")));
            err.add(lines(file(folder, rank, "stderr")));
        }
        String launcher = Files.readString(launcher(folder));
        var result = new MpiJob(job.exitValue(), launcher, out, err, (System.nanoTime() - begun) / 1e9);
        if (!ended) {
            throw new AssertionError("the job had not ended: " + result);
        }
        return result;
    }

    /// The lines of a file, none if it is not there yet.
    private static List<String> lines(Path file) throws IOException {
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }

    /// Waits until a rank of a job that is running has printed a line that begins with `text`, and returns the rest.
    static String awaitLine(Process job, Path folder, int rank, String text) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        while (true) {
            boolean alive = job.isAlive();
            for (String line : lines(file(folder, rank, "stdout"))) {
                if (line.startsWith(text)) {
                    return line.substring(text.length());
                }
            }
            if (!alive || System.nanoTime() - begun > PATIENCE_SECONDS * 1e9) {
                throw new AssertionError("rank " + rank + " has not printed \"" + text + "\": "
                        + Files.readString(launcher(folder)) + lines(file(folder, rank, "stderr")));
            }
            Thread.sleep(1);
        }
    }

    /// What a rank printed as errors.
    String errors(int rank) {
        return String.join("\n", err.get(rank));
    }

    @Override
    public String toString() {
        var text = new StringBuilder("exit " + exit + " after " + seconds + " s: " + launcher);
        for (int rank = 0; rank < out.size(); rank++) {
            text.append("\nrank ").append(rank).append(":\n").append(String.join("\n", out.get(rank)));
            text.append("\n").append(errors(rank));
        }
        return text.toString();
    }
}
