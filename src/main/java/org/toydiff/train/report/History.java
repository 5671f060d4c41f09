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

/// What happened in training: a row of numbers for each step and each epoch.
///
/// A [org.toydiff.train.Trainer] writes these columns; `accuracy` stands for each metric, and the `validation_`
/// ones are there when it validates:
///
/// | column | of steps | of epochs |
/// |---|---|---|
/// | `epoch` | the epoch it belongs to, from 1 | its number |
/// | `step` | its number, from 1 | that of its last step |
/// | `examples` | in its batch | in all its batches |
/// | `loss` | of its batch | the mean over its examples, which weigh what the loss gives them |
/// | `accuracy` | over the epoch so far | over the epoch |
/// | `validation_loss`, `validation_accuracy` | | over the validation examples |
/// | `gradient_norm`, where it is bounded | before it was | |
/// | `learning_rate` | with which it was made | of its last step |
/// | `seconds` | of computing | in all, validation included |
/// | `wait_seconds` | of waiting for the batch | in all |
/// | `validation_seconds` | | of validating |
/// | `examples_per_second` | waiting included | without validation |
/// | `live_bytes` | off-heap when it ended | off-heap when it ended |
/// | `peak_bytes` | the most while it ran | the most of its steps |
/// | `gc_count`, `gc_seconds` | garbage collections in it | in it |
///
/// The last 4096 rows are kept on the heap in a primitive array; those before them, some 100 bytes a step, in a
/// temporary file (in the folder `java.io.tmpdir`) that goes with the history.
public final class History implements Stateful {
    /// How many rows are put back at once.
    private static final int PIECE_ROWS = 1024;

    private final HistoryTable epochs;
    private final HistoryTable steps;

    /// An empty history, for a loop of one's own too.
    ///
    /// @param epochColumns the names of the columns of epochs
    /// @param stepColumns the names of the columns of steps
    /// @throws IllegalArgumentException if a name is there twice, or has a blank, a comma or a quote
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

    /// How many epochs there are.
    ///
    /// @return the rows
    public int epochs() {
        return epochs.rows();
    }

    /// How many steps there are.
    ///
    /// @return the rows
    public int steps() {
        return steps.rows();
    }

    /// The names of the columns of epochs.
    ///
    /// @return the names in order
    public List<String> epochColumns() {
        return epochs.names();
    }

    /// The names of the columns of steps.
    ///
    /// @return the names in order
    public List<String> stepColumns() {
        return steps.names();
    }

    /// A column of the epochs.
    ///
    /// @param column its name
    /// @return a value for each epoch: a copy
    /// @throws IllegalArgumentException if there is no such column
    public double[] epochValues(String column) {
        return epochs.column(column);
    }

    /// A column of the steps.
    ///
    /// @param column its name
    /// @return a value for each step: a copy
    /// @throws IllegalArgumentException if there is no such column
    public double[] stepValues(String column) {
        return steps.column(column);
    }

    /// One value of an epoch.
    ///
    /// @param column the name of its column
    /// @param row which epoch, counted from 0
    /// @return the value
    /// @throws IllegalArgumentException if there is no such column
    /// @throws IndexOutOfBoundsException if there is no such epoch
    public double epochValue(String column, int row) {
        return epochs.get(epochs.index(column), Objects.checkIndex(row, epochs()));
    }

    /// One value of a step.
    ///
    /// @param column the name of its column
    /// @param row which step, counted from 0
    /// @return the value
    /// @throws IllegalArgumentException if there is no such column
    /// @throws IndexOutOfBoundsException if there is no such step
    public double stepValue(String column, int row) {
        return steps.get(steps.index(column), Objects.checkIndex(row, steps()));
    }

    /// The epoch with the best value of a column, the first of equal ones.
    ///
    /// @param column its name
    /// @param higherIsBetter whether the largest value is the best
    /// @return the epoch, counted from 1; nothing while no value is a number
    /// @throws IllegalArgumentException if there is no such column
    public OptionalInt bestEpoch(String column, boolean higherIsBetter) {
        int row = BestEpoch.of(epochs, column, higherIsBetter, 0).row();
        return row < 0 ? OptionalInt.empty() : OptionalInt.of(row + 1);
    }

    /// How many epochs came after the last that improved on all before it, which early stopping goes by.
    ///
    /// @param column its name
    /// @param higherIsBetter whether the largest value is the best
    /// @param minDelta by more than how much a value must be better to be an improvement
    /// @return the number; all epochs while no value is a number
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
    /// @param folder where; it is made if it is not there
    /// @throws IOException if they cannot be written
    /// @throws IllegalStateException if FastCSV is not there, saying what to add
    public void writeCsv(Path folder) throws IOException {
        OptionalLibrary.FASTCSV.require("writeCsv");
        CsvHistory.write(this, folder);
    }

    /// Reads what [#writeCsv] wrote; every number is what it was. Needs FastCSV.
    ///
    /// @param folder where the two files are
    /// @return the history
    /// @throws org.toydiff.io.MalformedFileException if they are no such files, naming the file and the line
    /// @throws IOException if they cannot be read
    /// @throws IllegalStateException if FastCSV is not there, saying what to add
    public static History readCsv(Path folder) throws IOException {
        OptionalLibrary.FASTCSV.require("readCsv");
        return CsvHistory.read(folder);
    }

    /// Writes one JSON file, `{"epochs": {"loss": […], …}, "steps": {…}}`, with `null` for NaN and strings for the
    /// infinities. Needs Gson.
    ///
    /// @param file where; its folder is made if it is not there
    /// @throws IOException if it cannot be written
    /// @throws IllegalStateException if Gson is not there, saying what to add
    public void writeJson(Path file) throws IOException {
        OptionalLibrary.GSON.require("writeJson");
        JsonHistory.write(this, file);
    }

    /// Reads what [#writeJson] wrote; every number is what it was. Needs Gson.
    ///
    /// @param file where it is
    /// @return the history
    /// @throws org.toydiff.io.MalformedFileException if it is no such file, naming it and the place
    /// @throws IOException if it cannot be read
    /// @throws IllegalStateException if Gson is not there, saying what to add
    public static History readJson(Path file) throws IOException {
        OptionalLibrary.GSON.require("readJson");
        return JsonHistory.read(file);
    }

    /// All rows.
    ///
    /// @return `epochs` and `steps` FLOAT64 `[rows, columns]`; `epoch_columns` and `step_columns` INT32, the names
    /// in
    ///     UTF-8 with line feeds between them
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

    /// Replaces all rows by saved ones, however many there are.
    ///
    /// @param state what [#stateDict()] gave
    /// @throws IllegalArgumentException if something is missing or unknown, or the columns are not the same, naming
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

    /// Throws if the columns are others, before shapes are looked at, which differ then too and say less.
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

    /// A state of this history's columns, with as many rows as the saved one has.
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
        // A view, which takes no memory for the rows.
        expected.put(
                rows,
                Tensor.zeros(DType.FLOAT64, 1, 1)
                        .broadcastTo(count, columns.names().size()));
    }

    private static void load(Tensor rows, HistoryTable columns) {
        double[] row = new double[columns.names().size()];
        columns.clear();
        long count = rows.shape()[0];
        for (long from = 0; from < count; from += PIECE_ROWS) {
            double[] values =
                    rows.slice(0, from, Math.min(count, from + PIECE_ROWS)).toDoubleArray();
            for (int at = 0; at < values.length; at += row.length) {
                System.arraycopy(values, at, row, 0, row.length);
                columns.add(row);
            }
        }
    }
}
