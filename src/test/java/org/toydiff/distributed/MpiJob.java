package org.toydiff.distributed;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.toydiff.child.Child;

/// Several processes that `mpirun` has started with one program.
///
/// @param exit the exit status of `mpirun`
/// @param output what all of them printed, each line after `[1,rank]<stdout>:` or `[1,rank]<stderr>:`
/// @param seconds how long it ran
record MpiJob(int exit, List<String> output, double seconds) {
    private static final int PATIENCE_SECONDS = 120;

    /// Skips a test where there is no Open MPI.
    static void requireMpi() {
        boolean found = Arrays.stream(System.getenv("PATH").split(":"))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "mpirun")));
        Assumptions.assumeTrue(
                found, "there is no mpirun on the PATH: install Open MPI (Debian: openmpi-bin) to run this test");
    }

    static Process start(Path out, int ranks, Class<?> program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(
                List.of("mpirun", "-n", String.valueOf(ranks), "--oversubscribe", "--bind-to", "none", "--tag-output"));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(Child.SHORT_LIVED);
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx256m", "-cp", Child.classPath()));
        command.add(program.getName());
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile());
        // Containers have no other user than root.
        builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT", "1");
        builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        return builder.start();
    }

    static MpiJob run(int ranks, Class<?> program, String... arguments) throws IOException, InterruptedException {
        Path out = Files.createTempFile("mpi", ".out");
        try {
            long begun = System.nanoTime();
            return end(start(out, ranks, program, arguments), out, begun);
        } finally {
            Files.delete(out);
        }
    }

    static MpiJob end(Process job, Path out, long begun) throws IOException, InterruptedException {
        if (!job.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            job.destroy();
            throw new AssertionError("the job has not ended: " + Files.readString(out));
        }
        return new MpiJob(job.exitValue(), Files.readAllLines(out), (System.nanoTime() - begun) / 1e9);
    }

    /// The lines that a rank printed, without the launcher's tag.
    List<String> of(int rank, String stream) {
        String tag = "[1," + rank + "]<" + stream + ">:";
        return output.stream()
                .filter(line -> line.startsWith(tag))
                .map(line -> line.substring(tag.length()))
                .toList();
    }

    String errors(int rank) {
        return String.join("\n", of(rank, "stderr"));
    }

    @Override
    public String toString() {
        return "exit " + exit + " after " + seconds + " s:\n" + output.stream().collect(Collectors.joining("\n"));
    }
}
