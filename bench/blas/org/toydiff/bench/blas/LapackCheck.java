package org.toydiff.bench.blas;

import java.util.Locale;
import java.util.stream.LongStream;

/// Checks a result of LAPACK against the definition of its factors, in double: residuals, and that vectors are
/// orthonormal.
///
/// Every routine here is backward stable (Higham, "Accuracy and Stability of Numerical Algorithms", 2002: theorems
/// 9.3, 10.3 and 19.4 for `gesv`, `potrf` and `geqrf`), so a residual may be as large as the rounding errors of the
/// sum that gives it, by the bound of [Check], where columns and spectra are measured by their norms.
final class LapackCheck {
    private static final double MAX_WORK = 1 << 24;

    private final Operands operands;
    private final Problem problem;
    private final double unit;
    private final int m;
    private final int n;

    /// The first fault found, or null.
    private String fault;

    private LapackCheck(Operands operands) {
        this.operands = operands;
        problem = operands.problem;
        unit = problem.precision().unit;
        m = problem.m();
        n = problem.n();
    }

    /// Checks operands after one call or more.
    ///
    /// @return a description of the first fault, or null
    static String fault(Operands operands) {
        if (operands.info != 0) {
            return operands.problem + ": it returned " + operands.info;
        }
        var check = new LapackCheck(operands);
        switch (operands.problem.routine()) {
            case GESV -> check.solution();
            case POTRF -> check.triangle();
            case GEQRF -> check.reflectors();
            case SYEVD -> check.eigenvectors();
            case GESDD -> check.singularVectors();
            default -> throw new AssertionError(operands.problem.routine());
        }
        return check.fault;
    }

    /// The solution, multiplied by the matrix, must give the right-hand side.
    private void solution() {
        Matrix a = operands.original(0);
        Matrix x = operands.columnMajor(1);
        Matrix b = operands.original(1);
        for (long i : picked(n, Math.min(1, MAX_WORK / n / n))) {
            double sum = 0;
            double magnitude = Math.abs(b.get(i, 0));
            for (long j = 0; j < n; j++) {
                double product = a.get(i, j) * x.get(j, 0);
                sum += product;
                magnitude += Math.abs(product);
            }
            require("row " + i + " of A·x", sum, b.get(i, 0), n, magnitude);
        }
    }

    /// The factor, multiplied by its transpose, must give the matrix; the other triangle keeps its elements.
    private void triangle() {
        Matrix a = operands.original(0).transposed();
        Matrix l = operands.matrix(0, 0);
        long[] picked = picked(n, share(n, n, n));
        for (long i : picked) {
            for (long j : picked) {
                double sum = 0;
                double magnitude = 0;
                for (long k = 0; k <= j; k++) {
                    double product = l.get(i, k) * l.get(j, k);
                    sum += product;
                    magnitude += Math.abs(product);
                }
                if (j <= i) {
                    require(element("L·Lᵀ", i, j), sum, a.get(i, j), j + 1, magnitude);
                } else {
                    require(element("the other triangle", i, j), l.get(i, j), a.get(i, j), 0, 0);
                }
            }
        }
    }

    /// The reflectors, applied to the columns of R from the last to the first, must give those of the matrix. Each is
    /// orthogonal if it is the identity minus tau·v·vᵀ with tau·vᵀ·v = 2.
    private void reflectors() {
        Matrix a = operands.original(0);
        Matrix qr = operands.columnMajor(0);
        Matrix tau = operands.columnMajor(1);
        double share = Math.min(1, MAX_WORK / ((double) m * n * problem.rank()));
        for (long j : picked(problem.rank(), share)) {
            double square = 1;
            for (long i = j + 1; i < m; i++) {
                square += qr.get(i, j) * qr.get(i, j);
            }
            if (tau.get(j, 0) != 0) {
                require("tau·vᵀ·v of reflector " + j, tau.get(j, 0) * square, 2, m, 2);
            }
        }
        for (long j : picked(n, share)) {
            double[] column = product(qr, tau, j);
            double norm = 0;
            for (long i = 0; i < m; i++) {
                norm = Math.hypot(norm, a.get(i, j));
            }
            for (int i = 0; i < m; i++) {
                require(element("Q·R", i, j), column[i], a.get(i, j), m, norm);
            }
        }
    }

    /// Returns column j of Q·R.
    private double[] product(Matrix qr, Matrix tau, long j) {
        var column = new double[m];
        int last = (int) Math.min(j, problem.rank() - 1L);
        for (int i = 0; i <= Math.min(j, m - 1L); i++) {
            column[i] = qr.get(i, j);
        }
        for (int k = last; k >= 0; k--) {
            double dot = column[k];
            for (int i = k + 1; i < m; i++) {
                dot += qr.get(i, k) * column[i];
            }
            dot *= tau.get(k, 0);
            column[k] -= dot;
            for (int i = k + 1; i < m; i++) {
                column[i] -= dot * qr.get(i, k);
            }
        }
        return column;
    }

    private void eigenvectors() {
        Matrix values = operands.columnMajor(1);
        Matrix vectors = operands.columnMajor(0);
        double largest = Math.max(Math.abs(values.get(0, 0)), Math.abs(values.get(n - 1, 0)));
        orderly("eigenvalues", values, 1);
        triplets("A·v − λ·v", operands.original(0), vectors, values, vectors, largest);
        orthonormal("eigenvectors", vectors);
    }

    private void singularVectors() {
        Matrix a = operands.original(0);
        Matrix values = operands.columnMajor(1);
        Matrix u = operands.columnMajor(2);
        Matrix v = operands.columnMajor(3).transposed();
        orderly("singular values", values, -1);
        triplets("A·v − σ·u", a, v, values, u, values.get(0, 0));
        triplets("Aᵀ·u − σ·v", a.transposed(), u, values, v, values.get(0, 0));
        orthonormal("left singular vectors", u);
        orthonormal("right singular vectors", v);
    }

    /// Requires that values ascend (sign 1) or descend (−1).
    private void orderly(String name, Matrix values, int sign) {
        for (long i = 1; i < values.rows(); i++) {
            if (!(sign * values.get(i, 0) >= sign * values.get(i - 1, 0))) {
                fail(name + " " + (i - 1) + " and " + i + " are out of order");
            }
        }
    }

    /// Requires that a·x − value·y is 0 for corresponding columns of x and y.
    private void triplets(String name, Matrix a, Matrix x, Matrix values, Matrix y, double norm) {
        double share = share(a.rows(), x.columns(), a.columns());
        for (long j : picked(x.columns(), share)) {
            for (long i : picked(a.rows(), share)) {
                double sum = 0;
                for (long k = 0; k < a.columns(); k++) {
                    sum += a.get(i, k) * x.get(k, j);
                }
                sum -= values.get(j, 0) * y.get(i, j);
                require(element(name, i, j), sum, 0, Math.max(m, n), norm);
            }
        }
    }

    private void orthonormal(String name, Matrix vectors) {
        long[] picked = picked(vectors.columns(), share(vectors.columns(), vectors.columns(), vectors.rows()));
        for (long i : picked) {
            for (long j : picked) {
                double sum = 0;
                for (long k = 0; k < vectors.rows(); k++) {
                    sum += vectors.get(k, i) * vectors.get(k, j);
                }
                require("the product of " + name + " " + i + " and " + j, sum, i == j ? 1 : 0, Math.max(m, n), 1);
            }
        }
    }

    /// Returns the share of rows and of columns for which sums of `terms` products are not too much work.
    private static double share(double rows, double columns, double terms) {
        return Math.min(1, Math.sqrt(MAX_WORK / (rows * columns * terms)));
    }

    /// Returns evenly spaced indexes from the first to the last.
    private static long[] picked(long size, double share) {
        long picks = (long) Math.ceil(size * share);
        return LongStream.range(0, picks).map(i -> Check.picked(i, picks, size)).toArray();
    }

    private static String element(String name, long i, long j) {
        return String.format(Locale.ROOT, "element [%d, %d] of %s", i, j, name);
    }

    private void require(String what, double got, double expected, long terms, double magnitude) {
        if (!(Math.abs(got - expected) <= Check.tolerance(terms, unit, magnitude))) {
            fail(what + " is " + got + ", not " + expected);
        }
    }

    private void fail(String message) {
        if (fault == null) {
            fault = problem + ": " + message;
        }
    }
}
