package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.arithmetic.Precision;

/// A pass: its scalar form or, over runs that are not short, its vector form while it is proven.
final class ProvenPass implements Kernel.Pass {
    private final PassLoop scalar;
    private final Vectors vectors;
    private final int shortest;

    ProvenPass(PassDescription pass) {
        scalar = ScalarPass.of(pass);
        vectors = new Vectors(pass, scalar);
        shortest = 2 * pass.virtualLanes();
    }

    private static final class Vectors extends ProvenLoop {
        private final PassDescription pass;
        private final boolean wideStorage;
        private final double[] parameters = new double[Coefficients.COUNT];
        private final double[] totals;
        private final int trialLength;
        private final PassLoop scalar;
        private PassLoop loop;

        Vectors(PassDescription pass, PassLoop scalar) {
            super(pass.name());
            this.pass = pass;
            this.scalar = scalar;
            wideStorage = pass.storage() == Precision.FLOAT64;
            int folded = pass.folded().size();
            totals = folded > 1 ? new double[folded] : null;
            int lanes = pass.virtualLanes();
            trialLength = pass.inQuarters() ? pass.leastOfQuarters() + 3 * lanes : 4 * lanes;
        }

        @Override
        void define() {
            loop = VectorPass.of(pass, Lanes.SHAPE, scalar);
        }

        @Override
        int trialLength() {
            return trialLength;
        }

        /// Outputs go to memory whose contents nobody uses; a pass may read that memory too.
        @Override
        void runVectors(long elements) {
            MemorySegment x = pass.outputs().isEmpty() ? ScratchOperand.ones(wideStorage) : ScratchOperand.RESULTS;
            loop.run(x, 0, x, 0, x, 0, x, 0, x, 0, elements, parameters, totals);
        }
    }

    @Override
    public double run(
            MemorySegment a,
            long a0,
            MemorySegment b,
            long b0,
            MemorySegment c,
            long c0,
            MemorySegment d,
            long d0,
            MemorySegment e,
            long e0,
            long n,
            double[] parameters,
            double[] totals) {
        if (n >= shortest && vectors.isProven()) {
            long before = vectors.begin();
            double result = vectors.loop.run(a, a0, b, b0, c, c0, d, d0, e, e0, n, parameters, totals);
            vectors.end(before);
            return result;
        }
        double result = scalar.run(a, a0, b, b0, c, c0, d, d0, e, e0, n, parameters, totals);
        if (n >= shortest) {
            vectors.advance(n);
        }
        return result;
    }

    @Override
    public void rows(
            MemorySegment a,
            long a0,
            MemorySegment b,
            long b0,
            MemorySegment c,
            long c0,
            long ai,
            long bi,
            long ci,
            long rows,
            long n,
            MemorySegment numbers,
            long numbers0,
            int count,
            double[] parameters) {
        boolean isProven = n >= shortest && vectors.isProven();
        long before = isProven ? vectors.begin() : 0;
        PassLoop loop = isProven ? vectors.loop : scalar;
        loop.rows(a, a0, b, b0, c, c0, ai, bi, ci, rows, n, numbers, numbers0, count, parameters);
        if (isProven) {
            vectors.end(before);
        } else if (n >= shortest) {
            vectors.advance(rows * n);
        }
    }
}
