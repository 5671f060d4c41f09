package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;
import java.util.function.BiFunction;
import org.toydiff.internal.arithmetic.Condition;
import org.toydiff.internal.arithmetic.Exponential;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;
import org.toydiff.internal.kernels.PassDescription.Fold;
import org.toydiff.internal.kernels.PassDescription.Output;

/// Kernels over contiguous runs of floating-point elements: reductions, and the parts of softmax and of normalisations.
/// Starts and counts are in elements. Elements are summed in double, exponentials in the precision of the elements.
public final class ContiguousKernels {
    private static final ContiguousKernels FLOAT32 = new ContiguousKernels(false);
    private static final ContiguousKernels FLOAT64 = new ContiguousKernels(true);

    /// A kernel's parameters, one array per thread.
    private static final ThreadLocal<double[]> PARAMETERS =
            ThreadLocal.withInitial(() -> new double[Coefficients.COUNT]);

    private static final PerPrecision<Kernel.Columns> COLUMNS = new PerPrecision<>(Kernels::columns);

    private final boolean wide;

    private ContiguousKernels(boolean wide) {
        this.wide = wide;
    }

    /// {@return the kernels for FLOAT32 or FLOAT64 (`wide`)}
    public static ContiguousKernels of(boolean wide) {
        return wide ? FLOAT64 : FLOAT32;
    }

    // Indices of operands and parameters of passes.
    private static final int X = 0;
    private static final int B = 1;
    private static final int Y = 2;
    private static final int C = 3;
    private static final int NEXT = 4;

    private enum Kind {
        FILL((name, p) -> PassDescription.map(name, p, new Output(Y, p.parameter(0)))),
        SUM((name, p) -> PassDescription.fold(name, p, Fold.SUM, Precision.FLOAT64.input(X))),
        SQUARES((name, p) -> PassDescription.fold(name, p, Fold.SUM, square())),
        MOMENTS((name, p) -> PassDescription.sums(name, p, difference(X), square())),
        FINITE((name, p) -> PassDescription.fold(name, p, Fold.SUM, p.input(X).subtract(p.input(X)))),
        DOT((name, p) -> PassDescription.fold(name, p, Fold.SUM, product())),
        MAX((name, p) -> PassDescription.fold(name, p, Fold.MAX, p.input(X))),
        MIN((name, p) -> PassDescription.fold(name, p, Fold.MIN, p.input(X))),
        SUM_EXP((name, p) -> PassDescription.fold(name, p, Fold.SUM, power(p))),
        TAKE_LARGER(ContiguousKernels.Kind::takeLarger),
        EXP((name, p) -> PassDescription.fold(name, p, Fold.SUM, power(p), new Output(Y, power(p)))),
        ATTENTION_GRADIENT(ContiguousKernels.Kind::attentionGradient),
        AFFINE((name, p) -> PassDescription.map(name, p, new Output(Y, affine(p)))),
        ADD_MULTIPLE((name, p) ->
                PassDescription.map(name, p, new Output(Y, p.input(X).fma(p.parameter(0), p.input(Y))))),
        SOFTMAX_GRADIENT((name, p) -> PassDescription.map(
                name, p, new Output(Y, p.input(B).multiply(p.input(X).subtract(p.parameter(0)))))),
        LOG_SOFTMAX_GRADIENT((name, p) -> PassDescription.map(name, p, new Output(Y, logSoftmaxGradient(p)))),
        NORMALIZE((name, p) -> ahead(name, p, deviation(p, X, p.parameter(1)).fma(p.input(B), p.input(C)))),
        SCALE((name, p) -> ahead(name, p, p.input(X).multiply(p.parameter(0)).multiply(p.input(B)))),
        GRADIENT_SUMS((name, p) -> PassDescription.sums(
                name,
                p,
                difference(C),
                difference(C).multiply(difference(C)),
                product(),
                product().multiply(difference(C)))),
        CENTERED_SUMS((name, p) -> PassDescription.sums(
                name, p, Precision.FLOAT64.input(X), Precision.FLOAT64.input(X).multiply(difference(B)))),
        ADD_CENTERED_PRODUCT((name, p) -> PassDescription.map(
                name, p, new Output(Y, p.input(X).fma(deviation(p, B, p.parameter(1)), p.input(Y))))),
        NORMALIZE_GRADIENT(
                (name, p) -> PassDescription.map(name, p, new Output(Y, normalizeGradient(p, p.input(X), B)))),
        WEIGHTED_NORMALIZE_GRADIENT((name, p) -> PassDescription.map(
                name, p, new Output(Y, normalizeGradient(p, p.input(X).multiply(p.input(B)), C))));

        private final PerPrecision<Kernel.Pass> kernel;

        Kind(BiFunction<String, Precision, PassDescription> description) {
            kernel = new PerPrecision<>(p -> Kernels.pass(description.apply(Kernels.name(this, p) + "Run", p)));
        }

        /// Describes a pass that writes y and reads elements that come next, of which it makes a sum that nobody needs.
        private static PassDescription ahead(String name, Precision p, Real y) {
            return PassDescription.fold(name, p, Fold.SUM, p.input(NEXT), new Output(Y, y));
        }

        private static Real difference(int x) {
            return Precision.FLOAT64.input(x).subtract(Precision.FLOAT64.parameter(0));
        }

        private static Real square() {
            return difference(X).multiply(difference(X));
        }

        private static Real product() {
            return Precision.FLOAT64.input(X).multiply(Precision.FLOAT64.input(B));
        }

        private static PassDescription takeLarger(String name, Precision p) {
            Real x = p.input(X);
            Condition larger = x.greater(p.input(Y)).or(x.isNaN());
            return PassDescription.map(
                    name,
                    p,
                    new Output(Y, larger.select(x, p.input(Y))),
                    new Output(C, larger.select(p.parameter(0), p.input(C))));
        }

        private static Real power(Precision p) {
            return Exponential.expOfNegative(p.input(X).subtract(p.parameter(0)));
        }

        private static PassDescription attentionGradient(String name, Precision p) {
            Real gradient = power(p).multiply(p.input(B).subtract(p.parameter(1)));
            return PassDescription.map(name, p, new Output(X, power(p)), new Output(B, gradient));
        }

        private static Real affine(Precision p) {
            return p.input(X).subtract(p.parameter(0)).fma(p.parameter(1), p.parameter(2));
        }

        /// `(x − mean)·factor`, with the mean in parameter 0.
        private static Real deviation(Precision p, int x, Real factor) {
            return p.input(x).subtract(p.parameter(0)).multiply(factor);
        }

        private static Real normalizeGradient(Precision p, Real g, int x) {
            return g.multiply(p.parameter(1)).subtract(p.parameter(2)).subtract(deviation(p, x, p.parameter(3)));
        }

        private static Real logSoftmaxGradient(Precision p) {
            return p.input(X).subtract(Exponential.expOfNegative(p.input(B)).multiply(p.parameter(0)));
        }
    }

    private double run(
            Kind kind,
            MemorySegment x,
            long x0,
            MemorySegment b,
            long b0,
            MemorySegment y,
            long y0,
            long n,
            double[] parameters) {
        return run(kind, x, x0, b, b0, y, y0, null, 0, n, parameters, null);
    }

    private double run(
            Kind kind,
            MemorySegment x,
            long x0,
            MemorySegment b,
            long b0,
            MemorySegment y,
            long y0,
            MemorySegment c,
            long c0,
            long n,
            double[] parameters,
            double[] totals) {
        return kind.kernel.of(wide).run(x, x0, b, b0, y, y0, c, c0, null, 0, n, parameters, totals);
    }

    private double fold(Kind kind, MemorySegment x, long x0, MemorySegment b, long b0, long n) {
        return run(kind, x, x0, b, b0, null, 0, n, null);
    }

    private static double[] parameters(double first) {
        double[] parameters = PARAMETERS.get();
        parameters[0] = first;
        return parameters;
    }

    /// Writes `value` to n elements of y.
    public void fill(MemorySegment y, long y0, long n, double value) {
        run(Kind.FILL, null, 0, null, 0, y, y0, n, parameters(value));
    }

    /// `Σ x`
    public double sum(MemorySegment x, long x0, long n) {
        return fold(Kind.SUM, x, x0, null, 0, n);
    }

    /// `Σ (x − mean)²`
    public double squares(MemorySegment x, long x0, long n, double mean) {
        return run(Kind.SQUARES, x, x0, null, 0, null, 0, n, parameters(mean));
    }

    /// Writes `Σ (x − shift)` and `Σ (x − shift)²` to the beginning of `sums`.
    public void moments(MemorySegment x, long x0, long n, double shift, double[] sums) {
        run(Kind.MOMENTS, x, x0, null, 0, null, 0, null, 0, n, parameters(shift), sums);
    }

    /// {@return whether no element is NaN or infinite} The difference of one and itself would be NaN, not 0.
    public boolean allFinite(MemorySegment x, long x0, long n) {
        return fold(Kind.FINITE, x, x0, null, 0, n) == 0;
    }

    /// `Σ a·b`
    public double dot(MemorySegment a, long a0, MemorySegment b, long b0, long n) {
        return fold(Kind.DOT, a, a0, b, b0, n);
    }

    /// {@return the largest of at least one element; NaN if any element is NaN}
    public double max(MemorySegment x, long x0, long n) {
        return fold(Kind.MAX, x, x0, null, 0, n);
    }

    /// {@return the smallest of at least one element; NaN if any element is NaN}
    public double min(MemorySegment x, long x0, long n) {
        return fold(Kind.MIN, x, x0, null, 0, n);
    }

    /// Replaces elements of y by larger ones of x, and by any NaN, and writes `mark` to the elements of marks there.
    public void takeLarger(
            MemorySegment x, long x0, long n, double mark, MemorySegment y, long y0, MemorySegment marks, long marks0) {
        run(Kind.TAKE_LARGER, x, x0, null, 0, y, y0, marks, marks0, n, parameters(mark), null);
    }

    /// `Σ eˣ⁻ˢ` with the shift s, for x no larger than s.
    public double sumExp(MemorySegment x, long x0, long n, double shift) {
        return run(Kind.SUM_EXP, x, x0, null, 0, null, 0, n, parameters(shift));
    }

    /// Writes `y = eˣ⁻ˢ` with the shift s, for x no larger than s, and returns the sum of y.
    public double exp(MemorySegment x, long x0, long n, double shift, MemorySegment y, long y0) {
        return run(Kind.EXP, x, x0, null, 0, y, y0, n, parameters(shift));
    }

    /// `y = (x − shift)·factor + term`, with the shift subtracted first: it may be large, and the difference small.
    public void affine(
            MemorySegment x, long x0, long n, double shift, double factor, double term, MemorySegment y, long y0) {
        double[] parameters = parameters(shift);
        parameters[1] = factor;
        parameters[2] = term;
        run(Kind.AFFINE, x, x0, null, 0, y, y0, n, parameters);
    }

    /// `y = x·factor + y`, rounded once.
    public void addMultiple(MemorySegment x, long x0, long n, double factor, MemorySegment y, long y0) {
        run(Kind.ADD_MULTIPLE, x, x0, null, 0, y, y0, n, parameters(factor));
    }

    /// `y[j] = Σᵢ x[i][j] / divisor` for n columns of at least one row, where the rows of x are `xi` apart; summed
    /// row by row in double, and rounded once.
    public void sumColumns(
            MemorySegment x, long x0, long xi, long rows, MemorySegment y, long y0, long n, double divisor) {
        COLUMNS.of(wide).run(x, x0, xi, rows, y, y0, n, divisor);
    }

    /// Writes softmax's gradient along a run, `y·(g − dot)`, to x.
    public void softmaxGradient(
            MemorySegment g, long g0, MemorySegment y, long y0, long n, double dot, MemorySegment x, long x0) {
        run(Kind.SOFTMAX_GRADIENT, g, g0, y, y0, x, x0, n, parameters(dot));
    }

    /// Writes log-softmax's gradient along a run, `g − sum·eʸ`, to x.
    public void logSoftmaxGradient(
            MemorySegment g, long g0, MemorySegment y, long y0, long n, double sum, MemorySegment x, long x0) {
        run(Kind.LOG_SOFTMAX_GRADIENT, g, g0, y, y0, x, x0, n, parameters(sum));
    }

    // Several rows, of which an operand's are a distance apart. Numbers of rows are doubles.

    /// Writes the largest element of each row; NaN if one of them is NaN.
    public void maxOfRows(MemorySegment x, long x0, long xi, long rows, long n, MemorySegment numbers, long numbers0) {
        rows(Kind.MAX, x, x0, xi, null, 0, 0, null, 0, 0, rows, n, 0, numbers, numbers0);
    }

    /// `Σ a·b` of each row
    public void dotOfRows(
            MemorySegment a,
            long a0,
            long ai,
            MemorySegment b,
            long b0,
            long bi,
            long rows,
            long n,
            MemorySegment numbers,
            long numbers0) {
        rows(Kind.DOT, a, a0, ai, b, b0, bi, null, 0, 0, rows, n, 0, numbers, numbers0);
    }

    /// As [#exp] of each row, in place, with its number as the shift, which its sum replaces.
    public void expOfRows(MemorySegment x, long x0, long xi, long rows, long n, MemorySegment numbers, long numbers0) {
        rows(Kind.EXP, x, x0, xi, null, 0, 0, x, x0, xi, rows, n, 1, numbers, numbers0);
    }

    /// Replaces scores x by probabilities, `p = eˣ⁻ˢ`, and the gradients g of these by those of the scores,
    /// `p·(g − dot)`, with a shift and a dot of each row. The dots follow the shifts of all rows.
    public void attentionGradientOfRows(
            MemorySegment x,
            long x0,
            MemorySegment g,
            long g0,
            long step,
            long rows,
            long n,
            MemorySegment numbers,
            long numbers0) {
        rows(Kind.ATTENTION_GRADIENT, x, x0, step, g, g0, step, null, 0, 0, rows, n, 2, numbers, numbers0);
    }

    /// Runs a pass for each row, whose total, if it folds, replaces the first of its numbers.
    ///
    /// @param count the number of parameters of a row
    private void rows(
            Kind kind,
            MemorySegment x,
            long x0,
            long xi,
            MemorySegment b,
            long b0,
            long bi,
            MemorySegment y,
            long y0,
            long yi,
            long rows,
            long n,
            int count,
            MemorySegment numbers,
            long numbers0) {
        Kernel.Pass kernel = kind.kernel.of(wide);
        kernel.rows(x, x0, b, b0, y, y0, xi, bi, yi, rows, n, numbers, numbers0, count, PARAMETERS.get());
    }

    // Normalisations.

    private static double[] parameters(double mean, double factor, double term, double slope) {
        double[] parameters = parameters(mean);
        parameters[1] = factor;
        parameters[2] = term;
        parameters[3] = slope;
        return parameters;
    }

    /// `y = (x − mean)·factor·weight + bias`
    ///
    /// Also reads the n elements of x from index `next` on, which the caller needs next: memory delivers them while y
    /// is written. (Rows of 16 Mi floats take 0.85 times as long.)
    public void normalize(
            MemorySegment x,
            long x0,
            MemorySegment weight,
            long weight0,
            MemorySegment bias,
            long bias0,
            long n,
            double mean,
            double factor,
            MemorySegment y,
            long y0,
            long next) {
        double[] parameters = parameters(mean, factor, 0, 0);
        Kernel.Pass kernel = Kind.NORMALIZE.kernel.of(wide);
        kernel.run(x, x0, weight, weight0, y, y0, bias, bias0, x, next, n, parameters, null);
    }

    /// `y = x·factor·weight`; reads ahead as [#normalize] does.
    public void scale(
            MemorySegment x,
            long x0,
            MemorySegment weight,
            long weight0,
            long n,
            double factor,
            MemorySegment y,
            long y0,
            long next) {
        Kernel.Pass kernel = Kind.SCALE.kernel.of(wide);
        kernel.run(x, x0, weight, weight0, y, y0, null, 0, x, next, n, parameters(factor), null);
    }

    /// Writes `Σ g` and `Σ g·(x − mean)` to the beginning of `sums`.
    public void centeredSums(MemorySegment g, long g0, MemorySegment x, long x0, long n, double mean, double[] sums) {
        run(Kind.CENTERED_SUMS, g, g0, x, x0, null, 0, null, 0, n, parameters(mean), sums);
    }

    /// Writes `Σ (x − shift)`, `Σ (x − shift)²`, `Σ g·weight` and `Σ g·weight·(x − shift)` to `sums`.
    public void gradientSums(
            MemorySegment g,
            long g0,
            MemorySegment weight,
            long weight0,
            MemorySegment x,
            long x0,
            long n,
            double shift,
            double[] sums) {
        run(Kind.GRADIENT_SUMS, g, g0, weight, weight0, null, 0, x, x0, n, parameters(shift), sums);
    }

    /// `y = g·((x − mean)·factor) + y`, with the product added before it is rounded.
    public void addCenteredProduct(
            MemorySegment g,
            long g0,
            MemorySegment x,
            long x0,
            long n,
            double mean,
            double factor,
            MemorySegment y,
            long y0) {
        run(Kind.ADD_CENTERED_PRODUCT, g, g0, x, x0, y, y0, n, parameters(mean, factor, 0, 0));
    }

    /// `y = g·factor − term − (x − mean)·slope`
    public void normalizeGradient(
            MemorySegment g,
            long g0,
            MemorySegment x,
            long x0,
            long n,
            double mean,
            double factor,
            double term,
            double slope,
            MemorySegment y,
            long y0) {
        run(Kind.NORMALIZE_GRADIENT, g, g0, x, x0, y, y0, n, parameters(mean, factor, term, slope));
    }

    /// `y = g·weight·factor − term − (x − mean)·slope`
    public void normalizeGradient(
            MemorySegment g,
            long g0,
            MemorySegment weight,
            long weight0,
            MemorySegment x,
            long x0,
            long n,
            double mean,
            double factor,
            double term,
            double slope,
            MemorySegment y,
            long y0) {
        double[] parameters = parameters(mean, factor, term, slope);
        run(Kind.WEIGHTED_NORMALIZE_GRADIENT, g, g0, weight, weight0, y, y0, x, x0, n, parameters, null);
    }
}
