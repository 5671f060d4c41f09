package org.toydiff.internal.kernels;

import java.util.function.UnaryOperator;
import org.toydiff.internal.arithmetic.ErrorFunction;
import org.toydiff.internal.arithmetic.Exponential;
import org.toydiff.internal.arithmetic.Hyperbolic;
import org.toydiff.internal.arithmetic.Logarithm;
import org.toydiff.internal.arithmetic.Real;
import org.toydiff.internal.arithmetic.Trigonometry;

/// Elementwise kernels of one operand, and the expression that each computes.
public enum UnaryKernel {
    ABS(Real::abs),
    COS(Trigonometry::cos),
    COSH(Hyperbolic::cosh),
    ERF(ErrorFunction::erf),
    EXP(Exponential::exp),
    LOG(Logarithm::log),
    LOG1P(Logarithm::log1p),
    NEGATIVE(Real::negative),
    RECIPROCAL(x -> x.precision().constant(1).divide(x)),
    RELU(Activations::relu),
    SIGMOID(Exponential::sigmoid),
    SIGN(UnaryKernel::sign),
    SIN(Trigonometry::sin),
    SINH(Hyperbolic::sinh),
    SQRT(Real::sqrt),
    TAN(Trigonometry::tan),
    TANH(Hyperbolic::tanh);

    private final PerPrecision<Kernel.Unary> kernel;

    UnaryKernel(UnaryOperator<Real> expression) {
        kernel = new PerPrecision<>(p -> Kernels.unary(Kernels.name(this, p), expression.apply(p.input(0))));
    }

    /// {@return −1, 0 or 1; 0 for NaN}
    private static Real sign(Real x) {
        Real zero = x.precision().constant(0);
        Real one = x.precision().constant(1);
        return x.greater(zero).select(one, x.less(zero).select(one.negative(), zero));
    }

    /// {@return the kernel for FLOAT32 or FLOAT64 (`wide`), created on first use}
    public Kernel.Unary of(boolean wide) {
        return kernel.of(wide);
    }
}
