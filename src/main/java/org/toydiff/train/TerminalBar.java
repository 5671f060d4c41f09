package org.toydiff.train;

import java.io.PrintStream;
import java.time.Duration;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import me.tongfei.progressbar.ProgressBarStyleBuilder;

/// A progress bar on a terminal, drawn by the library progressbar on a separate thread. Closing erases it.
final class TerminalBar implements AutoCloseable {
    private static final int REFRESH_MILLIS = 200;
    private static final byte CYAN = 36;

    private final PrintStream out;
    private final int width;
    private final ProgressBar bar;

    TerminalBar(PrintStream out, int width, boolean colors, String title, long steps, long done) {
        this.out = out;
        this.width = width;
        bar = new ProgressBarBuilder()
                .setTaskName(title)
                .setInitialMax(steps)
                .startsFrom(done, Duration.ZERO)
                .setUpdateIntervalMillis(REFRESH_MILLIS)
                .setStyle(style(out, colors))
                .setConsumer(new Line(out, width))
                .build();
    }

    /// The line that is redrawn. The library would print an empty line at the end.
    private static final class Line extends ConsoleProgressBarConsumer {
        Line(PrintStream out, int width) {
            super(out, width);
        }

        @Override
        public void close() {
            // Prints nothing.
        }
    }

    /// Returns the width of the terminal. Called once, because the library starts a process each time.
    static int terminalWidth(PrintStream out) {
        return new ConsoleProgressBarConsumer(out).getMaxRenderedLength();
    }

    private static ProgressBarStyle style(PrintStream out, boolean colors) {
        if (!out.charset().newEncoder().canEncode('━')) {
            return ProgressBarStyle.ASCII;
        }
        ProgressBarStyleBuilder style = ProgressBarStyle.builder()
                .refreshPrompt("\r")
                .leftBracket("")
                .rightBracket("")
                .delimitingSequence("")
                .block('━')
                .space(' ')
                .fractionSymbols(" ╸")
                .rightSideFractionSymbol(' ');
        return (colors ? style.colorCode(CYAN) : style).build();
    }

    void step() {
        bar.step();
    }

    void message(String text) {
        bar.setExtraMessage("  " + text);
    }

    @Override
    public void close() {
        // The library waits for its thread and would swallow an interrupt of the training.
        boolean interrupted = Thread.interrupted();
        bar.close();
        // The library erases nothing if the bar is closed before it was first drawn.
        out.print("\r" + " ".repeat(width) + "\r");
        out.flush();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
