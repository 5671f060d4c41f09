package org.toydiff.bench.blas;

import static org.toydiff.internal.mkl.Mkl.*;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.openblas.OpenBlas;

/// The timed calls that oneMKL adds to CBLAS; AOCL-BLAS has those on packed matrices too.
final class MklCalls {
    private static final int ROW_MAJOR = OpenBlas.CblasRowMajor();

    /// `CblasPacked` and `CblasBMatrix` of `mkl_cblas.h`.
    private static final int PACKED = 151;

    private static final int B_MATRIX = 162;

    private MklCalls() {}

    /// Returns the loop of products of BFLOAT16 matrices.
    static Calls.Loop bfloat16(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int k = o.problem.k();
        int ta = Calls.op(o, 0);
        int tb = Calls.op(o, 1);
        int lda = o.ld(0);
        int ldb = o.ld(1);
        int ldc = o.ld(2);
        MemorySegment a = o.segment(0);
        MemorySegment b = o.segment(1);
        MemorySegment c = o.segment(2);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_gemm_bf16bf16f32(ROW_MAJOR, ta, tb, m, n, k, 1, a, lda, b, ldb, 0, c, ldc);
            }
        };
    }

    /// Returns the memory of the packed B, whose size the library knows.
    private static MemorySegment packed(Operands o) {
        Problem p = o.problem;
        if (o.packed == null) {
            o.packed = o.allocate(cblas_sgemm_pack_get_size(B_MATRIX, p.m(), p.n(), p.k()));
        }
        return o.packed;
    }

    /// Returns the loop that packs B.
    static Calls.Loop pack(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int k = o.problem.k();
        int tb = Calls.op(o, 1);
        int ldb = o.ld(1);
        MemorySegment b = o.segment(1);
        MemorySegment packed = packed(o);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_sgemm_pack(ROW_MAJOR, B_MATRIX, tb, m, n, k, 1, b, ldb, packed);
            }
        };
    }

    /// Packs B and returns the loop of products with it.
    static Calls.Loop compute(Operands o) {
        pack(o).run(1);
        return computePacked(o);
    }

    /// Returns the loop of products with the B that was packed last.
    static Calls.Loop computePacked(Operands o) {
        int n = o.problem.n();
        int m = o.problem.m();
        int k = o.problem.k();
        int ta = Calls.op(o, 0);
        int lda = o.ld(0);
        int ldb = o.ld(1);
        int ldc = o.ld(2);
        MemorySegment a = o.segment(0);
        MemorySegment packed = packed(o);
        MemorySegment c = o.segment(2);
        return calls -> {
            for (int i = 0; i < calls; i++) {
                cblas_sgemm_compute(ROW_MAJOR, ta, PACKED, m, n, k, a, lda, packed, ldb, 0, c, ldc);
            }
        };
    }
}
