package org.toydiff.bench.compare;

import static org.toydiff.bench.compare.ProgramWorkload.COMPILED;
import static org.toydiff.bench.compare.ProgramWorkload.EAGER;
import static org.toydiff.bench.compare.Target.Bound.AT_LEAST;
import static org.toydiff.bench.compare.Target.Bound.AT_MOST;
import static org.toydiff.bench.compare.Target.Bound.BELOW;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/// The targets, with their ratios computed from the measurements.
final class Targets {
    private static final int SMALL = ElementwiseWorkload.SIZES.getFirst();
    private static final int LARGE = ElementwiseWorkload.SIZES.getLast();

    private final Map<String, WorkloadResults> results;

    /// @param results the results by workload; workloads that were not run may be missing
    Targets(Map<String, WorkloadResults> results) {
        this.results = results;
    }

    List<Target> all() {
        List<Target> targets = new ArrayList<>();
        steps(targets);
        products(targets);
        elementwise(targets);
        memory(targets);
        compiled(targets);
        blocks(targets);
        layers(targets);
        latency(targets);
        return targets;
    }

    private void steps(List<Target> targets) {
        for (String optimizer : List.of("sgd", "adam")) {
            String step = "step (" + optimizer + "), ";
            String mean = " / toydiff, geometric mean of the batches";
            targets.add(new Target(step + "PyTorch" + mean, AT_LEAST, 1.3, meanStep(optimizer, Peers.PYTORCH)));
            targets.add(new Target(
                    step + "PyTorch / toydiff, lowest",
                    AT_LEAST,
                    1,
                    lowest(rows("step", optimizer + " "), Peers.PYTORCH)));
            targets.add(new Target(step + "JAX" + mean, AT_LEAST, 1.1, meanStep(optimizer, Peers.JAX)));
            targets.add(new Target(step + "DJL" + mean, AT_LEAST, 1.8, meanStep(optimizer, Peers.DJL)));
        }
        targets.add(new Target(
                "step (sgd), straight line / toydiff, geometric mean of the batches",
                AT_LEAST,
                0.95,
                meanStep("sgd", StepWorkload.STRAIGHT)));
    }

    private void products(List<Target> targets) {
        Stream<Measurement> large = rows("gemm", "").filter(m -> GemmWorkload.size(m.name()) >= 64);
        targets.add(new Target("product, C / toydiff, lowest from n = 64 on", AT_LEAST, 0.97, lowest(large, Peers.C)));
        for (int batch : ProductWorkload.BATCHES) {
            String of = "products of the step at batch " + batch + ", ";
            List<Measurement> rows = rows("products", batch + " ").toList();
            targets.add(new Target(
                    of + "best of C / toydiff, one thread, lowest",
                    AT_LEAST,
                    0.98,
                    lowest(rows, ProductWorkload::best)));
            targets.add(new Target(
                    of + "PyTorch / toydiff, one thread, lowest",
                    AT_LEAST,
                    0.97,
                    lowest(rows.stream(), Peers.PYTORCH)));
            targets.add(
                    new Target(of + "one thread / all, lowest", AT_LEAST, 1.9, lowest(rows, ProductWorkload::speedUp)));
        }
    }

    private void elementwise(List<Target> targets) {
        for (int size : List.of(SMALL, LARGE)) {
            for (String op : ElementwiseWorkload.OPS) {
                targets.add(elementwise(op, size, "into", size == SMALL ? 2 : 1));
            }
        }
        targets.add(elementwise("add", LARGE, "new", 2));
    }

    private Target elementwise(String op, int size, String mode, double asked) {
        String name = ElementwiseWorkload.name(op, size, mode);
        return new Target(
                name + ", PyTorch / toydiff", AT_LEAST, asked, lowest(rows("elementwise", name), Peers.PYTORCH));
    }

    private void memory(List<Target> targets) {
        double resident = rows("memory", MemoryWorkload.RESIDENT)
                .filter(m -> m.has(Peers.PYTORCH))
                .mapToDouble(m -> m.ratio(Peers.TOYDIFF, Peers.PYTORCH))
                .findFirst()
                .orElse(Double.NaN);
        targets.add(new Target("peak resident memory, toydiff / PyTorch", AT_MOST, 0.75, resident));
        targets.add(new Target(GcWorkload.BYTES + ", toydiff", AT_MOST, 4096, ours("gc", GcWorkload.BYTES)));
        targets.add(new Target(GcWorkload.PAUSE + ", toydiff, ms", BELOW, 5, ours("gc", GcWorkload.PAUSE)));
        targets.add(new Target(
                "start and 100 steps, PyTorch / toydiff", AT_LEAST, 1, lowest(rows("startup", ""), Peers.PYTORCH)));
    }

    private void compiled(List<Target> targets) {
        String step = "compiled step, ";
        targets.add(new Target(step + "eager / compiled at batch 32", AT_LEAST, 1.3, lowest(steps(32, 32), EAGER)));
        targets.add(new Target(step + "eager / compiled, lowest", AT_LEAST, 1, lowest(steps(1, 8192), EAGER)));
        targets.add(new Target(
                step + "PyTorch / compiled, lowest of batches 1 to 128",
                AT_LEAST,
                1.6,
                lowest(steps(1, 128), Peers.PYTORCH)));
        targets.add(new Target(
                step + "JAX / compiled, geometric mean of the batches",
                AT_LEAST,
                1.25,
                Measurement.meanRatio(steps(1, 8192), Peers.JAX, COMPILED)));
        targets.add(new Target(
                "logistic regression of 10 features, PyTorch / compiled",
                AT_LEAST,
                10,
                lowest(rows("compiled", TimedProgram.LOGISTIC_REGRESSION), Peers.PYTORCH)));
        List<Measurement> plans = rows("plans", "").toList();
        targets.add(new Target(
                "planned / lower bound, highest",
                AT_MOST,
                1.05,
                highest(plans.stream(), PlanWorkload.PLANNED, PlanWorkload.LOWER_BOUND)));
        targets.add(new Target(
                "planned / eager peak, highest",
                AT_MOST,
                1,
                highest(plans.stream(), PlanWorkload.PLANNED, PlanWorkload.EAGER_PEAK)));
    }

    private void blocks(List<Target> targets) {
        targets.add(new Target(
                "blocks, PyTorch / compiled, lowest", AT_LEAST, 1.3, lowest(rows("blocks", ""), Peers.PYTORCH)));
        for (TimedProgram block : TimedProgram.blocks()) {
            if (block.arrays() > 0) {
                targets.add(new Target(
                        block.name() + ", compiled / memory",
                        AT_MOST,
                        1.3,
                        highest(row("blocks", block.name()), COMPILED, MemoryLimit.NAME)));
            }
        }
    }

    private void layers(List<Target> targets) {
        Map<String, Double> asked = new LinkedHashMap<>();
        asked.put("conv2d", 0.7);
        asked.put("attention", 0.9);
        asked.put("lstm", 2.0);
        asked.put("cnn", 0.8);
        asked.put("chargpt", 1.0);
        asked.forEach((name, ratio) -> targets.add(new Target(
                name + ", PyTorch / toydiff", AT_LEAST, ratio, lowest(rows("layers", name + " "), Peers.PYTORCH))));
        targets.add(new Target(
                "attention, eager peak / that of attention with all scores in memory",
                AT_MOST,
                0.15,
                median("plans", "attention 4096", PlanWorkload.EAGER_PEAK)
                        / median("plans", TimedProgram.materialisedAttention().name(), PlanWorkload.EAGER_PEAK)));
    }

    private void latency(List<Target> targets) {
        double median = median("latency", LatencyWorkload.MEDIAN, COMPILED);
        double slowest = median("latency", LatencyWorkload.SLOWEST, COMPILED);
        targets.add(new Target("inference under load, p99.9 / p50", BELOW, 3, slowest / median));
        targets.add(
                new Target("GC pauses in its minute", AT_MOST, 0, median("latency", LatencyWorkload.PAUSES, COMPILED)));
    }

    /// Returns the rows of the compiled step at a range of batches.
    private Stream<Measurement> steps(int from, int to) {
        return TimedProgram.trainingSteps().stream()
                .filter(step -> step.program().equals(TimedProgram.CLASSIFIER))
                .filter(step -> from <= step.size() && step.size() <= to)
                .flatMap(step -> row("compiled", step.name()));
    }

    private double meanStep(String optimizer, String peer) {
        return Measurement.meanRatio(rows("step", optimizer + " "), peer, Peers.TOYDIFF);
    }

    /// Returns the lowest time of a peer over that of the row's first column, toydiff.
    private static double lowest(Stream<Measurement> rows, String peer) {
        return rows.filter(m -> m.has(peer))
                .mapToDouble(m -> m.ratio(peer, m.first()))
                .min()
                .orElse(Double.NaN);
    }

    private static double lowest(List<Measurement> rows, ToDoubleFunction<Measurement> ratio) {
        return rows.stream().mapToDouble(ratio).min().orElse(Double.NaN);
    }

    private static double highest(Stream<Measurement> rows, String over, String under) {
        return rows.filter(m -> m.has(over) && m.has(under))
                .mapToDouble(m -> m.ratio(over, under))
                .max()
                .orElse(Double.NaN);
    }

    private double ours(String workload, String row) {
        return median(workload, row, Peers.TOYDIFF);
    }

    private double median(String workload, String row, String column) {
        return row(workload, row).mapToDouble(m -> m.median(column)).findFirst().orElse(Double.NaN);
    }

    private Stream<Measurement> row(String workload, String name) {
        return rows(workload, name).filter(m -> m.name().equals(name));
    }

    private Stream<Measurement> rows(String workload, String prefix) {
        WorkloadResults found = results.get(workload);
        return found == null
                ? Stream.empty()
                : found.measurements().stream().filter(m -> m.name().startsWith(prefix));
    }
}
