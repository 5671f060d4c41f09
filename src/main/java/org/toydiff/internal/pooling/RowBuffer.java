package org.toydiff.internal.pooling;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/// Part of a row of a plane in arrays, as doubles: a window of a few positions reads an array several times as fast
/// as a segment. Arrays grow, and are kept for the thread.
final class RowBuffer {
    private static final ThreadLocal<RowBuffer> OF_THREAD = ThreadLocal.withInitial(RowBuffer::new);

    double[] elements = {};
    private float[] floats = {};

    /// One for each window.
    double[] results = {};

    /// The position in its plane of each window's largest element so far, −1 before the first.
    long[] positions = {};

    private RowBuffer() {}

    /// {@return the buffer of this thread, with room for so many elements and windows}
    static RowBuffer of(int elements, int windows) {
        RowBuffer buffer = OF_THREAD.get();
        if (buffer.elements.length < elements) {
            buffer.elements = new double[elements];
            buffer.floats = new float[elements];
        }
        if (buffer.results.length < windows) {
            buffer.results = new double[windows];
            buffer.positions = new long[windows];
        }
        return buffer;
    }

    /// Reads n elements, `step` apart, into an array.
    void load(MemorySegment memory, boolean wide, long at, long step, int n, double[] into) {
        if (step != 1) {
            for (int i = 0; i < n; i++) {
                into[i] = wide
                        ? memory.getAtIndex(JAVA_DOUBLE, at + i * step)
                        : memory.getAtIndex(JAVA_FLOAT, at + i * step);
            }
        } else if (wide) {
            MemorySegment.copy(memory, JAVA_DOUBLE, at * Double.BYTES, into, 0, n);
        } else {
            float[] narrow = room(n);
            MemorySegment.copy(memory, JAVA_FLOAT, at * Float.BYTES, narrow, 0, n);
            for (int i = 0; i < n; i++) {
                into[i] = narrow[i];
            }
        }
    }

    /// Writes n elements of an array, adjacent in memory.
    void store(double[] from, int n, MemorySegment memory, boolean wide, long at) {
        if (wide) {
            MemorySegment.copy(from, 0, memory, JAVA_DOUBLE, at * Double.BYTES, n);
            return;
        }
        float[] narrow = room(n);
        for (int i = 0; i < n; i++) {
            narrow[i] = (float) from[i];
        }
        MemorySegment.copy(narrow, 0, memory, JAVA_FLOAT, at * Float.BYTES, n);
    }

    private float[] room(int n) {
        if (floats.length < n) {
            floats = new float[n];
        }
        return floats;
    }

    // Of the following, elements are those of a row from the base of a tile of windows on. The windows inside the input
    // are processed position by position: a loop over all of them is several times as fast as one over few positions.

    /// Replaces results by larger elements of their windows; NaN is the largest.
    void max(Windows windows, int tile) {
        for (int j = windows.tile[tile]; j < windows.tile[tile + 1]; j++) {
            double largest = results[j - windows.tile[tile]];
            int first = windows.first[j] - windows.base[tile];
            for (int c = 0; c < windows.count[j]; c++) {
                largest = Math.max(largest, elements[first + c * windows.step]);
            }
            results[j - windows.tile[tile]] = largest;
        }
    }

    /// Replaces results by larger elements of their windows, and notes the positions of these; the row begins at
    /// position `at` of its plane. Of equal ones it is the first, of several NaN the last, as in PyTorch.
    ///
    /// @param begins whether this row is the first of its windows
    void largest(Windows windows, int tile, long at, boolean begins) {
        int base = windows.base[tile];
        for (int j = windows.tile[tile]; j < windows.tile[tile + 1]; j++) {
            int k = j - windows.tile[tile];
            int first = windows.first[j];
            for (int c = 0; c < windows.count[j]; c++) {
                double value = elements[first - base + c * windows.step];
                if (value > results[k] || Double.isNaN(value) || (begins && c == 0)) {
                    results[k] = value;
                    positions[k] = at + first + (long) c * windows.step;
                }
            }
        }
    }

    /// Adds the weighted sums of windows, times `factor`, to the results.
    void sum(Windows windows, int tile, double factor) {
        int from = windows.tile[tile];
        int to = windows.tile[tile + 1];
        int inner = Math.clamp(windows.inner, from, to);
        int end = Math.clamp(windows.innerEnd, inner, to);
        sum(windows, tile, from, inner, factor);
        for (int c = 0; inner < end && c < windows.count[inner]; c++) {
            int at = windows.first[inner] - windows.base[tile] + c;
            sum(results, inner - from, end - from, elements, at, windows.stride, windows.weights[inner] * factor);
        }
        sum(windows, tile, end, to, factor);
    }

    private static void sum(double[] results, int from, int to, double[] elements, int at, int stride, double weight) {
        for (int j = from; j < to; j++) {
            results[j] += elements[at + (j - from) * stride] * weight;
        }
    }

    private void sum(Windows windows, int tile, int from, int to, double factor) {
        for (int j = from; j < to; j++) {
            int first = windows.first[j] - windows.base[tile];
            int weight = windows.span * j;
            double sum = 0;
            for (int c = 0; c < windows.count[j]; c++) {
                sum += elements[first + c] * windows.weights[weight + c * windows.weightStep];
            }
            results[j - windows.tile[tile]] += sum * factor;
        }
    }

    /// Adds the results, times `factor` and the weights, to the elements of their windows.
    void spread(Windows windows, int tile, double factor) {
        int from = windows.tile[tile];
        int to = windows.tile[tile + 1];
        int inner = Math.clamp(windows.inner, from, to);
        int end = Math.clamp(windows.innerEnd, inner, to);
        spread(windows, tile, from, inner, factor);
        for (int c = 0; inner < end && c < windows.count[inner]; c++) {
            int at = windows.first[inner] - windows.base[tile] + c;
            spread(results, inner - from, end - from, elements, at, windows.stride, windows.weights[inner] * factor);
        }
        spread(windows, tile, end, to, factor);
    }

    private static void spread(
            double[] results, int from, int to, double[] elements, int at, int stride, double weight) {
        for (int j = from; j < to; j++) {
            elements[at + (j - from) * stride] += results[j] * weight;
        }
    }

    private void spread(Windows windows, int tile, int from, int to, double factor) {
        for (int j = from; j < to; j++) {
            int first = windows.first[j] - windows.base[tile];
            int weight = windows.span * j;
            double part = results[j - windows.tile[tile]] * factor;
            for (int c = 0; c < windows.count[j]; c++) {
                elements[first + c] += part * windows.weights[weight + c * windows.weightStep];
            }
        }
    }
}
