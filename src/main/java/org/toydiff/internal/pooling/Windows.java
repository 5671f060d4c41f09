package org.toydiff.internal.pooling;

/// The windows along one axis: for each output position the input positions that it reads, and their weights.
///
/// An instance is reused; its tables grow and are never replaced by smaller ones.
public final class Windows {
    /// How windows are laid out. Parameters are longs, [#PARAMETERS] for each axis.
    public enum Kind {
        /// Largest elements: kernel, stride, padding, dilation.
        MAX,
        /// Means of the elements inside the input: kernel, stride, padding.
        MEAN,
        /// Means that count padding as zeros: kernel, stride, padding.
        MEAN_OF_PADDED,
        /// Means of windows that divide the axis as evenly as they can.
        ADAPTIVE_MEAN,
        /// The nearest element: the bits of the scale factor, a double, or 0 for the quotient of the sizes.
        NEAREST,
        /// Between the two nearest elements, the corners of pixels aligned: the scale factor as for [#NEAREST].
        LINEAR,
        /// Between the two nearest elements, the centres of the corner pixels aligned.
        LINEAR_ALIGNED
    }

    /// The number of parameters of an axis.
    public static final int PARAMETERS = 4;

    private static final int KERNEL = 0;
    private static final int STRIDE = 1;
    private static final int PADDING = 2;
    private static final int DILATION = 3;
    private static final int SCALE = 0;

    /// The number of windows.
    int size;

    /// The number of input positions.
    long length;

    /// The distance between the positions of a window.
    long step;

    /// The weights of a window are `weights[span·i + sameWeight·k]` for its positions k.
    int span;

    int weightStep;

    long[] first = {};
    int[] count = {};
    double[] weights = {};

    /// Creates windows to be [#set].
    Windows() {}

    /// Lays out `size` windows over an axis of `length` positions.
    ///
    /// @param parameters those of the kind, from `at` on
    void set(Kind kind, long length, long size, long[] parameters, int at) {
        this.length = length;
        this.size = Math.toIntExact(size);
        boolean linear = kind == Kind.LINEAR || kind == Kind.LINEAR_ALIGNED;
        step = kind == Kind.MAX ? parameters[at + DILATION] : 1;
        span = linear ? 2 : 1;
        weightStep = span - 1;
        if (first.length < this.size) {
            first = new long[this.size];
            count = new int[this.size];
            weights = new double[2 * this.size];
        }
        for (int i = 0; i < this.size; i++) {
            switch (kind) {
                case MAX -> max(i, parameters, at);
                case MEAN, MEAN_OF_PADDED -> mean(i, kind == Kind.MEAN_OF_PADDED, parameters, at);
                case ADAPTIVE_MEAN -> adaptive(i);
                case NEAREST -> nearest(i, parameters[at + SCALE]);
                case LINEAR -> linear(i, Math.max((i + 0.5) * scale(parameters[at + SCALE]) - 0.5, 0));
                case LINEAR_ALIGNED -> linear(i, size > 1 ? i * ((length - 1.0) / (size - 1)) : 0);
            }
        }
    }

    /// {@return the largest number of positions in a window}
    int widest() {
        int most = 0;
        for (int i = 0; i < size; i++) {
            most = Math.max(most, count[i]);
        }
        return most;
    }

    private void max(int i, long[] parameters, int at) {
        long begin = i * parameters[at + STRIDE] - parameters[at + PADDING];
        long before = begin >= 0 ? 0 : (-begin + step - 1) / step;
        long from = begin + before * step;
        long inside = from >= length ? 0 : (length - 1 - from) / step + 1;
        window(i, from, Math.min(parameters[at + KERNEL] - before, inside));
    }

    private void mean(int i, boolean padded, long[] parameters, int at) {
        long padding = parameters[at + PADDING];
        long begin = i * parameters[at + STRIDE] - padding;
        long end = begin + parameters[at + KERNEL];
        long from = Math.max(begin, 0);
        long inside = Math.min(end, length) - from;
        window(i, from, inside);
        weights[i] = 1.0 / (padded ? Math.min(end, length + padding) - begin : Math.max(1, inside));
    }

    private void adaptive(int i) {
        long from = i * length / size;
        window(i, from, ((i + 1) * length + size - 1) / size - from);
        weights[i] = 1.0 / count[i];
    }

    private void window(int i, long from, long positions) {
        first[i] = from;
        count[i] = Math.toIntExact(Math.max(0, positions));
    }

    /// In floats, as PyTorch, whose products decide which of two elements is the nearest.
    private void nearest(int i, long scaleBits) {
        float scale = scaleBits == 0 ? (float) length / size : (float) (1 / Double.longBitsToDouble(scaleBits));
        window(i, Math.min((long) Math.floor(i * scale), length - 1), 1);
        weights[i] = 1;
    }

    private double scale(long scaleBits) {
        return scaleBits == 0 ? (double) length / size : 1 / Double.longBitsToDouble(scaleBits);
    }

    private void linear(int i, double position) {
        long from = Math.min((long) position, length - 1);
        double share = Math.clamp(position - from, 0.0, 1.0);
        boolean last = from == length - 1;
        window(i, from, last ? 1 : 2);
        weights[2 * i] = last ? 1 : 1 - share;
        weights[2 * i + 1] = share;
    }
}
