package org.toydiff.bench.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Runs workloads and writes their results.
public final class ComparisonRun {
    private static final Map<String, Workload> WORKLOADS = new LinkedHashMap<>();

    static {
        WORKLOADS.put("step", new StepWorkload());
        WORKLOADS.put("elementwise", new ElementwiseWorkload());
        WORKLOADS.put("bandwidth", new BandwidthWorkload());
        WORKLOADS.put("gemm", new GemmWorkload());
        WORKLOADS.put("products", new ProductWorkload());
        WORKLOADS.put("memory", new MemoryWorkload());
        WORKLOADS.put("gc", new GcWorkload());
        WORKLOADS.put("startup", new StartupWorkload());
        WORKLOADS.put("overhead", new ProgramWorkload(TimedProgram.overheads()));
        WORKLOADS.put("compiled", new ProgramWorkload(TimedProgram.trainingSteps()));
        WORKLOADS.put("blocks", new ProgramWorkload(TimedProgram.blocks()));
        WORKLOADS.put("layers", new ProgramWorkload(TimedProgram.layers()));
        WORKLOADS.put("plans", new PlanWorkload());
        WORKLOADS.put("latency", new LatencyWorkload());
    }

    private final RunOptions options;
    private final Path folder;
    private final String command;

    /// Creates a comparison.
    ///
    /// @param options the options of all workloads
    /// @param folder the folder for results
    /// @param command the command line, which is recorded with the results
    public ComparisonRun(RunOptions options, Path folder, String command) {
        this.options = options;
        this.folder = folder;
        this.command = command;
    }

    /// Returns the names of all workloads.
    ///
    /// @return the names, in the order of the report
    public static Set<String> workloads() {
        return WORKLOADS.keySet();
    }

    /// Runs some of the workloads.
    ///
    /// @param names the names of the workloads
    /// @throws IOException if a peer fails or results cannot be written
    public void run(List<String> names) throws IOException {
        Files.createDirectories(folder);
        boolean compilers = names.stream().map(WORKLOADS::get).anyMatch(Workload::comparesCompilers);
        try (var peers = new Peers(options, compilers)) {
            Map<String, String> machine = Provenance.describe(peers, command);
            for (String name : names) {
                Progress.say(name);
                List<Measurement> measurements = WORKLOADS.get(name).run(peers, options);
                new WorkloadResults(name, options.quick(), machine, measurements).write(folder);
            }
        }
        report();
    }

    /// Draws the chart. If it cannot be drawn, as on a machine without fonts, the measurements are written all the
    /// same.
    private void chart(WorkloadResults step) throws IOException {
        try {
            StepChart.write(folder, step);
        } catch (RuntimeException | InternalError | LinkageError e) {
            Progress.say("no chart was drawn (if fonts are missing, install fontconfig and a font): " + e);
        }
    }

    private void report() throws IOException {
        var report = new MarkdownReport(folder, workloads());
        report.write(folder);
        WorkloadResults step = report.results().get("step");
        if (step != null) {
            chart(step);
        }
        Progress.say("written to " + folder.resolve("results.md"));
    }
}
