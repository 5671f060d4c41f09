package org.toydiff.internal.normalization;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.launch.ElementSink;
import org.toydiff.internal.launch.RowStream;
import org.toydiff.internal.launch.Scratch;
import org.toydiff.internal.workers.Workers;

/// Normalises rows, whose elements have a weight each, and a bias where the mean is subtracted.
public final class RowNormalizationWork extends NormalizationWork implements RowStream.Rows {
    /// Elements per part forward.
    private static final long PART = 1 << 14;

    /// The most parts backward, each of which has a row of sums.
    private static final long MOST_PARTS = 32;

    /// The fewest rows of a part backward, so that these sums stay small beside the input.
    private static final long LEAST_ROWS = 16;

    /// Rows that are added up in the precision of the elements, before their sum is added to that of the part.
    private static final long ROWS_OF_BLOCK = 32;

    /// Columns for which there is room for two sums in scratch memory.
    private static final long COLUMNS_OF_SCRATCH = Scratch.BYTES / (2 * Double.BYTES);

    private final RowStream stream = new RowStream();

    /// Where each part that runs backward has its sums of some rows; null for one that has them in memory.
    private final MemorySegment[] sumsOfRows = new MemorySegment[(int) MOST_PARTS];

    private boolean backward;
    private boolean centered;
    private long rows;
    private long n;
    private long perPart;

    /// {@return the number of rows of [#toWeight] and [#toBias]}
    public static long parts(long rows) {
        return Math.clamp(rows / LEAST_ROWS, 1, MOST_PARTS);
    }

    /// Sets the sink of the result for the next run, or null. Rows [fit][RowStream#fits] into scratch memory with one.
    public void pass(ElementSink sink) {
        stream.pass(null, sink);
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
        stream.y(y.memory, y.start, n);
        try {
            Workers.run(this, backward ? parts(rows) : parts(rows, perPart));
        } finally {
            stream.forget();
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
        stream.run(from, to, n, this);
    }

    @Override
    public void compute(long first, long count, MemorySegment in, long inAt, long between, MemorySegment y, long yAt) {
        for (long i = first; i < first + count; i++) {
            long at = yAt + (i - first) * n;
            if (backward) {
                backward(i, y, at);
            } else {
                forward(i * n, Math.min(i + 1, rows - 1) * n, y, at);
            }
        }
    }

    /// {@return the number that is subtracted from the elements of a row before they are squared}
    private double shift(long at) {
        return centered ? get(x, at) : 0;
    }

    /// {@return the mean minus the shift, by the row's sums}
    private double offset(double[] sums) {
        return centered ? sums[0] / n : 0;
    }

    private double factor(double[] sums, double offset) {
        return reciprocalRoot(variance(sums[1], n, offset));
    }

    /// Computes a row of the result.
    ///
    /// @param next the place of the row that follows, or of this one
    private void forward(long at, long next, MemorySegment y, long yAt) {
        double shift = shift(at);
        double[] sums = SUMS.get();
        long xAt = x.start + at;
        kernels.moments(x.memory, xAt, n, shift, sums);
        double offset = offset(sums);
        double factor = factor(sums, offset);
        if (centered) {
            kernels.normalize(
                    x.memory,
                    xAt,
                    weight.memory,
                    weight.start,
                    bias.memory,
                    bias.start,
                    n,
                    shift + offset,
                    factor,
                    y,
                    yAt,
                    x.start + next);
        } else {
            kernels.scale(x.memory, xAt, weight.memory, weight.start, n, factor, y, yAt, x.start + next);
        }
    }

    private void backward(long part, long from, long to) {
        clear(toWeight.memory, toWeight.start + part * n);
        clear(toBias.memory, toBias.start + part * n);
        if (n > COLUMNS_OF_SCRATCH) {
            stream.run(from, to, n, this);
            return;
        }
        MemorySegment sums = Scratch.take();
        MemorySegment weightSums = toWeight.isGiven() ? sums : null;
        MemorySegment biasSums = toBias.isGiven() ? sums : null;
        sumsOfRows[(int) part] = sums;
        try {
            for (long i = from; i < to; i += ROWS_OF_BLOCK) {
                clear(weightSums, 0);
                clear(biasSums, n);
                stream.run(i, Math.min(i + ROWS_OF_BLOCK, to), n, this);
                add(weightSums, 0, toWeight.memory, toWeight.start + part * n);
                add(biasSums, n, toBias.memory, toBias.start + part * n);
            }
        } finally {
            sumsOfRows[(int) part] = null;
            Scratch.give(sums);
        }
    }

    private void clear(MemorySegment sums, long at) {
        if (sums != null) {
            kernels.fill(sums, at, n, 0);
        }
    }

    private void add(MemorySegment row, long at, MemorySegment sums, long sumsAt) {
        if (sums != null) {
            kernels.addMultiple(row, at, n, 1, sums, sumsAt);
        }
    }

    /// Computes row i of the gradient to x, where there is a y for it, and adds those to weight and bias to sums.
    private void backward(long i, MemorySegment y, long yAt) {
        double[] sums = SUMS.get();
        long gAt = g.start + i * n;
        long xAt = x.start + i * n;
        double shift = shift(i * n);
        if (y != null) {
            kernels.gradientSums(g.memory, gAt, weight.memory, weight.start, x.memory, xAt, n, shift, sums);
        } else {
            kernels.moments(x.memory, xAt, n, shift, sums);
        }
        double offset = offset(sums);
        double mean = shift + offset;
        double factor = factor(sums, offset);
        if (y != null) {
            double sum = centered ? sums[2] : 0;
            gradient(i * n, mean, factor, sum, sums[3] - offset * sum, y, yAt);
        }
        long part = i / perPart;
        MemorySegment rowSums = sumsOfRows[(int) part];
        if (rowSums != null) {
            addGradients(gAt, xAt, mean, factor, rowSums, 0, rowSums, n);
        } else {
            long at = part * n;
            addGradients(
                    gAt, xAt, mean, factor, toWeight.memory, toWeight.start + at, toBias.memory, toBias.start + at);
        }
    }

    /// Adds the gradients of a row to weight and bias, as far as they are wanted, to sums.
    private void addGradients(
            long gAt,
            long xAt,
            double mean,
            double factor,
            MemorySegment weightSums,
            long weightSumsAt,
            MemorySegment biasSums,
            long biasSumsAt) {
        if (toWeight.isGiven()) {
            kernels.addCenteredProduct(g.memory, gAt, x.memory, xAt, n, mean, factor, weightSums, weightSumsAt);
        }
        if (toBias.isGiven()) {
            add(g.memory, gAt, biasSums, biasSumsAt);
        }
    }

    /// Computes a row of the gradient to x, `factor·(h − mean(h) − x̂·mean(h·x̂))` with `h = g·weight` and the
    /// normalised x̂.
    ///
    /// @param sum the sum of h
    /// @param dot that of `h·(x − mean)`
    private void gradient(long at, double mean, double factor, double sum, double dot, MemorySegment y, long yAt) {
        kernels.normalizeGradient(
                g.memory,
                g.start + at,
                weight.memory,
                weight.start,
                x.memory,
                x.start + at,
                n,
                mean,
                factor,
                factor * sum / n,
                factor * factor * factor * dot / n,
                y,
                yAt);
    }
}
