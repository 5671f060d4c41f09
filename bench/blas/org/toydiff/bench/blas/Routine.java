package org.toydiff.bench.blas;

import java.util.List;
import java.util.Locale;

/// The routines that can be measured, with their operands, flops and memory traffic.
///
/// The matrices of BLAS are row-major. Those of LAPACK are column-major, in which its algorithms are written: row-major
/// ones would be transposed to other memory before and after every call.
enum Routine {
    AXPY(1, "-"),
    DOT(1, "-"),
    NRM2(1, "-"),
    SCAL(1, "-"),
    COPY(1, "-"),
    /// N or T: whether the matrix is transposed.
    GEMV(2, "N", "T"),
    GER(2, "-"),
    /// Whether A and B are transposed.
    GEMM(3, "NN", "NT", "TN", "TT"),
    /// One call of `gemm` for each product.
    GEMM_BATCH(3, "NN", "NT", "TN", "TT"),
    /// One call for all products, which not every library has. OpenBLAS up to 0.3.31, built for many processors,
    /// crashes in it on small products: https://github.com/OpenMathLib/OpenBLAS/pull/5980.
    GEMM_BATCH_STRIDED(3, "NN", "NT", "TN", "TT"),
    /// A product of BFLOAT16 operands whose result is float; a function of oneMKL.
    GEMM_BF16(3, "NN", "NT", "TN", "TT"),
    /// Packs B, transposed or not, for products with m×k matrices; of oneMKL and AOCL-BLAS.
    GEMM_PACK(3, "N", "T"),
    /// A product whose B was packed before.
    GEMM_COMPUTE(3, "NN", "NT", "TN", "TT"),
    /// The lower triangle of A·Aᵀ (N) or Aᵀ·A (T).
    SYRK(2, "N", "T"),
    /// Solves with a lower triangular A, on the left or the right, transposed or not.
    TRSM(2, "LN", "LT", "RN", "RT"),
    /// Solves a system of n equations with one right-hand side.
    GESV(1, "-"),
    /// The Cholesky factor of a symmetric positive definite matrix, in the triangle that is lower in row-major order.
    POTRF(1, "-"),
    /// The QR factorization, with Q as reflectors.
    GEQRF(2, "-"),
    /// All eigenvalues and eigenvectors of a symmetric matrix.
    SYEVD(1, "-"),
    /// All singular values, and as many singular vectors on each side.
    GESDD(2, "-");

    /// The number of sizes it has.
    final int dimensions;

    final List<String> variants;

    Routine(int dimensions, String... variants) {
        this.dimensions = dimensions;
        this.variants = List.of(variants);
    }

    /// A matrix, a vector as a matrix of one row, or a batch of matrices, as it lies in memory: the rows of a
    /// column-major matrix are its columns.
    record Shape(int count, int rows, int columns) {
        long elements() {
            return (long) count * rows * columns;
        }
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// Returns the name of the library's function.
    String symbol(boolean wide) {
        String letter = wide ? "d" : "s";
        if (isLapack()) {
            return "LAPACKE_" + letter + word();
        }
        return "cblas_"
                + switch (this) {
                    case GEMM_BF16 -> "gemm_bf16bf16f32";
                    case GEMM_BATCH -> letter + "gemm";
                    default -> letter + word();
                };
    }

    boolean isLapack() {
        return compareTo(GESV) >= 0;
    }

    /// Returns whether all operands are vectors.
    boolean isVector() {
        return compareTo(COPY) <= 0;
    }

    /// Returns whether the result is a number and no operand is written.
    boolean isScalar() {
        return this == DOT || this == NRM2;
    }

    /// Returns whether a call computes many products.
    boolean isBatch() {
        return this == GEMM_BATCH || this == GEMM_BATCH_STRIDED;
    }

    /// Returns whether `Tensor.matmul` computes the same, so that toydiff's threads can share it.
    boolean isProduct() {
        return this == GEMM || this == GEMM_BATCH || this == GEMV || this == DOT;
    }

    /// Returns whether there is one for doubles.
    boolean hasDouble() {
        return this != GEMM_BF16 && this != GEMM_PACK && this != GEMM_COMPUTE;
    }

    /// Returns the number of operands, from the first on, that a call destroys, so that each call needs a fresh copy.
    int consumed() {
        return this == GESV ? 2 : isLapack() ? 1 : 0;
    }

    /// Returns the indexes of the operands that hold the result.
    List<Integer> results() {
        return switch (this) {
            case DOT, NRM2 -> List.of();
            case SCAL, POTRF -> List.of(0);
            case AXPY, COPY, SYRK, TRSM, GESV -> List.of(1);
            case GEMV, GER, GEMM, GEMM_BATCH, GEMM_BATCH_STRIDED, GEMM_BF16, GEMM_PACK, GEMM_COMPUTE -> List.of(2);
            case GEQRF, SYEVD -> List.of(0, 1);
            case GESDD -> List.of(1, 2, 3);
        };
    }

    /// Returns m, n and k for the routine's own sizes, with 1 for each that it does not have.
    int[] sizes(int... own) {
        return switch (this) {
            case GEMM, GEMM_BATCH, GEMM_BATCH_STRIDED, GEMM_BF16, GEMM_PACK, GEMM_COMPUTE ->
                new int[] {own[0], own[1], own[2]};
            case GEMV, GER, TRSM, GEQRF, GESDD -> new int[] {own[0], own[1], 1};
            case SYRK -> new int[] {own[0], own[0], own[1]};
            case GESV, POTRF, SYEVD -> new int[] {own[0], own[0], 1};
            case AXPY, DOT, NRM2, SCAL, COPY -> new int[] {1, own[0], 1};
        };
    }

    /// Returns the operands in the order of the call.
    List<Shape> operands(Problem p) {
        return switch (this) {
            case NRM2, SCAL -> List.of(vector(p.n()));
            case AXPY, DOT, COPY -> List.of(vector(p.n()), vector(p.n()));
            case GEMV -> {
                boolean t = p.transposed(0);
                yield List.of(new Shape(1, p.m(), p.n()), vector(t ? p.m() : p.n()), vector(t ? p.n() : p.m()));
            }
            case GER -> List.of(vector(p.m()), vector(p.n()), new Shape(1, p.m(), p.n()));
            case GEMM, GEMM_BATCH, GEMM_BATCH_STRIDED, GEMM_BF16, GEMM_PACK, GEMM_COMPUTE ->
                List.of(
                        matrix(p.batch(), p.m(), p.k(), p.transposed(0)),
                        matrix(p.batch(), p.k(), p.n(), p.transposed(1)),
                        new Shape(p.batch(), p.m(), p.n()));
            case SYRK -> List.of(matrix(1, p.n(), p.k(), p.transposed(0)), new Shape(1, p.n(), p.n()));
            case TRSM -> {
                int order = p.left() ? p.m() : p.n();
                yield List.of(new Shape(1, order, order), new Shape(1, p.m(), p.n()));
            }
            case GESV, SYEVD -> List.of(new Shape(1, p.n(), p.n()), vector(p.n()));
            case POTRF -> List.of(new Shape(1, p.n(), p.n()));
            case GEQRF -> List.of(new Shape(1, p.n(), p.m()), vector(p.rank()));
            case GESDD ->
                List.of(
                        new Shape(1, p.n(), p.m()),
                        vector(p.rank()),
                        new Shape(1, p.rank(), p.m()),
                        new Shape(1, p.n(), p.rank()));
        };
    }

    private static Shape vector(int n) {
        return new Shape(1, 1, n);
    }

    private static Shape matrix(int count, int rows, int columns, boolean transposed) {
        return transposed ? new Shape(count, columns, rows) : new Shape(count, rows, columns);
    }

    /// Returns the additions and multiplications, as LAPACK Working Note 41 counts them
    /// (https://www.netlib.org/lapack/lawn41/node116.html) except for lower-order terms.
    ///
    /// It has no count for eigenvalues and singular values, because the iteration depends on the data. Those of
    /// `syevd` are the reduction to a tridiagonal matrix and the transformation back (`sytrd`, `ormtr`), and those of
    /// `gesdd` the reduction to a bidiagonal matrix and both transformations back (`gebrd`, twice `ormbr`).
    double flops(Problem p) {
        double m = p.m();
        double n = p.n();
        double k = p.k();
        double less = p.rank();
        double more = Math.max(m, n);
        return switch (this) {
            case COPY, GEMM_PACK -> 0;
            case SCAL -> n;
            case AXPY, DOT, NRM2 -> 2 * n;
            case GEMV, GER -> 2 * m * n;
            case GEMM, GEMM_BATCH, GEMM_BATCH_STRIDED, GEMM_BF16, GEMM_COMPUTE -> 2 * m * n * k * p.batch();
            case SYRK -> n * (n + 1) * k;
            case TRSM -> p.left() ? m * m * n : m * n * n;
            case GESV -> 2 * n * n * n / 3 + 2 * n * n;
            case POTRF -> n * n * n / 3;
            case GEQRF -> 2 * less * less * (more - less / 3);
            case SYEVD -> (4.0 / 3 + 2) * n * n * n;
            case GESDD -> 4 * less * less * (more - less / 3) + 4 * more * less * less;
        };
    }

    /// Returns the bytes that must be read and written at least: each operand once, or twice if it is updated in
    /// place.
    double trafficBytes(Problem p) {
        double m = p.m();
        double n = p.n();
        double k = p.k();
        double bytes = p.precision().bytes;
        return switch (this) {
            case NRM2 -> n * bytes;
            case DOT, SCAL, COPY -> 2 * n * bytes;
            case AXPY -> 3 * n * bytes;
            case GEMV -> (m * n + m + n) * bytes;
            case GER -> (2 * m * n + m + n) * bytes;
            case GEMM, GEMM_BATCH, GEMM_BATCH_STRIDED, GEMM_COMPUTE -> (m * k + k * n + m * n) * p.batch() * bytes;
            case GEMM_BF16 -> (m * k + k * n) * NumberFormat.BFLOAT16.bytes + m * n * bytes;
            case GEMM_PACK -> 2 * k * n * bytes;
            case SYRK -> (n * k + n * (n + 1) / 2) * bytes;
            case TRSM -> {
                double order = p.left() ? m : n;
                yield (order * (order + 1) / 2 + 2 * m * n) * bytes;
            }
            case GESV -> (2 * n * n + 2 * n) * bytes;
            case POTRF -> n * (n + 1) * bytes;
            case GEQRF -> (2 * m * n + p.rank()) * bytes;
            case SYEVD -> (2 * n * n + n) * bytes;
            case GESDD -> (m * n + (m + n + 1) * p.rank()) * bytes;
        };
    }
}
