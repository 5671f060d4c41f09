package org.toydiff.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.toydiff.bench.compare.ComparisonRun;
import org.toydiff.bench.compare.RunOptions;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Compares toydiff with other libraries and with C, and writes tables and a chart. `bench/run` starts it.
@Command(
        name = "bench/run",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Compares toydiff with PyTorch, JAX, DJL and C. Those not installed are reported and skipped.")
public final class Compare implements Callable<Integer> {
    private static final int QUICK_ROUNDS = 2;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--python",
            paramLabel = "FILE",
            defaultValue = "${env:PYTHON:-python3}",
            description = "The Python that has torch and jax (default: the variable PYTHON, or python3).")
    private String python;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "The timed rounds of A B C D, 5 or more (default: 5).")
    private int rounds;

    @Option(
            names = "--only",
            paramLabel = "NAME",
            split = ",",
            description =
                    "Runs only these: step, elementwise, bandwidth, gemm, products, memory, gc, startup, overhead, compiled,"
                            + " blocks, layers, plans, latency.")
    private List<String> only = List.of();

    @Option(
            names = "--mkl",
            description = "Measures compiled functions on oneMKL, too, which the jar is built with (153 MB).")
    private boolean mkl;

    @Option(names = "--quick", description = "Checks in a minute or two that everything works, and measures nothing.")
    private boolean quick;

    @Option(
            names = "--out",
            paramLabel = "FOLDER",
            description = "The folder for results (default: bench/results; with --quick target/bench-results).")
    private Path out;

    private Compare() {}

    /// Runs the command line.
    ///
    /// @param arguments see `--help`
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Compare())
                .setExecutionExceptionHandler(Compare::report)
                .execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        requireValidOptions();
        List<String> names = only.isEmpty() ? List.copyOf(ComparisonRun.workloads()) : only;
        var options = new RunOptions(quick ? QUICK_ROUNDS : rounds, quick, python, mkl);
        new ComparisonRun(options, folder(), command()).run(names);
        return 0;
    }

    /// Returns the folder for results. A quick run must not replace measurements.
    private Path folder() {
        return out != null ? out : quick ? Path.of("target", "bench-results") : Path.of("bench", "results");
    }

    private void requireValidOptions() {
        if (rounds < 5) {
            throw new ParameterException(spec.commandLine(), "--rounds must be 5 or more; --quick takes fewer");
        }
        for (String name : only) {
            if (!ComparisonRun.workloads().contains(name)) {
                throw new ParameterException(
                        spec.commandLine(), "--only: " + name + " is not one of " + ComparisonRun.workloads());
            }
        }
        if (!Files.exists(Path.of("bench", "losses.json"))) {
            throw new ParameterException(
                    spec.commandLine(), "use bench/run, or start this in the project's root folder");
        }
    }

    /// Returns the command without paths, which mean something on one machine only.
    private String command() {
        List<String> words = new ArrayList<>(List.of("bench/run"));
        if (quick) {
            words.add("--quick");
        } else if (rounds != 5) {
            words.addAll(List.of("--rounds", Integer.toString(rounds)));
        }
        if (mkl) {
            words.add("--mkl");
        }
        if (!only.isEmpty()) {
            words.addAll(List.of("--only", String.join(",", only)));
        }
        return String.join(" ", words);
    }

    private static int report(Exception e, CommandLine commandLine, CommandLine.ParseResult parsed) {
        if (e instanceof IOException) {
            System.err.println("bench/run: " + e.getMessage());
        } else {
            e.printStackTrace();
        }
        return 1;
    }
}
