package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/// The scalar loops over floats; the double ones are generated from this file by exchanging the type.
@SuppressWarnings("cast") // Casts that narrow here are redundant in the generated twin.
final class FloatRuns implements Runs {
    @Override
    public void fill(MemorySegment y, long y0, long n, double value) {
        Bounds.within(y, y0);
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float) value);
        }
    }

    @Override
    public double sum(MemorySegment x, long x0, long n) {
        Bounds.within(x, x0);
        double sum = 0;
        for (long i = 0; i < n; i++) {
            sum += x.getAtIndex(JAVA_FLOAT, x0 + i);
        }
        return sum;
    }

    @Override
    public double squares(MemorySegment x, long x0, long n, double mean) {
        Bounds.within(x, x0);
        double sum = 0;
        for (long i = 0; i < n; i++) {
            double deviation = x.getAtIndex(JAVA_FLOAT, x0 + i) - mean;
            sum += deviation * deviation;
        }
        return sum;
    }

    @Override
    public double dot(MemorySegment a, long a0, MemorySegment b, long b0, long n) {
        Bounds.within(a, a0, b, b0);
        double sum = 0;
        for (long i = 0; i < n; i++) {
            sum += (double) a.getAtIndex(JAVA_FLOAT, a0 + i) * b.getAtIndex(JAVA_FLOAT, b0 + i);
        }
        return sum;
    }

    @Override
    public double max(MemorySegment x, long x0, long n) {
        Bounds.within(x, x0);
        float best = x.getAtIndex(JAVA_FLOAT, x0);
        for (long i = 1; i < n; i++) {
            best = Math.max(best, x.getAtIndex(JAVA_FLOAT, x0 + i));
        }
        return best;
    }

    @Override
    public double min(MemorySegment x, long x0, long n) {
        Bounds.within(x, x0);
        float best = x.getAtIndex(JAVA_FLOAT, x0);
        for (long i = 1; i < n; i++) {
            best = Math.min(best, x.getAtIndex(JAVA_FLOAT, x0 + i));
        }
        return best;
    }

    @Override
    public void sumColumns(
            MemorySegment x, long x0, long xi, long rows, MemorySegment y, long y0, long n, boolean add) {
        Bounds.within(x, x0, y, y0);
        for (long j = 0; j < n; j++) {
            double sum = add ? y.getAtIndex(JAVA_FLOAT, y0 + j) : 0;
            for (long i = 0; i < rows; i++) {
                sum += x.getAtIndex(JAVA_FLOAT, x0 + i * xi + j);
            }
            y.setAtIndex(JAVA_FLOAT, y0 + j, (float) sum);
        }
    }

    @Override
    public double sumExp(MemorySegment x, long x0, long n, double shift) {
        Bounds.within(x, x0);
        double sum = 0;
        for (long i = 0; i < n; i++) {
            sum += Math.exp(x.getAtIndex(JAVA_FLOAT, x0 + i) - shift);
        }
        return sum;
    }

    @Override
    public double exp(MemorySegment x, long x0, long n, double shift, MemorySegment y, long y0) {
        Bounds.within(x, x0, y, y0);
        double sum = 0;
        for (long i = 0; i < n; i++) {
            double power = Math.exp(x.getAtIndex(JAVA_FLOAT, x0 + i) - shift);
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float) power);
            sum += power;
        }
        return sum;
    }

    @Override
    public void affine(
            MemorySegment x, long x0, long n, double shift, double factor, double term, MemorySegment y, long y0) {
        Bounds.within(x, x0, y, y0);
        for (long i = 0; i < n; i++) {
            double shifted = x.getAtIndex(JAVA_FLOAT, x0 + i) - shift;
            y.setAtIndex(JAVA_FLOAT, y0 + i, (float) (shifted * factor + term));
        }
    }

    @Override
    public void softmaxGradient(
            MemorySegment g, long g0, MemorySegment y, long y0, long n, double dot, MemorySegment x, long x0) {
        Bounds.within(g, g0, y, y0, x, x0);
        for (long i = 0; i < n; i++) {
            double difference = g.getAtIndex(JAVA_FLOAT, g0 + i) - dot;
            x.setAtIndex(JAVA_FLOAT, x0 + i, (float) (y.getAtIndex(JAVA_FLOAT, y0 + i) * difference));
        }
    }

    @Override
    public void logSoftmaxGradient(
            MemorySegment g, long g0, MemorySegment y, long y0, long n, double sum, MemorySegment x, long x0) {
        Bounds.within(g, g0, y, y0, x, x0);
        for (long i = 0; i < n; i++) {
            double share = sum * Math.exp(y.getAtIndex(JAVA_FLOAT, y0 + i));
            x.setAtIndex(JAVA_FLOAT, x0 + i, (float) (g.getAtIndex(JAVA_FLOAT, g0 + i) - share));
        }
    }
}
