package org.toydiff.internal.normalization;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.workers.Workers;

/// Normalises groups of runs of `[images, groups, channels, length]`, where a weight and a bias belong to a channel
/// of a group. A group is that of one image, or that of all images; then it has one channel.
public final class GroupNormalizationWork extends NormalizationWork {
    /// Elements per part.
    private static final long PART = 1 << 14;

    private final Operand means = new Operand();
    private final Operand variances = new Operand();
    private boolean backward;
    private boolean overImages;
    private long images;
    private long groups;
    private long channels;
    private long length;
    private long perPart;

    /// Sets the mean and the variance of each group, `[groups]`, which a run forward over all images computes, and the
    /// run backward reads.
    public void statistics(MemorySegment means, long meansAt, MemorySegment variances, long variancesAt) {
        set(this.means, means, meansAt);
        set(this.variances, variances, variancesAt);
    }

    /// Computes the result, and statistics if there is memory for them.
    public void forward(boolean overImages, long images, long groups, long channels, long length) {
        backward = false;
        run(overImages, images, groups, channels, length);
    }

    /// Computes those gradients for which there is memory; the parts of the weight's and of the bias's are
    /// `[images, groups, channels]`, or `[groups]` over all images.
    public void backward(boolean overImages, long images, long groups, long channels, long length) {
        backward = true;
        run(overImages, images, groups, channels, length);
    }

    private void run(boolean overImages, long images, long groups, long channels, long length) {
        this.overImages = overImages;
        this.images = images;
        this.groups = groups;
        this.channels = channels;
        this.length = length;
        perPart = Math.max(1, PART / size());
        try {
            Workers.run(this, parts(all(), perPart));
        } finally {
            forget();
        }
    }

    /// {@return the number of groups with statistics of their own}
    private long all() {
        return overImages ? groups : images * groups;
    }

    /// {@return the number of runs of a group}
    private long runs() {
        return overImages ? images : channels;
    }

    /// {@return the number of elements of a group}
    private long size() {
        return runs() * length;
    }

    private long run(long group, long i) {
        return (overImages ? i * groups + group : group * channels + i) * length;
    }

    private long channel(long group, long i) {
        return overImages ? group : group % groups * channels + i;
    }

    @Override
    protected void part(long index) {
        long from = index * perPart;
        long to = Math.min(from + perPart, all());
        for (long group = from; group < to; group++) {
            if (backward) {
                backward(group);
            } else {
                forward(group);
            }
        }
    }

    /// Writes the mean and the variance of a group to `statistics`.
    private void computeStatistics(long group, double[] statistics) {
        double shift = get(x, run(group, 0));
        double sum = 0;
        double squares = 0;
        for (long i = 0; i < runs(); i++) {
            kernels.moments(x.memory, x.start + run(group, i), length, shift, statistics);
            sum += statistics[0];
            squares += statistics[1];
        }
        double offset = sum / size();
        statistics[0] = shift + offset;
        statistics[1] = variance(squares, size(), offset);
    }

    private void forward(long group) {
        double[] statistics = SUMS.get();
        computeStatistics(group, statistics);
        double mean = statistics[0];
        double variance = statistics[1];
        if (means.isGiven()) {
            set(means, group, mean);
            set(variances, group, variance);
        }
        double factor = reciprocalRoot(variance);
        for (long i = 0; i < runs(); i++) {
            long at = run(group, i);
            long channel = channel(group, i);
            kernels.affine(
                    x.memory,
                    x.start + at,
                    length,
                    mean,
                    factor * get(weight, channel),
                    get(bias, channel),
                    y.memory,
                    y.start + at);
        }
    }

    /// The sums of a channel are `Σ g` and `Σ g·(x − mean)`.
    private void backward(long group) {
        double[] sums = SUMS.get();
        if (means.isGiven()) {
            sums[0] = get(means, group);
            sums[1] = get(variances, group);
        } else {
            computeStatistics(group, sums);
        }
        double mean = sums[0];
        double factor = reciprocalRoot(sums[1]);
        double sum = 0;
        double dot = 0;
        double weightedSum = 0;
        double weightedDot = 0;
        for (long i = 0; i < runs(); i++) {
            long at = run(group, i);
            kernels.centeredSums(g.memory, g.start + at, x.memory, x.start + at, length, mean, sums);
            double w = get(weight, channel(group, i));
            weightedSum += w * sums[0];
            weightedDot += w * sums[1];
            sum = overImages ? sum + sums[0] : sums[0];
            dot = overImages ? dot + sums[1] : sums[1];
            if (!overImages || i == runs() - 1) {
                long part = overImages ? group : group * channels + i;
                setIfGiven(toBias, part, sum);
                setIfGiven(toWeight, part, dot * factor);
            }
        }
        if (y.isGiven()) {
            gradient(group, mean, factor, weightedSum / size(), weightedDot / size());
        }
    }

    private void setIfGiven(Operand operand, long at, double value) {
        if (operand.isGiven()) {
            set(operand, at, value);
        }
    }

    private void gradient(long group, double mean, double factor, double meanGradient, double meanDot) {
        for (long i = 0; i < runs(); i++) {
            long at = run(group, i);
            kernels.normalizeGradient(
                    g.memory,
                    g.start + at,
                    x.memory,
                    x.start + at,
                    length,
                    mean,
                    factor * get(weight, channel(group, i)),
                    factor * meanGradient,
                    factor * factor * factor * meanDot,
                    y.memory,
                    y.start + at);
        }
    }

    @Override
    void forget() {
        super.forget();
        set(means, null, 0);
        set(variances, null, 0);
    }
}
