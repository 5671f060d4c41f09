package org.toydiff.train;

import java.io.PrintStream;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.StringJoiner;
import java.util.function.ToDoubleFunction;
import org.toydiff.internal.files.OptionalLibrary;
import org.toydiff.train.metrics.Metric;
import org.toydiff.train.report.History;

/// Shows the progress of a training on a console: the step from which it resumes, a line for each epoch, and on a
/// terminal a bar for the epoch under way.
///
/// | output | progress |
/// |---|---|
/// | a terminal | a bar that is redrawn, then the line of the epoch |
/// | a terminal, with `NO_COLOR` set (<https://no-color.org>) | the same without colours |
/// | a file, a pipe, a log, a terminal with `TERM=dumb` | lines only, no control characters |
///
/// Without a bar, a long epoch prints a line every ten seconds. The library progressbar draws the bar; if it is not
/// among the dependencies of the application, there are only lines.
public final class ConsoleProgress implements Callback {
    private static final long LINE_NANOS = 10_000_000_000L;
    private static final long MESSAGE_NANOS = 200_000_000L;

    private static final String VALIDATION = "validation_";

    private final PrintStream out;
    private final boolean colors;

    /// The width of the bar, or 0 for lines only.
    private final int width;

    private final long lineNanos;
    private TerminalBar bar;
    private long shown;

    ConsoleProgress(PrintStream out, int width, boolean colors, long lineNanos) {
        this.out = out;
        this.width = width;
        this.colors = colors;
        this.lineNanos = lineNanos;
    }

    /// Shows progress on standard output, with a bar on a terminal.
    ///
    /// @return the callback
    public static ConsoleProgress standard() {
        var console = System.console();
        boolean terminal = console != null && console.isTerminal();
        return of(System.out, terminal, System.getenv());
    }

    /// Prints lines only, without control characters.
    ///
    /// @param out the stream to print to
    /// @return the callback
    public static ConsoleProgress lines(PrintStream out) {
        return new ConsoleProgress(Objects.requireNonNull(out, "out"), 0, false, LINE_NANOS);
    }

    static ConsoleProgress of(PrintStream out, boolean terminal, Map<String, String> environment) {
        boolean dumb = "dumb".equals(environment.get("TERM"));
        boolean drawn = terminal && !dumb && OptionalLibrary.PROGRESSBAR.isPresent();
        boolean colors = environment.getOrDefault("NO_COLOR", "").isEmpty();
        return new ConsoleProgress(out, drawn ? TerminalBar.terminalWidth(out) : 0, colors, LINE_NANOS);
    }

    @Override
    public void onTrainBegin(Training training) {
        if (training.step() > 0) {
            out.println(String.format(
                    Locale.ROOT,
                    "resumed after step %d, epochs done: %d/%d",
                    training.step(),
                    training.history().epochs(),
                    training.epochs()));
        }
    }

    @Override
    public void onEpochBegin(Training training) {
        shown = System.nanoTime();
        if (width > 0) {
            bar = new TerminalBar(
                    out, width, colors, title(training), training.stepsPerEpoch(), training.stepOfEpoch());
        }
    }

    @Override
    public void onStepEnd(Training training) {
        long now = System.nanoTime();
        if (bar != null) {
            bar.step();
        }
        if (now - shown < (bar != null ? MESSAGE_NANOS : lineNanos)) {
            return;
        }
        shown = now;
        if (bar != null) {
            bar.message(soFar(training));
        } else if (training.stepOfEpoch() < training.stepsPerEpoch()) {
            out.println(title(training) + "  " + training.stepOfEpoch() + "/" + training.stepsPerEpoch() + "  "
                    + soFar(training));
        }
    }

    @Override
    public void onEpochEnd(Training training) {
        closeBar();
        out.println(title(training) + "  " + summary(training.history()));
    }

    @Override
    public void onTrainEnd(Training training) {
        closeBar();
        if (training.stopReason() != null) {
            out.println("stopped: " + training.stopReason());
        }
    }

    private void closeBar() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }

    private static String title(Training training) {
        int digits = Integer.toString(training.epochs()).length();
        return String.format(Locale.ROOT, "epoch %" + digits + "d/%d", training.epoch(), training.epochs());
    }

    private static String soFar(Training training) {
        var text = new StringBuilder(value("loss", training.loss()));
        for (Metric metric : training.metrics()) {
            text.append("  ").append(value(metric.name(), metric.value()));
        }
        return text.toString();
    }

    /// Returns losses and metrics of the last epoch, its speed and its duration.
    private static String summary(History history) {
        ToDoubleFunction<String> last = column -> history.epochValue(column, history.epochs() - 1);
        var training = new StringJoiner("  ");
        var validation = new StringJoiner("  ", " | validation  ", "").setEmptyValue("");
        for (String name : history.epochColumns()) {
            if (Trainer.BOOKKEEPING.contains(name)) {
                continue;
            }
            boolean validated = name.startsWith(VALIDATION);
            String shown = validated ? name.substring(VALIDATION.length()) : name;
            (validated ? validation : training).add(value(shown, last.applyAsDouble(name)));
        }
        return training
                + validation.toString()
                + String.format(
                        Locale.ROOT,
                        " | %,.0f examples/s  %s",
                        last.applyAsDouble("examples_per_second"),
                        duration(last.applyAsDouble("seconds")));
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
