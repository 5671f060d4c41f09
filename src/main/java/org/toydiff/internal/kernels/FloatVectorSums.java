package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Sums of floats in double. Not the source of [DoubleVectorSums]: floats are widened on the way.
final class FloatVectorSums {
    private static final VectorSpecies<Double> WIDE = DoubleVector.SPECIES_PREFERRED;

    /// Half as many bits, so that as many floats as there are doubles in [#WIDE].
    private static final VectorSpecies<Float> HALF =
            VectorSpecies.of(float.class, VectorShape.forBitSize(Math.max(64, WIDE.vectorBitSize() / 2)));

    private static final int LANES = WIDE.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private FloatVectorSums() {}

    /// LANES floats from element `at` on, as doubles.
    private static DoubleVector load(MemorySegment x, long at) {
        return (DoubleVector) FloatVector.fromMemorySegment(HALF, x, at * Float.BYTES, ORDER)
                .convertShape(VectorOperators.F2D, WIDE, 0);
    }

    private static DoubleVector load(MemorySegment x, long at, VectorMask<Float> mask) {
        return (DoubleVector) FloatVector.fromMemorySegment(HALF, x, at * Float.BYTES, ORDER, mask)
                .convertShape(VectorOperators.F2D, WIDE, 0);
    }

    static double sum(MemorySegment x, long x0, long n) {
        Bounds.within(x, x0);
        var a = DoubleVector.zero(WIDE);
        var b = a;
        var c = a;
        var d = a;
        long i = 0;
        for (long end = n - 4 * LANES; i <= end; i += 4 * LANES) {
            a = a.add(load(x, x0 + i));
            b = b.add(load(x, x0 + i + LANES));
            c = c.add(load(x, x0 + i + 2 * LANES));
            d = d.add(load(x, x0 + i + 3 * LANES));
        }
        for (; i < n; i += LANES) {
            a = a.add(load(x, x0 + i, HALF.indexInRange(i, n)));
        }
        return VectorMath.total(a.add(b).add(c.add(d)));
    }

    static double squares(MemorySegment x, long x0, long n, double mean) {
        Bounds.within(x, x0);
        var a = DoubleVector.zero(WIDE);
        var b = a;
        long i = 0;
        for (long end = n - 2 * LANES; i <= end; i += 2 * LANES) {
            var u = load(x, x0 + i).sub(mean);
            var v = load(x, x0 + i + LANES).sub(mean);
            a = u.fma(u, a);
            b = v.fma(v, b);
        }
        double sum = VectorMath.total(a.add(b));
        for (; i < n; i++) {
            double deviation = x.getAtIndex(JAVA_FLOAT, x0 + i) - mean;
            sum += deviation * deviation;
        }
        return sum;
    }

    static double dot(MemorySegment a, long a0, MemorySegment b, long b0, long n) {
        Bounds.within(a, a0, b, b0);
        var sum = DoubleVector.zero(WIDE);
        long i = 0;
        for (long end = n - LANES; i <= end; i += LANES) {
            sum = load(a, a0 + i).fma(load(b, b0 + i), sum);
        }
        if (i < n) {
            var mask = HALF.indexInRange(i, n);
            sum = load(a, a0 + i, mask).fma(load(b, b0 + i, mask), sum);
        }
        return VectorMath.total(sum);
    }

    /// `y[j] = Σᵢ x[i][j]`, four vectors of columns at a time: each row's part is then two cache lines or more.
    static void sumColumns(
            MemorySegment x, long x0, long xi, long rows, MemorySegment y, long y0, long n, boolean add) {
        Bounds.within(x, x0, y, y0);
        long j = 0;
        for (long end = n - 4 * LANES; j <= end; j += 4 * LANES) {
            var a = DoubleVector.zero(WIDE);
            var b = a;
            var c = a;
            var d = a;
            for (long i = 0; i < rows; i++) {
                long at = x0 + i * xi + j;
                a = a.add(load(x, at));
                b = b.add(load(x, at + LANES));
                c = c.add(load(x, at + 2 * LANES));
                d = d.add(load(x, at + 3 * LANES));
            }
            store(a, y, y0 + j, add);
            store(b, y, y0 + j + LANES, add);
            store(c, y, y0 + j + 2 * LANES, add);
            store(d, y, y0 + j + 3 * LANES, add);
        }
        for (; j < n; j += LANES) {
            var mask = HALF.indexInRange(j, n);
            var sum = DoubleVector.zero(WIDE);
            for (long i = 0; i < rows; i++) {
                sum = sum.add(load(x, x0 + i * xi + j, mask));
            }
            var total = add ? sum.add(load(y, y0 + j, mask)) : sum;
            narrow(total).intoMemorySegment(y, (y0 + j) * Float.BYTES, ORDER, mask);
        }
    }

    private static void store(DoubleVector sum, MemorySegment y, long at, boolean add) {
        var total = add ? sum.add(load(y, at)) : sum;
        narrow(total).intoMemorySegment(y, at * Float.BYTES, ORDER);
    }

    private static FloatVector narrow(DoubleVector x) {
        return (FloatVector) x.convertShape(VectorOperators.D2F, HALF, 0);
    }
}
