package org.toydiff.bench.blas;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntUnaryOperator;

/// Parses sizes from the command line.
final class Sizes {
    private static final int MAX_SIZES = 10_000;

    /// The ratio of rows to columns in a tall matrix.
    private static final int ASPECT = 16;

    private Sizes() {}

    /// Parses a list such as `64,100:300:50,512:4096:*2`: numbers, and ranges with a step or a factor, both ends
    /// included.
    ///
    /// @throws IllegalArgumentException if the text is not such a list
    static List<Integer> parse(String option, String text) {
        List<Integer> sizes = new ArrayList<>();
        for (String item : text.split(",", -1)) {
            String[] parts = item.strip().split(":", -1);
            if (parts.length > 3) {
                throw new IllegalArgumentException(
                        option + ": " + item + " is not a range; write FROM:TO or FROM:TO:STEP");
            }
            int from = positive(option, parts[0]);
            int to = parts.length == 1 ? from : positive(option, parts[1]);
            if (to < from) {
                throw new IllegalArgumentException(option + ": " + item + " ends before it begins");
            }
            IntUnaryOperator next = step(option, parts);
            for (int size = from; size <= to && size > 0; size = next.applyAsInt(size)) {
                sizes.add(size);
                if (sizes.size() > MAX_SIZES) {
                    throw new IllegalArgumentException(option + ": more than " + MAX_SIZES + " sizes");
                }
            }
        }
        return sizes;
    }

    /// Returns the function from one size to the next, which is negative on overflow.
    private static IntUnaryOperator step(String option, String[] parts) {
        String text = parts.length < 3 ? "*2" : parts[2];
        if (!text.startsWith("*")) {
            int step = positive(option, text);
            return size -> size + step;
        }
        int factor = positive(option, text.substring(1));
        if (factor == 1) {
            throw new IllegalArgumentException(option + ": a range with the factor 1 never ends");
        }
        return size -> {
            long next = (long) size * factor;
            return next > Integer.MAX_VALUE ? -1 : (int) next;
        };
    }

    /// Parses a positive number.
    static int positive(String option, String text) {
        String digits = text.strip();
        try {
            int number = Integer.parseInt(digits);
            if (number >= 1) {
                return number;
            }
        } catch (NumberFormatException e) {
            if (digits.matches("\\d+")) {
                throw new IllegalArgumentException(
                        option + ": " + digits + " is more than the " + Integer.MAX_VALUE + " that BLAS can count", e);
            }
            throw new IllegalArgumentException(option + ": \"" + digits + "\" is not a number", e);
        }
        throw new IllegalArgumentException(option + ": " + digits + " is not positive");
    }

    /// Returns the sizes of a routine for an edge and a shape: `square`, or `tall` or `wide` by a factor of 16.
    static int[] shaped(Routine routine, String shape, int edge) {
        int narrow = Math.max(1, edge / ASPECT);
        return switch (shape) {
            case "square" -> repeated(routine, edge, edge, edge);
            case "tall" -> repeated(routine, edge, narrow, narrow);
            case "wide" -> repeated(routine, narrow, edge, narrow);
            default ->
                throw new IllegalArgumentException("--shapes: " + shape + " is not one of square, tall, wide, MxNxK");
        };
    }

    private static int[] repeated(Routine routine, int... sizes) {
        return Arrays.copyOf(sizes, routine.dimensions);
    }

    /// Returns whether a shape gives its sizes, such as `784x512x32`.
    static boolean isExplicit(String shape) {
        return !shape.isEmpty() && (Character.isDigit(shape.charAt(0)) || shape.charAt(0) == '-');
    }

    /// Parses a shape that gives its sizes.
    static int[] explicit(Routine routine, String shape) {
        String[] parts = shape.toLowerCase(Locale.ROOT).split("x", -1);
        if (parts.length != routine.dimensions) {
            throw new IllegalArgumentException("--shapes: " + shape + " has " + parts.length + " sizes, and "
                    + routine.word() + " needs " + routine.dimensions);
        }
        return Arrays.stream(parts).mapToInt(part -> positive("--shapes", part)).toArray();
    }
}
