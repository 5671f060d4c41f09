package org.toydiff.bench.blas;

import java.util.List;
import java.util.Locale;

/// The routines that can be measured, with their operands, flops and memory traffic. Everything is row-major.
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
    /// The lower triangle of A·Aᵀ (N) or Aᵀ·A (T).
    SYRK(2, "N", "T"),
    /// Solves with a lower triangular A, on the left or the right, transposed or not.
    TRSM(2, "LN", "LT", "RN", "RT");

    /// The number of sizes it has.
    final int dimensions;

    final List<String> variants;

    Routine(int dimensions, String... variants) {
        this.dimensions = dimensions;
        this.variants = List.of(variants);
    }

    /// A matrix, a vector as a matrix of one row, or a batch of matrices.
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
        return "cblas_" + (wide ? "d" : "s") + (this == GEMM_BATCH ? "gemm" : word());
    }

    /// Returns whether the result is a number and no operand is written.
    boolean isScalar() {
        return this == DOT || this == NRM2;
    }

    /// Returns whether a call computes many products.
    boolean isBatch() {
        return this == GEMM_BATCH || this == GEMM_BATCH_STRIDED;
    }

    /// Returns whether toydiff's threads can share it.
    boolean isProduct() {
        return this == GEMM || this == GEMM_BATCH;
    }

    /// Returns m, n and k for the routine's own sizes, with 1 for each that it does not have.
    int[] sizes(int... own) {
        return switch (this) {
            case GEMM, GEMM_BATCH, GEMM_BATCH_STRIDED -> new int[] {own[0], own[1], own[2]};
            case GEMV, GER, TRSM -> new int[] {own[0], own[1], 1};
            case SYRK -> new int[] {own[0], own[0], own[1]};
            default -> new int[] {1, own[0], 1};
        };
    }

    /// Returns the operands in the order of the call; the last one is written, unless the result is a number.
    List<Shape> operands(Problem p) {
        return switch (this) {
            case NRM2, SCAL -> List.of(vector(p.n()));
            case AXPY, DOT, COPY -> List.of(vector(p.n()), vector(p.n()));
            case GEMV -> {
                boolean t = p.transposed(0);
                yield List.of(new Shape(1, p.m(), p.n()), vector(t ? p.m() : p.n()), vector(t ? p.n() : p.m()));
            }
            case GER -> List.of(vector(p.m()), vector(p.n()), new Shape(1, p.m(), p.n()));
            case GEMM, GEMM_BATCH, GEMM_BATCH_STRIDED ->
                List.of(
                        matrix(p.batch(), p.m(), p.k(), p.transposed(0)),
                        matrix(p.batch(), p.k(), p.n(), p.transposed(1)),
                        new Shape(p.batch(), p.m(), p.n()));
            case SYRK -> List.of(matrix(1, p.n(), p.k(), p.transposed(0)), new Shape(1, p.n(), p.n()));
            case TRSM -> {
                int order = p.left() ? p.m() : p.n();
                yield List.of(new Shape(1, order, order), new Shape(1, p.m(), p.n()));
            }
        };
    }

    private static Shape vector(int n) {
        return new Shape(1, 1, n);
    }

    private static Shape matrix(int count, int rows, int columns, boolean transposed) {
        return transposed ? new Shape(count, columns, rows) : new Shape(count, rows, columns);
    }

    /// Returns the additions and multiplications, as LAPACK Working Note 41 counts them except for lower-order
    /// terms.
    double flops(Problem p) {
        double m = p.m();
        double n = p.n();
        double k = p.k();
        return switch (this) {
            case COPY -> 0;
            case SCAL -> n;
            case AXPY, DOT, NRM2 -> 2 * n;
            case GEMV, GER -> 2 * m * n;
            case GEMM, GEMM_BATCH, GEMM_BATCH_STRIDED -> 2 * m * n * k * p.batch();
            case SYRK -> n * (n + 1) * k;
            case TRSM -> p.left() ? m * m * n : m * n * n;
        };
    }

    /// Returns the elements that must be read and written at least: each operand once, or twice if it is updated in
    /// place.
    double traffic(Problem p) {
        double m = p.m();
        double n = p.n();
        double k = p.k();
        return switch (this) {
            case NRM2 -> n;
            case DOT, SCAL, COPY -> 2 * n;
            case AXPY -> 3 * n;
            case GEMV -> m * n + m + n;
            case GER -> 2 * m * n + m + n;
            case GEMM, GEMM_BATCH, GEMM_BATCH_STRIDED -> (m * k + k * n + m * n) * p.batch();
            case SYRK -> n * k + n * (n + 1) / 2;
            case TRSM -> {
                double order = p.left() ? m : n;
                yield order * (order + 1) / 2 + 2 * m * n;
            }
        };
    }
}
