package org.toydiff.bench.blas;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Runs the measurements: first the limits of the hardware, then every problem, on which all libraries take turns.
final class Measuring {
    /// Calls with next to no work, one with few arguments and one with many: their time is the overhead of a call.
    private static final List<Problem> SMALLEST = List.of(
            Problem.of(Routine.DOT, "-", false, 1, Problem.Layout.DEFAULT, 1),
            Problem.of(Routine.GEMM, "NN", false, 1, Problem.Layout.DEFAULT, 1, 1, 1));

    private final MeasurementPlan plan;
    private final BlasReport report;
    private final TimeLeft progress;
    private final ResultListener listener;

    /// Receives the results of the plan's problems as they come.
    interface ResultListener {
        void add(Result result) throws IOException;
    }

    Measuring(MeasurementPlan plan, BlasReport report, TimeLeft progress, ResultListener listener) {
        this.plan = plan;
        this.report = report;
        this.progress = progress;
        this.listener = listener;
    }

    /// Loads a library in a child and returns its description.
    ///
    /// @throws IllegalArgumentException if it cannot be loaded or is not a BLAS
    static Library identify(String asked, String name) throws IOException {
        try (ComparedChild child = Lane.java(asked, Child.Threading.OWN, 1)) {
            JsonObject hello = child.ask("hello");
            if (hello.has("error")) {
                throw new IllegalArgumentException(
                        reason(asked, hello.get("error").getAsString()));
            }
            return new Library(
                    asked,
                    name,
                    hello.get("path").getAsString(),
                    hello.get("version").getAsString(),
                    hello.get("core").getAsString());
        } catch (Worker.Lost e) {
            throw new IllegalArgumentException("--library " + asked + ": " + e.getMessage(), e);
        }
    }

    /// Returns the places that the loader tried, taken from its long message, in one line.
    private static String reason(String asked, String message) {
        List<String> tried = message.lines()
                .takeWhile(line -> !line.startsWith("To fix it"))
                .filter(line -> line.startsWith("  "))
                .map(String::strip)
                .map(line -> line.replace("-Dtoydiff.blas=", ""))
                .toList();
        String why = tried.isEmpty() ? message.replace('\n', ' ') : String.join("; ", tried);
        return "--library " + asked + ": no CBLAS library: " + why;
    }

    /// Runs all measurements of the plan.
    void run() throws IOException {
        progress.prepare("measuring the limits of the hardware");
        measureRoofs();
        Optional<Path> program = compileC();
        List<Lane> lanes = new ArrayList<>();
        for (Library library : report.libraries()) {
            for (int threads : plan.threads()) {
                lanes.add(new Lane(library, threads, program));
            }
        }
        try {
            measure(lanes);
        } finally {
            lanes.forEach(Lane::close);
        }
    }

    /// Compiles the C program, or notes why there is none.
    private Optional<Path> compileC() {
        try {
            Optional<Path> program = ChildCommands.compileC();
            if (program.isEmpty()) {
                report.note("There is no C compiler on the PATH, so nothing is compared with C.");
            }
            return program;
        } catch (IOException e) {
            report.note("Nothing is compared with C: " + e.getMessage().strip());
            return Optional.empty();
        }
    }

    private void measureRoofs() throws IOException {
        String[] counts = plan.threads().stream().map(String::valueOf).toArray(String[]::new);
        try (var worker = new Worker(ChildCommands.java(RoofChild.class, null, counts), ChildCommands.environment(1))) {
            for (int i = 0; i < counts.length; i++) {
                report.add(Roof.parse(worker.ask("").toString()));
            }
        }
    }

    private void measure(List<Lane> lanes) throws IOException {
        progress.prepare("measuring the cost of a call");
        List<Lane> first = lanes.stream()
                .filter(lane -> lane.isOn(plan.threads().getFirst()))
                .toList();
        for (Problem smallest : SMALLEST) {
            measure(smallest, first, false).forEach(report::addSmallest);
        }
        for (int i = 0; i < plan.problems().size(); i++) {
            Problem problem = plan.problems().get(i);
            progress.begin(i + 1, problem);
            for (Result result : measure(problem, lanes, true)) {
                report.add(result);
                listener.add(result);
            }
        }
    }

    /// Lets the lanes take turns, A B C … A B C …, until all are done.
    private List<Result> measure(Problem problem, List<Lane> lanes, boolean inPool) throws IOException {
        for (Lane lane : lanes) {
            lane.open(problem, inPool);
        }
        boolean more = true;
        while (more) {
            more = false;
            for (Lane lane : lanes) {
                more |= lane.takeTurns();
            }
        }
        List<Result> results = new ArrayList<>();
        for (Lane lane : lanes) {
            results.add(lane.finish(report));
        }
        return results.stream().map(result -> result.comparedWithOne(results)).toList();
    }
}
