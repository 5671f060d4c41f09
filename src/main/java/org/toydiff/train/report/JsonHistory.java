package org.toydiff.train.report;

import com.google.gson.JsonParseException;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import com.google.gson.stream.MalformedJsonException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.toydiff.internal.files.AtomicFile;
import org.toydiff.internal.files.FileErrors;
import org.toydiff.io.MalformedFileException;

/// Writes and reads histories as JSON, by Gson.
final class JsonHistory {
    private JsonHistory() {}

    static void write(History history, Path file) throws IOException {
        AtomicFile.writeText(file, text -> {
            var writer = new JsonWriter(text);
            writer.beginObject();
            write(writer.name("epochs"), history.epochTable());
            write(writer.name("steps"), history.stepTable());
            writer.endObject();
            writer.flush();
        });
    }

    private static void write(JsonWriter writer, HistoryTable columns) throws IOException {
        writer.beginObject();
        for (int i = 0; i < columns.names().size(); i++) {
            writer.name(columns.names().get(i)).beginArray();
            for (int row = 0; row < columns.rows(); row++) {
                write(writer, columns.get(i, row));
            }
            writer.endArray();
        }
        writer.endObject();
    }

    /// Writes a number; JSON has no NaN and no infinities.
    private static void write(JsonWriter writer, double value) throws IOException {
        if (Double.isNaN(value)) {
            writer.nullValue();
        } else if (Double.isInfinite(value)) {
            writer.value(Double.toString(value));
        } else {
            writer.jsonValue(NumberText.text(value));
        }
    }

    static History read(Path file) throws IOException {
        try (var reader = new JsonReader(Files.newBufferedReader(file))) {
            return read(file, reader);
        }
    }

    private static History read(Path file, JsonReader reader) throws IOException {
        try {
            reader.beginObject();
            HistoryTable epochs = readTable(reader, "epochs");
            HistoryTable steps = readTable(reader, "steps");
            reader.endObject();
            return new History(epochs, steps);
        } catch (JsonParseException
                | IllegalArgumentException
                | IllegalStateException
                | MalformedJsonException
                | EOFException e) {
            throw new MalformedFileException(file, reader.getPath(), "the file is not a history: " + e.getMessage(), e);
        } catch (CharacterCodingException e) {
            throw new MalformedFileException(file, reader.getPath(), "the text is not UTF-8", e);
        } catch (IOException e) {
            throw FileErrors.naming(file, e);
        }
    }

    private static HistoryTable readTable(JsonReader reader, String name) throws IOException {
        String found = reader.nextName();
        if (!found.equals(name)) {
            throw new IllegalArgumentException("found \"" + found + "\" in place of \"" + name + "\"");
        }
        List<String> names = new ArrayList<>();
        List<double[]> values = new ArrayList<>();
        reader.beginObject();
        while (reader.hasNext()) {
            names.add(reader.nextName());
            values.add(readColumn(reader));
        }
        reader.endObject();
        return table(names, values);
    }

    private static HistoryTable table(List<String> names, List<double[]> values) {
        var columns = new HistoryTable(names);
        int rows = values.isEmpty() ? 0 : values.getFirst().length;
        for (int i = 0; i < names.size(); i++) {
            if (values.get(i).length != rows) {
                throw new IllegalArgumentException("column " + names.get(i) + " has " + values.get(i).length
                        + " values, but " + names.getFirst() + " has " + rows);
            }
        }
        double[] row = new double[names.size()];
        for (int at = 0; at < rows; at++) {
            for (int i = 0; i < row.length; i++) {
                row[i] = values.get(i)[at];
            }
            columns.add(row);
        }
        return columns;
    }

    private static double[] readColumn(JsonReader reader) throws IOException {
        double[] values = new double[16];
        int count = 0;
        reader.beginArray();
        while (reader.hasNext()) {
            if (count == values.length) {
                values = Arrays.copyOf(values, count * 2);
            }
            values[count++] = readNumber(reader);
        }
        reader.endArray();
        return Arrays.copyOf(values, count);
    }

    private static double readNumber(JsonReader reader) throws IOException {
        if (reader.peek() == JsonToken.NULL) {
            reader.nextNull();
            return Double.NaN;
        }
        return Double.parseDouble(reader.nextString());
    }
}
