package org.toydiff.bench.blas;

import static org.toydiff.internal.lapacke.Lapacke.*;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntSupplier;

/// The timed calls of LAPACKE. Each restores the operands that the call before it has destroyed; the time of that is
/// measured separately and subtracted.
final class LapackCalls {
    private static final int LAYOUT = LAPACK_COL_MAJOR();

    /// The upper triangle of a column-major matrix, which is the lower one of its rows in memory.
    private static final byte UPPER = 'U';

    /// Eigenvectors too.
    private static final byte VECTORS = 'V';

    /// As many singular vectors as there are singular values.
    private static final byte SOME = 'S';

    private LapackCalls() {}

    /// Returns the loop for the operands' problem.
    static Calls.Loop of(Operands o) {
        IntSupplier call =
                switch (o.problem.routine()) {
                    case GESV -> gesv(o);
                    case POTRF -> potrf(o);
                    case GEQRF -> geqrf(o);
                    case SYEVD -> syevd(o);
                    case GESDD -> gesdd(o);
                    default -> throw new AssertionError(o.problem.routine());
                };
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.restore();
                o.info = call.getAsInt();
            }
        };
    }

    private static IntSupplier gesv(Operands o) {
        boolean wide = o.problem.wide();
        int n = o.problem.n();
        int lda = o.ld(0);
        int ldb = o.ld(1);
        MemorySegment a = o.segment(0);
        MemorySegment b = o.segment(1);
        MemorySegment pivots = o.allocate(n * ValueLayout.JAVA_INT.byteSize());
        return () -> wide
                ? LAPACKE_dgesv(LAYOUT, n, 1, a, lda, pivots, b, ldb)
                : LAPACKE_sgesv(LAYOUT, n, 1, a, lda, pivots, b, ldb);
    }

    private static IntSupplier potrf(Operands o) {
        boolean wide = o.problem.wide();
        int n = o.problem.n();
        int lda = o.ld(0);
        MemorySegment a = o.segment(0);
        return () -> wide ? LAPACKE_dpotrf(LAYOUT, UPPER, n, a, lda) : LAPACKE_spotrf(LAYOUT, UPPER, n, a, lda);
    }

    private static IntSupplier geqrf(Operands o) {
        boolean wide = o.problem.wide();
        int m = o.problem.m();
        int n = o.problem.n();
        int lda = o.ld(0);
        MemorySegment a = o.segment(0);
        MemorySegment tau = o.segment(1);
        return () -> wide ? LAPACKE_dgeqrf(LAYOUT, m, n, a, lda, tau) : LAPACKE_sgeqrf(LAYOUT, m, n, a, lda, tau);
    }

    private static IntSupplier syevd(Operands o) {
        boolean wide = o.problem.wide();
        int n = o.problem.n();
        int lda = o.ld(0);
        MemorySegment a = o.segment(0);
        MemorySegment w = o.segment(1);
        return () -> wide
                ? LAPACKE_dsyevd(LAYOUT, VECTORS, UPPER, n, a, lda, w)
                : LAPACKE_ssyevd(LAYOUT, VECTORS, UPPER, n, a, lda, w);
    }

    private static IntSupplier gesdd(Operands o) {
        boolean wide = o.problem.wide();
        int m = o.problem.m();
        int n = o.problem.n();
        int lda = o.ld(0);
        int ldu = o.ld(2);
        int ldvt = o.ld(3);
        MemorySegment a = o.segment(0);
        MemorySegment s = o.segment(1);
        MemorySegment u = o.segment(2);
        MemorySegment vt = o.segment(3);
        return () -> wide
                ? LAPACKE_dgesdd(LAYOUT, SOME, m, n, a, lda, s, u, ldu, vt, ldvt)
                : LAPACKE_sgesdd(LAYOUT, SOME, m, n, a, lda, s, u, ldu, vt, ldvt);
    }
}
