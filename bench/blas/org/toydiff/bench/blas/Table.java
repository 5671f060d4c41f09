package org.toydiff.bench.blas;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// The report as text: an aligned table, and the facts needed to read it.
final class Table {
    private static final List<String> HEADINGS = List.of(
            "routine",
            "variant",
            "dtype",
            "m",
            "n",
            "k",
            "library",
            "threads",
            "median us",
            "p10",
            "p90",
            "GFLOP/s",
            "GB/s",
            "roof %",
            "C us",
            "JVM/C",
            "pool us ");

    /// Stands for a value that there is none of.
    private static final String NONE = "-";

    /// The columns of words; all others hold numbers, which are aligned to the right.
    private static final List<Integer> WORDS = List.of(0, 1, 2, 6);

    private Table() {}

    /// Returns the whole report.
    static String of(BlasReport report) {
        var text = new StringBuilder();
        if (!report.results().isEmpty()) {
            List<List<String>> rows = new ArrayList<>(List.of(HEADINGS));
            report.results().forEach(result -> rows.add(row(result)));
            append(text, rows);
            text.append('\n');
        }
        facts(report).forEach(line -> text.append(line).append('\n'));
        return text.toString();
    }

    private static List<String> row(Result result) {
        Problem p = result.problem();
        List<String> cells = new ArrayList<>(List.of(
                p.routine().word(),
                p.variantAndBatch(),
                p.dtype(),
                Integer.toString(p.m()),
                Integer.toString(p.n()),
                Integer.toString(p.k()),
                result.library().name(),
                Integer.toString(result.threads())));
        if (result.hasTimes()) {
            cells.addAll(List.of(
                    number(result.own().median()),
                    number(result.own().p10()),
                    number(result.own().p90()),
                    p.flops() == 0 ? NONE : number(result.gflops()),
                    number(result.gbs()),
                    decimals("%.0f", result.roofPercent()),
                    result.c() == null ? NONE : number(result.c().median()),
                    decimals("%.3f", result.ratio()),
                    pool(result)));
        } else {
            cells.add(result.isLacking() ? NONE : result.status().word());
            while (cells.size() < HEADINGS.size()) {
                cells.add("");
            }
        }
        return cells;
    }

    private static String decimals(String format, double value) {
        return Double.isNaN(value) ? NONE : String.format(Locale.ROOT, format, value);
    }

    private static String pool(Result result) {
        String mark = result.isSlowerInPool() ? "*" : " ";
        return result.pool() == null ? "" : number(result.pool().median()) + mark;
    }

    /// Formats a number with four significant digits, but no more than four decimals and never fewer than its whole
    /// part.
    static String number(double value) {
        int decimals = value == 0 ? 0 : (int) Math.clamp(3 - Math.floor(Math.log10(Math.abs(value))), 0, 4);
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    private static void append(StringBuilder text, List<List<String>> rows) {
        int[] widths = new int[HEADINGS.size()];
        for (List<String> row : rows) {
            Arrays.setAll(widths, i -> Math.max(widths[i], row.get(i).length()));
        }
        for (List<String> row : rows) {
            var line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                String gap = " ".repeat(widths[i] - row.get(i).length());
                line.append(i == 0 ? "" : "  ").append(WORDS.contains(i) ? row.get(i) + gap : gap + row.get(i));
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
    }

    private static String lacking(BlasReport report, Library library) {
        return report.results().stream()
                .filter(result -> result.library().equals(library) && result.isLacking())
                .map(result -> result.problem().symbol())
                .distinct()
                .collect(Collectors.joining(", "));
    }

    /// Returns the lines below the table.
    static List<String> facts(BlasReport report) {
        List<String> lines = new ArrayList<>();
        if (report.results().stream().anyMatch(Result::isSlowerInPool)) {
            lines.add("* slower on several of toydiff's threads than on one");
        }
        for (Library library : report.libraries()) {
            String lacking = lacking(report, library);
            if (!lacking.isEmpty()) {
                lines.add(NONE + " " + library.name() + " has no " + lacking);
            }
        }
        for (Library library : report.libraries()) {
            lines.add(library.name() + ": " + library.version()
                    + (library.core().equals("unknown") ? "" : ", kernels for " + library.core()) + ", "
                    + library.path());
        }
        for (Roof roof : report.roofs()) {
            lines.add(String.format(
                    Locale.ROOT,
                    "roof on %d thread%s: %.0f GFLOP/s float, %.0f double; %.0f GB/s from memory, %.0f from the first"
                            + " cache",
                    roof.threads(),
                    roof.threads() == 1 ? "" : "s",
                    roof.floatGflops(),
                    roof.doubleGflops(),
                    roof.memoryGbs(),
                    roof.cacheGbs()));
        }
        for (Result result : report.smallest()) {
            if (!Double.isNaN(result.overheadNanos())) {
                lines.add(String.format(
                        Locale.ROOT,
                        "a call to %s costs %.1f ns more than from C (%s of one element: %.1f and %.1f ns)",
                        result.library().name(),
                        result.overheadNanos(),
                        result.problem().routine().word(),
                        result.own().median() * 1e3,
                        result.c().median() * 1e3));
            }
        }
        report.notes().forEach(note -> lines.add("note: " + note));
        return lines;
    }
}
