package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Decompositions against their definitions, gradients against differences, and the exceptions of matrices that have
/// none.
@Tag("kernels")
class LinalgTest {
    private static final int[] SIZES = {0, 1, 2, 3, 5, 17, 40};

    /// Differentiable functions of matrices `[…, 3, 4]`, that do not depend on the signs of vectors.
    static final Map<String, UnaryOperator<Tensor>> FUNCTIONS = new LinkedHashMap<>();

    static {
        FUNCTIONS.put("solve", x -> Linalg.solve(square(x), x));
        FUNCTIONS.put(
                "solve of one matrix",
                x -> Linalg.solve(square(x.reshape(-1, 3, 4).get(0)), x));
        FUNCTIONS.put(
                "solve of a vector",
                x -> Linalg.solve(square(x), x.sum(-1).reshape(-1, 3).get(0)));
        FUNCTIONS.put("triangularSolve", x -> Linalg.triangularSolve(square(x), x, false));
        FUNCTIONS.put(
                "triangularSolve of a transpose",
                x -> Linalg.triangularSolve(square(x).transposeLast(), x, true));
        FUNCTIONS.put("lstsq", x -> Linalg.lstsq(x.transposeLast(), x.transposeLast()));
        FUNCTIONS.put("inverse", x -> Linalg.inverse(square(x)));
        FUNCTIONS.put("pinv of wide", Linalg::pinv);
        FUNCTIONS.put("pinv of tall", x -> Linalg.pinv(x.transposeLast()));
        FUNCTIONS.put("det", x -> Linalg.det(square(x)));
        FUNCTIONS.put("solve of permuted rows", x -> Linalg.solve(permuted(square(x)), x));
        FUNCTIONS.put("det of permuted rows", x -> Linalg.det(permuted(square(x))));
        FUNCTIONS.put("logDet", x -> Linalg.logDet(square(x)).logAbsDet());
        FUNCTIONS.put("cholesky", x -> Linalg.cholesky(positive(x)));
        FUNCTIONS.put("qr of wide", x -> flat(Linalg.qr(x).q(), Linalg.qr(x).r()));
        FUNCTIONS.put(
                "qr of tall",
                x -> flat(
                        Linalg.qr(x.transposeLast()).q(),
                        Linalg.qr(x.transposeLast()).r()));
        FUNCTIONS.put("svd of wide", x -> svd(x));
        FUNCTIONS.put("svd of tall", x -> svd(x.transposeLast()));
        FUNCTIONS.put("svd of square", x -> svd(square(x)));
        FUNCTIONS.put("singular values", x -> Linalg.svd(x).s());
        FUNCTIONS.put("eigh", x -> {
            Linalg.Eigh eigh = Linalg.eigh(positive(x));
            return flat(eigh.values().unsqueeze(-1), eigh.vectors().multiply(eigh.vectors()));
        });
        FUNCTIONS.put("matrixPower", x -> Linalg.matrixPower(square(x), 5));
        FUNCTIONS.put("matrixPower below zero", x -> Linalg.matrixPower(square(x), -2));
        FUNCTIONS.put("diagonal", Linalg::diagonal);
        FUNCTIONS.put("trace", x -> Linalg.trace(x.multiply(x)));
        FUNCTIONS.put("norm 1", x -> Linalg.norm(x, 1));
        FUNCTIONS.put("norm -inf", x -> Linalg.norm(x, Double.NEGATIVE_INFINITY));
        FUNCTIONS.put("norm 2", x -> Linalg.norm(x, 2));
        FUNCTIONS.put("norm -2", x -> Linalg.norm(x, -2));
        FUNCTIONS.put("nuclearNorm", Linalg::nuclearNorm);
    }

    private static Tensor square(Tensor x) {
        return x.slice(-1, 0, 3).add(Tensor.eye(x.dtype(), 3).multiply(2));
    }

    private static Tensor positive(Tensor x) {
        return x.matmul(x.transposeLast()).add(Tensor.eye(x.dtype(), 3).multiply(0.5));
    }

    /// The squares of the vectors, which have no sign.
    private static Tensor svd(Tensor x) {
        Linalg.Svd svd = Linalg.svd(x);
        return flat(svd.u().multiply(svd.u()), svd.s().unsqueeze(-1), svd.vt().multiply(svd.vt()));
    }

    /// One tensor of all elements, of each matrix of a batch.
    private static Tensor flat(Tensor... parts) {
        return Tensor.concat(-1, Stream.of(parts).map(t -> t.flatten(-2, -1)).toArray(Tensor[]::new));
    }

    private static Tensor random(DType dtype, int seed, long... shape) {
        return Tensor.rand(dtype, new Random(seed), shape).multiply(2).subtract(1);
    }

    private static void requireClose(Tensor expected, Tensor actual, double tolerance) {
        assertArrayEquals(expected.shape(), actual.shape());
        assertArrayEquals(expected.toDoubleArray(), actual.toDoubleArray(), tolerance);
    }

    private static void requireOrthonormal(Tensor columns, double tolerance) {
        Tensor product = columns.transposeLast().matmul(columns);
        Tensor one = Tensor.eye(columns.dtype(), columns.size(-1)).broadcastTo(product.shape());
        requireClose(one, product, tolerance);
    }

    /// Runs a test over dtypes and matrices: plain ones, batches, transposed and sliced views.
    private static Stream<DynamicTest> overMatrices(boolean square, Consumer<Tensor> test) {
        return Stream.of(DType.FLOAT32, DType.FLOAT64).flatMap(dtype -> Arrays.stream(SIZES)
                .boxed()
                .map(n -> dynamicTest(dtype + " " + n, () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        for (int m : square ? new int[] {n} : new int[] {n, n + 2, Math.max(0, n - 1), 1}) {
                            test.accept(random(dtype, n, m, n));
                            test.accept(random(dtype, n, 2, 3, m, n));
                            test.accept(random(dtype, n, 0, m, n));
                            test.accept(random(dtype, n, 2, n, m).transposeLast());
                            test.accept(random(dtype, n, m + 1, 2 * n)
                                    .slice(0, 1, m + 1)
                                    .slice(1, 0, 2 * n, 2));
                            test.accept(random(dtype, n, m, n).broadcastTo(3, m, n));
                        }
                    }
                })));
    }

    private static double tolerance(Tensor a) {
        return (a.dtype() == DType.FLOAT64 ? 1e-12 : 2e-4) * Math.max(1, a.size(-1));
    }

    /// Adds to the diagonal what makes a matrix far from singular.
    private static Tensor regular(Tensor a) {
        long n = a.size(-1);
        return a.add(Tensor.eye(a.dtype(), n).multiply(n));
    }

    /// Moves the large elements off the diagonal, so that pivoting exchanges each row with one further down.
    private static Tensor permuted(Tensor a) {
        return a.roll(1, -1);
    }

    @TestFactory
    Stream<DynamicTest> solutionsSolveTheirSystems() {
        return overMatrices(true, x -> {
            Tensor a = permuted(regular(x));
            Tensor b = random(a.dtype(), 1, a.size(-1), 2);
            requireClose(b.broadcastTo(a.matmul(b).shape()), a.matmul(Linalg.solve(a, b)), tolerance(a));
            Tensor vector = random(a.dtype(), 2, a.size(-1));
            Tensor image = a.matmul(Linalg.solve(a, vector).unsqueeze(-1)).squeeze(-1);
            requireClose(vector.broadcastTo(image.shape()), image, tolerance(a));
            for (boolean upper : new boolean[] {true, false}) {
                Tensor triangle = upper ? regular(x).triu(0) : regular(x).tril(0);
                Tensor solution = Linalg.triangularSolve(regular(x), b, upper);
                requireClose(b.broadcastTo(solution.shape()), triangle.matmul(solution), tolerance(a));
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> aMatrixTimesItsInverseIsTheIdentity() {
        return overMatrices(true, x -> {
            Tensor a = permuted(regular(x));
            Tensor one = Tensor.eye(a.dtype(), a.size(-1)).broadcastTo(a.shape());
            requireClose(one, a.matmul(Linalg.inverse(a)), tolerance(a));
            requireClose(one, Linalg.pinv(a).matmul(a), tolerance(a));
            requireClose(one, Linalg.matrixPower(a, 0), 0);
        });
    }

    @TestFactory
    Stream<DynamicTest> factorsMultiplyToTheMatrix() {
        return overMatrices(false, a -> {
            Linalg.Qr qr = Linalg.qr(a);
            requireClose(a, qr.q().matmul(qr.r()), tolerance(a));
            requireOrthonormal(qr.q(), tolerance(a));
            requireClose(qr.r().triu(0), qr.r(), 0);
            Linalg.Svd svd = Linalg.svd(a);
            requireClose(a, svd.u().multiply(svd.s().unsqueeze(-2)).matmul(svd.vt()), tolerance(a));
            requireOrthonormal(svd.u(), tolerance(a));
            requireOrthonormal(svd.vt().transposeLast(), tolerance(a));
            double[] s = svd.s().toDoubleArray();
            int k = (int) svd.s().size(-1);
            for (int i = 0; i < s.length; i++) {
                assertTrue(s[i] >= 0 && (i % k == 0 || s[i] <= s[i - 1]), Arrays.toString(s));
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> symmetricMatricesHaveTheirFactorsFromTheLowerTriangle() {
        return overMatrices(true, x -> {
            Tensor a = regular(x.matmul(x.transposeLast()));
            Tensor noise = random(a.dtype(), 5, a.shape()).triu(1);
            Tensor l = Linalg.cholesky(a.add(noise));
            requireClose(a, l.matmul(l.transposeLast()), tolerance(a) * Math.max(1, a.size(-1)));
            requireClose(l.tril(0), l, 0);
            Tensor symmetric = x.add(x.transposeLast());
            Linalg.Eigh eigh = Linalg.eigh(symmetric.add(noise));
            Tensor v = eigh.vectors();
            requireOrthonormal(v, tolerance(a));
            requireClose(symmetric, v.multiply(eigh.values().unsqueeze(-2)).matmul(v.transposeLast()), tolerance(a));
            double[] w = eigh.values().toDoubleArray();
            for (int i = 1; i < w.length; i++) {
                assertTrue(i % a.size(-1) == 0 || w[i] >= w[i - 1], Arrays.toString(w));
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> theDeterminantIsTheProductOfTheSingularValuesButForItsSign() {
        return overMatrices(true, a -> {
            double[] det = Linalg.det(a).toDoubleArray();
            Linalg.LogDet log = Linalg.logDet(a);
            double[] sign = log.sign().toDoubleArray();
            double[] logAbs = log.logAbsDet().toDoubleArray();
            double[] s = Linalg.svd(a.cast(DType.FLOAT64)).s().toDoubleArray();
            int n = (int) a.size(-1);
            for (int i = 0; i < det.length; i++) {
                double product = 1;
                for (int j = i * n; j < (i + 1) * n; j++) {
                    product *= s[j];
                }
                double relative = a.dtype() == DType.FLOAT64 ? 1e-10 : 1e-3;
                assertEquals(product, Math.abs(det[i]), relative * product);
                assertEquals(Math.signum(det[i]), sign[i]);
                assertEquals(Math.log(product), logAbs[i], relative * 10);
            }
        });
    }

    @Test
    void determinantsOfKnownMatricesHaveTheirSign() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.of(DType.FLOAT64, new double[] {0, 1, 1, 0, 0, 2, 3, 0, 2, 4, 1, 2}, 3, 2, 2);
            assertArrayEquals(new double[] {-1, -6, 0}, Linalg.det(a).toDoubleArray(), 1e-15);
            assertArrayEquals(new double[] {-1, -1, 0}, Linalg.logDet(a).sign().toDoubleArray());
            assertEquals(Double.NEGATIVE_INFINITY, Linalg.logDet(a).logAbsDet().at(2));
            assertEquals(1, Linalg.det(Tensor.zeros(0, 0)).item());
        }
    }

    @Test
    void aSingularMatrixHasTheCofactorsForTheGradientOfItsDeterminant() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.of(
                            DType.FLOAT64, new double[] {2, 4, 1, 1, 2, 3, 3, 6, 4, 1, 2, 3, 2, 4, 6, 3, 6, 9}, 2, 3, 3)
                    .trackGradient();
            Linalg.det(a).sum().backward();
            // The minors of two rows; those of a matrix of rank 1 are 0.
            double[] cofactors = {-10, 5, 0, -10, 5, 0, 10, -5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
            assertArrayEquals(cofactors, a.gradient().toDoubleArray(), 1e-12);
        }
    }

    @Test
    void leastSquaresOfFewerEquationsThanUnknownsHaveTheLeastNorm() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.of(DType.FLOAT64, new double[] {1, 1, 0, 0, 0, 2}, 2, 3);
            Tensor x = Linalg.lstsq(a, Tensor.of(DType.FLOAT64, new double[] {4, 6}, 2));
            assertArrayEquals(new double[] {2, 2, 3}, x.toDoubleArray(), 1e-14);
            Tensor line = Tensor.of(DType.FLOAT64, new double[] {1, 0, 1, 1, 1, 2}, 3, 2);
            Tensor fit = Linalg.lstsq(line, Tensor.of(DType.FLOAT64, new double[] {1, 2, 6}, 3, 1));
            assertArrayEquals(new double[] {0.5, 2.5}, fit.toDoubleArray(), 1e-14);
        }
    }

    @Test
    void theRankCountsSingularValuesAboveRounding() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = random(DType.FLOAT64, 1, 3, 5, 2).matmul(random(DType.FLOAT64, 2, 3, 2, 4));
            assertArrayEquals(new long[] {2, 2, 2}, Linalg.matrixRank(a).toLongArray());
            assertArrayEquals(
                    new long[] {0, 0}, Linalg.matrixRank(Tensor.zeros(2, 3, 3)).toLongArray());
            assertArrayEquals(
                    new long[] {0, 0}, Linalg.matrixRank(Tensor.zeros(2, 0, 3)).toLongArray());
        }
    }

    @TestFactory
    Stream<DynamicTest> gradientsAreThoseOfDifferences() {
        return FUNCTIONS.entrySet().stream()
                .map(f -> dynamicTest(f.getKey(), () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        GradientCheck.check(f.getValue(), random(DType.FLOAT64, 3, 3, 4));
                        GradientCheck.check(f.getValue(), random(DType.FLOAT64, 4, 2, 2, 3, 4));
                    }
                }));
    }

    @Test
    void eitherOperandOfASystemMayBeOutsideOfTheGraph() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = regular(random(DType.FLOAT64, 1, 3, 3));
            Tensor b = random(DType.FLOAT64, 2, 4, 3, 2);
            GradientCheck.check(x -> Linalg.solve(x, b), a);
            GradientCheck.check(x -> Linalg.solve(a, x), b);
            GradientCheck.check(x -> Linalg.solve(x, x), a);
            GradientCheck.check(x -> Linalg.triangularSolve(x, b, true), a);
            GradientCheck.check(x -> Linalg.triangularSolve(a, x, false), b);
        }
    }

    @TestFactory
    Stream<DynamicTest> secondDerivativesAreThoseOfDifferences() {
        return FUNCTIONS.entrySet().stream()
                .map(f -> dynamicTest(f.getKey(), () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        Tensor x = random(DType.FLOAT64, 3, 3, 4).trackGradient();
                        Tensor direction = random(DType.FLOAT64, 4, 3, 4);
                        Tensor weights = random(DType.FLOAT64, 5, 3, 4);
                        Tensor slope = gradientOfSquares(f.getValue(), x)
                                .multiply(weights)
                                .sum();
                        double analytic = slope.tracksGradient()
                                ? Autograd.gradients(slope, List.of(x))
                                        .getFirst()
                                        .multiply(direction)
                                        .sum()
                                        .item()
                                : 0;
                        double h = 1e-5;
                        double numeric = 0;
                        for (int sign : new int[] {1, -1}) {
                            Tensor moved =
                                    x.detach().add(direction.multiply(sign * h)).trackGradient();
                            numeric += sign
                                    * gradientOfSquares(f.getValue(), moved)
                                            .multiply(weights)
                                            .sum()
                                            .item()
                                    / (2 * h);
                        }
                        assertEquals(numeric, analytic, 1e-6 * Math.max(1, Math.abs(numeric)));
                    }
                }));
    }

    private static Tensor gradientOfSquares(UnaryOperator<Tensor> f, Tensor x) {
        Tensor y = f.apply(x);
        return Autograd.gradients(y.multiply(y).sum(), List.of(x), true).getFirst();
    }

    @TestFactory
    Stream<DynamicTest> thePredictedScheduleIsTheOneThatRuns() {
        return FUNCTIONS.entrySet().stream()
                .map(f -> dynamicTest(f.getKey(), () -> {
                    long before = Memory.liveBytes();
                    try (var model = TensorArena.ofConfined()) {
                        Tensor x = random(DType.FLOAT32, 3, 5, 3, 4).trackGradient();
                        MemoryPlan plan = MemoryPlan.of(
                                in -> f.getValue().apply(in.getFirst()).sum(), List.of(x));
                        try (var step = TensorArena.ofConfined()) {
                            Tensor loss = f.getValue().apply(x).sum();
                            assertEquals(
                                    plan.schedule().entries(),
                                    loss.releaseSchedule().entries());
                            loss.backward(Release.EAGER);
                            assertEquals(plan.schedule().peakBytes(), step.peakBytes());
                        }
                        double[] eager = x.gradient().toDoubleArray();
                        x.zeroGradient();
                        try (var step = TensorArena.ofConfined()) {
                            Tensor loss = f.getValue().apply(x).sum();
                            loss.backward();
                        }
                        assertArrayEquals(eager, x.gradient().toDoubleArray());
                    }
                    assertEquals(before, Memory.liveBytes());
                }));
    }

    /// Requires that a call fails with a message and leaves nothing behind.
    private static void requireMessage(String message, Consumer<Tensor> call, Tensor a) {
        long live = TensorArena.innermost().liveBytes();
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, () -> call.accept(a))
                        .getMessage());
        assertEquals(live, TensorArena.innermost().liveBytes(), "something is left of " + message);
    }

    /// A batch of identities, one of whose elements is another.
    private static Tensor identities(double value, int row, int column) {
        Tensor a = Tensor.eye(DType.FLOAT64, 3).broadcastTo(2, 3, 3, 3).copyTo(TensorArena.innermost());
        a.get(1).get(2).get(row).slice(0, column, column + 1).copyFrom(Tensor.of(DType.FLOAT64, new double[] {value}));
        return a;
    }

    @Test
    void messagesNameTheMatrixAndTheReason() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = identities(0, 1, 1);
            Tensor b = Tensor.ones(DType.FLOAT64, 3);
            String singular = ": matrix [1, 2] of [2, 3, 3, 3] is singular: pivot 2 is 0";
            Tensor last = identities(0, 2, 2);
            requireMessage("inverse" + singular + "; use pinv", Linalg::inverse, last);
            requireMessage("solve" + singular + "; use lstsq", x -> Linalg.solve(x, b), last);
            requireMessage(
                    "triangularSolve: matrix [1, 2] of [2, 3, 3, 3] has a singular triangle: element 1 of its diagonal"
                            + " is 0",
                    x -> Linalg.triangularSolve(x, b, true),
                    a);
            requireMessage(
                    "cholesky: matrix [1, 2] of [2, 3, 3, 3] is not positive definite: its leading minor of order 2, at"
                            + " row 1, is not positive; add to its diagonal, or use eigh",
                    Linalg::cholesky,
                    identities(-1, 1, 1));
            requireMessage("inverse: [2, 2] is singular: pivot 0 is 0; use pinv", Linalg::inverse, Tensor.zeros(2, 2));
            requireMessage("det: [2, 3] is not square; it takes [..., n, n]", Linalg::det, Tensor.ones(2, 3));
            requireMessage("qr: [3] has no rows and columns; reshape it to [..., m, n]", Linalg::qr, b);
            requireMessage(
                    "solve: [2, 3, 3, 3] and [2, 3] have different numbers of rows, 3 and 2; a right-hand side is [n] or"
                            + " [..., n, k]",
                    x -> Linalg.solve(a, x),
                    Tensor.ones(DType.FLOAT64, 2, 3));
            requireMessage(
                    "lstsq: [2, 3] and [3, 2] do not have the same number of rows; a right-hand side is [m] or [..., m,"
                            + " k]",
                    x -> Linalg.lstsq(x, x.reshape(3, 2)),
                    Tensor.ones(2, 3));
            requireMessage(
                    "svd: takes FLOAT32 or FLOAT64, and [2, 2] is BFLOAT16; cast(DType.FLOAT32) first",
                    Linalg::svd,
                    Tensor.ones(DType.BFLOAT16, 2, 2));
            requireMessage(
                    "svd: [24000, 24000] has 24000 rows or columns, and LAPACK, which counts in ints, takes 23000 here;"
                            + " use blocks of it",
                    Linalg::svd,
                    Tensor.ones(1).broadcastTo(24_000, 24_000));
            requireMessage(
                    "norm: matrices [2, 3] have no norm of order 3.0; give 1, 2, ∞ or one of these negative, or use"
                            + " nuclearNorm, or norm(a) of all elements",
                    x -> Linalg.norm(x, 3),
                    Tensor.ones(2, 3));
            requireMessage(
                    "norm: [0, 2] has no singular values, and no norm of order -2.0",
                    x -> Linalg.norm(x, -2),
                    Tensor.ones(0, 2));
            requireMessage(
                    "norm: [3, 0] has no columns, and no norm of order 1.0", x -> Linalg.norm(x, 1), Tensor.ones(3, 0));
            requireMessage(
                    "norm: [0, 2] has no rows, and no norm of order -Infinity",
                    x -> Linalg.norm(x, Double.NEGATIVE_INFINITY),
                    Tensor.ones(0, 2));
            requireMessage(
                    "norm: [0] has no elements, and no norm of order Infinity",
                    x -> Linalg.norm(x, Double.POSITIVE_INFINITY),
                    Tensor.ones(0));
        }
    }

    @Test
    void nanGivesNanOrAnExceptionThatNamesIt() {
        try (var arena = TensorArena.ofConfined()) {
            for (double value : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
                Tensor a = identities(value, 2, 1);
                Tensor b = Tensor.ones(DType.FLOAT64, 3, 1);
                String reason = ": matrix [1, 2] of [2, 3, 3, 3] has an element that is NaN or infinite, and no"
                        + " decomposition";
                requireMessage("svd" + reason, Linalg::svd, a);
                requireMessage("eigh" + reason, Linalg::eigh, a);
                for (Tensor y : List.of(
                        Linalg.solve(a, b),
                        Linalg.inverse(a),
                        Linalg.det(a),
                        Linalg.qr(a).q(),
                        Linalg.qr(a).r())) {
                    Tensor parts = y.reshape(6, -1);
                    assertTrue(parts.slice(0, 0, 5).isFinite().all().item() == 1, "other matrices");
                    assertTrue(parts.get(5).isFinite().all().item() == 0, "the matrix of " + y);
                }
            }
            requireMessage(
                    "cholesky: matrix [1, 2] of [2, 3, 3, 3] is not positive definite: its leading minor of order 3, at"
                            + " row 2, is not positive; add to its diagonal, or use eigh",
                    Linalg::cholesky,
                    identities(Double.NaN, 2, 1));
            // The other triangle is not read.
            assertEquals(
                    1,
                    Linalg.cholesky(identities(Double.NaN, 1, 2))
                            .isFinite()
                            .all()
                            .item());
            assertEquals(
                    1,
                    Linalg.eigh(identities(Double.NaN, 1, 2))
                            .values()
                            .isFinite()
                            .all()
                            .item());
        }
    }

    @Test
    void aReplayThrowsForItsOwnMatrices() {
        try (var arena = TensorArena.ofConfined();
                var cholesky = CompiledFunction.of(Linalg::cholesky);
                var inverse = CompiledFunction.of(x -> Linalg.inverse(x).multiply(2))) {
            Tensor one = Tensor.eye(DType.FLOAT64, 2);
            Tensor indefinite = Tensor.of(DType.FLOAT64, new double[] {1, 0, 0, -1}, 2, 2);
            Tensor singular = Tensor.of(DType.FLOAT64, new double[] {1, 1, 1, 1}, 2, 2);
            cholesky.run(one);
            inverse.run(one);
            for (int i = 0; i < 2; i++) {
                String message = assertThrows(IllegalArgumentException.class, () -> cholesky.run(indefinite))
                        .getMessage();
                assertTrue(message.contains("cholesky: [2, 2] is not positive definite"), message);
                message = assertThrows(IllegalArgumentException.class, () -> inverse.run(singular))
                        .getMessage();
                assertTrue(message.contains("inverse: [2, 2] is singular: pivot 1 is 0"), message);
            }
            assertArrayEquals(new double[] {2, 0, 0, 2}, inverse.run(one).toDoubleArray(), 0.0);
            assertEquals(1, inverse.recordings());
        }
    }

    @Test
    void resultsAreTheSameBitsForAnyNumberOfThreads() {
        int before = Threads.count();
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = random(DType.FLOAT32, 1, 200, 12, 12);
            Threads.set(1);
            Tensor alone = Linalg.svd(x).u();
            Threads.set(4);
            assertArrayEquals(alone.toFloatArray(), Linalg.svd(x).u().toFloatArray());
        } finally {
            Threads.set(before);
        }
    }

    @Test
    void vectorNormsAreThoseOfTheirDefinitions() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(DType.FLOAT64, new double[] {3, 0, -4, 1}, 4);
            // numpy.linalg.norm([3, 0, -4, 1], order)
            double[][] norms = {
                {Double.POSITIVE_INFINITY, 4},
                {Double.NEGATIVE_INFINITY, 0},
                {0, 3},
                {1, 8},
                {2, 5.0990195135927845},
                {3, 4.514357435474001},
                {0.5, 22.392304845413264}
            };
            for (double[] norm : norms) {
                assertEquals(norm[1], Linalg.norm(x, norm[0]).item(), 1e-12 * norm[1], "order " + norm[0]);
            }
            // numpy.linalg.norm([3, 2, -4, 1], -1)
            Tensor y = Tensor.of(DType.FLOAT64, new double[] {3, 2, -4, 1}, 4);
            assertEquals(0.48, Linalg.norm(y, -1).item(), 1e-15);
        }
    }
}
