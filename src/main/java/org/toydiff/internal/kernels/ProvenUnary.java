package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Precision;

/// A kernel of one operand: its scalar form or, over contiguous rows, its vector form while it is proven.
final class ProvenUnary implements Kernel.Unary {
    private final Kernel.Unary scalar;
    private final Vectors vectors;
    private final int lanes;

    /// Creates a kernel with a vector form of so many lanes. `operand` is the memory that it reads in trials.
    ProvenUnary(String name, Kernel.Unary scalar, Supplier<Kernel.Unary> vectors, int lanes, MemorySegment operand) {
        this.scalar = scalar;
        this.vectors = new Vectors(name, vectors, lanes, operand);
        this.lanes = lanes;
    }

    /// {@return the kernel that computes an expression}
    static ProvenUnary of(String name, Expression result) {
        Kernel.Unary scalar = ScalarLoop.unary(name, result);
        boolean wide = result.precision() == Precision.FLOAT64;
        return new ProvenUnary(
                name,
                scalar,
                () -> VectorLoop.unary(name + "Vectors", result, Lanes.SHAPE, scalar),
                Lanes.of(wide),
                ScratchOperand.ones(wide));
    }

    private static final class Vectors extends ProvenLoop {
        private final Supplier<Kernel.Unary> source;
        private final int lanes;
        private final MemorySegment operand;
        private Kernel.Unary loop;

        Vectors(String name, Supplier<Kernel.Unary> source, int lanes, MemorySegment operand) {
            super(name);
            this.source = source;
            this.lanes = lanes;
            this.operand = operand;
        }

        @Override
        void define() {
            loop = source.get();
        }

        @Override
        void runVectors(long elements) {
            loop.run(operand, 0, 0, 1, ScratchOperand.RESULTS, 0, 0, 1, 1, elements);
        }

        @Override
        int trialLength() {
            return 4 * lanes;
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
