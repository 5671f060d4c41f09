package org.toydiff.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.toydiff.internal.files.OptionalLibrary;

/// A file of comma-separated numbers, and which of its columns are what.
///
/// ```java
/// Dataset digits = CsvFile.of(Path.of("digits.csv")).labels("digit").read();
/// Dataset prices = CsvFile.of(Path.of("prices.csv.gz")).inputs("area", "rooms").targets("price").read();
/// ```
///
/// Classes are whole numbers from 0 on, as losses take them; a file that names them, `setosa`, is first rewritten
/// with numbers.
///
/// The first line names the columns unless [#withoutHeader()] says otherwise. Cells are finite decimal numbers,
/// with blanks around them or not; quoting is that of RFC 4180, empty lines are skipped, the encoding is UTF-8.
/// Read by FastCSV: a program that uses this class depends on `de.siegmar:fastcsv`, and on the module path adds
/// `--add-modules de.siegmar.fastcsv`.
public final class CsvFile {
    /// A column by its name, or by its position, from 0 on, when the name is null.
    record Column(String name, int position) {}

    private final Path path;
    private char delimiter = ',';
    private boolean header = true;

    /// Null for all columns that are no targets.
    private List<Column> inputs;

    private List<Column> targets;
    private boolean labels;

    private CsvFile(Path path) {
        this.path = path;
    }

    /// A file with a header and commas; the methods that follow change that, and each gives a new description.
    ///
    /// @param path the file, plain or gzip
    /// @return what is to be read from it
    public static CsvFile of(Path path) {
        return new CsvFile(Objects.requireNonNull(path, "path"));
    }

    private CsvFile copy() {
        var copy = new CsvFile(path);
        copy.delimiter = delimiter;
        copy.header = header;
        copy.inputs = inputs;
        copy.targets = targets;
        copy.labels = labels;
        return copy;
    }

    /// Says what stands between cells.
    ///
    /// @param delimiter the character, `','` without this call
    /// @return a new description
    /// @throws IllegalArgumentException if it is a quote or the end of a line
    public CsvFile delimiter(char delimiter) {
        if (delimiter == '"' || delimiter == '\n' || delimiter == '\r') {
            throw new IllegalArgumentException("delimiter: a quote or the end of a line cannot be it");
        }
        CsvFile copy = copy();
        copy.delimiter = delimiter;
        return copy;
    }

    /// Says that the first line holds numbers and not names.
    ///
    /// @return a new description
    public CsvFile withoutHeader() {
        CsvFile copy = copy();
        copy.header = false;
        return copy;
    }

    /// Says which columns are the inputs; without this call all that are no targets.
    ///
    /// @param names their names in the header
    /// @return a new description
    public CsvFile inputs(String... names) {
        CsvFile copy = copy();
        copy.inputs = columns(names);
        return copy;
    }

    /// Says which columns are the inputs; without this call all that are no targets.
    ///
    /// @param positions their positions, from 0 on
    /// @return a new description
    public CsvFile inputs(int... positions) {
        CsvFile copy = copy();
        copy.inputs = columns(positions);
        return copy;
    }

    /// Says which columns are the targets of a regression: FLOAT32 `[n, columns]`.
    ///
    /// @param names their names in the header
    /// @return a new description
    public CsvFile targets(String... names) {
        return targets(columns(names), false);
    }

    /// Says which columns are the targets of a regression: FLOAT32 `[n, columns]`.
    ///
    /// @param positions their positions, from 0 on
    /// @return a new description
    public CsvFile targets(int... positions) {
        return targets(columns(positions), false);
    }

    /// Says which column holds the classes, whole numbers: INT64 `[n]`.
    ///
    /// @param name its name in the header
    /// @return a new description
    public CsvFile labels(String name) {
        return targets(columns(name), true);
    }

    /// Says which column holds the classes, whole numbers: INT64 `[n]`.
    ///
    /// @param position its position, from 0 on
    /// @return a new description
    public CsvFile labels(int position) {
        return targets(columns(position), true);
    }

    private CsvFile targets(List<Column> columns, boolean labels) {
        CsvFile copy = copy();
        copy.targets = columns;
        copy.labels = labels;
        return copy;
    }

    private static List<Column> columns(String... names) {
        return Stream.of(names)
                .map(name -> new Column(Objects.requireNonNull(name, "name"), -1))
                .toList();
    }

    private static List<Column> columns(int... positions) {
        return IntStream.of(positions).mapToObj(i -> new Column(null, i)).toList();
    }

    /// Reads the file, twice: to count its rows, and to read them.
    ///
    /// **Memory** the inputs, FLOAT32 `[n, columns]`, and the targets, in the innermost arena.
    ///
    /// @return a set of the rows
    /// @throws org.toydiff.io.MalformedFileException naming line and column, if a row is longer or shorter than the
    ///     first, a cell is no finite number, or no whole one for a label, or there are no rows; nothing was
    ///     allocated then
    /// @throws IOException if the file cannot be read
    /// @throws IllegalArgumentException if a column is not in the file, or none is left for the inputs
    /// @throws IllegalStateException if neither targets nor labels were chosen, or FastCSV is not there
    public TensorDataset read() throws IOException {
        if (targets == null || targets.isEmpty()) {
            throw new IllegalStateException(
                    "read: " + path + ": no column is the target; choose by targets(…) or labels(…)");
        }
        OptionalLibrary.FASTCSV.require("read");
        return new CsvTable(path, delimiter, header).read(inputs, targets, labels);
    }
}
