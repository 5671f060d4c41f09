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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
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
    private final boolean missingAsNaN;
    private List<String> names = List.of();
    private int width;
    private long rows;

    CsvTable(Path path, char delimiter, boolean header, boolean missingAsNaN) {
        this.path = path;
        this.delimiter = delimiter;
        this.header = header;
        this.missingAsNaN = missingAsNaN;
    }

    /// @param classes the classes of text labels, empty for those in the file
    TensorDataset read(
            List<CsvFile.Column> inputs, List<CsvFile.Column> targets, CsvFile.TargetKind kind, List<String> classes)
            throws IOException {
        boolean text = kind == CsvFile.TargetKind.TEXT_LABELS;
        List<String> found = count(text && classes.isEmpty() ? targets.getFirst() : null);
        List<String> names = classes.isEmpty() ? found : classes;
        Map<String, Long> labels = text ? numbered(names) : null;
        int[] targetAt = positions(targets);
        int[] inputAt = inputs == null ? others(targetAt) : positions(inputs);
        if (inputAt.length == 0) {
            throw new IllegalArgumentException("read: " + path + ": no column is left for the inputs");
        }
        TensorArena home = TensorArena.innermost();
        try (var scratch = TensorArena.ofConfined()) {
            boolean numbers = kind == CsvFile.TargetKind.NUMBERS;
            var x = new TensorWriter(DType.FLOAT32, rows, inputAt.length);
            var y = new TensorWriter(numbers ? DType.FLOAT32 : DType.INT64, rows, targetAt.length);
            fill(x, row -> {
                floats(row, inputAt, x);
                if (numbers) {
                    floats(row, targetAt, y);
                } else {
                    y.row().set(JAVA_LONG, 0, text ? label(row, targetAt[0], labels) : label(row, targetAt[0]));
                    y.next();
                }
            });
            Tensor targetTensor = y.moveTo(home);
            return new TensorDataset(x.moveTo(home), numbers ? targetTensor : targetTensor.reshape(rows), names);
        }
    }

    /// Visits the rows that were counted, each of which fills a row of x.
    private void fill(TensorWriter x, RowVisitor visitor) throws IOException {
        forEach(row -> {
            if (x.isFull()) {
                throw malformed(row, "the file grew while it was read");
            }
            visitor.visit(row);
        });
        if (!x.isFull()) {
            throw new MalformedFileException(path, "end", "the file shrank while it was read");
        }
    }

    /// Finds the names of the columns, and counts columns and rows.
    ///
    /// @param textLabels a column of which to collect the texts, or null
    /// @return the sorted texts of the column
    private List<String> count(CsvFile.Column textLabels) throws IOException {
        Set<String> texts = new TreeSet<>();
        forEach(row -> {
            rows++;
            if (textLabels != null) {
                texts.add(text(row, position(textLabels)));
            }
        });
        if (rows == 0) {
            throw new MalformedFileException(path, "line 1", "the file has no rows of numbers");
        }
        return List.copyOf(texts);
    }

    private static Map<String, Long> numbered(List<String> classes) {
        Map<String, Long> numbers = new LinkedHashMap<>();
        classes.forEach(name -> numbers.put(name, (long) numbers.size()));
        return numbers;
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
        if (cell.isEmpty()) {
            if (missingAsNaN) {
                return Float.NaN;
            }
            throw malformed(row, column, "is no number; fill it in, or read missing numbers as NaN by missingAsNaN()");
        }
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

    /// Returns a label as written.
    private String text(CsvRecord row, int column) throws IOException {
        String text = row.getField(column).strip();
        if (text.isEmpty()) {
            throw malformed(row, column, "is no label, and every row needs one; fill it in or remove the row");
        }
        return text;
    }

    private long label(CsvRecord row, int column, Map<String, Long> labels) throws IOException {
        Long label = labels.get(text(row, column));
        if (label == null) {
            throw malformed(row, column, "is none of the classes " + labels.keySet());
        }
        return label;
    }

    private long label(CsvRecord row, int column) throws IOException {
        try {
            return Long.parseLong(text(row, column));
        } catch (NumberFormatException e) {
            throw malformed(
                    row, column, "is not an integer, as a label must be; read the names of classes by textLabels(…)");
        }
    }
}
