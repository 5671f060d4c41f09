package org.toydiff.internal.kernels;

import java.util.function.Function;
import org.toydiff.internal.arithmetic.Condition;
import org.toydiff.internal.arithmetic.ErrorFunction;
import org.toydiff.internal.arithmetic.Exponential;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Hyperbolic;
import org.toydiff.internal.arithmetic.InverseTrigonometry;
import org.toydiff.internal.arithmetic.Logarithm;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;
import org.toydiff.internal.arithmetic.Rounding;
import org.toydiff.internal.arithmetic.Trigonometry;

/// Elementwise kernels of one operand, and the expression that each computes. Tests of numbers write bytes of 0 or 1.
public enum UnaryKernel {
    ABS(Real::abs),
    ACOS(InverseTrigonometry::acos),
    ASIN(InverseTrigonometry::asin),
    ATAN(InverseTrigonometry::atan),
    CEIL(Rounding::ceil),
    COS(Trigonometry::cos),
    COSH(Hyperbolic::cosh),
    ERF(ErrorFunction::erf),
    EXP(Exponential::exp),
    EXP2(Exponential::exp2),
    EXPM1(Exponential::expm1),
    FLOOR(Rounding::floor),
    GELU(Activations::gelu),
    GELU_TANH(Activations::geluTanh),
    HARDSWISH(Activations::hardswish),
    IS_FINITE(x -> x.abs().less(infinity(x))),
    IS_INF(x -> x.abs().equalTo(infinity(x))),
    IS_NAN(Real::isNaN),
    LOG(Logarithm::log),
    LOG10(Logarithm::log10),
    LOG1P(Logarithm::log1p),
    LOG2(Logarithm::log2),
    MISH(Activations::mish),
    NEGATIVE(Real::negative),
    RECIPROCAL(x -> x.precision().constant(1).divide(x)),
    RELU(Activations::relu),
    ROUND(Rounding::round),
    RSQRT(x -> x.precision().constant(1).divide(x.sqrt())),
    SIGMOID(Exponential::sigmoid),
    SIGN(UnaryKernel::sign),
    SIN(Trigonometry::sin),
    SINH(Hyperbolic::sinh),
    SQRT(Real::sqrt),
    TAN(Trigonometry::tan),
    TANH(Hyperbolic::tanh),
    TRUNC(Rounding::trunc);

    private final PerPrecision<Kernel.Unary> kernel;
    private final Function<Real, Expression> expression;

    UnaryKernel(Function<Real, Expression> expression) {
        kernel = new PerPrecision<>(p -> Kernels.unary(Kernels.name(this, p), expression.apply(p.input(0))));
        this.expression = expression;
    }

    private static Real infinity(Real x) {
        return x.precision().constant(Double.POSITIVE_INFINITY);
    }

    /// {@return −1, 0 or 1; 0 for NaN}
    private static Real sign(Real x) {
        Real zero = x.precision().constant(0);
        Real one = x.precision().constant(1);
        return x.greater(zero).select(one, x.less(zero).select(one.negative(), zero));
    }

    /// {@return whether the results are truth values}
    public boolean isTest() {
        return expression.apply(Precision.FLOAT32.input(0)) instanceof Condition;
    }

    /// {@return the kernel for FLOAT32 or FLOAT64 (`wide`), created on first use}
    public Kernel.Unary of(boolean wide) {
        return kernel.of(wide);
    }
}
