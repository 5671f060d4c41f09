package org.toydiff.fuzz;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoublePredicate;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import org.toydiff.Bfloat16Oracle;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Calls of what works element by element.
final class ElementCalls {
    private ElementCalls() {}

    static List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        rows.add(unary("log", Tensor::log, Math::log));
        rows.add(unary("log1p", Tensor::log1p, Math::log1p));
        rows.add(unary("negative", Tensor::negative, x -> -x));
        rows.add(unary("sigmoid", Tensor::sigmoid, x -> 1 / (1 + Math.exp(-x))));
        rows.add(unary("sin", Tensor::sin, Math::sin));
        rows.add(unary("cos", Tensor::cos, Math::cos));
        rows.add(unary("tan", Tensor::tan, Math::tan));
        rows.add(unary("sinh", Tensor::sinh, Math::sinh));
        rows.add(unary("cosh", Tensor::cosh, Math::cosh));
        rows.add(unary("tanh", Tensor::tanh, Math::tanh));
        rows.add(unary("exp", Tensor::exp, Math::exp));
        rows.add(unary("reciprocal", Tensor::reciprocal, x -> 1 / x));
        rows.add(unary("sign", Tensor::sign, x -> Double.isNaN(x) ? 0 : Math.signum(x)));
        rows.add(unary("abs", Tensor::abs, Math::abs));
        rows.add(unary("sqrt", Tensor::sqrt, Math::sqrt));
        rows.add(unary("relu", Tensor::relu, x -> x < 0 ? 0 : x));
        rows.addAll(functions());
        rows.add(Row.of("erf", (m, c) -> {
            Held x = m.floating(c);
            attempt(m, c, x + ".erf()", x).gives(() -> x.tensor.erf());
        }));
        rows.add(activation("gelu", Tensor::gelu));
        rows.add(activation("geluTanh", Tensor::geluTanh));
        rows.add(activation("elu", x -> x.elu(0.7)));
        rows.add(activation("hardswish", Tensor::hardswish));
        rows.add(activation("mish", Tensor::mish));
        rows.add(Row.of("clamp", (m, c) -> clamp(m.floating(c), m, c)));
        rows.addAll(arithmetic());
        rows.add(Row.of("where", ElementCalls::where));
        rows.add(comparison("greater", Tensor::greater, (a, b) -> a > b ? 1 : 0));
        rows.add(comparison("greaterOrEqual", Tensor::greaterOrEqual, (a, b) -> a >= b ? 1 : 0));
        rows.add(comparison("less", Tensor::less, (a, b) -> a < b ? 1 : 0));
        rows.add(comparison("lessOrEqual", Tensor::lessOrEqual, (a, b) -> a <= b ? 1 : 0));
        rows.add(comparison("equalTo", Tensor::equalTo, (a, b) -> a == b ? 1 : 0));
        rows.add(comparison("notEqualTo", Tensor::notEqualTo, (a, b) -> a != b ? 1 : 0));
        rows.add(Row.of("cast", ElementCalls::cast));
        return rows;
    }

    private static Row activation(String op, UnaryOperator<Tensor> call) {
        return Row.of(op, (m, c) -> {
            Held x = m.floating(c);
            attempt(m, c, x + "." + op + "()", x).gives(() -> call.apply(x.tensor));
        });
    }

    private static List<Row> functions() {
        return List.of(
                unary("expm1", Tensor::expm1, Math::expm1),
                unary("exp2", Tensor::exp2, x -> Math.pow(2, x)),
                unary("log2", Tensor::log2, x -> Math.log(x) / Math.log(2)),
                unary("log10", Tensor::log10, Math::log10),
                unary("rsqrt", Tensor::rsqrt, x -> 1 / Math.sqrt(x)),
                unary("asin", Tensor::asin, Math::asin),
                unary("acos", Tensor::acos, Math::acos),
                unary("atan", Tensor::atan, Math::atan),
                unary("floor", Tensor::floor, Math::floor),
                unary("ceil", Tensor::ceil, Math::ceil),
                unary("round", Tensor::round, Math::rint),
                unary("trunc", Tensor::trunc, x -> x < 0 ? Math.ceil(x) : Math.floor(x)),
                binary("remainder", Tensor::remainder, Tensor::remainder, ElementCalls::remainder),
                binary("fmod", Tensor::fmod, Tensor::fmod, (a, b) -> a % b),
                pair("atan2", Tensor::atan2, Math::atan2),
                pair("hypot", Tensor::hypot, Math::hypot),
                Row.of("nanToNum", ElementCalls::nanToNum),
                test("isNan", Tensor::isNan, Double::isNaN),
                test("isFinite", Tensor::isFinite, Double::isFinite),
                test("isInf", Tensor::isInf, Double::isInfinite));
    }

    private static Row test(String op, UnaryOperator<Tensor> call, DoublePredicate reference) {
        return new Row(op, 2, (m, c) -> {
            Held x = m.any(c);
            new Attempt(m, c, x + "." + op + "()")
                    .reads(x)
                    .expects(() -> Reference.map(x.known, v -> reference.test(v) ? 1 : 0))
                    .gives(() -> call.apply(x.tensor));
        });
    }

    private static List<Row> arithmetic() {
        return List.of(
                binary("add", Tensor::add, Tensor::add, Double::sum),
                binary("subtract", Tensor::subtract, Tensor::subtract, (a, b) -> a - b),
                binary("multiply", Tensor::multiply, Tensor::multiply, (a, b) -> a * b),
                binary("divide", Tensor::divide, Tensor::divide, (a, b) -> a / b),
                binary("power", Tensor::power, Tensor::power, Math::pow),
                binary("maximum", Tensor::maximum, Tensor::maximum, Math::max),
                binary("minimum", Tensor::minimum, Tensor::minimum, Math::min));
    }

    /// For an op that takes floating operands of one dtype.
    static Attempt attempt(Machine m, Choice c, String text, Held... operands) {
        Attempt attempt = new Attempt(m, c, text).reads(operands);
        return attempt.expects(() -> {
            requireFloating(operands);
            return null;
        });
    }

    static void requireFloating(Held... operands) {
        for (Held operand : operands) {
            Dense.require(operand.isFloating() && operand.dtype() == operands[0].dtype());
        }
    }

    private static Row unary(String op, UnaryOperator<Tensor> call, DoubleUnaryOperator reference) {
        return new Row(op, 2, (m, c) -> {
            Held x = m.floating(c);
            if (IntegerCalls.takes(op, x)) {
                IntegerCalls.unary(op, call, x, m, c);
                return;
            }
            attempt(m, c, x + "." + op + "()", x)
                    .expects(() -> {
                        requireFloating(x);
                        return Reference.map(x.known, reference);
                    })
                    .within(() -> Reference.map(x.known, v -> magnitude(op, v, reference.applyAsDouble(v))))
                    .gives(() -> call.apply(x.tensor));
        });
    }

    /// Far out the trigonometric functions are held against nothing, which NaN says.
    private static double magnitude(String op, double x, double y) {
        boolean far = Math.abs(x) > 1e4 && List.of("sin", "cos", "tan").contains(op);
        return far ? Double.NaN : Double.isNaN(y) ? 0 : Math.min(Math.abs(y), 1e36);
    }

    private static Row binary(
            String op,
            BinaryOperator<Tensor> call,
            IntegerCalls.WithNumber withNumber,
            DoubleBinaryOperator reference) {
        return new Row(op, 6, (m, c) -> {
            Held a = m.floating(c);
            if (IntegerCalls.takes(op, a)) {
                IntegerCalls.binary(op, call, withNumber, a, m, c);
                return;
            }
            if (c.oneIn(5)) {
                double b = a.dtype() == DType.FLOAT32 ? (float) c.number(false) : c.number(false);
                attempt(m, c, a + "." + op + "(" + b + ")", a)
                        .expects(() -> {
                            requireFloating(a);
                            return Reference.map(a.known, v -> reference.applyAsDouble(v, b));
                        })
                        .gives(() -> withNumber.apply(a.tensor, b));
                return;
            }
            Held b = c.oneIn(10) ? a : m.partner(c, a);
            attempt(m, c, a + "." + op + "(" + b + ")", a, b)
                    .expects(() -> {
                        requireFloating(a, b);
                        return Reference.zip(a.known, b.known, reference);
                    })
                    .gives(() -> call.apply(a.tensor, b.tensor));
        });
    }

    /// Python's `a % b`.
    private static double remainder(double a, double b) {
        double rest = a % b;
        return rest != 0 && rest < 0 != b < 0 ? rest + b : rest;
    }

    /// For an op of two tensors that takes no number in place of one.
    private static Row pair(String op, BinaryOperator<Tensor> call, DoubleBinaryOperator reference) {
        return new Row(op, 2, (m, c) -> {
            Held a = m.floating(c);
            Held b = m.partner(c, a);
            attempt(m, c, a + "." + op + "(" + b + ")", a, b)
                    .expects(() -> {
                        requireFloating(a, b);
                        return Reference.zip(a.known, b.known, reference);
                    })
                    .gives(() -> call.apply(a.tensor, b.tensor));
        });
    }

    private static void nanToNum(Machine m, Choice c) {
        Held x = m.floating(c);
        double nan = c.below(3);
        double posinf = 100 + c.below(3);
        double neginf = -100 - c.below(3);
        attempt(m, c, x + ".nanToNum(" + nan + ", " + posinf + ", " + neginf + ")", x)
                .expects(() -> Reference.map(
                        x.known, v -> Double.isFinite(v) ? v : Double.isNaN(v) ? nan : v > 0 ? posinf : neginf))
                .gives(() -> x.tensor.nanToNum(nan, posinf, neginf));
    }

    private static Row comparison(String op, BinaryOperator<Tensor> call, DoubleBinaryOperator reference) {
        return new Row(op, 2, (m, c) -> {
            Held a = m.any(c);
            Held b = m.partner(c, a);
            new Attempt(m, c, a + "." + op + "(" + b + ")")
                    .reads(a, b)
                    .expects(() -> {
                        Dense.require(a.dtype() == b.dtype());
                        return Reference.zip(a.known, b.known, reference);
                    })
                    .gives(() -> call.apply(a.tensor, b.tensor));
        });
    }

    static void clamp(Held x, Machine m, Choice c) {
        boolean whole = !x.isFloating() && !c.oneIn(5);
        double min = whole ? c.below(9) - 4 : c.number(true);
        double max = c.oneIn(10) ? c.number(false) : min + c.below(3);
        attempt(m, c, x + ".clamp(" + min + ", " + max + ")", x)
                .expects(() -> {
                    Dense.require(x.dtype() != DType.BOOL && min <= max);
                    Dense.require(
                            x.isFloating() || IntegerCalls.has(x.dtype(), min) && IntegerCalls.has(x.dtype(), max));
                    return Reference.map(x.known, v -> v < min ? min : v > max ? max : v);
                })
                .gives(() -> x.tensor.clamp(min, max));
    }

    private static void where(Machine m, Choice c) {
        Held a = m.any(c);
        Held b = m.partner(c, a);
        Held mask = c.oneIn(20) ? m.any(c) : m.fresh(c, DType.BOOL, c.shrunk(a.shape()));
        new Attempt(m, c, "Tensor.where(" + mask + ", " + a + ", " + b + ")")
                .reads(mask, a, b)
                .expects(() -> {
                    Dense.require(mask.dtype() == DType.BOOL && a.dtype() == b.dtype());
                    return Reference.where(mask.known, a.known, b.known);
                })
                .gives(() -> Tensor.where(mask.tensor, a.tensor, b.tensor));
    }

    private static void cast(Machine m, Choice c) {
        Held x = m.any(c);
        DType to = c.dtype();
        new Attempt(m, c, x + ".cast(" + to.name() + ")")
                .reads(x)
                .expects(() -> Reference.map(x.known, v -> converted(v, to)))
                .gives(() -> x.tensor.cast(to));
    }

    private static double converted(double value, DType to) {
        return switch (to) {
            case FLOAT32 -> (float) value;
            case FLOAT64 -> value;
            case BFLOAT16 -> Bfloat16Oracle.rounded(value);
            case BOOL -> value != 0 ? 1 : 0;
            case INT32 -> {
                Dense.require(value > Integer.MIN_VALUE - 1.0 && value < Integer.MAX_VALUE + 1.0);
                yield (int) value;
            }
            case INT64 -> {
                Dense.require(value >= Long.MIN_VALUE && value < 0x1p63);
                yield (long) value;
            }
        };
    }
}
