package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.Function;
import jdk.incubator.vector.VectorShape;
import org.toydiff.internal.arithmetic.Precision;

/// A fused loop: its scalar form or, over rows that are not short, its vector form while it is proven.
public final class ProvenFused implements Kernel.Fused {
    private final Kernel.Fused scalar;
    private final Vectors vectors;
    private final int lanes;

    /// Creates a loop whose vector form is made for the vectors that this machine prefers, whenever it is needed.
    ///
    /// @param steps the steps that the operands always have between columns, 0 or 1
    /// @param read the number of operands that are read, the first ones
    public ProvenFused(
            String name,
            Precision precision,
            long[] steps,
            int read,
            Kernel.Fused scalar,
            Function<VectorShape, Kernel.Fused> vectors) {
        this.scalar = scalar;
        boolean wide = precision == Precision.FLOAT64;
        lanes = Lanes.of(wide);
        this.vectors = new Vectors(name, wide, steps, read, vectors);
    }

    private static final class Vectors extends ProvenLoop {
        private final Function<VectorShape, Kernel.Fused> source;
        private final int lanes;
        private final MemorySegment[] operands;
        private final long[] starts;
        private final long[] steps;
        private Kernel.Fused loop;

        Vectors(String name, boolean wide, long[] steps, int read, Function<VectorShape, Kernel.Fused> source) {
            super(name);
            this.source = source;
            this.steps = steps.clone();
            lanes = Lanes.of(wide);
            operands = new MemorySegment[steps.length];
            Arrays.fill(operands, ScratchOperand.RESULTS);
            Arrays.fill(operands, 0, read, ScratchOperand.ones(wide));
            starts = new long[steps.length];
        }

        @Override
        void define() {
            loop = source.apply(Lanes.SHAPE);
        }

        @Override
        void runVectors(long elements) {
            loop.run(operands, starts, starts, steps, 0, 0, 1, elements);
        }

        @Override
        int trialLength() {
            return 4 * lanes;
        }
    }

    @Override
    public void run(
            MemorySegment[] operands,
            long[] starts,
            long[] rowSteps,
            long[] steps,
            long i0,
            long j0,
            long n1,
            long n2) {
        if (n2 >= lanes && vectors.isProven()) {
            long before = vectors.begin();
            vectors.loop.run(operands, starts, rowSteps, steps, i0, j0, n1, n2);
            vectors.end(before);
            return;
        }
        scalar.run(operands, starts, rowSteps, steps, i0, j0, n1, n2);
        if (n2 >= lanes) {
            vectors.advance(n1 * n2);
        }
    }
}
