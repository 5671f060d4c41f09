package org.toydiff.examples;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/// Starts a program again, in several processes.
final class Ranks {
    private Ranks() {}

    /// Runs FashionMnist by Open MPI's `mpirun`, with the JVM, options and class path of this process.
    ///
    /// @param shards the shards of a batch, 0 for as many as processes
    /// @return the exit status of the job
    static int start(int processes, List<String> arguments, int shards) throws IOException {
        List<String> command = new ArrayList<>(
                List.of("mpirun", "-n", String.valueOf(processes), "--bind-to", "none", "--oversubscribe"));
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), FashionMnist.class.getName()));
        arguments.stream()
                .filter(argument -> !argument.startsWith("--processes"))
                .forEach(command::add);
        if (shards == 0) {
            command.add("--shards=" + processes);
        }
        var builder = new ProcessBuilder(command).inheritIO();
        // Open MPI refuses root, and containers have no other user, unless both are set.
        builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT", "1");
        builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        try {
            return builder.start().waitFor();
        } catch (IOException e) {
            throw new IOException(
                    "mpirun cannot be started; install Open MPI (Debian: openmpi-bin): " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 1;
        }
    }
}
