package org.toydiff.bench.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// The results as a page of Markdown tables.
final class MarkdownReport {
    private final Map<String, WorkloadResults> results = new LinkedHashMap<>();
    private final StringBuilder page = new StringBuilder();

    /// Reads the results in the folder, including those of earlier runs.
    MarkdownReport(Path folder, Iterable<String> workloads) throws IOException {
        for (String workload : workloads) {
            WorkloadResults.read(folder, workload)
                    .filter(found -> !found.measurements().isEmpty())
                    .ifPresent(found -> results.put(workload, found));
        }
    }

    Map<String, WorkloadResults> results() {
        return results;
    }

    void write(Path folder) throws IOException {
        line("# Measured");
        line("");
        common().forEach((name, fact) -> line("- " + name + ": " + fact));
        line("");
        line(
                "Medians over the rounds, with the ratio to the first column's in brackets: above 1×, the first takes less.");
        line("");
        targets();
        for (WorkloadResults found : results.values()) {
            section(found);
        }
        Files.writeString(folder.resolve("results.md"), page);
    }

    private void targets() {
        line("| ratio | target | measured | met |");
        line("|---|---|---|---|");
        for (Target target : new Targets(results).all()) {
            line("| " + String.join(" | ", target.name(), target.askedText(), target.measuredText(), target.verdict())
                    + " |");
        }
        line("");
    }

    private void section(WorkloadResults found) {
        line("## " + found.workload());
        line("");
        if (found.quick()) {
            line("**A quick run, which only checks that everything works: these are not measurements.**");
            line("");
        }
        if (found.workload().equals("step")) {
            line("![step times relative to toydiff](step.svg)");
            line("");
        }
        table(found.measurements());
        means(found);
        line("");
        line(origin(found));
        line("");
    }

    /// Returns the facts that all results share.
    private Map<String, String> common() {
        Map<String, String> common = new LinkedHashMap<>();
        results.values().stream().findFirst().ifPresent(first -> common.putAll(first.machine()));
        results.values()
                .forEach(found -> common.entrySet().retainAll(found.machine().entrySet()));
        return common;
    }

    /// Returns the facts in which these results differ from others.
    private String origin(WorkloadResults found) {
        Map<String, String> facts = new LinkedHashMap<>(found.machine());
        facts.keySet().removeAll(common().keySet());
        return facts.entrySet().stream()
                .map(fact -> fact.getKey() + ": " + fact.getValue())
                .collect(Collectors.joining("; "));
    }

    /// Writes a table with the median in each cell, followed by its ratio to that of the first column.
    private void table(List<Measurement> measurements) {
        var columns = new LinkedHashSet<String>();
        measurements.forEach(m -> columns.addAll(m.rounds().keySet()));
        line("| | " + String.join(" | ", columns) + " |");
        line("|---" + "|---:".repeat(columns.size()) + "|");
        for (Measurement measurement : measurements) {
            var row = new StringBuilder("| " + measurement.name() + unit(measurement) + " |");
            for (String column : columns) {
                row.append(' ')
                        .append(cell(measurement, column, columns.getFirst()))
                        .append(" |");
            }
            line(row.toString());
        }
    }

    private static String unit(Measurement measurement) {
        return measurement.unit().isEmpty() ? "" : ", " + measurement.unit();
    }

    private static String cell(Measurement measurement, String column, String first) {
        if (!measurement.has(column)) {
            return "";
        }
        String median = number(measurement.median(column));
        boolean compared = !column.equals(first) && measurement.has(first) && measurement.median(first) > 0;
        return compared ? String.format(Locale.ROOT, "%s (%.2f×)", median, measurement.ratio(column, first)) : median;
    }

    private static String number(double value) {
        String format = value >= 100 || value == Math.rint(value) ? "%,.0f" : value >= 10 ? "%.1f" : "%.3f";
        return String.format(Locale.ROOT, format, value);
    }

    private void means(WorkloadResults found) {
        if (!found.workload().equals("step")) {
            return;
        }
        line("");
        for (String optimizer : List.of("sgd", "adam")) {
            for (String peer : List.of(Peers.PYTORCH, Peers.JAX, Peers.DJL, StepWorkload.STRAIGHT)) {
                double mean = Measurement.meanRatio(
                        found.measurements().stream().filter(m -> m.name().startsWith(optimizer)), peer, Peers.TOYDIFF);
                if (!Double.isNaN(mean)) {
                    line(String.format(
                            Locale.ROOT,
                            "- %s, %s / toydiff, geometric mean of the batches: %.2f",
                            optimizer,
                            peer,
                            mean));
                }
            }
        }
    }

    private void line(String text) {
        page.append(text).append('\n');
    }
}
