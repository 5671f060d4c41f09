package org.toydiff.internal.arithmetic;

/// Polynomials by Horner's rule, with fused multiply-adds. Their latency is hidden, because the loops compute many
/// elements at a time; schemes that shorten it, such as Estrin's, need more operations.
final class Polynomial {
    private Polynomial() {}

    /// {@return `c₀ + c₁x + c₂x² + …`}
    static Real of(Real x, double... coefficients) {
        Precision precision = x.precision();
        int degree = coefficients.length - 1;
        Real sum = precision.constant(coefficients[degree]);
        for (int i = degree - 1; i >= 0; i--) {
            sum = sum.fma(x, precision.constant(coefficients[i]));
        }
        return sum;
    }
}
