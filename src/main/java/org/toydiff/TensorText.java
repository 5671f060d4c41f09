package org.toydiff;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.toydiff.internal.launch.Shape;

/// A tensor as NumPy's `repr` prints an array: up to 8 decimals, aligned, three entries at each end of an
/// axis once there are more than 1,000 elements. Rules: numpy/_core/arrayprint.py, `FloatingFormat` and
/// `_formatArray`.
final class TensorText {
    private static final int PRECISION = 8;
    private static final int THRESHOLD = 1000;
    private static final int EDGE = 3;
    private static final int LINE_WIDTH = 75;
    private static final String PREFIX = "Tensor(";

    private final Tensor tensor;
    private final boolean summarised;
    private final List<Double> shown = new ArrayList<>();
    private List<String> formatted;
    private int next;

    private TensorText(Tensor tensor) {
        this.tensor = tensor;
        this.summarised = tensor.size() > THRESHOLD;
    }

    static String of(Tensor tensor) {
        var text = new StringBuilder(PREFIX);
        if (tensor.storage.isFreed() || !tensor.storage.alive()) {
            text.append("freed, shape=").append(Shape.text(tensor.shape));
        } else {
            tensor.storage.requireElements("toString", tensor.shape);
            text.append(Shape.empty(tensor.shape) ? nothing(tensor) : new TensorText(tensor).elements());
        }
        text.append(", dtype=").append(tensor.dtype);
        if (tensor.node != null) {
            String op = tensor.node.op;
            text.append(", backward=")
                    .append(op.substring(0, 1).toUpperCase(Locale.ROOT))
                    .append(op.substring(1));
        } else if (tensor.leaf) {
            text.append(", tracksGradient=true");
        }
        return text.append(')').toString();
    }

    /// No elements, and the shape unless that says it all, as in NumPy and PyTorch.
    private static String nothing(Tensor tensor) {
        return tensor.rank() == 1 ? "[]" : "[], shape=" + Shape.text(tensor.shape);
    }

    private String elements() {
        collect(0, tensor.offset);
        if (tensor.rank() == 0) {
            return scalar(shown.getFirst());
        }
        formatted = switch (tensor.dtype) {
            case FLOAT32, FLOAT64 -> floats();
            case INT32, INT64 ->
                aligned(shown.stream().map(v -> Long.toString(v.longValue())).toList());
            case BOOL ->
                aligned(shown.stream().map(v -> v != 0 ? "True" : "False").toList());
        };
        var text = new StringBuilder();
        append(text, 0);
        return text.toString();
    }

    private boolean skips(int axis) {
        return summarised && tensor.shape[axis] > 2 * EDGE;
    }

    private void collect(int first, long at) {
        int axis = Shape.pastOnes(tensor.shape, first);
        if (axis == tensor.rank()) {
            shown.add(tensor.dtype.get(tensor.storage.segment(), at));
            return;
        }
        long n = tensor.shape[axis];
        for (long i = 0; i < n; i++) {
            if (skips(axis) && i == EDGE) {
                i = n - EDGE;
            }
            collect(axis + 1, at + i * tensor.strides[axis]);
        }
    }

    private void append(StringBuilder text, int first) {
        if (first == tensor.rank()) {
            text.append(formatted.get(next++));
            return;
        }
        int axis = Math.min(Shape.pastOnes(tensor.shape, first), tensor.rank() - 1);
        text.repeat('[', axis - first);
        boolean innermost = axis == tensor.rank() - 1;
        String indent = " ".repeat(PREFIX.length() + axis + 1);
        String separator = innermost ? ", " : "," + "\n".repeat(tensor.rank() - 1 - axis) + indent;
        int lineStart = text.length() - indent.length() + 1;
        text.append('[');
        long n = tensor.shape[axis];
        for (long i = 0; i < n; i++) {
            if (i > 0) {
                text.append(separator);
            }
            if (i > 0
                    && innermost
                    && text.length() - lineStart + formatted.get(next).length() > LINE_WIDTH) {
                text.setLength(text.length() - 1);
                text.append('\n').append(indent);
                lineStart = text.length() - indent.length();
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
        return new BigDecimal(tensor.dtype == DType.FLOAT32 ? Float.toString((float) value) : Double.toString(value));
    }

    private static String special(double value) {
        return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
    }

    private static String sign(double value) {
        return Double.doubleToRawLongBits(value) < 0 && value == 0 ? "-" : "";
    }

    private String scalar(double value) {
        return switch (tensor.dtype) {
            case INT32, INT64 -> Long.toString((long) value);
            case BOOL -> value != 0 ? "True" : "False";
            case FLOAT32, FLOAT64 -> {
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
