package org.toydiff.internal.blas;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import org.toydiff.internal.openblas.OpenBlas;

/// The only caller of the generated bindings: row-major products of raw segments, FLOAT32 or FLOAT64 (`wide`).
///
/// Checks nothing. Sizes are in elements. Uses plain downcalls: a critical one would block the garbage collector
/// of the whole JVM for the duration of the product.
public final class CBlas {
    private static final int ROW_MAJOR = OpenBlas.CblasRowMajor();
    private static final int TRANSPOSED = OpenBlas.CblasTrans();
    private static final int PLAIN = OpenBlas.CblasNoTrans();

    private CBlas() {}

    /// Loads the library, or throws an error that explains why none could be loaded.
    public static void require() {
        BlasLibrary.path();
    }

    /// Sets the library to one thread: the workers share products, and its own threads would spin against them.
    /// [BlasLibrary] calls it after loading; a library without the function is left as it is.
    static void useOneThread() {
        if (SymbolLookup.loaderLookup().find("openblas_set_num_threads").isPresent()) {
            OpenBlas.openblas_set_num_threads(1);
        }
    }

    /// `c = op(a)·op(b) + beta·c`, where op(a) is m×k and op(b) k×n. Operands begin at byte offsets in their
    /// segments.
    ///
    /// The slices are made here, beside the call that takes them apart, so that the compiler can eliminate them.
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
        int ta = transposeA ? TRANSPOSED : PLAIN;
        int tb = transposeB ? TRANSPOSED : PLAIN;
        if (wide) {
            OpenBlas.cblas_dgemm(
                    ROW_MAJOR,
                    ta,
                    tb,
                    m,
                    n,
                    k,
                    1,
                    a.asSlice(aOffset),
                    lda,
                    b.asSlice(bOffset),
                    ldb,
                    beta,
                    c.asSlice(cOffset),
                    ldc);
        } else {
            OpenBlas.cblas_sgemm(
                    ROW_MAJOR,
                    ta,
                    tb,
                    m,
                    n,
                    k,
                    1,
                    a.asSlice(aOffset),
                    lda,
                    b.asSlice(bOffset),
                    ldb,
                    (float) beta,
                    c.asSlice(cOffset),
                    ldc);
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
        MemorySegment matrix = a.asSlice(aOffset);
        MemorySegment from = x.asSlice(xOffset);
        MemorySegment to = y.asSlice(yOffset);
        if (wide) {
            OpenBlas.cblas_dgemv(ROW_MAJOR, ta, m, n, 1, matrix, lda, from, incx, beta, to, 1);
        } else {
            OpenBlas.cblas_sgemv(ROW_MAJOR, ta, m, n, 1, matrix, lda, from, incx, (float) beta, to, 1);
        }
    }

    /// `Σ x·y` over n elements.
    public static double dot(boolean wide, int n, MemorySegment x, int incx, MemorySegment y, int incy) {
        return wide ? OpenBlas.cblas_ddot(n, x, incx, y, incy) : OpenBlas.cblas_sdot(n, x, incx, y, incy);
    }

    /// Returns the library's build string, or null if it has none.
    public static String config() {
        return BlasLibrary.has("openblas_get_config")
                ? OpenBlas.openblas_get_config().getString(0)
                : null;
    }

    /// Returns the processor for which its kernels were chosen, or null if the library cannot name it.
    public static String core() {
        return BlasLibrary.has("openblas_get_corename")
                ? OpenBlas.openblas_get_corename().getString(0)
                : null;
    }
}
