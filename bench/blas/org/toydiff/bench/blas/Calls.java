package org.toydiff.bench.blas;

import static org.toydiff.internal.openblas.OpenBlas.*;

import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;

/// The timed calls, each in a separate loop around the generated binding. `native/blas.c` has the same loops.
///
/// The loops allocate nothing: segments belong to the caller, and all other arguments are numbers.
final class Calls {
    /// Small enough that many calls do not change the order of magnitude of a result.
    static final double ALPHA = 0x1p-10;

    /// Keeps magnitudes.
    static final double SCAL_ALPHA = -1;

    private static final int ROW_MAJOR = CblasRowMajor();
    private static final int LOWER = CblasLower();
    private static final int NON_UNIT = CblasNonUnit();

    private Calls() {}

    /// Repeats the call of one problem.
    interface Loop {
        /// Runs the call.
        ///
        /// @param calls the number of times
        void run(int calls);
    }

    /// Returns the loop for the operands' problem.
    static Loop of(Operands o) {
        return o.problem.wide() ? ofDouble(o) : ofFloat(o);
    }

    static int op(Operands o, int operand) {
        return o.problem.transposed(operand) ? CblasTrans() : CblasNoTrans();
    }

    private static int side(Operands o) {
        return o.problem.left() ? CblasLeft() : CblasRight();
    }

    /// Returns a segment for each matrix of a batch.
    private static MemorySegment[] matrices(Operands o, int operand) {
        long bytes = (long) o.stride(operand) * o.problem.precision(operand).bytes;
        MemorySegment all = o.segment(operand);
        return IntStream.range(0, o.problem.batch())
                .mapToObj(index -> all.asSlice(index * bytes))
                .toArray(MemorySegment[]::new);
    }

    private static Loop ofFloat(Operands o) {
        return switch (o.problem.routine()) {
            case AXPY -> saxpy(o);
            case DOT -> sdot(o);
            case NRM2 -> snrm2(o);
            case SCAL -> sscal(o);
            case COPY -> scopy(o);
            case GEMV -> sgemv(o);
            case GER -> sger(o);
            case GEMM -> sgemm(o);
            case GEMM_BATCH -> sgemmBatch(o);
            case GEMM_BATCH_STRIDED -> sgemmBatchStrided(o);
            case GEMM_BF16 -> MklCalls.bfloat16(o);
            case GEMM_PACK -> MklCalls.pack(o);
            case GEMM_COMPUTE -> MklCalls.compute(o);
            case SYRK -> ssyrk(o);
            case TRSM -> strsm(o);
            case GESV, POTRF, GEQRF, SYEVD, GESDD -> LapackCalls.of(o);
        };
    }

    private static Loop saxpy(Operands o) {
        int n = o.problem.n();
        MemorySegment x = o.segment(0);
        MemorySegment y = o.segment(1);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_saxpy(n, (float) ALPHA, x, 1, y, 1);
            }
        };
    }

    private static Loop sdot(Operands o) {
        int n = o.problem.n();
        MemorySegment x = o.segment(0);
        MemorySegment y = o.segment(1);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.scalar = cblas_sdot(n, x, 1, y, 1);
            }
        };
    }

    private static Loop snrm2(Operands o) {
        int n = o.problem.n();
        MemorySegment x = o.segment(0);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.scalar = cblas_snrm2(n, x, 1);
            }
        };
    }

    private static Loop sscal(Operands o) {
        int n = o.problem.n();
        MemorySegment x = o.segment(0);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_sscal(n, (float) SCAL_ALPHA, x, 1);
            }
        };
    }

    private static Loop scopy(Operands o) {
        int n = o.problem.n();
        MemorySegment x = o.segment(0);
        MemorySegment y = o.segment(1);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_scopy(n, x, 1, y, 1);
            }
        };
    }

    private static Loop sgemv(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int ta = op(o, 0);
        int lda = o.ld(0);
        MemorySegment a = o.segment(0);
        MemorySegment x = o.segment(1);
        MemorySegment y = o.segment(2);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_sgemv(ROW_MAJOR, ta, m, n, 1, a, lda, x, 1, 0, y, 1);
            }
        };
    }

    private static Loop sger(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int lda = o.ld(2);
        MemorySegment x = o.segment(0);
        MemorySegment y = o.segment(1);
        MemorySegment a = o.segment(2);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_sger(ROW_MAJOR, m, n, (float) ALPHA, x, 1, y, 1, a, lda);
            }
        };
    }

    private static Loop sgemm(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int k = o.problem.k();
        int ta = op(o, 0);
        int tb = op(o, 1);
        int lda = o.ld(0);
        int ldb = o.ld(1);
        int ldc = o.ld(2);
        MemorySegment a = o.segment(0);
        MemorySegment b = o.segment(1);
        MemorySegment c = o.segment(2);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_sgemm(ROW_MAJOR, ta, tb, m, n, k, 1, a, lda, b, ldb, 0, c, ldc);
            }
        };
    }

    private static Loop sgemmBatch(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int k = o.problem.k();
        int ta = op(o, 0);
        int tb = op(o, 1);
        int lda = o.ld(0);
        int ldb = o.ld(1);
        int ldc = o.ld(2);
        MemorySegment[] a = matrices(o, 0);
        MemorySegment[] b = matrices(o, 1);
        MemorySegment[] c = matrices(o, 2);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                for (int j = 0; j < a.length; j++) {
                    cblas_sgemm(ROW_MAJOR, ta, tb, m, n, k, 1, a[j], lda, b[j], ldb, 0, c[j], ldc);
                }
            }
        };
    }

    private static Loop sgemmBatchStrided(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int k = o.problem.k();
        int ta = op(o, 0);
        int tb = op(o, 1);
        int lda = o.ld(0);
        int ldb = o.ld(1);
        int ldc = o.ld(2);
        int sa = o.stride(0);
        int sb = o.stride(1);
        int sc = o.stride(2);
        int batch = o.problem.batch();
        MemorySegment a = o.segment(0);
        MemorySegment b = o.segment(1);
        MemorySegment c = o.segment(2);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_sgemm_batch_strided(ROW_MAJOR, ta, tb, m, n, k, 1, a, lda, sa, b, ldb, sb, 0, c, ldc, sc, batch);
            }
        };
    }

    private static Loop ssyrk(Operands o) {
        int n = o.problem.n();
        int k = o.problem.k();
        int ta = op(o, 0);
        int lda = o.ld(0);
        int ldc = o.ld(1);
        MemorySegment a = o.segment(0);
        MemorySegment c = o.segment(1);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_ssyrk(ROW_MAJOR, LOWER, ta, n, k, 1, a, lda, 0, c, ldc);
            }
        };
    }

    private static Loop strsm(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int side = side(o);
        int ta = op(o, 0);
        int lda = o.ld(0);
        int ldb = o.ld(1);
        MemorySegment a = o.segment(0);
        MemorySegment b = o.segment(1);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_strsm(ROW_MAJOR, side, LOWER, ta, NON_UNIT, m, n, 1, a, lda, b, ldb);
            }
        };
    }

    private static Loop ofDouble(Operands o) {
        return switch (o.problem.routine()) {
            case AXPY -> daxpy(o);
            case DOT -> ddot(o);
            case NRM2 -> dnrm2(o);
            case SCAL -> dscal(o);
            case COPY -> dcopy(o);
            case GEMV -> dgemv(o);
            case GER -> dger(o);
            case GEMM -> dgemm(o);
            case GEMM_BATCH -> dgemmBatch(o);
            case GEMM_BATCH_STRIDED -> dgemmBatchStrided(o);
            case SYRK -> dsyrk(o);
            case TRSM -> dtrsm(o);
            case GESV, POTRF, GEQRF, SYEVD, GESDD -> LapackCalls.of(o);
            case GEMM_BF16, GEMM_PACK, GEMM_COMPUTE -> throw new AssertionError(o.problem);
        };
    }

    private static Loop daxpy(Operands o) {
        int n = o.problem.n();
        MemorySegment x = o.segment(0);
        MemorySegment y = o.segment(1);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_daxpy(n, ALPHA, x, 1, y, 1);
            }
        };
    }

    private static Loop ddot(Operands o) {
        int n = o.problem.n();
        MemorySegment x = o.segment(0);
        MemorySegment y = o.segment(1);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.scalar = cblas_ddot(n, x, 1, y, 1);
            }
        };
    }

    private static Loop dnrm2(Operands o) {
        int n = o.problem.n();
        MemorySegment x = o.segment(0);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                o.scalar = cblas_dnrm2(n, x, 1);
            }
        };
    }

    private static Loop dscal(Operands o) {
        int n = o.problem.n();
        MemorySegment x = o.segment(0);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_dscal(n, SCAL_ALPHA, x, 1);
            }
        };
    }

    private static Loop dcopy(Operands o) {
        int n = o.problem.n();
        MemorySegment x = o.segment(0);
        MemorySegment y = o.segment(1);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_dcopy(n, x, 1, y, 1);
            }
        };
    }

    private static Loop dgemv(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int ta = op(o, 0);
        int lda = o.ld(0);
        MemorySegment a = o.segment(0);
        MemorySegment x = o.segment(1);
        MemorySegment y = o.segment(2);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_dgemv(ROW_MAJOR, ta, m, n, 1, a, lda, x, 1, 0, y, 1);
            }
        };
    }

    private static Loop dger(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int lda = o.ld(2);
        MemorySegment x = o.segment(0);
        MemorySegment y = o.segment(1);
        MemorySegment a = o.segment(2);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_dger(ROW_MAJOR, m, n, ALPHA, x, 1, y, 1, a, lda);
            }
        };
    }

    private static Loop dgemm(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int k = o.problem.k();
        int ta = op(o, 0);
        int tb = op(o, 1);
        int lda = o.ld(0);
        int ldb = o.ld(1);
        int ldc = o.ld(2);
        MemorySegment a = o.segment(0);
        MemorySegment b = o.segment(1);
        MemorySegment c = o.segment(2);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_dgemm(ROW_MAJOR, ta, tb, m, n, k, 1, a, lda, b, ldb, 0, c, ldc);
            }
        };
    }

    private static Loop dgemmBatch(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int k = o.problem.k();
        int ta = op(o, 0);
        int tb = op(o, 1);
        int lda = o.ld(0);
        int ldb = o.ld(1);
        int ldc = o.ld(2);
        MemorySegment[] a = matrices(o, 0);
        MemorySegment[] b = matrices(o, 1);
        MemorySegment[] c = matrices(o, 2);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                for (int j = 0; j < a.length; j++) {
                    cblas_dgemm(ROW_MAJOR, ta, tb, m, n, k, 1, a[j], lda, b[j], ldb, 0, c[j], ldc);
                }
            }
        };
    }

    private static Loop dgemmBatchStrided(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int k = o.problem.k();
        int ta = op(o, 0);
        int tb = op(o, 1);
        int lda = o.ld(0);
        int ldb = o.ld(1);
        int ldc = o.ld(2);
        int sa = o.stride(0);
        int sb = o.stride(1);
        int sc = o.stride(2);
        int batch = o.problem.batch();
        MemorySegment a = o.segment(0);
        MemorySegment b = o.segment(1);
        MemorySegment c = o.segment(2);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_dgemm_batch_strided(ROW_MAJOR, ta, tb, m, n, k, 1, a, lda, sa, b, ldb, sb, 0, c, ldc, sc, batch);
            }
        };
    }

    private static Loop dsyrk(Operands o) {
        int n = o.problem.n();
        int k = o.problem.k();
        int ta = op(o, 0);
        int lda = o.ld(0);
        int ldc = o.ld(1);
        MemorySegment a = o.segment(0);
        MemorySegment c = o.segment(1);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_dsyrk(ROW_MAJOR, LOWER, ta, n, k, 1, a, lda, 0, c, ldc);
            }
        };
    }

    private static Loop dtrsm(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int side = side(o);
        int ta = op(o, 0);
        int lda = o.ld(0);
        int ldb = o.ld(1);
        MemorySegment a = o.segment(0);
        MemorySegment b = o.segment(1);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_dtrsm(ROW_MAJOR, side, LOWER, ta, NON_UNIT, m, n, 1, a, lda, b, ldb);
            }
        };
    }
}
