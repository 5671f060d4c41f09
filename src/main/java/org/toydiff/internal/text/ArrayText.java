package org.toydiff.internal.text;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongToDoubleFunction;
import org.toydiff.internal.launch.Shape;

/// Prints a strided array as NumPy's `repr` does: up to 8 decimals, aligned, three entries at each end of an
/// axis once there are more than 1,000 elements. Rules: numpy/_core/arrayprint.py, `FloatingFormat` and
/// `_formatArray`.
public final class ArrayText {
    private static final int PRECISION = 8;
    private static final int THRESHOLD = 1000;
    private static final int EDGE = 3;
    private static final int LINE_WIDTH = 75;

    /// How elements are written.
    public enum Format {
        /// The shortest decimals that read back as the same float.
        FLOAT,
        /// The shortest decimals that read back as the same double.
        DOUBLE,
        /// Decimal integers.
        INTEGER,
        /// `True` and `False`.
        BOOLEAN
    }

    private final long[] shape;
    private final long[] strides;
    private final LongToDoubleFunction element;
    private final Format format;
    private final String indent;
    private final boolean summarised;
    private final List<Double> shown = new ArrayList<>();
    private List<String> formatted;
    private int next;

    private ArrayText(long[] shape, long[] strides, LongToDoubleFunction element, Format format, int indent) {
        this.shape = shape;
        this.strides = strides;
        this.element = element;
        this.format = format;
        this.indent = " ".repeat(indent);
        this.summarised = Shape.size(shape) > THRESHOLD;
    }

    /// Returns the text of a strided array.
    ///
    /// @param shape its shape
    /// @param strides its strides in elements
    /// @param offset the position of its first element
    /// @param element the element at a position
    /// @param format how elements are written
    /// @param indent the columns that stand before the text in its first line
    public static String of(
            long[] shape, long[] strides, long offset, LongToDoubleFunction element, Format format, int indent) {
        if (Shape.empty(shape)) {
            // No elements, and the shape unless that says it all, as in NumPy and PyTorch.
            return shape.length == 1 ? "[]" : "[], shape=" + Shape.text(shape);
        }
        return new ArrayText(shape, strides, element, format, indent).elements(offset);
    }

    private String elements(long offset) {
        collect(0, offset);
        if (shape.length == 0) {
            return scalar(shown.getFirst());
        }
        formatted = switch (format) {
            case FLOAT, DOUBLE -> floats();
            case INTEGER ->
                aligned(shown.stream().map(v -> Long.toString(v.longValue())).toList());
            case BOOLEAN ->
                aligned(shown.stream().map(v -> v != 0 ? "True" : "False").toList());
        };
        var text = new StringBuilder();
        append(text, 0);
        return text.toString();
    }

    private boolean skips(int axis) {
        return summarised && shape[axis] > 2 * EDGE;
    }

    private void collect(int first, long at) {
        int axis = Shape.pastOnes(shape, first);
        if (axis == shape.length) {
            shown.add(element.applyAsDouble(at));
            return;
        }
        long n = shape[axis];
        for (long i = 0; i < n; i++) {
            if (skips(axis) && i == EDGE) {
                i = n - EDGE;
            }
            collect(axis + 1, at + i * strides[axis]);
        }
    }

    private void append(StringBuilder text, int first) {
        if (first == shape.length) {
            text.append(formatted.get(next++));
            return;
        }
        int axis = Math.min(Shape.pastOnes(shape, first), shape.length - 1);
        text.repeat('[', axis - first);
        boolean innermost = axis == shape.length - 1;
        String lead = indent + " ".repeat(axis + 1);
        String separator = innermost ? ", " : "," + "\n".repeat(shape.length - 1 - axis) + lead;
        int lineStart = text.length() - lead.length() + 1;
        text.append('[');
        long n = shape[axis];
        for (long i = 0; i < n; i++) {
            if (i > 0) {
                text.append(separator);
            }
            if (i > 0
                    && innermost
                    && text.length() - lineStart + formatted.get(next).length() > LINE_WIDTH) {
                text.setLength(text.length() - 1);
                text.append('\n').append(lead);
                lineStart = text.length() - lead.length();
            }
            if (skips(axis) && i == EDGE) {
                text.append("...").append(separator);
                i = n - EDGE;
            }
            append(text, axis + 1);
        }
        text.repeat(']', axis - first + 1);
    }

    private static List<String> aligned(List<String> texts) {
        int width = texts.stream().mapToInt(String::length).max().orElse(0);
        return texts.stream()
                .map(text -> " ".repeat(width - text.length()) + text)
                .toList();
    }

    private BigDecimal exact(double value) {
        // The shortest decimal that reads back as the same float.
        return new BigDecimal(format == Format.FLOAT ? Float.toString((float) value) : Double.toString(value));
    }

    private static String special(double value) {
        return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
    }

    private static String sign(double value) {
        return Double.doubleToRawLongBits(value) < 0 && value == 0 ? "-" : "";
    }

    private String scalar(double value) {
        return switch (format) {
            case INTEGER -> Long.toString((long) value);
            case BOOLEAN -> value != 0 ? "True" : "False";
            case FLOAT, DOUBLE -> {
                if (!Double.isFinite(value)) {
                    yield special(value);
                }
                double size = Math.abs(value);
                if (size != 0 && (size < 1e-4 || size >= 1e16)) {
                    yield scientific(exact(value), -1);
                }
                String plain = exact(value).stripTrailingZeros().toPlainString();
                yield sign(value) + (plain.contains(".") ? plain : plain + ".0");
            }
        };
    }

    private List<String> floats() {
        double largest = 0;
        double smallest = Double.MAX_VALUE;
        for (double value : shown) {
            if (Double.isFinite(value) && value != 0) {
                largest = Math.max(largest, Math.abs(value));
                smallest = Math.min(smallest, Math.abs(value));
            }
        }
        boolean scientific = largest >= 1e8 || (largest > 0 && (smallest < 1e-4 || largest / smallest > 1000));
        return scientific ? scientifics() : decimals();
    }

    private List<String> decimals() {
        List<String> texts = new ArrayList<>();
        int fraction = 0;
        for (double value : shown) {
            String text = special(value);
            if (Double.isFinite(value)) {
                BigDecimal rounded =
                        exact(value).setScale(PRECISION, RoundingMode.HALF_EVEN).stripTrailingZeros();
                text = rounded.toPlainString();
                text = sign(value) + (text.contains(".") ? text : text + ".");
                fraction = Math.max(fraction, text.length() - text.indexOf('.') - 1);
            }
            texts.add(text);
        }
        for (int i = 0; i < texts.size(); i++) {
            String text = texts.get(i);
            int point = text.indexOf('.');
            int missing = point < 0 ? 0 : fraction - (text.length() - point - 1);
            texts.set(i, text + " ".repeat(missing));
        }
        return aligned(texts);
    }

    private List<String> scientifics() {
        int digits = 0;
        for (double value : shown) {
            if (Double.isFinite(value) && value != 0) {
                BigDecimal rounded = exact(value)
                        .round(new MathContext(PRECISION + 1, RoundingMode.HALF_EVEN))
                        .stripTrailingZeros();
                digits = Math.max(digits, rounded.precision() - 1);
            }
        }
        List<String> texts = new ArrayList<>();
        for (double value : shown) {
            texts.add(Double.isFinite(value) ? sign(value) + scientific(exact(value), digits) : special(value));
        }
        return aligned(texts);
    }

    /// `1.5e-05`: with exactly `digits` after the point, or as many as there are when that is negative.
    private static String scientific(BigDecimal value, int digits) {
        if (value.signum() == 0) {
            return "0." + "0".repeat(Math.max(digits, 0)) + "e+00";
        }
        int kept = digits < 0 ? value.stripTrailingZeros().precision() : digits + 1;
        BigDecimal rounded = value.round(new MathContext(kept, RoundingMode.HALF_EVEN));
        int exponent = rounded.precision() - rounded.scale() - 1;
        BigDecimal mantissa = rounded.movePointLeft(exponent).setScale(kept - 1, RoundingMode.UNNECESSARY);
        String point = kept == 1 && digits >= 0 ? "." : "";
        String power = (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
        return mantissa.toPlainString() + point + "e" + power;
    }
}
