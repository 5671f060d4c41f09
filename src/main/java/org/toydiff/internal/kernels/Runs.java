package org.toydiff.internal.kernels;

import java.lang.foreign.MemorySegment;

/// Loops over contiguous runs of floating elements that do more than one elementwise op: reductions and
/// softmax. Starts and counts are in elements. Sums are accumulated in double.
public interface Runs {
    /// The kernels for FLOAT32 or FLOAT64 (`wide`).
    static Runs of(boolean wide) {
        return wide ? Holder.FLOAT64 : Holder.FLOAT32;
    }

    /// The scalar ones. For runs shorter than a vector or two: the compiler boxes a vector that lives through so
    /// much inlined code, which costs heap and gains nothing there.
    static Runs scalar(boolean wide) {
        return wide ? Holder.SCALAR64 : Holder.SCALAR32;
    }

    /// The chosen ones, made once.
    final class Holder {
        private static final Runs FLOAT32 = Kernels.runs(false);
        private static final Runs FLOAT64 = Kernels.runs(true);
        private static final Runs SCALAR32 = new FloatRuns();
        private static final Runs SCALAR64 = new DoubleRuns();

        private Holder() {}
    }

    /// Writes `value` to n elements of y.
    void fill(MemorySegment y, long y0, long n, double value);

    /// `Σ x`
    double sum(MemorySegment x, long x0, long n);

    /// `Σ (x − mean)²`
    double squares(MemorySegment x, long x0, long n, double mean);

    /// `Σ a·b`
    double dot(MemorySegment a, long a0, MemorySegment b, long b0, long n);

    /// The largest of at least one element; NaN if any is.
    double max(MemorySegment x, long x0, long n);

    /// The smallest of at least one element; NaN if any is.
    double min(MemorySegment x, long x0, long n);

    /// `y[j] = Σᵢ x[i][j]` for n columns, the rows of x being `xi` apart; added to y when `add`.
    void sumColumns(MemorySegment x, long x0, long xi, long rows, MemorySegment y, long y0, long n, boolean add);

    /// `Σ eˣ⁻ˢ` with the shift s.
    double sumExp(MemorySegment x, long x0, long n, double shift);

    /// `y = eˣ⁻ˢ` with the shift s, and its sum.
    double exp(MemorySegment x, long x0, long n, double shift, MemorySegment y, long y0);

    /// `y = (x − shift)·factor + term`, the shift first: it may be large, and what is left of x small.
    void affine(MemorySegment x, long x0, long n, double shift, double factor, double term, MemorySegment y, long y0);

    /// softmax's gradient along a run: `y·(g − dot)`, written to x.
    void softmaxGradient(
            MemorySegment g, long g0, MemorySegment y, long y0, long n, double dot, MemorySegment x, long x0);

    /// log-softmax's gradient along a run: `g − sum·eʸ`, written to x.
    void logSoftmaxGradient(
            MemorySegment g, long g0, MemorySegment y, long y0, long n, double sum, MemorySegment x, long x0);
}
