package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The loops over vectors of floats; the double ones are generated from this file by exchanging the type. Each loop
/// takes whole vectors and leaves the last, shorter one to a mask.
@SuppressWarnings("cast") // Casts that narrow here are redundant in the generated twin.
final class FloatVectorRuns implements Runs {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private static FloatVector load(MemorySegment x, long at) {
        return FloatVector.fromMemorySegment(SPECIES, x, at * Float.BYTES, ORDER);
    }

    private static FloatVector load(MemorySegment x, long at, VectorMask<Float> mask) {
        return FloatVector.fromMemorySegment(SPECIES, x, at * Float.BYTES, ORDER, mask);
    }

    private static void store(FloatVector v, MemorySegment y, long at) {
        v.intoMemorySegment(y, at * Float.BYTES, ORDER);
    }

    private static void store(FloatVector v, MemorySegment y, long at, VectorMask<Float> mask) {
        v.intoMemorySegment(y, at * Float.BYTES, ORDER, mask);
    }

    @Override
    public void fill(MemorySegment y, long y0, long n, double value) {
        Bounds.within(y, y0);
        var v = FloatVector.broadcast(SPECIES, (float) value);
        long i = 0;
        for (long end = SPECIES.loopBound(n); i < end; i += LANES) {
            store(v, y, y0 + i);
        }
        if (i < n) {
            store(v, y, y0 + i, SPECIES.indexInRange(i, n));
        }
    }

    @Override
    public double sum(MemorySegment x, long x0, long n) {
        return FloatVectorSums.sum(x, x0, n);
    }

    @Override
    public double squares(MemorySegment x, long x0, long n, double mean) {
        return FloatVectorSums.squares(x, x0, n, mean);
    }

    @Override
    public double dot(MemorySegment a, long a0, MemorySegment b, long b0, long n) {
        return FloatVectorSums.dot(a, a0, b, b0, n);
    }

    @Override
    public void sumColumns(
            MemorySegment x, long x0, long xi, long rows, MemorySegment y, long y0, long n, boolean add) {
        FloatVectorSums.sumColumns(x, x0, xi, rows, y, y0, n, add);
    }

    @Override
    public double max(MemorySegment x, long x0, long n) {
        Bounds.within(x, x0);
        var best = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        var other = best;
        long i = 0;
        for (long end = n - 2 * LANES; i <= end; i += 2 * LANES) {
            best = best.max(load(x, x0 + i));
            other = other.max(load(x, x0 + i + LANES));
        }
        for (; i < n; i += LANES) {
            var mask = SPECIES.indexInRange(i, n);
            best = best.lanewise(VectorOperators.MAX, load(x, x0 + i, mask), mask);
        }
        return best.max(other).reduceLanes(VectorOperators.MAX);
    }

    @Override
    public double min(MemorySegment x, long x0, long n) {
        Bounds.within(x, x0);
        var best = FloatVector.broadcast(SPECIES, Float.POSITIVE_INFINITY);
        var other = best;
        long i = 0;
        for (long end = n - 2 * LANES; i <= end; i += 2 * LANES) {
            best = best.min(load(x, x0 + i));
            other = other.min(load(x, x0 + i + LANES));
        }
        for (; i < n; i += LANES) {
            var mask = SPECIES.indexInRange(i, n);
            best = best.lanewise(VectorOperators.MIN, load(x, x0 + i, mask), mask);
        }
        return best.min(other).reduceLanes(VectorOperators.MIN);
    }

    @Override
    public double sumExp(MemorySegment x, long x0, long n, double shift) {
        Bounds.within(x, x0);
        var sum = FloatVector.zero(SPECIES);
        for (long i = 0; i < n; i += LANES) {
            var mask = SPECIES.indexInRange(i, n);
            sum = sum.add(VectorMath.expOfNegative(load(x, x0 + i, mask).sub((float) shift)), mask);
        }
        return VectorMath.total(sum);
    }

    @Override
    public double exp(MemorySegment x, long x0, long n, double shift, MemorySegment y, long y0) {
        Bounds.within(x, x0, y, y0);
        var sum = FloatVector.zero(SPECIES);
        for (long i = 0; i < n; i += LANES) {
            var mask = SPECIES.indexInRange(i, n);
            var power = VectorMath.expOfNegative(load(x, x0 + i, mask).sub((float) shift));
            store(power, y, y0 + i, mask);
            sum = sum.add(power, mask);
        }
        return VectorMath.total(sum);
    }

    @Override
    public void affine(
            MemorySegment x, long x0, long n, double shift, double factor, double term, MemorySegment y, long y0) {
        Bounds.within(x, x0, y, y0);
        var slope = FloatVector.broadcast(SPECIES, (float) factor);
        var last = FloatVector.broadcast(SPECIES, (float) term);
        for (long i = 0; i < n; i += LANES) {
            var mask = SPECIES.indexInRange(i, n);
            store(load(x, x0 + i, mask).sub((float) shift).fma(slope, last), y, y0 + i, mask);
        }
    }

    @Override
    public void softmaxGradient(
            MemorySegment g, long g0, MemorySegment y, long y0, long n, double dot, MemorySegment x, long x0) {
        Bounds.within(g, g0, y, y0, x, x0);
        for (long i = 0; i < n; i += LANES) {
            var mask = SPECIES.indexInRange(i, n);
            var difference = load(g, g0 + i, mask).sub((float) dot);
            store(load(y, y0 + i, mask).mul(difference), x, x0 + i, mask);
        }
    }

    @Override
    public void logSoftmaxGradient(
            MemorySegment g, long g0, MemorySegment y, long y0, long n, double sum, MemorySegment x, long x0) {
        Bounds.within(g, g0, y, y0, x, x0);
        for (long i = 0; i < n; i += LANES) {
            var mask = SPECIES.indexInRange(i, n);
            var share = VectorMath.expOfNegative(load(y, y0 + i, mask)).mul((float) sum);
            store(load(g, g0 + i, mask).sub(share), x, x0 + i, mask);
        }
    }
}
