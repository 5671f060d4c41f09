package org.toydiff.internal.linalg;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.toydiff.internal.launch.Shape;

/// An equation of einsum for operands of some shapes. Its indices, which are letters and the axes of an ellipsis, have
/// numbers from 0, and a set of them is a mask of bits.
public final class EinsumEquation {
    /// As a regular expression.
    private static final String ELLIPSIS = "\\.{3}";

    /// Indices in one equation: bits of a long.
    private static final int MAX_INDICES = Long.SIZE;

    /// Stand for the axes of an ellipsis, from the last one backwards.
    private static final char FIRST_ELLIPSIS_AXIS = '\uE000';

    private final String equation;
    private final String[] terms;
    private final long[][] shapes;

    /// Each index by its letter. Those of an ellipsis come last.
    private final TreeMap<Character, Integer> numbers = new TreeMap<>();

    private final List<Character> names = new ArrayList<>();
    private final long[] sizes = new long[MAX_INDICES];

    /// The first term in which an index has its size.
    private final int[] sized = new int[MAX_INDICES];

    private final int[][] operands;
    private final int[] output;
    private int ellipsisAxes;

    private EinsumEquation(String equation, long[][] shapes) {
        this.equation = equation;
        this.shapes = shapes;
        String text = equation.replace(" ", "");
        int arrow = text.indexOf("->");
        terms = (arrow < 0 ? text : text.substring(0, arrow)).split(",", -1);
        if (terms.length != shapes.length) {
            throw refused("has " + terms.length + " terms for " + shapes.length + " tensors; write a term for each");
        }
        operands = new int[terms.length][];
        for (int i = 0; i < terms.length; i++) {
            operands[i] = operand(i);
        }
        output = arrow < 0 ? implicitOutput() : output(text.substring(arrow + 2));
    }

    /// Reads an equation.
    ///
    /// @throws IllegalArgumentException if it is malformed, or the shapes do not fit it
    public static EinsumEquation of(String equation, long[][] shapes) {
        return new EinsumEquation(equation, shapes);
    }

    /// {@return the index of each axis of the operand of a term}
    public int[] indices(int term) {
        return operands[term];
    }

    /// {@return the index of each axis of the result}
    public int[] output() {
        return output;
    }

    /// {@return the size of each index}
    public long[] sizes() {
        return sizes;
    }

    private int[] operand(int term) {
        String letters = terms[term].replaceFirst(ELLIPSIS, "");
        int dots = terms[term].indexOf("...");
        long[] shape = shapes[term];
        int hidden = shape.length - letters.length();
        if (dots < 0 ? hidden != 0 : hidden < 0) {
            throw refused("names " + letters.length() + " axes in " + described(term) + ", which has " + shape.length
                    + (dots < 0 ? "; name each, or write ... for the others" : ""));
        }
        ellipsisAxes = dots < 0 ? ellipsisAxes : Math.max(ellipsisAxes, hidden);
        int[] indices = new int[shape.length];
        int at = 0;
        for (int i = 0; i <= letters.length(); i++) {
            for (int axis = hidden - 1; i == dots && axis >= 0; axis--) {
                indices[at] = sized((char) (FIRST_ELLIPSIS_AXIS + axis), term, at++);
            }
            if (i < letters.length()) {
                char letter = letters.charAt(i);
                requireLetter(letter, terms[term]);
                indices[at] = sized(letter, term, at++);
            }
        }
        requireDiagonals(term, indices);
        return indices;
    }

    /// Returns the number of an index, after a look at its size along an axis of a term: one of size 1 broadcasts.
    private int sized(char name, int term, int axis) {
        long size = shapes[term][axis];
        if (!numbers.containsKey(name)) {
            if (names.size() == MAX_INDICES) {
                throw refused("has more than " + MAX_INDICES + " indices; contract some of the tensors before");
            }
            numbers.put(name, names.size());
            sizes[names.size()] = size;
            sized[names.size()] = term;
            names.add(name);
        }
        int index = numbers.get(name);
        if (size != sizes[index] && size != 1) {
            if (sizes[index] != 1) {
                throw unequal(index, sizes[index], sized[index], size, term);
            }
            sizes[index] = size;
            sized[index] = term;
        }
        return index;
    }

    /// Axes of one term with one index do not broadcast.
    private void requireDiagonals(int term, int[] indices) {
        for (int axis = 0; axis < indices.length; axis++) {
            for (int other = 0; other < axis; other++) {
                long size = shapes[term][axis];
                if (indices[other] == indices[axis] && shapes[term][other] != size) {
                    throw unequal(indices[axis], shapes[term][other], term, size, term);
                }
            }
        }
    }

    private IllegalArgumentException unequal(int index, long first, int term, long second, int other) {
        char name = names.get(index);
        String shown = name < FIRST_ELLIPSIS_AXIS
                ? "index " + name
                : "axis " + (FIRST_ELLIPSIS_AXIS - name - 1) + " of the ellipsis";
        return refused("gives " + shown + " size " + first + " in " + described(term) + " and size " + second + " in "
                + described(other));
    }

    private int[] implicitOutput() {
        String all = String.join("", terms);
        StringBuilder once = new StringBuilder();
        for (char name : numbers.keySet()) {
            if (name < FIRST_ELLIPSIS_AXIS && all.indexOf(name) == all.lastIndexOf(name)) {
                once.append(name);
            }
        }
        return output("..." + once);
    }

    private int[] output(String text) {
        String letters = text.replaceFirst(ELLIPSIS, "");
        int dots = text.indexOf("...");
        int hidden = dots < 0 ? 0 : ellipsisAxes;
        int[] indices = new int[letters.length() + hidden];
        int at = 0;
        for (int i = 0; i <= letters.length(); i++) {
            for (int axis = hidden - 1; i == dots && axis >= 0; axis--) {
                indices[at++] = numbers.get((char) (FIRST_ELLIPSIS_AXIS + axis));
            }
            if (i < letters.length()) {
                char letter = letters.charAt(i);
                requireLetter(letter, text);
                if (!numbers.containsKey(letter) || letters.indexOf(letter) < i) {
                    throw refused("has index " + letter + " in the output '" + text + "'"
                            + (numbers.containsKey(letter) ? " twice" : " and in no term"));
                }
                indices[at++] = numbers.get(letter);
            }
        }
        return indices;
    }

    private void requireLetter(char c, String term) {
        if (!(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z')) {
            throw refused("has '" + c + "' in '" + term + "'; an index is a letter, and ... stands once in a term");
        }
    }

    private String described(int term) {
        return "term " + term + " '" + terms[term] + "' of " + Shape.text(shapes[term]);
    }

    private IllegalArgumentException refused(String reason) {
        return new IllegalArgumentException("einsum: '" + equation + "' " + reason);
    }

    /// {@return the set of some indices}
    public static long mask(int[] indices) {
        return Arrays.stream(indices).mapToLong(i -> 1L << i).reduce(0, (a, b) -> a | b);
    }
}
