package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static jdk.incubator.vector.VectorOperators.D2F;
import static jdk.incubator.vector.VectorOperators.F2D;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Sums of floats in double. A long run is read at four places a quarter of it apart: memory delivers several
/// streams faster than one (a sum of 16 million floats took 1.2 to 1.4 times as long). Not the source of
/// [DoubleVectorSums]: floats are widened on the way. Accesses are written out as in [FloatVectorRuns].
final class FloatVectorSums {
    private static final VectorSpecies<Double> WIDE = DoubleVector.SPECIES_PREFERRED;

    /// Half as many bits, so that as many floats as there are doubles in [#WIDE].
    private static final VectorSpecies<Float> HALF =
            VectorSpecies.of(float.class, VectorShape.forBitSize(Math.max(64, WIDE.vectorBitSize() / 2)));

    private static final int LANES = WIDE.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private FloatVectorSums() {}

    static double sum(MemorySegment x, long x0, long n) {
        Bounds.within(x, x0);
        var a = DoubleVector.zero(WIDE);
        var b = a;
        var c = a;
        var d = a;
        long apart = n / (4 * LANES) * LANES;
        for (long i = 0; i < apart; i += LANES) {
            long at = x0 + i;
            a = a.add(FloatVector.fromMemorySegment(HALF, x, at * Float.BYTES, ORDER)
                    .convertShape(F2D, WIDE, 0));
            b = b.add(FloatVector.fromMemorySegment(HALF, x, (at + apart) * Float.BYTES, ORDER)
                    .convertShape(F2D, WIDE, 0));
            c = c.add(FloatVector.fromMemorySegment(HALF, x, (at + 2 * apart) * Float.BYTES, ORDER)
                    .convertShape(F2D, WIDE, 0));
            d = d.add(FloatVector.fromMemorySegment(HALF, x, (at + 3 * apart) * Float.BYTES, ORDER)
                    .convertShape(F2D, WIDE, 0));
        }
        for (long i = 4 * apart; i < n; i += LANES) {
            var mask = HALF.indexInRange(i, n);
            a = a.add(FloatVector.fromMemorySegment(HALF, x, (x0 + i) * Float.BYTES, ORDER, mask)
                    .convertShape(F2D, WIDE, 0));
        }
        return VectorMath.total(a.add(b).add(c.add(d)));
    }

    static double squares(MemorySegment x, long x0, long n, double mean) {
        Bounds.within(x, x0);
        var offset = DoubleVector.broadcast(WIDE, -mean);
        var a = DoubleVector.zero(WIDE);
        var b = a;
        var c = a;
        var d = a;
        long apart = n / (4 * LANES) * LANES;
        for (long i = 0; i < apart; i += LANES) {
            long at = x0 + i;
            var first = offset.add(FloatVector.fromMemorySegment(HALF, x, at * Float.BYTES, ORDER)
                    .convertShape(F2D, WIDE, 0));
            var second = offset.add(FloatVector.fromMemorySegment(HALF, x, (at + apart) * Float.BYTES, ORDER)
                    .convertShape(F2D, WIDE, 0));
            var third = offset.add(FloatVector.fromMemorySegment(HALF, x, (at + 2 * apart) * Float.BYTES, ORDER)
                    .convertShape(F2D, WIDE, 0));
            var fourth = offset.add(FloatVector.fromMemorySegment(HALF, x, (at + 3 * apart) * Float.BYTES, ORDER)
                    .convertShape(F2D, WIDE, 0));
            a = first.fma(first, a);
            b = second.fma(second, b);
            c = third.fma(third, c);
            d = fourth.fma(fourth, d);
        }
        double sum = VectorMath.total(a.add(b).add(c.add(d)));
        for (long i = 4 * apart; i < n; i++) {
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
            var left = FloatVector.fromMemorySegment(HALF, a, (a0 + i) * Float.BYTES, ORDER);
            var right = FloatVector.fromMemorySegment(HALF, b, (b0 + i) * Float.BYTES, ORDER);
            sum = ((DoubleVector) left.convertShape(F2D, WIDE, 0)).fma(right.convertShape(F2D, WIDE, 0), sum);
        }
        if (i < n) {
            var mask = HALF.indexInRange(i, n);
            var left = FloatVector.fromMemorySegment(HALF, a, (a0 + i) * Float.BYTES, ORDER, mask);
            var right = FloatVector.fromMemorySegment(HALF, b, (b0 + i) * Float.BYTES, ORDER, mask);
            sum = ((DoubleVector) left.convertShape(F2D, WIDE, 0)).fma(right.convertShape(F2D, WIDE, 0), sum);
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
                a = a.add(FloatVector.fromMemorySegment(HALF, x, at * Float.BYTES, ORDER)
                        .convertShape(F2D, WIDE, 0));
                b = b.add(FloatVector.fromMemorySegment(HALF, x, (at + LANES) * Float.BYTES, ORDER)
                        .convertShape(F2D, WIDE, 0));
                c = c.add(FloatVector.fromMemorySegment(HALF, x, (at + 2 * LANES) * Float.BYTES, ORDER)
                        .convertShape(F2D, WIDE, 0));
                d = d.add(FloatVector.fromMemorySegment(HALF, x, (at + 3 * LANES) * Float.BYTES, ORDER)
                        .convertShape(F2D, WIDE, 0));
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
                sum = sum.add(FloatVector.fromMemorySegment(HALF, x, (x0 + i * xi + j) * Float.BYTES, ORDER, mask)
                        .convertShape(F2D, WIDE, 0));
            }
            var total = add
                    ? sum.add(FloatVector.fromMemorySegment(HALF, y, (y0 + j) * Float.BYTES, ORDER, mask)
                            .convertShape(F2D, WIDE, 0))
                    : sum;
            narrow(total).intoMemorySegment(y, (y0 + j) * Float.BYTES, ORDER, mask);
        }
    }

    private static void store(DoubleVector sum, MemorySegment y, long at, boolean add) {
        var total = add
                ? sum.add(FloatVector.fromMemorySegment(HALF, y, at * Float.BYTES, ORDER)
                        .convertShape(F2D, WIDE, 0))
                : sum;
        narrow(total).intoMemorySegment(y, at * Float.BYTES, ORDER);
    }

    private static FloatVector narrow(DoubleVector x) {
        return (FloatVector) x.convertShape(D2F, HALF, 0);
    }
}
