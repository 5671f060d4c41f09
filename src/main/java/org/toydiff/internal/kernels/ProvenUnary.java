package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Precision;

/// A kernel of one operand: its scalar form or, over contiguous rows, its vector form while it is proven.
final class ProvenUnary implements Kernel.Unary {
    private final Kernel.Unary scalar;
    private final Vectors vectors;
    private final int lanes;

    ProvenUnary(String name, Expression result) {
        scalar = ScalarLoop.unary(name, result);
        vectors = new Vectors(name, result, scalar);
        lanes = Lanes.of(result.precision() == Precision.FLOAT64);
    }

    private static final class Vectors extends ProvenLoop {
        private final String name;
        private final Expression result;
        private final Kernel.Unary scalar;
        private final boolean wide;
        private Kernel.Unary loop;

        Vectors(String name, Expression result, Kernel.Unary scalar) {
            super(name);
            this.name = name;
            this.result = result;
            this.scalar = scalar;
            wide = result.precision() == Precision.FLOAT64;
        }

        @Override
        void define() {
            loop = VectorLoop.unary(name + "Vectors", result, Lanes.SHAPE, scalar);
        }

        @Override
        void runVectors(long elements) {
            loop.run(ScratchOperand.ones(wide), 0, 0, 1, ScratchOperand.RESULTS, 0, 0, 1, 1, elements);
        }

        @Override
        int trialLength() {
            return 4 * Lanes.of(wide);
        }
    }

    @Override
    public void run(
            MemorySegment x, long x0, long xi, long xj, MemorySegment y, long y0, long yi, long yj, long n1, long n2) {
        boolean inRows = xj == 1 && yj == 1 && n2 >= lanes;
        if (inRows && vectors.isProven()) {
            long before = vectors.begin();
            vectors.loop.run(x, x0, xi, xj, y, y0, yi, yj, n1, n2);
            vectors.end(before);
            return;
        }
        scalar.run(x, x0, xi, xj, y, y0, yi, yj, n1, n2);
        if (inRows) {
            vectors.advance(n1 * n2);
        }
    }
}
