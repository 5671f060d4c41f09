package org.toydiff.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.toydiff.internal.files.OptionalLibrary;

/// A file of comma-separated numbers, with a choice of input and target columns.
///
/// ```java
/// Dataset digits = CsvFile.of(Path.of("digits.csv")).labels("digit").read();
/// Dataset prices = CsvFile.of(Path.of("prices.csv.gz")).inputs("area", "rooms").targets("price").read();
/// ```
///
/// Class labels are integers from 0 on, as losses take them; in a file that names its classes, `setosa`, first
/// replace the names by numbers.
///
/// The first line names the columns, unless [#withoutHeader()] is called. Cells are finite decimal numbers,
/// optionally surrounded by blanks; quoting follows RFC 4180, empty lines are skipped, the encoding is UTF-8.
/// FastCSV reads the file: a program that uses this class depends on `de.siegmar:fastcsv`, and on the module path
/// adds `--add-modules de.siegmar.fastcsv`. Settings follow the convention of [org.toydiff.data].
public final class CsvFile {
    /// A column by its name, or if that is null by its position, from 0 on.
    record Column(String name, int position) {}

    private final Path path;
    private char delimiter = ',';
    private boolean header = true;

    /// Null for all columns that are not targets.
    private List<Column> inputs;

    private List<Column> targets;
    private boolean labels;

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
        return targets(columns(names), false);
    }

    /// Chooses the columns of a regression's targets: FLOAT32 `[n, columns]`. They replace targets or labels chosen
    /// before.
    ///
    /// @param positions their positions, from 0 on
    /// @return this
    public CsvFile targets(int... positions) {
        return targets(columns(positions), false);
    }

    /// Chooses the column of the class labels, integers: INT64 `[n]`. It replaces targets or labels chosen before.
    ///
    /// @param name its name in the header
    /// @return this
    public CsvFile labels(String name) {
        return targets(columns(name), true);
    }

    /// Chooses the column of the class labels, integers: INT64 `[n]`. It replaces targets or labels chosen before.
    ///
    /// @param position its position, from 0 on
    /// @return this
    public CsvFile labels(int position) {
        return targets(columns(position), true);
    }

    private CsvFile targets(List<Column> columns, boolean labels) {
        this.targets = columns;
        this.labels = labels;
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
    ///     first, a cell is not a finite number, or a label not an integer, or there are no rows; nothing stays
    ///     allocated then
    /// @throws IOException if the file cannot be read
    /// @throws IllegalArgumentException if a column is not in the file or chosen twice, or none is left for the
    ///     inputs
    /// @throws IllegalStateException if neither targets nor labels were chosen, or FastCSV is missing: the message
    ///     names the artifact to add
    public TensorDataset read() throws IOException {
        if (targets == null || targets.isEmpty()) {
            throw new IllegalStateException(
                    "read: " + path + ": no target column was chosen; call targets(…) or labels(…)");
        }
        OptionalLibrary.FASTCSV.require("read");
        return new CsvTable(path, delimiter, header).read(inputs, targets, labels);
    }
}
