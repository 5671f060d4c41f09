package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/// The loops over float elements; the double ones are generated from this file by exchanging the type.
///
/// No checks, no shapes, no allocation. Starts, strides and counts are in elements; outputs are contiguous.
/// Elementary functions are computed in double and rounded once, so float results are within 0.51 ulp or so
/// of the true value, and double ones within the 1 to 2.5 ulp that [Math] states.
@SuppressWarnings("cast") // Casts that narrow here are redundant in the generated twin.
public final class FloatKernels {
    private FloatKernels() {}

    /// `y = ln x`
    public static void log(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float) Math.log(x.getAtIndex(JAVA_FLOAT, x0 + i * xs)));
        }
    }

    /// `y = −x`
    public static void negative(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, -x.getAtIndex(JAVA_FLOAT, x0 + i * xs));
        }
    }

    /// `y = sin x`
    public static void sin(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float) Math.sin(x.getAtIndex(JAVA_FLOAT, x0 + i * xs)));
        }
    }

    /// `y = cos x`
    public static void cos(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float) Math.cos(x.getAtIndex(JAVA_FLOAT, x0 + i * xs)));
        }
    }

    /// `y = tan x`
    public static void tan(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float) Math.tan(x.getAtIndex(JAVA_FLOAT, x0 + i * xs)));
        }
    }

    /// `y = sinh x`
    public static void sinh(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float) Math.sinh(x.getAtIndex(JAVA_FLOAT, x0 + i * xs)));
        }
    }

    /// `y = cosh x`
    public static void cosh(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float) Math.cosh(x.getAtIndex(JAVA_FLOAT, x0 + i * xs)));
        }
    }

    /// `y = tanh x`
    public static void tanh(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float) Math.tanh(x.getAtIndex(JAVA_FLOAT, x0 + i * xs)));
        }
    }

    /// `y = eˣ`
    public static void exp(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float) Math.exp(x.getAtIndex(JAVA_FLOAT, x0 + i * xs)));
        }
    }

    /// `y = |x|`
    public static void abs(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, Math.abs(x.getAtIndex(JAVA_FLOAT, x0 + i * xs)));
        }
    }

    /// `y = √x`
    public static void sqrt(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float) Math.sqrt(x.getAtIndex(JAVA_FLOAT, x0 + i * xs)));
        }
    }

    /// `y = 1 / (1 + e⁻ˣ)`
    public static void sigmoid(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float) (1 / (1 + Math.exp(-x.getAtIndex(JAVA_FLOAT, x0 + i * xs)))));
        }
    }

    /// `y = −1, 0 or 1; 0 for NaN`
    public static void sign(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            float v = x.getAtIndex(JAVA_FLOAT, x0 + i * xs);
            y.setAtIndex(JAVA_FLOAT, y0 + i, v > 0 ? 1 : v < 0 ? -1 : 0);
        }
    }

    /// `y = max(x, 0); NaN stays NaN`
    public static void relu(MemorySegment x, long x0, long xs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            float v = x.getAtIndex(JAVA_FLOAT, x0 + i * xs);
            y.setAtIndex(JAVA_FLOAT, y0 + i, v < 0 ? 0 : v);
        }
    }

    /// `y = a + b`
    public static void add(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(
                    JAVA_FLOAT, y0 + i, a.getAtIndex(JAVA_FLOAT, a0 + i * as) + b.getAtIndex(JAVA_FLOAT, b0 + i * bs));
        }
    }

    /// `y = a − b`
    public static void subtract(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(
                    JAVA_FLOAT, y0 + i, a.getAtIndex(JAVA_FLOAT, a0 + i * as) - b.getAtIndex(JAVA_FLOAT, b0 + i * bs));
        }
    }

    /// `y = a · b`
    public static void multiply(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(
                    JAVA_FLOAT, y0 + i, a.getAtIndex(JAVA_FLOAT, a0 + i * as) * b.getAtIndex(JAVA_FLOAT, b0 + i * bs));
        }
    }

    /// `y = a / b`
    public static void divide(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(
                    JAVA_FLOAT, y0 + i, a.getAtIndex(JAVA_FLOAT, a0 + i * as) / b.getAtIndex(JAVA_FLOAT, b0 + i * bs));
        }
    }

    /// `y = a to the power of b, as C's pow`
    public static void power(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float)
                    Math.pow(a.getAtIndex(JAVA_FLOAT, a0 + i * as), b.getAtIndex(JAVA_FLOAT, b0 + i * bs)));
        }
    }

    /// `y = the larger one, NaN if either is`
    public static void maximum(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(
                    JAVA_FLOAT,
                    y0 + i,
                    Math.max(a.getAtIndex(JAVA_FLOAT, a0 + i * as), b.getAtIndex(JAVA_FLOAT, b0 + i * bs)));
        }
    }

    /// `y = the smaller one, NaN if either is`
    public static void minimum(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(
                    JAVA_FLOAT,
                    y0 + i,
                    Math.min(a.getAtIndex(JAVA_FLOAT, a0 + i * as), b.getAtIndex(JAVA_FLOAT, b0 + i * bs)));
        }
    }

    /// `y = the part of maximum's gradient that goes to a: 1 where it is larger, ½ where both are equal, else
    /// 0`
    public static void maximumShare(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            float u = a.getAtIndex(JAVA_FLOAT, a0 + i * as);
            float v = b.getAtIndex(JAVA_FLOAT, b0 + i * bs);
            y.setAtIndex(JAVA_FLOAT, y0 + i, u < v ? 0 : u == v ? (float) 0.5 : 1);
        }
    }

    /// `y = a where relu's output b is not 0, else 0`
    public static void reluGradient(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            float u = a.getAtIndex(JAVA_FLOAT, a0 + i * as);
            float v = b.getAtIndex(JAVA_FLOAT, b0 + i * bs);
            y.setAtIndex(JAVA_FLOAT, y0 + i, v <= 0 ? 0 : u);
        }
    }

    /// `y = 0 where the mask b (bytes) is set, else a`
    public static void zeroWhere(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean masked = b.get(JAVA_BYTE, b0 + i * bs) != 0;
            y.setAtIndex(JAVA_FLOAT, y0 + i, masked ? 0 : a.getAtIndex(JAVA_FLOAT, a0 + i * as));
        }
    }

    /// `y = a > b`, in bytes of 0 or 1; false for NaN
    public static void greater(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_FLOAT, a0 + i * as) > b.getAtIndex(JAVA_FLOAT, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a >= b`, in bytes of 0 or 1; false for NaN
    public static void greaterOrEqual(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_FLOAT, a0 + i * as) >= b.getAtIndex(JAVA_FLOAT, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a < b`, in bytes of 0 or 1; false for NaN
    public static void less(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_FLOAT, a0 + i * as) < b.getAtIndex(JAVA_FLOAT, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a <= b`, in bytes of 0 or 1; false for NaN
    public static void lessOrEqual(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_FLOAT, a0 + i * as) <= b.getAtIndex(JAVA_FLOAT, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// `y = a == b`, in bytes of 0 or 1; false for NaN
    public static void equalTo(
            MemorySegment a, long a0, long as, MemorySegment b, long b0, long bs, MemorySegment y, long y0, long n) {
        for (long i = 0; i < n; i++) {
            boolean holds = a.getAtIndex(JAVA_FLOAT, a0 + i * as) == b.getAtIndex(JAVA_FLOAT, b0 + i * bs);
            y.set(JAVA_BYTE, y0 + i, (byte) (holds ? 1 : 0));
        }
    }

    /// Writes `value` to `n` elements of `y`.
    public static void fill(MemorySegment y, long y0, long n, double value) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float) value);
        }
    }

    /// The sum of `n1` rows of `n2` elements, accumulated in double.
    public static void sum(MemorySegment x, long x0, long n1, long s1, long n2, long s2, MemorySegment y, long y0) {
        y.setAtIndex(JAVA_FLOAT, y0, (float) total(x, x0, n1, s1, n2, s2));
    }

    /// The sum divided by the count; NaN when there is nothing.
    public static void mean(MemorySegment x, long x0, long n1, long s1, long n2, long s2, MemorySegment y, long y0) {
        y.setAtIndex(JAVA_FLOAT, y0, (float) (total(x, x0, n1, s1, n2, s2) / (n1 * n2)));
    }

    private static double total(MemorySegment x, long x0, long n1, long s1, long n2, long s2) {
        double total = 0;
        for (long i = 0; i < n1; i++) {
            // One partial sum a row bounds the error by the longer side, not by the product of both.
            double row = 0;
            for (long j = 0; j < n2; j++) {
                row += x.getAtIndex(JAVA_FLOAT, x0 + i * s1 + j * s2);
            }
            total += row;
        }
        return total;
    }

    /// The square root of the squared deviations from the mean over count − ddof: two passes, so that a
    /// large mean costs no digits.
    public static void std(
            MemorySegment x, long x0, long n1, long s1, long n2, long s2, MemorySegment y, long y0, long ddof) {
        double mean = total(x, x0, n1, s1, n2, s2) / (n1 * n2);
        double squares = 0;
        for (long i = 0; i < n1; i++) {
            double row = 0;
            for (long j = 0; j < n2; j++) {
                double deviation = x.getAtIndex(JAVA_FLOAT, x0 + i * s1 + j * s2) - mean;
                row += deviation * deviation;
            }
            squares += row;
        }
        y.setAtIndex(JAVA_FLOAT, y0, (float) Math.sqrt(squares / (n1 * n2 - ddof)));
    }

    /// The largest of at least one element; NaN if any is.
    public static void max(MemorySegment x, long x0, long n1, long s1, long n2, long s2, MemorySegment y, long y0) {
        float best = x.getAtIndex(JAVA_FLOAT, x0);
        for (long i = 0; i < n1; i++) {
            for (long j = 0; j < n2; j++) {
                best = Math.max(best, x.getAtIndex(JAVA_FLOAT, x0 + i * s1 + j * s2));
            }
        }
        y.setAtIndex(JAVA_FLOAT, y0, best);
    }

    /// The smallest of at least one element; NaN if any is.
    public static void min(MemorySegment x, long x0, long n1, long s1, long n2, long s2, MemorySegment y, long y0) {
        float best = x.getAtIndex(JAVA_FLOAT, x0);
        for (long i = 0; i < n1; i++) {
            for (long j = 0; j < n2; j++) {
                best = Math.min(best, x.getAtIndex(JAVA_FLOAT, x0 + i * s1 + j * s2));
            }
        }
        y.setAtIndex(JAVA_FLOAT, y0, best);
    }

    /// The position (a long) of the first of the largest elements along the rows' one axis; the first NaN
    /// counts as largest.
    public static void argmax(MemorySegment x, long x0, long n1, long s1, long n2, long s2, MemorySegment y, long y0) {
        long best = 0;
        float largest = x.getAtIndex(JAVA_FLOAT, x0);
        for (long j = 1; j < n1 * n2 && !Float.isNaN(largest); j++) {
            float v = x.getAtIndex(JAVA_FLOAT, x0 + (j / n2) * s1 + (j % n2) * s2);
            if (v > largest || Float.isNaN(v)) {
                best = j;
                largest = v;
            }
        }
        y.setAtIndex(JAVA_LONG, y0, best);
    }
}
