package org.toydiff.internal.blas;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import org.toydiff.internal.openblas.OpenBlas;

/// The only caller of the generated bindings: row-major products of raw segments, FLOAT32 or FLOAT64 (`wide`).
///
/// Checks nothing. Sizes are in elements. Uses plain downcalls: a critical one would block the garbage collector
/// of the whole JVM for the duration of the product.
///
/// The handles are called here, beside the slices that they take apart, and not through the methods of the bindings:
/// the compiler always inlines a constant handle, so that no slice becomes an object; a method only as long as it has
/// not compiled that by itself, which happened in one JVM of ten. The methods that make slices are called [OutOfLine].
public final class CBlas {
    private static final int ROW_MAJOR = OpenBlas.CblasRowMajor();
    private static final int TRANSPOSED = OpenBlas.CblasTrans();
    private static final int PLAIN = OpenBlas.CblasNoTrans();

    private static final Gemm SGEMM = OutOfLine.calling(Gemm.class, CBlas.class, "sgemm");
    private static final Gemm DGEMM = OutOfLine.calling(Gemm.class, CBlas.class, "dgemm");
    private static final Gemv SGEMV = OutOfLine.calling(Gemv.class, CBlas.class, "sgemv");
    private static final Gemv DGEMV = OutOfLine.calling(Gemv.class, CBlas.class, "dgemv");
    private static final Dot SDOT = OutOfLine.calling(Dot.class, CBlas.class, "sdot");
    private static final Dot DDOT = OutOfLine.calling(Dot.class, CBlas.class, "ddot");

    private interface Gemm {
        void run(
                int ta,
                int tb,
                int m,
                int n,
                int k,
                double alpha,
                MemorySegment a,
                long aOffset,
                int lda,
                MemorySegment b,
                long bOffset,
                int ldb,
                double beta,
                MemorySegment c,
                long cOffset,
                int ldc);
    }

    private interface Gemv {
        void run(
                int ta,
                int m,
                int n,
                MemorySegment a,
                long aOffset,
                int lda,
                MemorySegment x,
                long xOffset,
                int incx,
                double beta,
                MemorySegment y,
                long yOffset);
    }

    private interface Dot {
        double run(int n, MemorySegment x, long xOffset, int incx, MemorySegment y, long yOffset, int incy);
    }

    private CBlas() {}

    /// Loads the library, or throws an error that explains why none could be loaded.
    public static void require() {
        BlasLibrary.path();
    }

    /// Sets how many threads the library itself uses for one call, if it has a function for it.
    ///
    /// [BlasLibrary] sets one after loading: the workers share products, and the library's threads would spin against
    /// them. Only a benchmark of the library sets more.
    public static void setThreads(int threads) {
        SymbolLookup lookup = SymbolLookup.loaderLookup();
        if (lookup.find("openblas_set_num_threads").isPresent()) {
            OpenBlas.openblas_set_num_threads(threads);
        } else if (lookup.find("MKL_Set_Num_Threads").isPresent()) {
            MklBlas.setThreads(threads);
        }
    }

    // Each precision has a method that makes its slices: C2 leaves parts of a call that it has seldom seen out of line,
    // and slices that one of two calls passes on to such parts are objects in front of both.

    /// `c = op(a)·op(b) + beta·c`, where op(a) is m×k and op(b) k×n. Operands begin at byte offsets in their
    /// segments.
    public static void gemm(
            boolean wide,
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            MemorySegment a,
            long aOffset,
            int lda,
            MemorySegment b,
            long bOffset,
            int ldb,
            double beta,
            MemorySegment c,
            long cOffset,
            int ldc) {
        gemm(wide, transposeA, transposeB, m, n, k, 1, a, aOffset, lda, b, bOffset, ldb, beta, c, cOffset, ldc);
    }

    /// `c = alpha·op(a)·op(b) + beta·c`
    public static void gemm(
            boolean wide,
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            double alpha,
            MemorySegment a,
            long aOffset,
            int lda,
            MemorySegment b,
            long bOffset,
            int ldb,
            double beta,
            MemorySegment c,
            long cOffset,
            int ldc) {
        int ta = transposeA ? TRANSPOSED : PLAIN;
        int tb = transposeB ? TRANSPOSED : PLAIN;
        (wide ? DGEMM : SGEMM).run(ta, tb, m, n, k, alpha, a, aOffset, lda, b, bOffset, ldb, beta, c, cOffset, ldc);
    }

    static void sgemm(
            int ta,
            int tb,
            int m,
            int n,
            int k,
            double alpha,
            MemorySegment a,
            long aOffset,
            int lda,
            MemorySegment b,
            long bOffset,
            int ldb,
            double beta,
            MemorySegment c,
            long cOffset,
            int ldc) {
        MemorySegment x = a.asSlice(aOffset);
        MemorySegment y = b.asSlice(bOffset);
        MemorySegment z = c.asSlice(cOffset);
        try {
            OpenBlas.cblas_sgemm$handle()
                    .invokeExact(ROW_MAJOR, ta, tb, m, n, k, (float) alpha, x, lda, y, ldb, (float) beta, z, ldc);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static void dgemm(
            int ta,
            int tb,
            int m,
            int n,
            int k,
            double alpha,
            MemorySegment a,
            long aOffset,
            int lda,
            MemorySegment b,
            long bOffset,
            int ldb,
            double beta,
            MemorySegment c,
            long cOffset,
            int ldc) {
        MemorySegment x = a.asSlice(aOffset);
        MemorySegment y = b.asSlice(bOffset);
        MemorySegment z = c.asSlice(cOffset);
        try {
            OpenBlas.cblas_dgemm$handle().invokeExact(ROW_MAJOR, ta, tb, m, n, k, alpha, x, lda, y, ldb, beta, z, ldc);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /// `y = op(a)·x + beta·y`, where a is m×n before op. Operands begin at byte offsets in their segments.
    public static void gemv(
            boolean wide,
            boolean transpose,
            int m,
            int n,
            MemorySegment a,
            long aOffset,
            int lda,
            MemorySegment x,
            long xOffset,
            int incx,
            double beta,
            MemorySegment y,
            long yOffset) {
        int ta = transpose ? TRANSPOSED : PLAIN;
        (wide ? DGEMV : SGEMV).run(ta, m, n, a, aOffset, lda, x, xOffset, incx, beta, y, yOffset);
    }

    static void sgemv(
            int ta,
            int m,
            int n,
            MemorySegment a,
            long aOffset,
            int lda,
            MemorySegment x,
            long xOffset,
            int incx,
            double beta,
            MemorySegment y,
            long yOffset) {
        MemorySegment matrix = a.asSlice(aOffset);
        MemorySegment from = x.asSlice(xOffset);
        MemorySegment to = y.asSlice(yOffset);
        try {
            OpenBlas.cblas_sgemv$handle()
                    .invokeExact(ROW_MAJOR, ta, m, n, 1f, matrix, lda, from, incx, (float) beta, to, 1);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static void dgemv(
            int ta,
            int m,
            int n,
            MemorySegment a,
            long aOffset,
            int lda,
            MemorySegment x,
            long xOffset,
            int incx,
            double beta,
            MemorySegment y,
            long yOffset) {
        MemorySegment matrix = a.asSlice(aOffset);
        MemorySegment from = x.asSlice(xOffset);
        MemorySegment to = y.asSlice(yOffset);
        try {
            OpenBlas.cblas_dgemv$handle().invokeExact(ROW_MAJOR, ta, m, n, 1.0, matrix, lda, from, incx, beta, to, 1);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /// `Σ x·y` over n elements. Operands begin at byte offsets in their segments.
    public static double dot(
            boolean wide, int n, MemorySegment x, long xOffset, int incx, MemorySegment y, long yOffset, int incy) {
        return (wide ? DDOT : SDOT).run(n, x, xOffset, incx, y, yOffset, incy);
    }

    static double sdot(int n, MemorySegment x, long xOffset, int incx, MemorySegment y, long yOffset, int incy) {
        MemorySegment a = x.asSlice(xOffset);
        MemorySegment b = y.asSlice(yOffset);
        try {
            return (float) OpenBlas.cblas_sdot$handle().invokeExact(n, a, incx, b, incy);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static double ddot(int n, MemorySegment x, long xOffset, int incx, MemorySegment y, long yOffset, int incy) {
        MemorySegment a = x.asSlice(xOffset);
        MemorySegment b = y.asSlice(yOffset);
        try {
            return (double) OpenBlas.cblas_ddot$handle().invokeExact(n, a, incx, b, incy);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /// Returns the exception of a downcall, which declares none and throws unchecked ones alone.
    static RuntimeException unchecked(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        return (RuntimeException) thrown;
    }

    /// Returns the library's own description, or null if it has none.
    public static String version() {
        if (BlasLibrary.has("openblas_get_config")) {
            return OpenBlas.openblas_get_config().getString(0);
        }
        return MklBlas.isLoaded() ? MklBlas.version() : null;
    }

    /// Returns the processor or the instructions for which its kernels were chosen, or null if the library cannot name
    /// them.
    public static String core() {
        if (BlasLibrary.has("openblas_get_corename")) {
            return OpenBlas.openblas_get_corename().getString(0);
        }
        return MklBlas.isLoaded() ? MklBlas.core() : null;
    }
}
