package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/// Sums of doubles. Accesses are written out as in [FloatVectorRuns].
final class DoubleVectorSums {
    private static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private DoubleVectorSums() {}

    static double sum(MemorySegment x, long x0, long n) {
        var a = DoubleVector.zero(SPECIES);
        var b = a;
        long i = 0;
        for (long end = n - 2 * LANES; i <= end; i += 2 * LANES) {
            a = a.add(DoubleVector.fromMemorySegment(SPECIES, x, (x0 + i) * Double.BYTES, ORDER));
            b = b.add(DoubleVector.fromMemorySegment(SPECIES, x, (x0 + i + LANES) * Double.BYTES, ORDER));
        }
        for (; i < n; i += LANES) {
            a = a.add(DoubleVector.fromMemorySegment(
                    SPECIES, x, (x0 + i) * Double.BYTES, ORDER, SPECIES.indexInRange(i, n)));
        }
        return VectorMath.total(a.add(b));
    }

    static double squares(MemorySegment x, long x0, long n, double mean) {
        var sum = DoubleVector.zero(SPECIES);
        long i = 0;
        for (long end = n - LANES; i <= end; i += LANES) {
            var deviation = DoubleVector.fromMemorySegment(SPECIES, x, (x0 + i) * Double.BYTES, ORDER)
                    .sub(mean);
            sum = deviation.fma(deviation, sum);
        }
        double total = VectorMath.total(sum);
        for (; i < n; i++) {
            double deviation = x.getAtIndex(java.lang.foreign.ValueLayout.JAVA_DOUBLE, x0 + i) - mean;
            total += deviation * deviation;
        }
        return total;
    }

    static double dot(MemorySegment a, long a0, MemorySegment b, long b0, long n) {
        var sum = DoubleVector.zero(SPECIES);
        long i = 0;
        for (long end = n - LANES; i <= end; i += LANES) {
            sum = DoubleVector.fromMemorySegment(SPECIES, a, (a0 + i) * Double.BYTES, ORDER)
                    .fma(DoubleVector.fromMemorySegment(SPECIES, b, (b0 + i) * Double.BYTES, ORDER), sum);
        }
        if (i < n) {
            var mask = SPECIES.indexInRange(i, n);
            var u = DoubleVector.fromMemorySegment(SPECIES, a, (a0 + i) * Double.BYTES, ORDER, mask);
            var v = DoubleVector.fromMemorySegment(SPECIES, b, (b0 + i) * Double.BYTES, ORDER, mask);
            sum = u.fma(v, sum);
        }
        return VectorMath.total(sum);
    }

    static void sumColumns(
            MemorySegment x, long x0, long xi, long rows, MemorySegment y, long y0, long n, boolean add) {
        for (long j = 0; j < n; j += LANES) {
            var mask = SPECIES.indexInRange(j, n);
            long yAt = (y0 + j) * Double.BYTES;
            var sum = add ? DoubleVector.fromMemorySegment(SPECIES, y, yAt, ORDER, mask) : DoubleVector.zero(SPECIES);
            for (long i = 0; i < rows; i++) {
                sum = sum.add(
                        DoubleVector.fromMemorySegment(SPECIES, x, (x0 + i * xi + j) * Double.BYTES, ORDER, mask));
            }
            sum.intoMemorySegment(y, yAt, ORDER, mask);
        }
    }
}
