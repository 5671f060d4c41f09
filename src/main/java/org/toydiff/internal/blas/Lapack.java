package org.toydiff.internal.blas;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.lapacke.Lapacke;
import org.toydiff.internal.openblas.OpenBlas;

/// The only caller of the generated bindings of LAPACKE, and of BLAS's triangular solve, which goes with its factors:
/// factorizations of raw segments, FLOAT32 or FLOAT64 (`wide`).
///
/// Checks nothing. Matrices of LAPACK are column-major, since LAPACKE copies row-major ones to memory of its own and
/// back; sizes and leading dimensions are in elements, offsets in bytes. LAPACKE allocates the workspaces of
/// [#geqrf], [#orgqr], [#gesdd], [#syevd] and [#getri] by malloc for the length of a call.
///
/// Every function returns LAPACK's `info`: 0, or the number of the row, pivot or value at which it failed, counted
/// from 1, or a negative number where an operand has a NaN, for which LAPACKE searches first.
public final class Lapack {
    /// LAPACK_COL_MAJOR of lapacke.h.
    private static final int COLUMN_MAJOR = Lapacke.LAPACK_COL_MAJOR();

    /// LAPACK_WORK_MEMORY_ERROR of lapacke.h, and below it that of transposition.
    private static final int NO_MEMORY = -1010;

    private static final byte UPPER = 'U';
    private static final byte VECTORS = 'V';
    private static final byte THIN = 'S';

    private Lapack() {}

    /// Whether the library in use has LAPACKE, found once. One of its functions stands for all.
    private static final class Presence {
        static final boolean IS_PRESENT = BlasLibrary.has("LAPACKE_dgesdd") && BlasLibrary.has("cblas_dtrsm");
    }

    /// Loads the library.
    ///
    /// @param op the op that needs it, for the message
    /// @throws UnsatisfiedLinkError if there is none, or it lacks LAPACKE
    public static void require(String op) {
        String library = BlasLibrary.path();
        if (!Presence.IS_PRESENT) {
            throw new UnsatisfiedLinkError(op + ": " + library + " has BLAS but no LAPACKE; use a library with both:"
                    + " -Dtoydiff.blas=openblas or mkl, or the path of another");
        }
    }

    /// The upper triangle of a symmetric matrix becomes `u` of `uᵀ·u`.
    public static int potrf(boolean wide, int n, MemorySegment a, long aOffset) {
        MemorySegment matrix = a.asSlice(aOffset);
        return done(
                "potrf",
                wide
                        ? Lapacke.LAPACKE_dpotrf(COLUMN_MAJOR, UPPER, n, matrix, n)
                        : Lapacke.LAPACKE_spotrf(COLUMN_MAJOR, UPPER, n, matrix, n));
    }

    /// A square matrix becomes `l` and `u` of `p·l·u`; the pivots are n ints.
    public static int getrf(boolean wide, int n, MemorySegment a, long aOffset, MemorySegment pivots, long at) {
        MemorySegment matrix = a.asSlice(aOffset);
        MemorySegment rows = pivots.asSlice(at);
        return done(
                "getrf",
                wide
                        ? Lapacke.LAPACKE_dgetrf(COLUMN_MAJOR, n, n, matrix, n, rows)
                        : Lapacke.LAPACKE_sgetrf(COLUMN_MAJOR, n, n, matrix, n, rows));
    }

    /// The factors that [#getrf] made become the inverse of their product.
    public static int getri(boolean wide, int n, MemorySegment a, long aOffset, MemorySegment pivots, long at) {
        MemorySegment matrix = a.asSlice(aOffset);
        MemorySegment rows = pivots.asSlice(at);
        return done(
                "getri",
                wide
                        ? Lapacke.LAPACKE_dgetri(COLUMN_MAJOR, n, matrix, n, rows)
                        : Lapacke.LAPACKE_sgetri(COLUMN_MAJOR, n, matrix, n, rows));
    }

    /// A matrix m×n becomes `r` above the diagonal and the reflectors of `q` below it, with min(m, n) factors.
    public static int geqrf(boolean wide, int m, int n, MemorySegment a, long aOffset, MemorySegment factors) {
        MemorySegment matrix = a.asSlice(aOffset);
        return done(
                "geqrf",
                wide
                        ? Lapacke.LAPACKE_dgeqrf(COLUMN_MAJOR, m, n, matrix, m, factors)
                        : Lapacke.LAPACKE_sgeqrf(COLUMN_MAJOR, m, n, matrix, m, factors));
    }

    /// The first k reflectors that [#geqrf] made become the first k columns of `q`, m×k.
    public static int orgqr(boolean wide, int m, int k, MemorySegment a, long aOffset, MemorySegment factors) {
        MemorySegment matrix = a.asSlice(aOffset);
        return done(
                "orgqr",
                wide
                        ? Lapacke.LAPACKE_dorgqr(COLUMN_MAJOR, m, k, k, matrix, m, factors)
                        : Lapacke.LAPACKE_sorgqr(COLUMN_MAJOR, m, k, k, matrix, m, factors));
    }

    /// The thin singular value decomposition of a matrix m×n, which is overwritten: u m×k, s and vᵗ k×n, k the smaller
    /// of m and n.
    public static int gesdd(
            boolean wide,
            int m,
            int n,
            MemorySegment a,
            long aOffset,
            MemorySegment y,
            long sOffset,
            long uOffset,
            long vOffset) {
        MemorySegment matrix = a.asSlice(aOffset);
        MemorySegment s = y.asSlice(sOffset);
        MemorySegment u = y.asSlice(uOffset);
        MemorySegment v = y.asSlice(vOffset);
        int k = Math.min(m, n);
        return done(
                "gesdd",
                wide
                        ? Lapacke.LAPACKE_dgesdd(COLUMN_MAJOR, THIN, m, n, matrix, m, s, u, m, v, k)
                        : Lapacke.LAPACKE_sgesdd(COLUMN_MAJOR, THIN, m, n, matrix, m, s, u, m, v, k));
    }

    /// A symmetric matrix, of which the upper triangle is read, becomes its eigenvectors, one after another; w its
    /// eigenvalues in ascending order.
    public static int syevd(boolean wide, int n, MemorySegment a, long aOffset, MemorySegment w, long wOffset) {
        MemorySegment matrix = a.asSlice(aOffset);
        MemorySegment values = w.asSlice(wOffset);
        return done(
                "syevd",
                wide
                        ? Lapacke.LAPACKE_dsyevd(COLUMN_MAJOR, VECTORS, UPPER, n, matrix, n, values)
                        : Lapacke.LAPACKE_ssyevd(COLUMN_MAJOR, VECTORS, UPPER, n, matrix, n, values));
    }

    private static int done(String function, int info) {
        if (info <= NO_MEMORY) {
            throw new OutOfMemoryError("LAPACKE's " + function + " found no memory for its workspace");
        }
        return info;
    }

    /// `b = op(a)⁻¹·b` for a triangle a of n×n and b of n×columns, both row-major; the diagonal of a counts as ones if
    /// it is `unit`.
    public static void trsm(
            boolean wide,
            boolean upper,
            boolean transpose,
            boolean unit,
            int n,
            int columns,
            MemorySegment a,
            long aOffset,
            int lda,
            MemorySegment b,
            long bOffset) {
        MemorySegment triangle = a.asSlice(aOffset);
        MemorySegment rows = b.asSlice(bOffset);
        int order = OpenBlas.CblasRowMajor();
        int side = OpenBlas.CblasLeft();
        int half = upper ? OpenBlas.CblasUpper() : OpenBlas.CblasLower();
        int op = transpose ? OpenBlas.CblasTrans() : OpenBlas.CblasNoTrans();
        int diagonal = unit ? OpenBlas.CblasUnit() : OpenBlas.CblasNonUnit();
        if (wide) {
            OpenBlas.cblas_dtrsm(order, side, half, op, diagonal, n, columns, 1, triangle, lda, rows, columns);
        } else {
            OpenBlas.cblas_strsm(order, side, half, op, diagonal, n, columns, 1, triangle, lda, rows, columns);
        }
    }

    /// Exchanges n elements of x and y.
    public static void swap(boolean wide, int n, MemorySegment x, long xOffset, MemorySegment y, long yOffset) {
        MemorySegment a = x.asSlice(xOffset);
        MemorySegment b = y.asSlice(yOffset);
        if (wide) {
            OpenBlas.cblas_dswap(n, a, 1, b, 1);
        } else {
            OpenBlas.cblas_sswap(n, a, 1, b, 1);
        }
    }
}
