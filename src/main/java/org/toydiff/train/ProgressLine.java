package org.toydiff.train;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.toydiff.train.metrics.Metric;
import org.toydiff.train.report.History;

/// A line about an epoch that fits the width of the console: parts are left out, the least important first.
///
/// The losses and the number of skipped steps stay longest, then come metrics of validation, metrics of training,
/// the duration and the speed.
final class ProgressLine {
    private static final String VALIDATION = "validation_";
    private static final int ALWAYS = 0;
    private static final int SKIPPED = 1;
    private static final int OF_VALIDATION = 2;
    private static final int OF_TRAINING = 3;
    private static final int DURATION = 4;
    private static final int SPEED = 5;

    /// The parts in the order in which they are shown, each with the separator before it.
    private final List<Part> parts = new ArrayList<>();

    private record Part(String text, int rank) {}

    private ProgressLine(String title) {
        parts.add(new Part(title, ALWAYS));
    }

    /// Returns the line of an epoch that has ended: losses, metrics, duration and speed.
    static String ofEpoch(Training training, int width) {
        History history = training.history();
        ToDoubleFunction<String> last = column -> history.epochValue(column, history.epochs() - 1);
        var line = new ProgressLine(title(training));
        for (String name : history.epochColumns()) {
            if (!HistoryRecorder.BOOKKEEPING.contains(name)) {
                line.add(name, last.applyAsDouble(name));
            }
        }
        if (history.epochColumns().contains(HistoryRecorder.SKIPPED)) {
            line.addSkipped((long) last.applyAsDouble(HistoryRecorder.SKIPPED));
        }
        line.parts.add(new Part(" | " + duration(last.applyAsDouble("seconds")), DURATION));
        double speed = last.applyAsDouble("examples_per_second");
        line.parts.add(new Part(String.format(Locale.ROOT, "  %,.0f examples/s", speed), SPEED));
        return line.fitted(width);
    }

    /// Returns the line of an epoch under way: the step, and loss and metrics so far.
    static String ofSteps(Training training, int width) {
        var line = new ProgressLine(
                title(training) + "  " + training.stepOfEpoch() + "/" + training.stepsPerEpoch() + "  ");
        return line.addSoFar(training).fitted(width);
    }

    /// Returns loss and metrics of the epoch so far.
    static String soFar(Training training, int width) {
        return new ProgressLine("").addSoFar(training).fitted(width);
    }

    private ProgressLine addSoFar(Training training) {
        parts.add(new Part(value("loss", training.loss()), ALWAYS));
        for (Metric metric : training.metrics()) {
            parts.add(new Part("  " + value(metric.name(), metric.value()), OF_TRAINING));
        }
        return this;
    }

    private void add(String column, double value) {
        boolean validated = column.startsWith(VALIDATION);
        String name = validated ? column.substring(VALIDATION.length()) : column;
        boolean loss = name.equals("loss");
        String separator = validated && loss ? " | val " : "  ";
        parts.add(new Part(separator + value(name, value), loss ? ALWAYS : validated ? OF_VALIDATION : OF_TRAINING));
    }

    private void addSkipped(long steps) {
        if (steps > 0) {
            parts.add(new Part(" | " + steps + (steps == 1 ? " step skipped" : " steps skipped"), SKIPPED));
        }
    }

    private String fitted(int width) {
        int left = width;
        List<Part> shown = new ArrayList<>();
        for (Part part :
                parts.stream().sorted(Comparator.comparingInt(Part::rank)).toList()) {
            if (part.rank == ALWAYS || part.text.length() <= left) {
                shown.add(part);
                left -= part.text.length();
            }
        }
        var line = new StringBuilder();
        parts.stream().filter(shown::contains).forEach(part -> line.append(part.text));
        String text = line.toString();
        if (left >= "idation".length()) {
            text = text.replace(" | val ", " | validation ");
        }
        return text.length() <= width ? text : text.substring(0, width);
    }

    /// {@return `epoch 2/10`, with blanks so that the lines of all epochs align}
    static String title(Training training) {
        int digits = Integer.toString(training.epochs()).length();
        return String.format(Locale.ROOT, "epoch %" + digits + "d/%d", training.epoch(), training.epochs());
    }

    private static String value(String name, double value) {
        double size = Math.abs(value);
        String format = size == 0 || size >= 1e-3 && size < 1e4 ? "%s %.4f" : "%s %.3e";
        return String.format(Locale.ROOT, format, name.replace('_', ' '), value);
    }

    /// Formats a duration: `350 ms`, `2.1 s`, `3 min 20 s`, `1 h 02 min`.
    private static String duration(double seconds) {
        if (seconds < 1) {
            return String.format(Locale.ROOT, "%.0f ms", seconds * 1e3);
        }
        if (seconds < 60) {
            return String.format(Locale.ROOT, "%.1f s", seconds);
        }
        long whole = Math.round(seconds);
        return whole < 3600
                ? String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60)
                : String.format(Locale.ROOT, "%d h %02d min", whole / 3600, whole / 60 % 60);
    }
}
