package org.toydiff;

import static org.toydiff.Oracles.POSITIVE;
import static org.toydiff.Oracles.REAL;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;

/// The row of an elementwise op of one operand in [OpTableTest].
///
/// @param name the op's
/// @param op calls it
/// @param oracle the same function of a double
/// @param domain where its gradient is tested
record UnaryRow(String name, UnaryOperator<Tensor> op, DoubleUnaryOperator oracle, Oracles.Domain domain) {
    static final List<UnaryRow> ALL = List.of(
            new UnaryRow("log", Tensor::log, Math::log, POSITIVE),
            new UnaryRow("log1p", Tensor::log1p, Math::log1p, POSITIVE),
            new UnaryRow("erf", Tensor::erf, Oracles::erf, REAL),
            new UnaryRow("gelu", Tensor::gelu, x -> x * (0.5 * (1 + Oracles.erf(x * Math.sqrt(0.5)))), REAL),
            new UnaryRow(
                    "geluTanh",
                    Tensor::geluTanh,
                    x -> x * (0.5 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))),
                    REAL),
            new UnaryRow("elu", x -> x.elu(0.7), x -> x > 0 ? x : 0.7 * Math.expm1(x), REAL),
            new UnaryRow(
                    "hardswish",
                    Tensor::hardswish,
                    x -> Double.isNaN(x) ? x : x * (Math.min(Math.max(x + 3, 0), 6) / 6),
                    REAL),
            new UnaryRow("mish", Tensor::mish, x -> x * Math.tanh(Math.log1p(Math.exp(x))), REAL),
            new UnaryRow(
                    "clamp",
                    x -> x.clamp(-1.1, 0.7),
                    x -> Double.isNaN(x) ? x : Math.min(Math.max(x, -1.1), 0.7),
                    REAL),
            new UnaryRow("negative", Tensor::negative, x -> -x, REAL),
            new UnaryRow("sigmoid", Tensor::sigmoid, x -> 1 / (1 + Math.exp(-x)), REAL),
            new UnaryRow("sin", Tensor::sin, Math::sin, REAL),
            new UnaryRow("cos", Tensor::cos, Math::cos, REAL),
            new UnaryRow("tan", Tensor::tan, Math::tan, new Oracles.Domain(-1.3, 1.3)),
            new UnaryRow("sinh", Tensor::sinh, Math::sinh, REAL),
            new UnaryRow("cosh", Tensor::cosh, Math::cosh, REAL),
            new UnaryRow("tanh", Tensor::tanh, Math::tanh, REAL),
            new UnaryRow("exp", Tensor::exp, Math::exp, REAL),
            new UnaryRow("reciprocal", Tensor::reciprocal, x -> 1 / x, POSITIVE),
            new UnaryRow("sign", Tensor::sign, x -> Double.isNaN(x) ? 0 : Math.signum(x), REAL),
            new UnaryRow("abs", Tensor::abs, Math::abs, REAL),
            new UnaryRow("sqrt", Tensor::sqrt, Math::sqrt, POSITIVE),
            new UnaryRow("relu", Tensor::relu, x -> x < 0 ? 0 : x, REAL),
            new UnaryRow("expm1", Tensor::expm1, Math::expm1, REAL),
            new UnaryRow("exp2", Tensor::exp2, x -> Math.pow(2, x), REAL),
            new UnaryRow("log2", Tensor::log2, x -> Math.log(x) / Math.log(2), POSITIVE),
            new UnaryRow("log10", Tensor::log10, Math::log10, POSITIVE),
            new UnaryRow("rsqrt", Tensor::rsqrt, x -> 1 / Math.sqrt(x), POSITIVE),
            new UnaryRow("asin", Tensor::asin, Math::asin, new Oracles.Domain(-0.9, 0.9)),
            new UnaryRow("acos", Tensor::acos, Math::acos, new Oracles.Domain(-0.9, 0.9)),
            new UnaryRow("atan", Tensor::atan, Math::atan, REAL),
            new UnaryRow("floor", Tensor::floor, Math::floor, REAL),
            new UnaryRow("ceil", Tensor::ceil, Math::ceil, REAL),
            new UnaryRow("round", Tensor::round, Math::rint, REAL),
            new UnaryRow("trunc", Tensor::trunc, x -> x < 0 ? Math.ceil(x) : Math.floor(x), REAL));
}
