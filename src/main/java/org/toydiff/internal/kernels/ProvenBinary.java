package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Precision;

/// A kernel of two operands: its scalar form or, while it is proven, a vector form, over rows that are contiguous
/// or, for one operand, a single repeated element.
final class ProvenBinary implements Kernel.Binary {
    private final Kernel.Binary scalar;
    private final int lanes;
    private final Vectors rows;
    private final Vectors repeatedA;
    private final Vectors repeatedB;

    ProvenBinary(String name, Expression result) {
        scalar = ScalarLoop.binary(name, result);
        lanes = Lanes.of(result.precision() == Precision.FLOAT64);
        rows = new Vectors(name, result, scalar, VectorLoop.NONE);
        repeatedA = new Vectors(name, result, scalar, 0);
        repeatedB = new Vectors(name, result, scalar, 1);
    }

    private static final class Vectors extends ProvenLoop {
        private final String name;
        private final Expression result;
        private final Kernel.Binary scalar;
        private final boolean wide;
        private final int repeated;
        private Kernel.Binary loop;

        Vectors(String name, Expression result, Kernel.Binary scalar, int repeated) {
            super(repeated == VectorLoop.NONE ? name : name + " with operand " + repeated + " repeated");
            this.name = name;
            this.result = result;
            this.scalar = scalar;
            this.repeated = repeated;
            wide = result.precision() == Precision.FLOAT64;
        }

        @Override
        void define() {
            loop = VectorLoop.binary(name + "Vectors", result, Lanes.SHAPE, repeated, scalar);
        }

        @Override
        void runVectors(long elements) {
            MemorySegment ones = ScratchOperand.ones(wide);
            loop.run(ones, 0, 0, 1, ones, 0, 0, 1, ScratchOperand.RESULTS, 0, 0, 1, 1, elements);
        }

        @Override
        int trialLength() {
            return 4 * Lanes.of(wide);
        }
    }

    /// {@return the form for rows with these steps, or null}
    private Vectors form(long aj, long bj, long yj, long n2) {
        if (yj != 1 || n2 < lanes) {
            return null;
        }
        if (aj == 1) {
            return bj == 1 ? rows : bj == 0 ? repeatedB : null;
        }
        return aj == 0 && bj == 1 ? repeatedA : null;
    }

    @Override
    public void run(
            MemorySegment a,
            long a0,
            long ai,
            long aj,
            MemorySegment b,
            long b0,
            long bi,
            long bj,
            MemorySegment y,
            long y0,
            long yi,
            long yj,
            long n1,
            long n2) {
        Vectors vectors = form(aj, bj, yj, n2);
        if (vectors != null && vectors.isProven()) {
            long before = vectors.begin();
            vectors.loop.run(a, a0, ai, aj, b, b0, bi, bj, y, y0, yi, yj, n1, n2);
            vectors.end(before);
            return;
        }
        scalar.run(a, a0, ai, aj, b, b0, bi, bj, y, y0, yi, yj, n1, n2);
        if (vectors != null) {
            vectors.advance(n1 * n2);
        }
    }
}
