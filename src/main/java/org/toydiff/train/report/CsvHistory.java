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
import org.toydiff.internal.files.FileErrors;
import org.toydiff.io.MalformedFileException;

/// Writes and reads histories as CSV, by FastCSV.
final class CsvHistory {
    private CsvHistory() {}

    static void write(History history, Path folder) throws IOException {
        AtomicFile.writeText(folder.resolve("epochs.csv"), text -> write(history.epochTable(), text));
        AtomicFile.writeText(folder.resolve("steps.csv"), text -> write(history.stepTable(), text));
    }

    private static void write(HistoryTable columns, Writer text) throws IOException {
        String[] fields = columns.names().toArray(String[]::new);
        CsvWriter writer = CsvWriter.builder().build(text);
        try {
            writer.writeRecord(fields);
            for (int row = 0; row < columns.rows(); row++) {
                for (int i = 0; i < fields.length; i++) {
                    fields[i] = NumberText.text(columns.get(i, row));
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

    private static HistoryTable readTable(Path file) throws IOException {
        long line = 1;
        try (CsvReader<CsvRecord> reader = CsvReader.builder().ofCsvRecord(file)) {
            Iterator<CsvRecord> records = reader.iterator();
            if (!records.hasNext()) {
                throw new MalformedFileException(file, "line 1", "the file is empty; a history has a line of names");
            }
            var columns = new HistoryTable(records.next().getFields());
            double[] row = new double[columns.names().size()];
            while (records.hasNext()) {
                CsvRecord fields = records.next();
                line = fields.getStartingLineNumber();
                read(fields, row);
                columns.add(row);
            }
            return columns;
        } catch (IllegalArgumentException e) {
            throw new MalformedFileException(file, "line " + line, e.getMessage(), e);
        } catch (CsvParseException e) {
            Throwable reason = e.getCause() == null ? e : e.getCause();
            throw new MalformedFileException(file, "after line " + line, reason.getMessage(), e);
        } catch (UncheckedIOException e) {
            throw FileErrors.naming(file, e.getCause());
        } catch (IOException e) {
            throw FileErrors.naming(file, e);
        }
    }

    private static void read(CsvRecord fields, double[] row) {
        List<String> texts = fields.getFields();
        for (int i = 0; i < row.length; i++) {
            try {
                row[i] = Double.parseDouble(texts.get(i));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("\"" + texts.get(i) + "\" is not a number", e);
            }
        }
    }
}
