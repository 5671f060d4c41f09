package org.toydiff.bench.scaleout;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.toydiff.bench.compare.CommandLines;
import org.toydiff.bench.compare.NativePrograms;

/// Runs programs on ranks of this machine with Open MPI's `mpirun`.
final class MpiRun {
    private MpiRun() {}

    /// Runs a program on some ranks to its end and returns the output of all. Their errors go to this process's.
    ///
    /// @throws IOException if `mpirun` does not start, or a rank fails
    static String output(int ranks, List<String> program) throws IOException {
        return CommandLines.output(command(ranks, program), ProcessBuilder.Redirect.INHERIT);
    }

    /// Returns the command line, whose flags `bench/scaleout/README.md` explains.
    static List<String> command(int ranks, List<String> program) {
        List<String> command = new ArrayList<>(List.of("mpirun"));
        if (System.getProperty("user.name").equals("root")) {
            command.add("--allow-run-as-root");
        }
        command.addAll(List.of("--oversubscribe", "--bind-to", "none", "-n", Integer.toString(ranks)));
        command.addAll(program);
        return command;
    }

    /// Builds and runs `native/allreduce.c` and returns its table.
    ///
    /// @throws IOException if Open MPI is not installed, or a rank fails
    static String collectivesInC(int ranks) throws IOException {
        Path program = NativePrograms.buildForMpi("allreduce");
        return output(ranks, List.of(program.toAbsolutePath().toString()));
    }

    /// Measures the network between some ranks of this machine.
    ///
    /// @throws IOException if Open MPI is not installed, or a rank fails
    static Network network(int ranks) throws IOException {
        System.err.println("measuring collectives between " + ranks + " ranks");
        String table = collectivesInC(ranks);
        return Network.fit("here", ranks, CollectiveTable.micros(table, CollectiveTable.LEAST_EXCHANGE));
    }
}
