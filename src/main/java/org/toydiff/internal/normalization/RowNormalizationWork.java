package org.toydiff.internal.normalization;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.launch.Scratch;
import org.toydiff.internal.workers.Workers;

/// Normalises rows, whose elements have a weight each, and a bias where the mean is subtracted.
public final class RowNormalizationWork extends NormalizationWork {
    /// Elements per part forward.
    private static final long PART = 1 << 14;

    /// The most parts backward, each of which has a row of sums.
    private static final long MOST_PARTS = 32;

    /// The fewest rows of a part backward, so that these sums stay small beside the input.
    private static final long LEAST_ROWS = 16;

    /// Elements whose weights' gradients are added up at a time: they stay in a first-level cache.
    private static final long BLOCK = 1 << 12;

    private static final long MOST_ROWS_OF_BLOCK = 128;

    /// Doubles at the beginning of scratch memory: the mean and the factor of each row of a block.
    private static final long STATISTICS = 2 * MOST_ROWS_OF_BLOCK;

    private boolean backward;
    private boolean centered;
    private long rows;
    private long n;
    private long perPart;

    /// {@return the number of rows of [#toWeight] and [#toBias]}
    public static long parts(long rows) {
        return Math.clamp(rows / LEAST_ROWS, 1, MOST_PARTS);
    }

    /// Computes the result.
    ///
    /// @param centered whether the mean is subtracted and a bias added; else the variance is the mean square
    public void forward(boolean centered, long rows, long n) {
        backward = false;
        run(centered, rows, n, Math.max(1, PART / n));
    }

    /// Computes those gradients for which there is memory.
    public void backward(boolean centered, long rows, long n) {
        backward = true;
        long parts = parts(rows);
        run(centered, rows, n, rows / parts + (rows % parts == 0 ? 0 : 1));
    }

    private void run(boolean centered, long rows, long n, long perPart) {
        this.centered = centered;
        this.rows = rows;
        this.n = n;
        this.perPart = perPart;
        try {
            Workers.run(this, backward ? parts(rows) : parts(rows, perPart));
        } finally {
            forget();
        }
    }

    @Override
    protected void part(long index) {
        long from = Math.min(index * perPart, rows);
        long to = Math.min(from + perPart, rows);
        if (backward) {
            backward(index, from, to);
            return;
        }
        for (long i = from; i < to; i++) {
            forward(i * n);
        }
    }

    private double mean(long at) {
        return centered ? kernels.sum(x.memory, x.start + at, n) / n : 0;
    }

    private double factor(long at, double mean) {
        return reciprocalRoot(kernels.squares(x.memory, x.start + at, n, mean) / n);
    }

    private void forward(long at) {
        double mean = mean(at);
        double factor = factor(at, mean);
        long xAt = x.start + at;
        long yAt = y.start + at;
        if (centered) {
            kernels.normalize(
                    x.memory,
                    xAt,
                    weight.memory,
                    weight.start,
                    bias.memory,
                    bias.start,
                    n,
                    mean,
                    factor,
                    y.memory,
                    yAt);
        } else {
            kernels.scale(x.memory, xAt, weight.memory, weight.start, n, factor, y.memory, yAt);
        }
    }

    private void backward(long part, long from, long to) {
        long block = Math.clamp(BLOCK / n, 1, MOST_ROWS_OF_BLOCK);
        clear(toWeight, part);
        clear(toBias, part);
        MemorySegment scratch = Scratch.take();
        try {
            for (long i = from; i < to; i += block) {
                long count = Math.min(block, to - i);
                for (long row = 0; row < count; row++) {
                    long at = (i + row) * n;
                    double mean = mean(at);
                    double factor = factor(at, mean);
                    scratch.setAtIndex(JAVA_DOUBLE, 2 * row, mean);
                    scratch.setAtIndex(JAVA_DOUBLE, 2 * row + 1, factor);
                    if (y.isGiven()) {
                        gradient(at, mean, factor);
                    }
                }
                for (long j = 0; j < n; j += BLOCK) {
                    addColumns(scratch, part, i, count, j, Math.min(BLOCK, n - j));
                }
            }
        } finally {
            Scratch.give(scratch);
        }
    }

    private void clear(Operand sums, long part) {
        if (sums.isGiven()) {
            kernels.fill(sums.memory, sums.start + part * n, n, 0);
        }
    }

    /// Computes a row of the gradient to x, `factor·(g·weight − mean(g·weight) − x̂·mean(g·weight·x̂))` with the
    /// normalised x̂.
    private void gradient(long at, double mean, double factor) {
        long gAt = g.start + at;
        long xAt = x.start + at;
        double sum = centered ? kernels.dot(g.memory, gAt, weight.memory, weight.start, n) : 0;
        double dot = kernels.weightedDot(g.memory, gAt, weight.memory, weight.start, x.memory, xAt, n, mean);
        kernels.normalizeGradient(
                g.memory,
                gAt,
                weight.memory,
                weight.start,
                x.memory,
                xAt,
                n,
                mean,
                factor,
                factor * sum / n,
                factor * factor * factor * dot / n,
                y.memory,
                y.start + at);
    }

    /// Adds some columns of a block of rows to the sums of a part. The sums so far are a row above the block.
    private void addColumns(MemorySegment scratch, long part, long first, long count, long column, long width) {
        long above = STATISTICS * (wide ? 1 : 2);
        if (toWeight.isGiven()) {
            for (long row = 0; row < count; row++) {
                long at = (first + row) * n + column;
                double mean = scratch.getAtIndex(JAVA_DOUBLE, 2 * row);
                double factor = scratch.getAtIndex(JAVA_DOUBLE, 2 * row + 1);
                kernels.centeredProduct(
                        g.memory,
                        g.start + at,
                        x.memory,
                        x.start + at,
                        width,
                        mean,
                        factor,
                        scratch,
                        above + row * width);
            }
            addColumns(
                    scratch, above, width, count, toWeight, part * n + column, scratch, above + count * width, width);
        }
        if (toBias.isGiven()) {
            long at = g.start + first * n + column;
            addColumns(g.memory, at, n, count, toBias, part * n + column, scratch, above, width);
        }
    }

    /// Adds the columns of a matrix to sums, by way of a row of scratch memory.
    private void addColumns(
            MemorySegment matrix,
            long at,
            long between,
            long count,
            Operand sums,
            long sumsAt,
            MemorySegment scratch,
            long scratchAt,
            long width) {
        Kernel.Binary add = BinaryKernel.ADD.of(wide);
        long to = sums.start + sumsAt;
        kernels.sumColumns(matrix, at, between, count, scratch, scratchAt, width, 1);
        add.run(sums.memory, to, 0, 1, scratch, scratchAt, 0, 1, sums.memory, to, 0, 1, 1, width);
    }
}
