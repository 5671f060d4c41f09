package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.VectorShape;
import org.toydiff.internal.arithmetic.Precision;

/// Products `y = a·b` that read their operands in place: the scalar form or, while it is proven, the vector form.
///
/// A BLAS library packs its operands first, which pays off from some hundred rows on; below, packing a weight costs
/// as much as multiplying it. Starts, strides and sizes are in elements.
///
/// Rejected for `a·bᵀ`: dot products. They were a sixth faster than the library at 32 rows, but only with
/// `reduceLanes`, which adds in no fixed order; in a fixed order they were slower.
public final class SmallProduct implements Kernel.Product {
    private static final PerPrecision<SmallProduct> KERNELS = new PerPrecision<>(SmallProduct::new);

    private final Kernel.Product scalar;
    private final Vectors vectors;
    private final int lanes;

    private SmallProduct(Precision precision) {
        scalar = ProductLoop.scalar(precision);
        vectors = new Vectors(precision);
        lanes = Lanes.of(precision == Precision.FLOAT64);
    }

    /// {@return the kernel for FLOAT32 or FLOAT64 (`wide`), or null where there is no Vector API: scalar loops would
    /// be slower than any library}
    public static SmallProduct of(boolean wide) {
        return Kernels.haveVectors() ? KERNELS.of(wide) : null;
    }

    private static final class Vectors extends ProvenLoop {
        private final Precision precision;
        private final boolean wide;
        private Kernel.Product loop;

        Vectors(Precision precision) {
            super("product" + (precision == Precision.FLOAT64 ? "Float64" : "Float32"));
            this.precision = precision;
            wide = precision == Precision.FLOAT64;
        }

        @Override
        void define() {
            loop = over(precision, Lanes.SHAPE);
        }

        /// Multiplies one row of blocks: a pair of vectors of columns, then a single one. `elements` is k.
        @Override
        void runVectors(long elements) {
            MemorySegment ones = ScratchOperand.ones(wide);
            int n = 3 * Lanes.of(wide);
            loop.run(ones, 0, 1, ones, 0, 1, ScratchOperand.RESULTS, 0, n, ProductLoop.ROWS, n, (int) elements);
        }

        @Override
        int trialLength() {
            return 4;
        }
    }

    /// {@return the form with vectors of that shape}
    static Kernel.Product over(Precision precision, VectorShape shape) {
        Class<?> type = precision == Precision.FLOAT64 ? double.class : float.class;
        return ProductLoop.vectors(precision, shape.vectorBitSize() / precision.size, shape.withLanes(type));
    }

    /// {@return whether [#run] takes these sizes: whole blocks, with no remainder}
    public boolean fits(int m, int n) {
        return m % ProductLoop.ROWS == 0 && n % lanes == 0;
    }

    @Override
    public void run(
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
        if (vectors.isProven()) {
            long before = vectors.begin();
            vectors.loop.run(a, a0, ai, b, b0, bk, y, y0, yi, m, n, k);
            vectors.end(before);
            return;
        }
        scalar.run(a, a0, ai, b, b0, bk, y, y0, yi, m, n, k);
        vectors.advance((long) m * n * k);
    }
}
