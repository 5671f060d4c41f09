package org.toydiff.internal.launch;

import java.lang.foreign.MemorySegment;

/// The rows of a launch's first operand x and of its result y. Both are in memory, or some rows at a time in [Scratch]:
/// those of x because an [ElementSource] computes them, those of y because an [ElementSink] takes them. A part of a
/// launch runs over its rows in either case in the same way.
///
/// Operands are set before each run, and forgotten after it. Offsets and distances are in elements.
public final class RowStream {
    /// Elements that pass together, if a row is not longer: they stay in a first-level cache.
    private static final long TOGETHER = 1 << 12;

    private ElementSource source;
    private ElementSink sink;
    private MemorySegment x;
    private MemorySegment y;
    private long x0;
    private long xi;
    private long y0;
    private long yi;

    /// Computes rows of y from those of x.
    @FunctionalInterface
    public interface Rows {
        /// Computes `count` rows from row `first` on, of which the first begin at `xAt` and `yAt`, and those of x are
        /// `xi` apart.
        void compute(long first, long count, MemorySegment x, long xAt, long xi, MemorySegment y, long yAt);
    }

    /// {@return whether a row of n elements can be in scratch memory}
    public static boolean fits(long n, boolean wide) {
        return n <= Scratch.BYTES / (wide ? Double.BYTES : Float.BYTES);
    }

    /// Sets the source of x and the sink of y for the next run; either may be null.
    public void pass(ElementSource source, ElementSink sink) {
        this.source = source;
        this.sink = sink;
    }

    /// Sets the rows of x, `between` apart, unless a source computes them.
    public void x(MemorySegment x, long at, long between) {
        this.x = x;
        x0 = at;
        xi = between;
    }

    /// Sets the rows of y, `between` apart, unless they are only taken by a sink: then the memory is null.
    public void y(MemorySegment y, long at, long between) {
        this.y = y;
        y0 = at;
        yi = between;
    }

    /// Runs over the rows `from` to `to`, of n elements each.
    public void run(long from, long to, long n, Rows rows) {
        if (source == null && sink == null) {
            rows.compute(from, to - from, x, x0 + from * xi, xi, y, y0 + from * yi);
            return;
        }
        long together = Math.max(1, TOGETHER / n);
        for (long first = from; first < to; first += together) {
            pass(first, Math.min(together, to - first), n, rows);
        }
    }

    private void pass(long first, long count, long n, Rows rows) {
        boolean isHandedOn = sink != null && y == null;
        MemorySegment in = source == null ? x : source.compute(first * n, count * n);
        MemorySegment out = isHandedOn ? Scratch.take() : y;
        try {
            long xAt = source == null ? x0 + first * xi : 0;
            long yAt = isHandedOn ? 0 : y0 + first * yi;
            rows.compute(first, count, in, xAt, source == null ? xi : n, out, yAt);
            if (sink != null) {
                sink.take(first * n, count * n, out, yAt);
            }
        } finally {
            if (source != null) {
                Scratch.give(in);
            }
            if (isHandedOn) {
                Scratch.give(out);
            }
        }
    }

    /// Forgets the operands.
    public void forget() {
        source = null;
        sink = null;
        x = null;
        y = null;
    }
}
