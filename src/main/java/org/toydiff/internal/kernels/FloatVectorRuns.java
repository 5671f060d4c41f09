package org.toydiff.internal.kernels;

import static jdk.incubator.vector.VectorOperators.MAX;
import static jdk.incubator.vector.VectorOperators.MIN;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The loops over vectors of floats; the double ones are generated from this file by exchanging the type. Each loop
/// takes whole vectors and leaves the last, shorter one to a mask.
///
/// [#extreme] and [#powers] have more than 325 bytes each (FreqInlineSize), so that the compiler does not take them
/// into their callers. A caller that is hot already when a second dtype comes would take them in before they were
/// seen to loop, and then make every vector an object: 99 KB for the maximum of 4,096 doubles, which took ten times
/// as long. Accesses are written out for the same reason. Calling the loops by method handles in fields, which the
/// compiler does not take in either, was no better.
@SuppressWarnings("cast") // Casts that narrow here are redundant in the generated twin.
final class FloatVectorRuns implements Runs {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    @Override
    public void fill(MemorySegment y, long y0, long n, double value) {
        Bounds.within(y, y0);
        var v = FloatVector.broadcast(SPECIES, (float) value);
        long i = 0;
        for (long end = SPECIES.loopBound(n); i < end; i += LANES) {
            v.intoMemorySegment(y, (y0 + i) * Float.BYTES, ORDER);
        }
        if (i < n) {
            v.intoMemorySegment(y, (y0 + i) * Float.BYTES, ORDER, SPECIES.indexInRange(i, n));
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
        return extreme(x, x0, n, true);
    }

    @Override
    public double min(MemorySegment x, long x0, long n) {
        return extreme(x, x0, n, false);
    }

    /// Reads as sums do: see FloatVectorSums. Both in one method, which is large then.
    private static double extreme(MemorySegment x, long x0, long n, boolean largest) {
        Bounds.within(x, x0);
        var a = FloatVector.broadcast(SPECIES, largest ? Float.NEGATIVE_INFINITY : Float.POSITIVE_INFINITY);
        var b = a;
        var c = a;
        var d = a;
        long apart = n / (4 * LANES) * LANES;
        if (largest) {
            for (long i = 0; i < apart; i += LANES) {
                long at = x0 + i;
                a = a.max(FloatVector.fromMemorySegment(SPECIES, x, at * Float.BYTES, ORDER));
                b = b.max(FloatVector.fromMemorySegment(SPECIES, x, (at + apart) * Float.BYTES, ORDER));
                c = c.max(FloatVector.fromMemorySegment(SPECIES, x, (at + 2 * apart) * Float.BYTES, ORDER));
                d = d.max(FloatVector.fromMemorySegment(SPECIES, x, (at + 3 * apart) * Float.BYTES, ORDER));
            }
            for (long i = 4 * apart; i < n; i += LANES) {
                var mask = SPECIES.indexInRange(i, n);
                var last = FloatVector.fromMemorySegment(SPECIES, x, (x0 + i) * Float.BYTES, ORDER, mask);
                a = a.lanewise(MAX, last, mask);
            }
            return a.max(b).max(c.max(d)).reduceLanes(MAX);
        } else {
            for (long i = 0; i < apart; i += LANES) {
                long at = x0 + i;
                a = a.min(FloatVector.fromMemorySegment(SPECIES, x, at * Float.BYTES, ORDER));
                b = b.min(FloatVector.fromMemorySegment(SPECIES, x, (at + apart) * Float.BYTES, ORDER));
                c = c.min(FloatVector.fromMemorySegment(SPECIES, x, (at + 2 * apart) * Float.BYTES, ORDER));
                d = d.min(FloatVector.fromMemorySegment(SPECIES, x, (at + 3 * apart) * Float.BYTES, ORDER));
            }
            for (long i = 4 * apart; i < n; i += LANES) {
                var mask = SPECIES.indexInRange(i, n);
                var last = FloatVector.fromMemorySegment(SPECIES, x, (x0 + i) * Float.BYTES, ORDER, mask);
                a = a.lanewise(MIN, last, mask);
            }
            return a.min(b).min(c.min(d)).reduceLanes(MIN);
        }
    }

    @Override
    public double sumExp(MemorySegment x, long x0, long n, double shift) {
        return powers(x, x0, n, shift, null, 0, null, 0, 0);
    }

    @Override
    public double exp(MemorySegment x, long x0, long n, double shift, MemorySegment y, long y0) {
        return powers(x, x0, n, shift, null, 0, y, y0, 0);
    }

    @Override
    public void logSoftmaxGradient(
            MemorySegment g, long g0, MemorySegment y, long y0, long n, double sum, MemorySegment x, long x0) {
        powers(y, y0, n, 0, g, g0, x, x0, sum);
    }

    /// The sum of `eˣ⁻ˢ` with the shift s; the powers, or with g `g − factor·eˣ⁻ˢ`, go to y unless that is null.
    private static double powers(
            MemorySegment x,
            long x0,
            long n,
            double shift,
            MemorySegment g,
            long g0,
            MemorySegment y,
            long y0,
            double factor) {
        Bounds.within(x, x0);
        if (y != null) {
            Bounds.within(y, y0);
        }
        if (g != null) {
            Bounds.within(g, g0);
        }
        var sum = FloatVector.zero(SPECIES);
        long i = 0;
        for (long end = SPECIES.loopBound(n); i < end; i += LANES) {
            var power =
                    VectorMath.expOfNegative(FloatVector.fromMemorySegment(SPECIES, x, (x0 + i) * Float.BYTES, ORDER)
                            .sub((float) shift));
            sum = sum.add(power);
            if (g != null) {
                FloatVector.fromMemorySegment(SPECIES, g, (g0 + i) * Float.BYTES, ORDER)
                        .sub(power.mul((float) factor))
                        .intoMemorySegment(y, (y0 + i) * Float.BYTES, ORDER);
            } else if (y != null) {
                power.intoMemorySegment(y, (y0 + i) * Float.BYTES, ORDER);
            }
        }
        if (i < n) {
            var mask = SPECIES.indexInRange(i, n);
            var power = VectorMath.expOfNegative(
                    FloatVector.fromMemorySegment(SPECIES, x, (x0 + i) * Float.BYTES, ORDER, mask)
                            .sub((float) shift));
            sum = sum.add(power, mask);
            if (g != null) {
                FloatVector.fromMemorySegment(SPECIES, g, (g0 + i) * Float.BYTES, ORDER, mask)
                        .sub(power.mul((float) factor))
                        .intoMemorySegment(y, (y0 + i) * Float.BYTES, ORDER, mask);
            } else if (y != null) {
                power.intoMemorySegment(y, (y0 + i) * Float.BYTES, ORDER, mask);
            }
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
            FloatVector.fromMemorySegment(SPECIES, x, (x0 + i) * Float.BYTES, ORDER, mask)
                    .sub((float) shift)
                    .fma(slope, last)
                    .intoMemorySegment(y, (y0 + i) * Float.BYTES, ORDER, mask);
        }
    }

    @Override
    public void softmaxGradient(
            MemorySegment g, long g0, MemorySegment y, long y0, long n, double dot, MemorySegment x, long x0) {
        Bounds.within(g, g0, y, y0, x, x0);
        for (long i = 0; i < n; i += LANES) {
            var mask = SPECIES.indexInRange(i, n);
            var difference = FloatVector.fromMemorySegment(SPECIES, g, (g0 + i) * Float.BYTES, ORDER, mask)
                    .sub((float) dot);
            FloatVector.fromMemorySegment(SPECIES, y, (y0 + i) * Float.BYTES, ORDER, mask)
                    .mul(difference)
                    .intoMemorySegment(x, (x0 + i) * Float.BYTES, ORDER, mask);
        }
    }
}
