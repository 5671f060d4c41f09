package org.toydiff.internal.linalg;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicLong;
import org.toydiff.internal.launch.Scratch;
import org.toydiff.internal.workers.Work;
import org.toydiff.internal.workers.Workers;

/// Work on each matrix of a batch. A part is one matrix, or several small ones.
///
/// Matrices lie one after another in row-major order, offsets and sizes are in elements. LAPACK reads such a matrix as
/// its transpose, since its own are column-major.
public abstract sealed class MatrixWork extends Work
        permits DeterminantWork, LuSolveWork, LuWork, SquareWork, ThinFactorWork, TriangularSolveWork {
    /// The result of [#run] where no matrix failed.
    public static final long SUCCESS = Long.MAX_VALUE;

    /// The place at which a matrix fails if an element that is not finite keeps its decomposition from existing.
    public static final int NOT_FINITE = Integer.MAX_VALUE;

    /// Elements of a matrix per part, unless a matrix is larger.
    private static final long PART = 1 << 12;

    final boolean wide;
    private final long perPart;
    private final AtomicLong failure = new AtomicLong();
    private long batch;

    /// @param wide whether elements are FLOAT64 and not FLOAT32
    /// @param elements the number of elements of a matrix
    MatrixWork(boolean wide, long elements) {
        this.wide = wide;
        perPart = Math.max(1, PART / Math.max(1, elements));
    }

    /// Works on all matrices.
    ///
    /// @param batch the number of matrices
    /// @return the first matrix that failed, shifted left by 32, and LAPACK's number of the place where it did; or
    ///     [#SUCCESS]
    final long run(long batch) {
        this.batch = batch;
        failure.set(SUCCESS);
        Workers.run(this, parts(batch, perPart));
        return failure.get();
    }

    @Override
    protected final void part(long index) {
        MemorySegment scratch = Scratch.take();
        try {
            for (long i = index * perPart; i < Math.min((index + 1) * perPart, batch); i++) {
                int info = compute(i, scratch);
                if (info != 0) {
                    failure.accumulateAndGet(i << 32 | info, Math::min);
                }
            }
        } finally {
            Scratch.give(scratch);
        }
    }

    /// Works on one matrix, while other threads work on others.
    ///
    /// @param index its place in the batch
    /// @param scratch memory for pivots or reflectors
    /// @return 0, or the place where it failed, counted from 1
    abstract int compute(long index, MemorySegment scratch);

    /// Returns an offset in bytes.
    final long bytes(long elements) {
        return elements * (wide ? Double.BYTES : Float.BYTES);
    }

    final double get(MemorySegment memory, long at) {
        return wide ? memory.getAtIndex(ValueLayout.JAVA_DOUBLE, at) : memory.getAtIndex(ValueLayout.JAVA_FLOAT, at);
    }

    final void set(MemorySegment memory, long at, double value) {
        if (wide) {
            memory.setAtIndex(ValueLayout.JAVA_DOUBLE, at, value);
        } else {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, at, (float) value);
        }
    }

    /// Sets n elements to a value.
    final void fill(MemorySegment memory, long at, long n, double value) {
        for (long i = 0; i < n; i++) {
            set(memory, at + i, value);
        }
    }

    /// Returns whether n elements are finite.
    final boolean isFinite(MemorySegment memory, long at, long n) {
        double sum = 0;
        for (long i = 0; i < n; i++) {
            // 0 of a finite element, else NaN.
            sum += get(memory, at + i) * 0;
        }
        return sum == 0;
    }
}
