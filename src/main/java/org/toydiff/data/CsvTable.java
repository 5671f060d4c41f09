package org.toydiff.data;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import de.siegmar.fastcsv.reader.CloseableIterator;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.io.MalformedFileException;

/// Reads the rows of a CSV file: the one class that needs FastCSV.
final class CsvTable {
    private final Path path;
    private final char delimiter;
    private final boolean header;
    private List<String> names = List.of();
    private int width;
    private long rows;

    CsvTable(Path path, char delimiter, boolean header) {
        this.path = path;
        this.delimiter = delimiter;
        this.header = header;
    }

    TensorDataset read(List<CsvFile.Column> inputs, List<CsvFile.Column> targets, boolean labels) throws IOException {
        count();
        int[] targetAt = positions(targets);
        int[] inputAt = inputs == null ? others(targetAt) : positions(inputs);
        if (inputAt.length == 0) {
            throw new IllegalArgumentException("read: " + path + ": no column is left for the inputs");
        }
        TensorArena home = TensorArena.innermost();
        try (var scratch = TensorArena.ofConfined()) {
            var x = new TensorWriter(DType.FLOAT32, rows, inputAt.length);
            var y = new TensorWriter(labels ? DType.INT64 : DType.FLOAT32, rows, targetAt.length);
            forEach(row -> {
                if (x.isFull()) {
                    throw malformed(row, "the file grew while it was read");
                }
                floats(row, inputAt, x);
                if (labels) {
                    y.row().set(JAVA_LONG, 0, label(row, targetAt[0]));
                    y.next();
                } else {
                    floats(row, targetAt, y);
                }
            });
            if (!x.isFull()) {
                throw new MalformedFileException(path, "end", "the file shrank while it was read");
            }
            Tensor targetTensor = y.moveTo(home);
            return new TensorDataset(x.moveTo(home), labels ? targetTensor.reshape(rows) : targetTensor);
        }
    }

    /// Finds the names of the columns, and counts columns and rows.
    private void count() throws IOException {
        forEach(row -> rows++);
        if (rows == 0) {
            throw new MalformedFileException(path, "line 1", "the file has no rows of numbers");
        }
    }

    private interface RowVisitor {
        void visit(CsvRecord row) throws IOException;
    }

    private void forEach(RowVisitor visitor) throws IOException {
        long line = 1;
        try (var in = GzipInput.open(path);
                var reader = CsvReader.builder()
                        .fieldSeparator(delimiter)
                        .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
                        .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
                        .allowUnclosedQuote(false)
                        .detectBomHeader(true)
                        .ofCsvRecord(in, StandardCharsets.UTF_8);
                CloseableIterator<CsvRecord> records = reader.iterator()) {
            for (boolean first = true; records.hasNext(); first = false) {
                CsvRecord row = records.next();
                line = row.getStartingLineNumber();
                if (first) {
                    width = row.getFieldCount();
                    names = header ? row.getFields().stream().map(String::strip).toList() : List.of();
                } else if (row.getFieldCount() != width) {
                    throw malformed(row, row.getFieldCount() + " cells, but the first line has " + width);
                }
                if (!first || !header) {
                    visitor.visit(row);
                }
            }
        } catch (UncheckedIOException e) {
            throw GzipInput.explained(path, "after line " + line, e.getCause());
        } catch (IOException e) {
            throw GzipInput.explained(path, "after line " + line, e);
        } catch (CsvParseException e) {
            throw new MalformedFileException(path, "after line " + line, e.getMessage(), e);
        }
    }

    private MalformedFileException malformed(CsvRecord row, String problem) {
        return new MalformedFileException(path, "line " + row.getStartingLineNumber(), problem);
    }

    private MalformedFileException malformed(CsvRecord row, int column, String problem) {
        String name = names.isEmpty() ? "" : " (" + names.get(column) + ")";
        return malformed(row, "column " + (column + 1) + name + ": \"" + row.getField(column) + "\" " + problem);
    }

    private int[] positions(List<CsvFile.Column> columns) {
        int[] positions = columns.stream().mapToInt(this::position).toArray();
        if (IntStream.of(positions).distinct().count() < positions.length) {
            throw new IllegalArgumentException("read: " + path + ": a column is chosen twice");
        }
        return positions;
    }

    private int position(CsvFile.Column column) {
        if (column.name() == null) {
            if (column.position() < 0 || column.position() >= width) {
                throw new IllegalArgumentException(
                        "read: " + path + ": no column at position " + column.position() + "; the file has " + width);
            }
            return column.position();
        }
        int times = Collections.frequency(names, column.name());
        if (times != 1) {
            throw new IllegalArgumentException("read: " + path + ": " + (times == 0 ? "no column" : times + " columns")
                    + " named \"" + column.name() + "\"; the header is " + names);
        }
        return names.indexOf(column.name());
    }

    private int[] others(int[] chosen) {
        Set<Integer> taken = new HashSet<>();
        for (int position : chosen) {
            taken.add(position);
        }
        return IntStream.range(0, width).filter(i -> !taken.contains(i)).toArray();
    }

    private void floats(CsvRecord row, int[] columns, TensorWriter to) throws IOException {
        MemorySegment cells = to.row();
        for (int i = 0; i < columns.length; i++) {
            cells.setAtIndex(JAVA_FLOAT, i, number(row, columns[i]));
        }
        to.next();
    }

    private float number(CsvRecord row, int column) throws IOException {
        String cell = row.getField(column).strip();
        try {
            float number = isDecimal(cell) ? Float.parseFloat(cell) : Float.NaN;
            if (Float.isFinite(number)) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Falls through to the message for everything that is not a number.
        }
        throw malformed(row, column, "is not a finite decimal number within FLOAT32");
    }

    /// Rejects the other texts that [Float#parseFloat] accepts: hexadecimal, `1f`, NaN, Infinity.
    private static boolean isDecimal(String cell) {
        for (int i = 0; i < cell.length(); i++) {
            if ("0123456789.+-eE".indexOf(cell.charAt(i)) < 0) {
                return false;
            }
        }
        return true;
    }

    private long label(CsvRecord row, int column) throws IOException {
        try {
            return Long.parseLong(row.getField(column).strip());
        } catch (NumberFormatException e) {
            throw malformed(
                    row,
                    column,
                    "is not an integer, as a label must be; number the classes from 0 on and write the numbers to the"
                            + " file");
        }
    }
}
