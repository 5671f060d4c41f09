package org.toydiff.train.report;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import org.toydiff.internal.files.Uninterrupted;
import org.toydiff.train.metrics.Metric;

/// A growing table of numbers. At most one chunk, the last rows, lies on the heap; earlier chunks lie in a temporary
/// file, so that the steps of a long training do not fill the heap.
final class HistoryTable {
    /// The number of rows of a chunk.
    private static final int CHUNK = 1 << 12;

    private static final int FIRST_ROWS = 16;

    private final List<String> names;
    private final int width;

    /// Full chunks, in row-major order.
    private final List<MemorySegment> chunks = new ArrayList<>();

    /// The rows after them, in row-major order.
    private double[] tail;

    private int rows;
    private RowFile file;

    HistoryTable(List<String> names) {
        this.names = List.copyOf(names);
        this.names.forEach(Metric::requireName);
        if (names.isEmpty() || new HashSet<>(names).size() != names.size()) {
            throw new IllegalArgumentException(
                    "history: the columns " + names + " are empty or repeat a name; use one name for each");
        }
        this.width = names.size();
        this.tail = new double[FIRST_ROWS * width];
    }

    List<String> names() {
        return names;
    }

    int rows() {
        return rows;
    }

    void add(double[] row) {
        if (row.length != width) {
            throw new IllegalArgumentException(
                    "history: a row of " + row.length + " values does not fit the " + width + " columns " + names);
        }
        int at = rows % CHUNK * width;
        if (at == tail.length) {
            tail = Arrays.copyOf(tail, Math.min(2 * at, CHUNK * width));
        }
        System.arraycopy(row, 0, tail, at, width);
        rows++;
        if (rows % CHUNK == 0) {
            moveTail();
        }
    }

    /// Moves a full chunk from the heap to the file; if the file cannot be written, the chunk stays on the heap.
    private void moveTail() {
        try {
            Uninterrupted.run(() -> {
                if (file == null) {
                    file = RowFile.create();
                }
                chunks.add(file.append(tail));
            });
        } catch (IOException e) {
            chunks.add(MemorySegment.ofArray(tail));
            tail = new double[tail.length];
        }
    }

    /// Removes all rows.
    void clear() {
        rows = 0;
        chunks.clear();
        file = null;
    }

    double get(int column, int row) {
        int at = row % CHUNK * width + column;
        return row / CHUNK < chunks.size() ? chunks.get(row / CHUNK).getAtIndex(ValueLayout.JAVA_DOUBLE, at) : tail[at];
    }

    int index(String name) {
        int index = names.indexOf(name);
        if (index < 0) {
            throw new IllegalArgumentException("history: no column " + name + "; the columns are " + names);
        }
        return index;
    }

    /// Returns a copy of a column.
    double[] column(String name) {
        return column(name, 0, rows);
    }

    /// Returns a copy of a range of rows of a column.
    double[] column(String name, int from, int to) {
        int column = index(name);
        double[] values = new double[to - from];
        for (int i = 0; i < values.length; i++) {
            values[i] = get(column, from + i);
        }
        return values;
    }

    /// Copies all rows, in row-major order.
    void copyTo(MemorySegment into) {
        long at = 0;
        for (MemorySegment chunk : chunks) {
            MemorySegment.copy(chunk, 0, into, at, chunk.byteSize());
            at += chunk.byteSize();
        }
        MemorySegment.copy(MemorySegment.ofArray(tail), 0, into, at, into.byteSize() - at);
    }
}
