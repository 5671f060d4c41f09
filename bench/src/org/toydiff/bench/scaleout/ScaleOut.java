package org.toydiff.bench.scaleout;

import java.io.IOException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// Measures training on several ranks, and predicts it for more; started by `bench/run scaleout`.
@Command(
        name = "bench/run scaleout",
        mixinStandardHelpOptions = true,
        subcommands = {CollectivesCommand.class, TrainingCommand.class, PredictCommand.class},
        description = "Measures training on several MPI ranks of this machine, and predicts it for more nodes.")
public final class ScaleOut {
    private ScaleOut() {}

    /// Runs the command line.
    ///
    /// @param arguments see `--help`
    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    static CommandLine commandLine() {
        return new CommandLine(new ScaleOut()).setExecutionExceptionHandler(ScaleOut::report);
    }

    private static int report(Exception e, CommandLine commandLine, CommandLine.ParseResult parsed) throws Exception {
        if (!(e instanceof IOException)) {
            throw e;
        }
        System.err.println("bench/run scaleout: " + e.getMessage());
        return 1;
    }
}
