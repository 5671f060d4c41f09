package org.toydiff.bench.blas;

import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.Callable;
import org.toydiff.internal.files.AtomicFile;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Times CBLAS libraries from the JVM and, for comparison, from C: `java -jar target/blasbench.jar`.
@Command(
        name = "blasbench",
        mixinStandardHelpOptions = true,
        version = "blasbench of toydiff",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = {
            "Times CBLAS libraries from the JVM and, for comparison, from C.",
            "",
            "Without options, a few problems of nearly every routine run on the OpenBLAS of the artifact, on one core and"
                    + " on all, in about two minutes. Each library runs in separate JVMs, which take turns. Every result is checked"
                    + " before it is timed. If there is a C compiler, the same calls are timed from C.",
            ""
        },
        footer = {
            "",
            "Sizes are lists of numbers and ranges, both ends included: 64,100:300:50,512:4096:*2 (without a step:"
                    + " doubling). Routines and variants (transpositions; side and transposition of trsm):",
            "  axpy dot nrm2 scal copy ger",
            "  gemv syrk gemm_pack: N T     trsm: LN LT RN RT",
            "  gemm gemm_batch gemm_batch_strided gemm_bf16 gemm_compute: NN NT TN TT",
            "  gesv potrf geqrf syevd gesdd (LAPACK)",
            "gemm_bf16 multiplies bfloat16 matrices, gemm_pack packs B, and gemm_compute multiplies with a packed B; oneMKL"
                    + " has them.",
            "Shapes: square, tall (n and k a 16th), wide (m and k a 16th), or sizes such as 784x512x32: mxnxk for all"
                    + " gemm, mxn for gemv, ger, trsm, geqrf and gesdd, nxk for syrk, n for the others.",
            "",
            "The table shows the time of a call in microseconds; the percentage of the limit set by arithmetic and memory"
                    + " (\"roof %%\", measured in the same run); the time from C, and its ratio to the JVM's; and the time of"
                    + " the same product by Tensor.matmul on toydiff's threads (\"pool\"), marked if it is slower on several"
                    + " threads than on one.",
            "",
            "Examples:",
            "  java -jar target/blasbench.jar --library openblas --library system --threads 1,all",
            "  java -jar target/blasbench.jar --routines gemm --sizes 64:2048 --dtypes float,double --html gemm.html",
            "  java -jar target/blasbench.jar --preset mlp --library /opt/lib/libblis.so --csv mlp.csv"
        })
public final class BlasBench implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Choice choice;

    @Option(
            names = "--csv",
            arity = "0..1",
            fallbackValue = "-",
            paramLabel = "FILE",
            description =
                    "Writes comma-separated values, as results come, to FILE, or without FILE to stdout instead of the"
                            + " table.")
    private String csv;

    @Option(
            names = "--json",
            arity = "0..1",
            fallbackValue = "-",
            paramLabel = "FILE",
            description = "Writes results, machine, roofs and notes as JSON to FILE, or without FILE to stdout.")
    private String json;

    @Option(
            names = "--html",
            paramLabel = "FILE",
            description = "Writes a page with curves and a roofline plot, which needs no network.")
    private Path html;

    private final PrintStream out = System.out;
    private final PrintStream err = System.err;
    private boolean written;

    private BlasBench() {}

    /// Runs the command line.
    ///
    /// @param arguments see `--help`
    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    static CommandLine commandLine() {
        return new CommandLine(new BlasBench())
                .setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8))
                .setParameterExceptionHandler(BlasBench::reportUsage)
                .setExecutionExceptionHandler(BlasBench::reportFailure);
    }

    @Override
    public Integer call() throws IOException {
        MeasurementPlan plan;
        BlasReport report;
        try {
            requireWritable();
            plan = choice.plan();
            report = new BlasReport(Host.describe(command()));
            identify(plan, report);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        Host.warn(plan, report);
        report.notes().forEach(note -> err.println("blasbench: warning: " + note));
        try (var progress = new TimeLeft(err, isTerminal(), plan.problems().size(), System::nanoTime);
                Csv rows = openCsv()) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> interrupted(report, progress)));
            new Measuring(plan, report, progress, result -> {
                        if (rows != null) {
                            rows.add(result);
                        }
                    })
                    .run();
            progress.close();
            write(report);
        } catch (Worker.Stopped e) {
            // The shutdown hook writes the results so far, and this thread ends with the JVM.
            return CommandLine.ExitCode.SOFTWARE;
        }
        return CommandLine.ExitCode.OK;
    }

    private static boolean isTerminal() {
        return System.console() != null && System.console().isTerminal();
    }

    /// Returns the writer of rows, or null if none are asked for.
    private Csv openCsv() throws IOException {
        if (csv == null) {
            return null;
        }
        return new Csv(
                "-".equals(csv)
                        ? new OutputStreamWriter(out, StandardCharsets.UTF_8)
                        : Files.newBufferedWriter(Path.of(csv)));
    }

    private static void identify(MeasurementPlan plan, BlasReport report) throws IOException {
        List<String> names = Library.names(plan.libraries());
        for (int i = 0; i < names.size(); i++) {
            report.add(Measuring.identify(plan.libraries().get(i), names.get(i)));
        }
    }

    /// Ends the children and writes the results so far; called on an interrupt.
    private void interrupted(BlasReport report, TimeLeft progress) {
        Worker.stopAll();
        progress.close();
        try {
            report.note("Interrupted; these are the results so far.");
            write(report);
        } catch (IOException e) {
            err.println("blasbench: " + e.getMessage());
        }
    }

    /// Writes all but the rows of comma-separated values, once. An interrupt meanwhile waits for the end.
    private synchronized void write(BlasReport report) throws IOException {
        if (written) {
            return;
        }
        written = true;
        boolean taken = "-".equals(csv) || "-".equals(json);
        if (!taken) {
            out.print(Table.of(report));
        }
        if ("-".equals(json)) {
            out.print(Json.of(report));
        } else if (json != null) {
            write(Path.of(json), Json.of(report));
        }
        if (html != null) {
            write(html, Html.of(report));
        }
        if (taken) {
            Table.facts(report).forEach(err::println);
        }
        out.flush();
    }

    private static void write(Path file, String text) throws IOException {
        AtomicFile.writeText(file, writer -> writer.write(text));
    }

    /// Opens every output file and leaves it unchanged, so that a bad path is refused before anything is measured.
    private void requireWritable() {
        for (String file : new String[] {csv, json, html == null ? null : html.toString()}) {
            if (file != null && !file.equals("-")) {
                Path path = Path.of(file);
                boolean isNew = Files.notExists(path);
                try {
                    Files.newOutputStream(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND)
                            .close();
                    if (isNew) {
                        Files.delete(path);
                    }
                } catch (IOException e) {
                    throw new IllegalArgumentException(file + " cannot be written: " + e, e);
                }
            }
        }
        if ("-".equals(csv) && "-".equals(json)) {
            throw new IllegalArgumentException("--csv and --json cannot both go to stdout; name a file");
        }
    }

    private String command() {
        List<String> words = spec.commandLine().getParseResult().originalArgs();
        return String.join(" ", "java -jar target/blasbench.jar", String.join(" ", words))
                .strip();
    }

    private static int reportUsage(ParameterException e, String[] arguments) {
        String message = e.getMessage().lines().findFirst().orElse("wrong usage");
        e.getCommandLine().getErr().println("blasbench: " + message + " (see --help)");
        return CommandLine.ExitCode.USAGE;
    }

    private static int reportFailure(Exception e, CommandLine commandLine, CommandLine.ParseResult parsed) {
        if (e instanceof ParameterException usage) {
            return reportUsage(usage, new String[0]);
        }
        if (e instanceof IOException) {
            System.err.println("blasbench: " + e.getMessage());
        } else {
            e.printStackTrace();
        }
        return CommandLine.ExitCode.SOFTWARE;
    }
}
