package org.toydiff.bench.blas;

import static org.toydiff.internal.lapacke.Lapacke.*;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

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
        boolean wide = o.problem.wide();
        return switch (o.problem.routine()) {
            case GESV -> wide ? dgesv(o) : sgesv(o);
            case POTRF -> wide ? dpotrf(o) : spotrf(o);
            case GEQRF -> wide ? dgeqrf(o) : sgeqrf(o);
            case SYEVD -> wide ? dsyevd(o) : ssyevd(o);
            case GESDD -> wide ? dgesdd(o) : sgesdd(o);
            default -> throw new AssertionError(o.problem.routine());
        };
    }

    private static MemorySegment pivots(Operands o) {
        return o.allocate(o.problem.n() * ValueLayout.JAVA_INT.byteSize());
    }

    private static Calls.Loop sgesv(Operands o) {
        int n = o.problem.n();
        int lda = o.ld(0);
        int ldb = o.ld(1);
        MemorySegment a = o.segment(0);
        MemorySegment b = o.segment(1);
        MemorySegment pivots = pivots(o);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.restore();
                o.info = LAPACKE_sgesv(LAYOUT, n, 1, a, lda, pivots, b, ldb);
            }
        };
    }

    private static Calls.Loop spotrf(Operands o) {
        int n = o.problem.n();
        int lda = o.ld(0);
        MemorySegment a = o.segment(0);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.restore();
                o.info = LAPACKE_spotrf(LAYOUT, UPPER, n, a, lda);
            }
        };
    }

    private static Calls.Loop sgeqrf(Operands o) {
        int m = o.problem.m();
        int n = o.problem.n();
        int lda = o.ld(0);
        MemorySegment a = o.segment(0);
        MemorySegment tau = o.segment(1);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.restore();
                o.info = LAPACKE_sgeqrf(LAYOUT, m, n, a, lda, tau);
            }
        };
    }

    private static Calls.Loop ssyevd(Operands o) {
        int n = o.problem.n();
        int lda = o.ld(0);
        MemorySegment a = o.segment(0);
        MemorySegment w = o.segment(1);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.restore();
                o.info = LAPACKE_ssyevd(LAYOUT, VECTORS, UPPER, n, a, lda, w);
            }
        };
    }

    private static Calls.Loop sgesdd(Operands o) {
        int m = o.problem.m();
        int n = o.problem.n();
        int lda = o.ld(0);
        int ldu = o.ld(2);
        int ldvt = o.ld(3);
        MemorySegment a = o.segment(0);
        MemorySegment s = o.segment(1);
        MemorySegment u = o.segment(2);
        MemorySegment vt = o.segment(3);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.restore();
                o.info = LAPACKE_sgesdd(LAYOUT, SOME, m, n, a, lda, s, u, ldu, vt, ldvt);
            }
        };
    }

    private static Calls.Loop dgesv(Operands o) {
        int n = o.problem.n();
        int lda = o.ld(0);
        int ldb = o.ld(1);
        MemorySegment a = o.segment(0);
        MemorySegment b = o.segment(1);
        MemorySegment pivots = pivots(o);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.restore();
                o.info = LAPACKE_dgesv(LAYOUT, n, 1, a, lda, pivots, b, ldb);
            }
        };
    }

    private static Calls.Loop dpotrf(Operands o) {
        int n = o.problem.n();
        int lda = o.ld(0);
        MemorySegment a = o.segment(0);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.restore();
                o.info = LAPACKE_dpotrf(LAYOUT, UPPER, n, a, lda);
            }
        };
    }

    private static Calls.Loop dgeqrf(Operands o) {
        int m = o.problem.m();
        int n = o.problem.n();
        int lda = o.ld(0);
        MemorySegment a = o.segment(0);
        MemorySegment tau = o.segment(1);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.restore();
                o.info = LAPACKE_dgeqrf(LAYOUT, m, n, a, lda, tau);
            }
        };
    }

    private static Calls.Loop dsyevd(Operands o) {
        int n = o.problem.n();
        int lda = o.ld(0);
        MemorySegment a = o.segment(0);
        MemorySegment w = o.segment(1);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.restore();
                o.info = LAPACKE_dsyevd(LAYOUT, VECTORS, UPPER, n, a, lda, w);
            }
        };
    }

    private static Calls.Loop dgesdd(Operands o) {
        int m = o.problem.m();
        int n = o.problem.n();
        int lda = o.ld(0);
        int ldu = o.ld(2);
        int ldvt = o.ld(3);
        MemorySegment a = o.segment(0);
        MemorySegment s = o.segment(1);
        MemorySegment u = o.segment(2);
        MemorySegment vt = o.segment(3);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.restore();
                o.info = LAPACKE_dgesdd(LAYOUT, SOME, m, n, a, lda, s, u, ldu, vt, ldvt);
            }
        };
    }
}
