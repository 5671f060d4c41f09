package org.toydiff.train.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import org.toydiff.DType;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.internal.files.OptionalLibrary;

/// The history of a training: a row of numbers for each step and each epoch.
///
/// A [org.toydiff.train.Trainer] writes these columns; `accuracy` stands for each metric, and the `validation_`
/// columns exist if it validates:
///
/// | column | of steps | of epochs |
/// |---|---|---|
/// | `epoch` | the number of its epoch, from 1 | its number, from 1 |
/// | `step` | its number, from 1 | the number of its last step |
/// | `examples` | in its batch | in all its batches |
/// | `loss` | of its batch | the mean over its examples, with the weights of the loss |
/// | `accuracy` | over the epoch so far | over the epoch |
/// | `validation_loss`, `validation_accuracy` | | over the validation examples |
/// | `gradient_norm`, if clipped | before clipping | |
/// | `skipped_steps`, if steps can be skipped | 1 if it was skipped, else 0 | the number of them |
/// | `learning_rate` | of the step | of its last step |
/// | `seconds` | computing | total, including validation |
/// | `wait_seconds` | waiting for the batch | total |
/// | `validation_seconds` | | validating |
/// | `examples_per_second` | including waiting | without validation |
/// | `live_bytes` | off-heap at its end | off-heap at its end |
/// | `peak_bytes` | the peak of the step | the largest peak of its steps |
/// | `gc_count`, `gc_seconds` | garbage collections | garbage collections |
///
/// The last 4096 rows are kept on the heap in a primitive array; earlier rows, some 100 bytes a step, in a temporary
/// file (in the folder `java.io.tmpdir`) that is deleted with the history.
public final class History implements Stateful {
    /// The number of rows that are loaded at once.
    private static final int CHUNK_ROWS = 1024;

    private final HistoryTable epochs;
    private final HistoryTable steps;

    /// Makes an empty history, for any training loop.
    ///
    /// @param epochColumns the names of the columns of epochs
    /// @param stepColumns the names of the columns of steps
    /// @throws IllegalArgumentException if there are no columns, or a name is repeated or not valid, see
    ///     [org.toydiff.train.metrics.Metric#requireName]
    public History(List<String> epochColumns, List<String> stepColumns) {
        this(new HistoryTable(epochColumns), new HistoryTable(stepColumns));
    }

    History(HistoryTable epochs, HistoryTable steps) {
        this.epochs = epochs;
        this.steps = steps;
    }

    /// Adds a row for an epoch.
    ///
    /// @param values one for each column
    /// @throws IllegalArgumentException if there are more or fewer
    public void addEpoch(double... values) {
        epochs.add(values);
    }

    /// Adds a row for a step.
    ///
    /// @param values one for each column; copied
    /// @throws IllegalArgumentException if there are more or fewer
    public void addStep(double... values) {
        steps.add(values);
    }

    /// {@return the number of epochs}
    public int epochs() {
        return epochs.rows();
    }

    /// {@return the number of steps}
    public int steps() {
        return steps.rows();
    }

    /// {@return the names of the columns of epochs, in order}
    public List<String> epochColumns() {
        return epochs.names();
    }

    /// {@return the names of the columns of steps, in order}
    public List<String> stepColumns() {
        return steps.names();
    }

    /// Returns a column of the epochs.
    ///
    /// @param column its name
    /// @return a copy, one value for each epoch
    /// @throws IllegalArgumentException if there is no such column
    public double[] epochValues(String column) {
        return epochs.column(column);
    }

    /// Returns a column of the steps.
    ///
    /// @param column its name
    /// @return a copy, one value for each step
    /// @throws IllegalArgumentException if there is no such column
    public double[] stepValues(String column) {
        return steps.column(column);
    }

    /// Returns a value of an epoch.
    ///
    /// @param column the name of the column
    /// @param row the row of the epoch, from 0 on
    /// @return the value
    /// @throws IllegalArgumentException if there is no such column
    /// @throws IndexOutOfBoundsException if there is no such epoch
    public double epochValue(String column, int row) {
        return epochs.get(epochs.index(column), Objects.checkIndex(row, epochs()));
    }

    /// Returns a value of a step.
    ///
    /// @param column the name of the column
    /// @param row the row of the step, from 0 on
    /// @return the value
    /// @throws IllegalArgumentException if there is no such column
    /// @throws IndexOutOfBoundsException if there is no such step
    public double stepValue(String column, int row) {
        return steps.get(steps.index(column), Objects.checkIndex(row, steps()));
    }

    /// Returns the epoch with the best value of a column, the first of equal ones.
    ///
    /// @param column its name
    /// @param higherIsBetter whether the largest value is the best
    /// @return the number of the epoch, from 1; empty while no value is a number
    /// @throws IllegalArgumentException if there is no such column
    public OptionalInt bestEpoch(String column, boolean higherIsBetter) {
        int row = BestEpoch.of(epochs, column, higherIsBetter, 0).row();
        return row < 0 ? OptionalInt.empty() : OptionalInt.of(row + 1);
    }

    /// Returns the number of epochs since the last one that improved on all before it, which early stopping limits.
    ///
    /// @param column the name of the column
    /// @param higherIsBetter whether the largest value is the best
    /// @param minDelta the difference that an improvement must exceed
    /// @return the number; that of all epochs while no value is a number
    /// @throws IllegalArgumentException if there is no such column
    public int epochsWithoutImprovement(String column, boolean higherIsBetter, double minDelta) {
        return BestEpoch.of(epochs, column, higherIsBetter, minDelta).waited();
    }

    HistoryTable epochTable() {
        return epochs;
    }

    HistoryTable stepTable() {
        return steps;
    }

    /// Writes two CSV files, `epochs.csv` and `steps.csv`, with a line of names above the numbers. Needs FastCSV.
    ///
    /// @param folder the folder, which is created if it does not exist
    /// @throws IOException if a file cannot be written
    /// @throws IllegalStateException if FastCSV is missing: the message names the artifact to add
    public void writeCsv(Path folder) throws IOException {
        OptionalLibrary.FASTCSV.require("writeCsv");
        CsvHistory.write(this, folder);
    }

    /// Reads the files of [#writeCsv]. The numbers are equal to the bit. Needs FastCSV.
    ///
    /// @param folder the folder of the two files
    /// @return the history
    /// @throws org.toydiff.io.MalformedFileException if a file has another format; the message names the file and
    ///     the line
    /// @throws IOException if a file cannot be read
    /// @throws IllegalStateException if FastCSV is missing: the message names the artifact to add
    public static History readCsv(Path folder) throws IOException {
        OptionalLibrary.FASTCSV.require("readCsv");
        return CsvHistory.read(folder);
    }

    /// Writes one JSON file, `{"epochs": {"loss": […], …}, "steps": {…}}`, with `null` for NaN and strings for the
    /// infinities. Needs Gson.
    ///
    /// @param file the file, whose folder is created if it does not exist
    /// @throws IOException if it cannot be written
    /// @throws IllegalStateException if Gson is missing: the message names the artifact to add
    public void writeJson(Path file) throws IOException {
        OptionalLibrary.GSON.require("writeJson");
        JsonHistory.write(this, file);
    }

    /// Reads the file of [#writeJson]. The numbers are equal to the bit. Needs Gson.
    ///
    /// @param file the file
    /// @return the history
    /// @throws org.toydiff.io.MalformedFileException if the file has another format; the message names the file and
    ///     the place
    /// @throws IOException if it cannot be read
    /// @throws IllegalStateException if Gson is missing: the message names the artifact to add
    public static History readJson(Path file) throws IOException {
        OptionalLibrary.GSON.require("readJson");
        return JsonHistory.read(file);
    }

    /// Returns all rows.
    ///
    /// @return `epochs` and `steps` FLOAT64 `[rows, columns]`; `epoch_columns` and `step_columns` INT32, the names
    ///     in UTF-8 with line feeds between them
    @Override
    public Map<String, Tensor> stateDict() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        save(state, "epoch_columns", "epochs", epochs);
        save(state, "step_columns", "steps", steps);
        return state;
    }

    private static void save(Map<String, Tensor> state, String names, String rows, HistoryTable columns) {
        state.put(names, codes(columns));
        Tensor values =
                Tensor.empty(DType.FLOAT64, columns.rows(), columns.names().size());
        columns.copyTo(values.segment());
        state.put(rows, values);
    }

    private static Tensor codes(HistoryTable columns) {
        byte[] text = String.join("\n", columns.names()).getBytes(StandardCharsets.UTF_8);
        int[] codes = new int[text.length];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = text[i];
        }
        return Tensor.of(codes, codes.length);
    }

    /// Replaces all rows by saved ones, of any number.
    ///
    /// @param state the [#stateDict()] of a history with the same columns
    /// @throws IllegalArgumentException if an entry is missing or unknown, or the columns differ; the message names
    ///     them
    @Override
    public void loadStateDict(Map<String, Tensor> state) {
        try (var scratch = TensorArena.ofConfined()) {
            requireSame("epoch_columns", epochs, state);
            requireSame("step_columns", steps, state);
            Stateful.requireFits("history: loadStateDict", ofAsManyRows(state), state);
        }
        load(state.get("epochs"), epochs);
        load(state.get("steps"), steps);
    }

    /// Throws if the columns differ. Checked before the shapes, which then differ too and explain less.
    private static void requireSame(String names, HistoryTable columns, Map<String, Tensor> state) {
        Tensor codes = state.get(names);
        if (codes == null || codes.dtype() != DType.INT32) {
            return;
        }
        List<String> saved = text(codes);
        if (!saved.equals(columns.names())) {
            throw new IllegalArgumentException("history: loadStateDict: the saved columns " + saved + " are not "
                    + columns.names() + "; resume with the same metrics and validation");
        }
    }

    private static List<String> text(Tensor codes) {
        long[] values = codes.toLongArray();
        byte[] text = new byte[values.length];
        for (int i = 0; i < text.length; i++) {
            text[i] = (byte) values[i];
        }
        return List.of(new String(text, StandardCharsets.UTF_8).split("\n"));
    }

    /// Returns a state with the columns of this history and as many rows as the saved one.
    private Map<String, Tensor> ofAsManyRows(Map<String, Tensor> state) {
        Map<String, Tensor> expected = new LinkedHashMap<>();
        expect(expected, "epoch_columns", "epochs", epochs, state);
        expect(expected, "step_columns", "steps", steps, state);
        return expected;
    }

    private static void expect(
            Map<String, Tensor> expected, String names, String rows, HistoryTable columns, Map<String, Tensor> state) {
        expected.put(names, codes(columns));
        Tensor saved = state.get(rows);
        long count = saved == null || saved.rank() == 0 ? columns.rows() : saved.shape()[0];
        // A view, which allocates no rows.
        expected.put(
                rows,
                Tensor.zeros(DType.FLOAT64, 1, 1)
                        .broadcastTo(count, columns.names().size()));
    }

    private static void load(Tensor rows, HistoryTable columns) {
        double[] row = new double[columns.names().size()];
        columns.clear();
        long count = rows.shape()[0];
        for (long from = 0; from < count; from += CHUNK_ROWS) {
            double[] values =
                    rows.slice(0, from, Math.min(count, from + CHUNK_ROWS)).toDoubleArray();
            for (int at = 0; at < values.length; at += row.length) {
                System.arraycopy(values, at, row, 0, row.length);
                columns.add(row);
            }
        }
    }
}
