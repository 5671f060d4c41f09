package org.toydiff.bench.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;

/// The pauses in a JVM's log of its garbage collections.
///
/// @param file the file that the JVM writes
record PauseLog(Path file) {
    /// For instance `[1.234s][info][gc] GC(0) Pause Young (Normal) (G1 Evacuation Pause) 24M->5M(64M) 1.234ms`.
    private static final Pattern PAUSE =
            Pattern.compile("^\\[(\\d+\\.\\d+)s\\].* Pause .* (\\d+\\.\\d+)ms$", Pattern.MULTILINE);

    /// Returns the flag with which a JVM writes the log.
    String flag() {
        return "-Xlog:gc:file=" + file;
    }

    /// Returns the pauses in ms that ended between two times, in seconds since the JVM started.
    DoubleStream pauses(double from, double to) throws IOException {
        return PAUSE.matcher(Files.readString(file))
                .results()
                .filter(pause -> from <= seconds(pause) && seconds(pause) <= to)
                .mapToDouble(pause -> Double.parseDouble(pause.group(2)));
    }

    /// Returns the longest pause in ms; 0 if there was none.
    double longest(double from, double to) throws IOException {
        return pauses(from, to).max().orElse(0);
    }

    private static double seconds(MatchResult pause) {
        return Double.parseDouble(pause.group(1));
    }
}
