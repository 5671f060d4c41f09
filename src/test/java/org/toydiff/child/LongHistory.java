package org.toydiff.child;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.toydiff.TensorArena;
import org.toydiff.train.report.History;
import org.toydiff.train.report.Report;

/// Records a history that is larger than a small heap, and writes it in every format.
public final class LongHistory {
    /// The number of steps.
    public static final int ROWS = 250_000;

    private static final int COLUMNS = 14;

    private LongHistory() {}

    /// The value at a row and column, different from those nearby.
    public static double value(int row, int column) {
        return row * 31.0 + column / 8.0;
    }

    /// Prints the last value.
    ///
    /// @param arguments the folder to write to
    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        List<String> names = IntStream.range(0, COLUMNS)
                .mapToObj(i -> i == 0 ? "seconds" : "column" + i)
                .toList();
        var history = new History(List.of("epoch"), names);
        double[] row = new double[COLUMNS];
        for (int i = 0; i < ROWS; i++) {
            for (int j = 0; j < COLUMNS; j++) {
                row[j] = value(i, j);
            }
            history.addStep(row);
        }
        var again = new History(List.of("epoch"), names);
        try (var arena = TensorArena.ofConfined()) {
            again.loadStateDict(history.stateDict());
        }
        again.writeCsv(folder);
        again.writeJson(folder.resolve("h.json"));
        Report.of(again).write(folder.resolve("report.html"));
        System.out.println(again.stepValues("column13")[ROWS - 1]);
    }
}
