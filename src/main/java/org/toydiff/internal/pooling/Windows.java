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

    /// The most input positions of a tile, unless a window has more: they stay in a first-level cache.
    private static final int TILE = 1 << 11;

    /// The number of windows.
    int size;

    /// The number of input positions.
    int length;

    /// The distance between the positions of a window.
    int step;

    /// The weights of a window are `weights[span·i + weightStep·k]` for its positions k.
    int span;

    int weightStep;

    int[] first = {};
    int[] count = {};
    double[] weights = {};

    /// The windows that lie inside the input, from `inner` to before `innerEnd`: they begin `stride` positions
    /// apart, have the same number of positions and the same weights. None of kinds without a stride.
    int inner;

    int innerEnd;
    int stride;

    /// The positions of a window with those beyond the border, and the number of those before the input; of kinds
    /// with a stride.
    int kernel;

    int padding;

    /// The number of tiles: adjacent windows that are read together.
    int tiles;

    /// The first window of each tile, and the number of all windows after the last.
    int[] tile = {0};

    /// The first position of each tile.
    int[] base = {};

    /// The number of positions from the first one of each tile to its last.
    int[] extent = {};

    /// Creates windows to be [#set].
    Windows() {}

    /// Lays out windows over an axis.
    ///
    /// @param length the number of its positions, as `size` at most 2³¹ − 1
    /// @param size the number of windows
    /// @param parameters those of the kind, from `at` on
    void set(Kind kind, long length, long size, long[] parameters, int at) {
        this.length = Math.toIntExact(length);
        this.size = Math.toIntExact(size);
        boolean linear = kind == Kind.LINEAR || kind == Kind.LINEAR_ALIGNED;
        step = kind == Kind.MAX ? (int) parameters[at + DILATION] : 1;
        span = linear ? 2 : 1;
        weightStep = span - 1;
        if (first.length < this.size) {
            first = new int[this.size];
            count = new int[this.size];
            weights = new double[2 * this.size];
            tile = new int[this.size + 1];
            base = new int[this.size];
            extent = new int[this.size];
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
        divide();
        findInner(kind, parameters, at);
    }

    private void findInner(Kind kind, long[] parameters, int at) {
        boolean strided = kind == Kind.MAX || kind == Kind.MEAN || kind == Kind.MEAN_OF_PADDED;
        stride = strided ? (int) parameters[at + STRIDE] : 0;
        kernel = strided ? (int) parameters[at + KERNEL] : 0;
        padding = strided ? (int) parameters[at + PADDING] : 0;
        inner = 0;
        while (inner < size && (!strided || first[inner] != inner * (long) stride - padding)) {
            inner++;
        }
        innerEnd = inner;
        while (innerEnd < size && count[innerEnd] == kernel) {
            innerEnd++;
        }
    }

    /// Divides the windows into tiles. Beside a border, a window may begin before the one before it if it is dilated.
    private void divide() {
        tiles = 0;
        for (int i = 0; i < size; i++) {
            int end = count[i] == 0 ? first[i] : first[i] + (count[i] - 1) * step + 1;
            int last = tiles - 1;
            int begin = last < 0 ? 0 : Math.min(base[last], first[i]);
            int positions = last < 0 ? 0 : Math.max(base[last] + extent[last], end) - begin;
            if (last < 0 || positions > TILE) {
                tile[tiles] = i;
                base[tiles] = first[i];
                extent[tiles++] = end - first[i];
            } else {
                base[last] = begin;
                extent[last] = positions;
            }
        }
        tile[tiles] = size;
    }

    /// {@return the number of windows of a tile}
    int windows(int tile) {
        return this.tile[tile + 1] - this.tile[tile];
    }

    // Of kinds with a stride.

    /// {@return the first position of a window} It may be before the input.
    long begin(int window) {
        return (long) window * stride - padding;
    }

    /// {@return the number of positions from the first one of adjacent windows to their last, inside the input or not}
    long extent(long windows) {
        return (windows - 1) * stride + (kernel - 1L) * step + 1;
    }

    /// {@return the most adjacent windows, at least 1, that extend over so many positions}
    int within(long positions) {
        return Math.clamp((positions - extent(1)) / stride + 1, 1, size);
    }

    /// {@return whether the last window ends with the input or beyond it}
    boolean reachEnd() {
        return extent(size) - padding >= length;
    }

    /// {@return whether there is one window, of all positions}
    boolean isWhole() {
        return size == 1 && count[0] == length;
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
        long begin = (long) i * parameters[at + STRIDE] - parameters[at + PADDING];
        long before = begin >= 0 ? 0 : (-begin + step - 1) / step;
        long from = begin + before * step;
        long inside = from >= length ? 0 : (length - 1 - from) / step + 1;
        window(i, from, Math.min(parameters[at + KERNEL] - before, inside));
    }

    private void mean(int i, boolean padded, long[] parameters, int at) {
        long padding = parameters[at + PADDING];
        long begin = (long) i * parameters[at + STRIDE] - padding;
        long end = begin + parameters[at + KERNEL];
        long from = Math.max(begin, 0);
        long inside = Math.min(end, length) - from;
        window(i, from, inside);
        weights[i] = 1.0 / (padded ? Math.min(end, length + padding) - begin : Math.max(1, inside));
    }

    private void adaptive(int i) {
        long from = (long) i * length / size;
        window(i, from, ((i + 1L) * length + size - 1) / size - from);
        weights[i] = 1.0 / count[i];
    }

    private void window(int i, long from, long positions) {
        first[i] = Math.toIntExact(Math.min(from, length));
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
