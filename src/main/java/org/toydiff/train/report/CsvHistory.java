package org.toydiff.train.report;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.writer.CsvWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import org.toydiff.internal.files.AtomicFile;

/// Histories as CSV, by FastCSV.
final class CsvHistory {
    private CsvHistory() {}

    static void write(History history, Path folder) throws IOException {
        AtomicFile.writeText(folder.resolve("epochs.csv"), text -> write(history.epochTable(), text));
        AtomicFile.writeText(folder.resolve("steps.csv"), text -> write(history.stepTable(), text));
    }

    private static void write(Columns columns, Writer text) throws IOException {
        String[] fields = columns.names().toArray(String[]::new);
        CsvWriter writer = CsvWriter.builder().build(text);
        try {
            writer.writeRecord(fields);
            for (int row = 0; row < columns.rows(); row++) {
                for (int i = 0; i < fields.length; i++) {
                    fields[i] = Numbers.text(columns.get(i, row));
                }
                writer.writeRecord(fields);
            }
            writer.flush();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    static History read(Path folder) throws IOException {
        return new History(readTable(folder.resolve("epochs.csv")), readTable(folder.resolve("steps.csv")));
    }

    private static Columns readTable(Path file) throws IOException {
        try (CsvReader<CsvRecord> reader = CsvReader.builder().ofCsvRecord(file)) {
            Iterator<CsvRecord> records = reader.iterator();
            if (!records.hasNext()) {
                throw new IOException(file + ": is empty, and not a history");
            }
            var columns = new Columns(records.next().getFields());
            double[] row = new double[columns.names().size()];
            while (records.hasNext()) {
                read(records.next(), row);
                columns.add(row);
            }
            return columns;
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        } catch (CsvParseException e) {
            Throwable reason = e.getCause() == null ? e : e.getCause();
            throw new IOException(file + ": " + reason.getMessage(), e);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static void read(CsvRecord fields, double[] row) {
        List<String> texts = fields.getFields();
        for (int i = 0; i < row.length; i++) {
            try {
                row[i] = Double.parseDouble(texts.get(i));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException(
                        "line " + fields.getStartingLineNumber() + ": \"" + texts.get(i) + "\" is not a number", e);
            }
        }
    }
}
