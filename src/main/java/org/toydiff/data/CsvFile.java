package org.toydiff.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.toydiff.internal.files.OptionalLibrary;

/// A file of comma-separated numbers, with a choice of input and target columns.
///
/// ```java
/// Dataset digits = CsvFile.of(Path.of("digits.csv")).labels("digit").read();
/// Dataset prices = CsvFile.of(Path.of("prices.csv.gz")).inputs("area", "rooms").targets("price").read();
/// TensorDataset flowers = CsvFile.of(Path.of("flowers.csv")).textLabels("species").missingAsNaN().read();
/// List<String> species = flowers.classes();
/// ```
///
/// Class labels are integers from 0 on, as losses take them, or names that are read as such integers.
///
/// The first line names the columns, unless [#withoutHeader()] is called. Cells are finite decimal numbers,
/// optionally surrounded by blanks; a missing number, an empty or blank cell, is refused unless [#missingAsNaN()] is
/// called. Quoting follows RFC 4180, empty lines are skipped, the encoding is UTF-8.
/// FastCSV reads the file: a program that uses this class depends on `de.siegmar:fastcsv`, and on the module path
/// adds `--add-modules de.siegmar.fastcsv`. Settings follow the convention of [org.toydiff.data].
public final class CsvFile {
    /// A column by its name, or if that is null by its position, from 0 on.
    record Column(String name, int position) {}

    /// The content of the target columns.
    enum TargetKind {
        NUMBERS,
        LABELS,
        TEXT_LABELS
    }

    private final Path path;
    private char delimiter = ',';
    private boolean header = true;

    /// Null for all columns that are not targets.
    private List<Column> inputs;

    private List<Column> targets;
    private TargetKind kind;
    private boolean missingAsNaN;

    /// Empty for those in the file.
    private List<String> classes = List.of();

    private CsvFile(Path path) {
        this.path = path;
    }

    /// Describes a file with a header and commas. Methods named after the other settings change those.
    ///
    /// @param path the file, plain or gzip
    /// @return the description, for [#read()]
    public static CsvFile of(Path path) {
        return new CsvFile(Objects.requireNonNull(path, "path"));
    }

    /// Sets the character between cells.
    ///
    /// @param delimiter the character, `','` without this call
    /// @return this
    /// @throws IllegalArgumentException if it is a quote or the end of a line
    public CsvFile delimiter(char delimiter) {
        if (delimiter == '"' || delimiter == '\n' || delimiter == '\r') {
            throw new IllegalArgumentException("CsvFile: delimiter must be neither a quote nor the end of a line");
        }
        this.delimiter = delimiter;
        return this;
    }

    /// Reads the first line as numbers, not as names.
    ///
    /// @return this
    public CsvFile withoutHeader() {
        this.header = false;
        return this;
    }

    /// Chooses the columns of the inputs; without this call they are all that are not targets.
    ///
    /// @param names their names in the header
    /// @return this
    public CsvFile inputs(String... names) {
        this.inputs = columns(names);
        return this;
    }

    /// Chooses the columns of the inputs; without this call they are all that are not targets.
    ///
    /// @param positions their positions, from 0 on
    /// @return this
    public CsvFile inputs(int... positions) {
        this.inputs = columns(positions);
        return this;
    }

    /// Chooses the columns of a regression's targets: FLOAT32 `[n, columns]`. They replace targets or labels chosen
    /// before.
    ///
    /// @param names their names in the header
    /// @return this
    public CsvFile targets(String... names) {
        return targets(TargetKind.NUMBERS, columns(names));
    }

    /// Chooses the columns of a regression's targets: FLOAT32 `[n, columns]`. They replace targets or labels chosen
    /// before.
    ///
    /// @param positions their positions, from 0 on
    /// @return this
    public CsvFile targets(int... positions) {
        return targets(TargetKind.NUMBERS, columns(positions));
    }

    /// Chooses the column of the class labels, integers: INT64 `[n]`. It replaces targets or labels chosen before.
    ///
    /// @param name its name in the header
    /// @return this
    public CsvFile labels(String name) {
        return targets(TargetKind.LABELS, columns(name));
    }

    /// Chooses the column of the class labels, integers: INT64 `[n]`. It replaces targets or labels chosen before.
    ///
    /// @param position its position, from 0 on
    /// @return this
    public CsvFile labels(int position) {
        return targets(TargetKind.LABELS, columns(position));
    }

    /// Chooses the column of the names of classes, which are read as labels: INT64 `[n]`. It replaces targets or labels
    /// chosen before.
    ///
    /// The labels number the names in the file in their order as strings ([String#compareTo]), whatever the order of
    /// the rows, or those of [#classes]. [TensorDataset#classes()] has the names. Blanks around a name do not count.
    ///
    /// @param name its name in the header
    /// @return this
    public CsvFile textLabels(String name) {
        return targets(TargetKind.TEXT_LABELS, columns(name));
    }

    /// Chooses the column of the names of classes as [#textLabels(String)] does.
    ///
    /// @param position its position, from 0 on
    /// @return this
    public CsvFile textLabels(int position) {
        return targets(TargetKind.TEXT_LABELS, columns(position));
    }

    private CsvFile targets(TargetKind kind, List<Column> columns) {
        this.targets = columns;
        this.kind = kind;
        return this;
    }

    /// Sets the classes of [#textLabels(String)] and their order, so that several files have the same labels: those of
    /// the training data for the test data, for instance. A file with another name is refused.
    ///
    /// @param names the names in the order of the labels, the first one for label 0; those in the file without this
    ///     call
    /// @return this
    /// @throws IllegalArgumentException if there is none, or one is given twice
    public CsvFile classes(List<String> names) {
        if (names.isEmpty() || Set.copyOf(names).size() < names.size()) {
            throw new IllegalArgumentException("CsvFile: classes " + names + " must be one or more, each once");
        }
        this.classes = List.copyOf(names);
        return this;
    }

    /// Reads the missing numbers of inputs and of a regression's targets, empty or blank cells, as NaN, and does not
    /// refuse them. A missing label is always refused.
    ///
    /// @return this
    public CsvFile missingAsNaN() {
        this.missingAsNaN = true;
        return this;
    }

    private static List<Column> columns(String... names) {
        return Stream.of(names)
                .map(name -> new Column(Objects.requireNonNull(name, "name"), -1))
                .toList();
    }

    private static List<Column> columns(int... positions) {
        return IntStream.of(positions).mapToObj(i -> new Column(null, i)).toList();
    }

    /// Reads the file twice: first to count its rows, then to read them.
    ///
    /// **Memory** the inputs, FLOAT32 `[n, columns]`, and the targets, in the innermost arena.
    ///
    /// @return the rows as a data set
    /// @throws org.toydiff.io.MalformedFileException naming line and column, if a row is longer or shorter than the
    ///     first, a cell is not a finite number, or a label is missing, not an integer, or not one of the classes set,
    ///     or there are no rows; nothing stays allocated then
    /// @throws IOException if the file cannot be read
    /// @throws IllegalArgumentException if a column is not in the file or chosen twice, or none is left for the
    ///     inputs
    /// @throws IllegalStateException if neither targets nor labels were chosen, classes were set for labels that are
    ///     not text, or FastCSV is missing: the message names the artifact to add
    public TensorDataset read() throws IOException {
        if (targets == null || targets.isEmpty()) {
            throw new IllegalStateException(
                    "read: " + path + ": no target column was chosen; call targets(…), labels(…) or textLabels(…)");
        }
        if (kind != TargetKind.TEXT_LABELS && !classes.isEmpty()) {
            throw new IllegalStateException(
                    "read: " + path + ": classes were set, and the labels are not text; call textLabels(…)");
        }
        OptionalLibrary.FASTCSV.require("read");
        return new CsvTable(path, delimiter, header, missingAsNaN).read(inputs, targets, kind, classes);
    }
}
