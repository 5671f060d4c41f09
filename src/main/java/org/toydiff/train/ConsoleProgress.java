package org.toydiff.train;

import java.io.PrintStream;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.toydiff.internal.files.OptionalLibrary;

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
/// among the dependencies of the application, there are only lines. [Trainer#evaluate] and [Trainer#predict] show a bar
/// or such lines, too.
///
/// No line is longer than the console is wide: metrics, duration and speed are left out where there is no room. The
/// width is that of the variable `COLUMNS`, else that of the terminal, else 80.
public final class ConsoleProgress implements Callback {
    private static final long LINE_NANOS = 10_000_000_000L;
    private static final long MESSAGE_NANOS = 200_000_000L;

    private static final int DEFAULT_WIDTH = 80;

    /// The columns of a bar without its message: title, a bar that can be seen, steps and times.
    private static final int BAR_WIDTH = 60;

    /// The widest line by `COLUMNS`, against a value that is no width.
    private static final int MAX_WIDTH = 1000;

    private final PrintStream out;
    private final int width;
    private final Style style;
    private final long lineNanos;
    private TerminalBar bar;
    private long shown;

    /// The progress of an evaluation outside a training.
    private String call;

    private long batches;
    private long evaluated;

    enum Style {
        LINES,
        BAR,
        COLORED_BAR
    }

    ConsoleProgress(PrintStream out, int width, Style style, long lineNanos) {
        this.out = out;
        this.width = width;
        this.style = style;
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
        Objects.requireNonNull(out, "out");
        return new ConsoleProgress(out, columns(System.getenv(), DEFAULT_WIDTH), Style.LINES, LINE_NANOS);
    }

    static ConsoleProgress of(PrintStream out, boolean terminal, Map<String, String> environment) {
        boolean dumb = "dumb".equals(environment.get("TERM"));
        boolean drawn = terminal && !dumb && OptionalLibrary.PROGRESSBAR.isPresent();
        boolean colors = environment.getOrDefault("NO_COLOR", "").isEmpty();
        int width = columns(environment, 0);
        if (width == 0) {
            width = drawn ? TerminalBar.terminalWidth(out) : DEFAULT_WIDTH;
        }
        Style style = !drawn ? Style.LINES : colors ? Style.COLORED_BAR : Style.BAR;
        return new ConsoleProgress(out, width, style, LINE_NANOS);
    }

    /// Returns the width that the environment sets, or `otherwise` if it sets none.
    private static int columns(Map<String, String> environment, int otherwise) {
        String columns = environment.getOrDefault("COLUMNS", "");
        return columns.matches("[1-9]\\d{0,5}") ? Math.min(Integer.parseInt(columns), MAX_WIDTH) : otherwise;
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
        openBar(ProgressLine.title(training), training.stepsPerEpoch(), training.stepOfEpoch());
    }

    private void openBar(String title, long steps, long done) {
        shown = System.nanoTime();
        if (style != Style.LINES) {
            bar = new TerminalBar(out, width, style == Style.COLORED_BAR, title, steps, done);
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
            bar.message(ProgressLine.soFar(training, Math.max(0, width - BAR_WIDTH)));
        } else if (training.stepOfEpoch() < training.stepsPerEpoch()) {
            out.println(ProgressLine.ofSteps(training, width));
        }
    }

    @Override
    public void onEpochEnd(Training training) {
        closeBar();
        out.println(ProgressLine.ofEpoch(training, width));
    }

    @Override
    public void onTrainEnd(Training training) {
        closeBar();
        if (training.stopReason() != null) {
            out.println("stopped: " + training.stopReason());
        }
    }

    @Override
    public void onEvaluationBegin(String call, long batches) {
        this.call = call;
        this.batches = batches;
        evaluated = 0;
        openBar(call, batches, 0);
    }

    @Override
    public void onBatchEvaluated() {
        evaluated++;
        long now = System.nanoTime();
        if (bar != null) {
            bar.step();
        } else if (now - shown >= lineNanos && evaluated < batches) {
            shown = now;
            out.println(call + "  " + evaluated + "/" + batches);
        }
    }

    @Override
    public void onEvaluationEnd() {
        closeBar();
    }

    private void closeBar() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }
}
