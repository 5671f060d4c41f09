package org.toydiff.train;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.regex.Pattern;

/// A growing table of numbers, kept by column in primitive arrays.
final class Columns {
    private static final Pattern NAME = Pattern.compile("[\\p{Graph}&&[^,\"]]+");

    private final List<String> names;
    private final double[][] values;
    private int rows;

    Columns(List<String> names) {
        this.names = List.copyOf(names);
        this.names.forEach(Columns::requireName);
        if (names.isEmpty() || new HashSet<>(names).size() != names.size()) {
            throw new IllegalArgumentException(
                    "history: the columns " + names + " are none or have a name twice; give each one of its own");
        }
        this.values = new double[names.size()][16];
    }

    /// The name, if it can stand at the head of a column.
    static String requireName(String name) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "history: \"" + name + "\" is no name for a column; use visible ASCII without commas and quotes");
        }
        return name;
    }

    List<String> names() {
        return names;
    }

    int rows() {
        return rows;
    }

    void add(double[] row) {
        if (row.length != values.length) {
            throw new IllegalArgumentException(
                    "history: a row of " + row.length + " values for the " + values.length + " columns " + names);
        }
        if (rows == values[0].length) {
            for (int i = 0; i < values.length; i++) {
                values[i] = Arrays.copyOf(values[i], rows * 2);
            }
        }
        for (int i = 0; i < row.length; i++) {
            values[i][rows] = row[i];
        }
        rows++;
    }

    /// Forgets every row.
    void clear() {
        rows = 0;
    }

    double get(int column, int row) {
        return values[column][row];
    }

    int index(String name) {
        int index = names.indexOf(name);
        if (index < 0) {
            throw new IllegalArgumentException("history: there is no column " + name + "; there are " + names);
        }
        return index;
    }

    /// The value of a column in the last row.
    double last(String name) {
        return get(index(name), rows - 1);
    }

    /// The sum of a column from a row on.
    double sum(String name, int from) {
        double[] column = values[index(name)];
        double sum = 0;
        for (int row = from; row < rows; row++) {
            sum += column[row];
        }
        return sum;
    }

    /// The largest value of a column from a row on, 0 when there is none.
    double max(String name, int from) {
        double[] column = values[index(name)];
        double max = 0;
        for (int row = from; row < rows; row++) {
            max = Math.max(max, column[row]);
        }
        return max;
    }

    /// A copy of one column.
    double[] column(String name) {
        return Arrays.copyOf(values[index(name)], rows);
    }

    /// Row after row.
    double[] toArray() {
        double[] all = new double[rows * names.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = values[i % names.size()][i / names.size()];
        }
        return all;
    }
}
