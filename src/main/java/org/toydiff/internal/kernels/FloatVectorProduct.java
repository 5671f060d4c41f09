package org.toydiff.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Products of floats that read their operands in place; the version for doubles is generated from this file by
/// exchanging the type.
///
/// Eight vectors of the result stay in registers while the loop runs over k: eight independent sums keep the
/// multiply-add unit busy. (Sixteen need fewer loads, but exceed the compiler's inlining limit: it then boxes them,
/// and the loop is four times slower.)
final class FloatVectorProduct implements SmallProduct {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /// Rows of the result per block.
    private static final int ROWS = 4;

    /// Vectors of columns of the result per block.
    private static final int PAIR = 2;

    private static FloatVector load(MemorySegment x, long at) {
        return FloatVector.fromMemorySegment(SPECIES, x, at * Float.BYTES, ORDER);
    }

    private static FloatVector repeat(MemorySegment x, long at) {
        return FloatVector.broadcast(SPECIES, x.getAtIndex(JAVA_FLOAT, at));
    }

    private static void store(FloatVector sum, MemorySegment y, long at) {
        sum.intoMemorySegment(y, at * Float.BYTES, ORDER);
    }

    @Override
    public boolean fits(int m, int n) {
        return m % ROWS == 0 && n % LANES == 0;
    }

    @Override
    public void multiply(
            MemorySegment a,
            long a0,
            long ai,
            MemorySegment b,
            long b0,
            long bk,
            MemorySegment y,
            long y0,
            long yi,
            int m,
            int n,
            int k) {
        int j = 0;
        for (int end = n - PAIR * LANES; j <= end; j += PAIR * LANES) {
            for (int i = 0; i < m; i += ROWS) {
                block(a, a0 + i * ai, ai, b, b0 + j, bk, y, y0 + i * yi + j, yi, k);
            }
        }
        for (int i = 0; i < m && j < n; i += ROWS) {
            column(a, a0 + i * ai, ai, b, b0 + j, bk, y, y0 + i * yi + j, yi, k);
        }
    }

    private static void block(
            MemorySegment a,
            long a0,
            long ai,
            MemorySegment b,
            long b0,
            long bk,
            MemorySegment y,
            long y0,
            long yi,
            int k) {
        FloatVector c00 = FloatVector.zero(SPECIES), c01 = c00;
        FloatVector c10 = c00, c11 = c00;
        FloatVector c20 = c00, c21 = c00;
        FloatVector c30 = c00, c31 = c00;
        for (int l = 0; l < k; l++) {
            var v0 = load(b, b0 + l * bk);
            var v1 = load(b, b0 + l * bk + LANES);
            var u = repeat(a, a0 + l);
            c00 = u.fma(v0, c00);
            c01 = u.fma(v1, c01);
            u = repeat(a, a0 + ai + l);
            c10 = u.fma(v0, c10);
            c11 = u.fma(v1, c11);
            u = repeat(a, a0 + 2 * ai + l);
            c20 = u.fma(v0, c20);
            c21 = u.fma(v1, c21);
            u = repeat(a, a0 + 3 * ai + l);
            c30 = u.fma(v0, c30);
            c31 = u.fma(v1, c31);
        }
        store(c00, y, y0);
        store(c01, y, y0 + LANES);
        store(c10, y, y0 + yi);
        store(c11, y, y0 + yi + LANES);
        store(c20, y, y0 + 2 * yi);
        store(c21, y, y0 + 2 * yi + LANES);
        store(c30, y, y0 + 3 * yi);
        store(c31, y, y0 + 3 * yi + LANES);
    }

    /// Computes the last vector of columns when their number is odd.
    private static void column(
            MemorySegment a,
            long a0,
            long ai,
            MemorySegment b,
            long b0,
            long bk,
            MemorySegment y,
            long y0,
            long yi,
            int k) {
        FloatVector c0 = FloatVector.zero(SPECIES), c1 = c0, c2 = c0, c3 = c0;
        for (int l = 0; l < k; l++) {
            var v = load(b, b0 + l * bk);
            c0 = repeat(a, a0 + l).fma(v, c0);
            c1 = repeat(a, a0 + ai + l).fma(v, c1);
            c2 = repeat(a, a0 + 2 * ai + l).fma(v, c2);
            c3 = repeat(a, a0 + 3 * ai + l).fma(v, c3);
        }
        store(c0, y, y0);
        store(c1, y, y0 + yi);
        store(c2, y, y0 + 2 * yi);
        store(c3, y, y0 + 3 * yi);
    }
}
