package org.toydiff.bench.blas;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;

/// Shows the progress and an estimate of the time left: on a terminal as a bar, elsewhere as a line for each problem.
/// The estimate takes problems for equally long, which they nearly are: each is measured for a second or more.
final class TimeLeft implements AutoCloseable {
    private final PrintStream out;
    private final boolean isTerminal;
    private final int problems;
    private final LongSupplier nanos;

    private ProgressBar bar;
    private long start;

    /// @param problems the number of problems to measure
    /// @param nanos the clock
    TimeLeft(PrintStream out, boolean isTerminal, int problems, LongSupplier nanos) {
        this.out = out;
        this.isTerminal = isTerminal;
        this.problems = problems;
        this.nanos = nanos;
    }

    /// Shows what is done before the first problem.
    synchronized void prepare(String stage) {
        out.print(isTerminal ? "\r\u001b[K" + stage : stage + System.lineSeparator());
        out.flush();
    }

    /// Shows that a problem is begun.
    ///
    /// @param number its number, from 1
    synchronized void begin(int number, Problem problem) {
        if (number == 1) {
            start = nanos.getAsLong();
        }
        if (isTerminal) {
            show(number, problem);
        } else {
            out.println(number + " of " + problems + ": " + problem + left(number - 1));
        }
    }

    private void show(int number, Problem problem) {
        if (bar == null) {
            out.print("\r\u001b[K");
            bar = new ProgressBarBuilder()
                    .setTaskName("blasbench")
                    .setInitialMax(problems)
                    .setConsumer(new ConsoleProgressBarConsumer(out))
                    .build();
        }
        bar.stepTo(number - 1L);
        bar.setExtraMessage(" " + problem);
    }

    private String left(int done) {
        if (done == 0) {
            return "";
        }
        long seconds = Math.round((nanos.getAsLong() - start) / 1e9 / done * (problems - done));
        return seconds < 60
                ? ", about " + seconds + " s left"
                : String.format(Locale.ROOT, ", about %d min %02d s left", seconds / 60, seconds % 60);
    }

    /// Removes the bar.
    @Override
    public synchronized void close() {
        if (bar != null) {
            bar.close();
            bar = null;
        } else if (isTerminal) {
            out.print("\r\u001b[K");
        }
        out.flush();
    }
}
