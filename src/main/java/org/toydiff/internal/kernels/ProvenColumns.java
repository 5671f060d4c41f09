package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import java.util.List;
import jdk.incubator.vector.VectorShape;
import org.toydiff.internal.arithmetic.Precision;

/// Sums of columns: the scalar form or, for at least a vector of columns, the vector form while it is proven.
final class ProvenColumns implements Kernel.Columns {
    private final Kernel.Columns scalar;
    private final Vectors vectors;
    private final int lanes = Lanes.of(true);

    ProvenColumns(Precision storage) {
        scalar = ColumnLoop.scalar(storage);
        vectors = new Vectors(storage, scalar);
    }

    private static final class Vectors extends ProvenLoop {
        private final Precision storage;
        private final boolean wide;
        private final Kernel.Columns scalar;
        private Kernel.Columns loop;

        Vectors(Precision storage, Kernel.Columns scalar) {
            super("columns" + (storage == Precision.FLOAT64 ? "Float64" : "Float32"));
            this.storage = storage;
            this.scalar = scalar;
            wide = storage == Precision.FLOAT64;
        }

        @Override
        void define() {
            loop = over(storage, Lanes.SHAPE, scalar);
        }

        @Override
        int trialLength() {
            return 5 * Lanes.of(true);
        }

        @Override
        void runVectors(long elements) {
            loop.run(ScratchOperand.ones(wide), 0, elements, 2, ScratchOperand.RESULTS, 0, elements, 1);
        }
    }

    /// {@return the loop with vectors of doubles of that shape}
    static Kernel.Columns over(Precision storage, VectorShape shape, Kernel.Columns scalar) {
        int lanes = shape.vectorBitSize() / Double.SIZE;
        Class<?> stored = storage == Precision.FLOAT64 ? double.class : float.class;
        var species = List.of(
                shape.withLanes(double.class),
                VectorShape.forBitSize(lanes * storage.size).withLanes(stored));
        return ColumnLoop.vectors(storage, lanes, species, scalar);
    }

    @Override
    public void run(MemorySegment x, long x0, long xi, long rows, MemorySegment y, long y0, long n, double divisor) {
        if (n >= lanes && vectors.isProven()) {
            long before = vectors.begin();
            vectors.loop.run(x, x0, xi, rows, y, y0, n, divisor);
            vectors.end(before);
            return;
        }
        scalar.run(x, x0, xi, rows, y, y0, n, divisor);
        if (n >= lanes) {
            vectors.advance(rows * n);
        }
    }
}
