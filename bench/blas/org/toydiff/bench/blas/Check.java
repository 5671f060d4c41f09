package org.toydiff.bench.blas;

import java.util.Locale;

/// Compares a library's result with naive sums in double, before anything is timed.
///
/// A sum of n products may differ by 8·√n·u times the sum of their magnitudes, where u is half an ulp of 1: eight
/// times the probabilistic bound of Higham and Mary, "A New Approach to Probabilistic Rounding Error Analysis",
/// 2019. Of a large result, evenly spaced rows and columns from the first to the last are checked.
final class Check {
    private static final double MAX_WORK = 1 << 24;

    private final Operands operands;
    private final Problem problem;
    private final double unit;

    private double expected;
    private double got;
    private double magnitude;
    private long terms;

    private Check(Operands operands) {
        this.operands = operands;
        problem = operands.problem;
        unit = problem.precision().unit;
    }

    /// Checks operands after exactly one call.
    ///
    /// @return a description of the first wrong element, or null
    static String fault(Operands operands) {
        Routine routine = operands.problem.routine();
        if (routine.isLapack()) {
            return LapackCheck.fault(operands);
        }
        if (routine == Routine.GEMM_PACK) {
            // Only the library can read its packed form.
            MklCalls.computePacked(operands).run(1);
        }
        var check = new Check(operands);
        return routine.isScalar() ? check.scalarFault() : check.matrixFault();
    }

    private String scalarFault() {
        boolean isNorm = problem.routine() == Routine.NRM2;
        Matrix x = operands.matrix(0, 0);
        Matrix y = operands.matrix(isNorm ? 0 : 1, 0);
        sum(x, 0, y.transposed(), 0, 0, x.columns());
        got = operands.scalar;
        if (isNorm) {
            expected = Math.sqrt(expected);
            magnitude = expected;
        }
        return isWrong() ? message("the result") : null;
    }

    private String matrixFault() {
        int result = problem.routine().results().getFirst();
        for (int index = 0; index < problem.batch(); index++) {
            Matrix y = operands.matrix(result, index);
            double products = (double) problem.m() * problem.n() * problem.k() * problem.batch();
            double work = Math.max(problem.flops() / 2, products);
            double share = Math.min(1, Math.sqrt(MAX_WORK / work));
            long rows = (long) Math.ceil(y.rows() * share);
            long columns = y.rows() == 1
                    ? (long) Math.ceil(y.columns() * share * share)
                    : (long) Math.ceil(y.columns() * share);
            for (long i = 0; i < rows; i++) {
                for (long j = 0; j < columns; j++) {
                    long row = picked(i, rows, y.rows());
                    long column = picked(j, columns, y.columns());
                    element(y, index, row, column);
                    if (isWrong()) {
                        return message(String.format(Locale.ROOT, "element [%d, %d]", row, column));
                    }
                }
            }
        }
        return null;
    }

    /// Returns index i of evenly spaced ones from the first to the last.
    static long picked(long i, long picks, long size) {
        return picks == 1 ? 0 : Math.round((double) i * (size - 1) / (picks - 1));
    }

    private void element(Matrix y, int index, long i, long j) {
        double before = operands.initial(problem.routine().results().getFirst(), index, i, j);
        got = y.get(i, j);
        switch (problem.routine()) {
            case COPY -> one(operands.matrix(0, 0).get(0, j), 0);
            case SCAL -> one(Calls.SCAL_ALPHA * before, 0);
            case AXPY -> one(before, Calls.ALPHA * operands.matrix(0, 0).get(0, j));
            case GER ->
                one(
                        before,
                        Calls.ALPHA
                                * operands.matrix(0, 0).get(0, i)
                                * operands.matrix(1, 0).get(0, j));
            case GEMV -> {
                Matrix a = operands.matrix(0, 0).transposedIf(problem.transposed(0));
                sum(a, j, operands.matrix(1, 0).transposed(), 0, 0, a.columns());
            }
            case GEMM, GEMM_BATCH, GEMM_BATCH_STRIDED, GEMM_BF16, GEMM_PACK, GEMM_COMPUTE -> {
                Matrix a = operands.matrix(0, index).transposedIf(problem.transposed(0));
                sum(a, i, operands.matrix(1, index).transposedIf(problem.transposed(1)), j, 0, a.columns());
            }
            case SYRK -> {
                Matrix a = operands.matrix(0, 0).transposedIf(problem.transposed(0));
                if (j <= i) {
                    sum(a, i, a.transposed(), j, 0, a.columns());
                } else {
                    one(before, 0);
                }
            }
            case TRSM -> solved(y, i, j, before);
            default -> throw new AssertionError(problem.routine());
        }
    }

    /// Multiplies the solution by the triangular matrix, which must give the right-hand side.
    private void solved(Matrix x, long i, long j, double before) {
        boolean transposed = problem.transposed(0);
        Matrix a = operands.matrix(0, 0).transposedIf(transposed);
        if (problem.left()) {
            sum(a, i, x, j, transposed ? i : 0, transposed ? a.columns() : i + 1);
        } else {
            sum(x, i, a, j, transposed ? 0 : j, transposed ? j + 1 : a.rows());
        }
        got = expected;
        expected = before;
    }

    private void one(double base, double addition) {
        expected = base + addition;
        magnitude = Math.abs(base) + Math.abs(addition);
        terms = addition == 0 ? 0 : 2;
    }

    /// Multiplies row i of a by column j of b, over the inner indices from `from` to `to`, excluded.
    private void sum(Matrix a, long i, Matrix b, long j, long from, long to) {
        expected = 0;
        magnitude = 0;
        for (long l = from; l < to; l++) {
            double product = a.get(i, l) * b.get(l, j);
            expected += product;
            magnitude += Math.abs(product);
        }
        terms = to - from;
    }

    private boolean isWrong() {
        return !(Math.abs(got - expected) <= tolerance(terms, unit, magnitude));
    }

    /// Returns the largest error of a sum of products that may be due to rounding.
    static double tolerance(long terms, double unit, double magnitude) {
        return 8 * Math.sqrt(terms) * unit * magnitude;
    }

    private String message(String element) {
        return String.format(Locale.ROOT, "%s: %s is %s, not %s", problem, element, got, expected);
    }
}
