package org.toydiff.fuzz;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Calls of arithmetic on integers and of logic on truth values.
final class IntegerCalls {
    /// Beyond, a double does not have every integer, and what is known of an element is not exact.
    static final double EXACT = 0x1p53;

    private static final Map<String, LongUnaryOperator> UNARY = Map.of(
            "abs", Math::abs,
            "negative", x -> -x,
            "sign", Long::signum,
            "relu", x -> Math.max(x, 0),
            "floor", x -> x,
            "ceil", x -> x,
            "round", x -> x,
            "trunc", x -> x);

    private static final Map<String, LongBinaryOperator> BINARY = Map.of(
            "add", Long::sum,
            "subtract", (a, b) -> a - b,
            "multiply", (a, b) -> a * b,
            "maximum", Math::max,
            "minimum", Math::min,
            "floorDivide", (a, b) -> Math.floorDiv(a, nonzero(b)),
            "remainder", (a, b) -> Math.floorMod(a, nonzero(b)),
            "fmod", (a, b) -> a % nonzero(b));

    private IntegerCalls() {}

    static List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        rows.add(unary("abs", Tensor::abs));
        rows.add(unary("negative", Tensor::negative));
        rows.add(unary("relu", Tensor::relu));
        rows.add(unary("round", Tensor::round));
        rows.add(Row.of("max", (m, c) -> ReductionCalls.extreme(true, integers(m, c), m, c)));
        rows.add(Row.of("min", (m, c) -> ReductionCalls.extreme(false, integers(m, c), m, c)));
        rows.add(Row.of("argmax", (m, c) -> ReductionCalls.argmax(integers(m, c), m, c)));
        rows.add(Row.of("argmin", (m, c) -> ReductionCalls.argmin(integers(m, c), m, c)));
        rows.add(Row.of("clamp", (m, c) -> ElementCalls.clamp(integers(m, c), m, c)));
        rows.add(binary("add", Tensor::add, Tensor::add));
        rows.add(binary("subtract", Tensor::subtract, Tensor::subtract));
        rows.add(binary("multiply", Tensor::multiply, Tensor::multiply));
        rows.add(binary("maximum", Tensor::maximum, Tensor::maximum));
        rows.add(logic("logicalAnd", Tensor::logicalAnd, (a, b) -> a & b));
        rows.add(logic("logicalOr", Tensor::logicalOr, (a, b) -> a | b));
        rows.add(logic("logicalXor", Tensor::logicalXor, (a, b) -> a ^ b));
        rows.add(Row.of("logicalNot", (m, c) -> {
            Held x = truth(m, c);
            new Attempt(m, c, x + ".logicalNot()")
                    .reads(x)
                    .expects(() -> {
                        Dense.require(x.dtype() == DType.BOOL);
                        return Reference.map(x.known, v -> 1 - v);
                    })
                    .gives(() -> x.tensor.logicalNot());
        }));
        rows.add(binary("floorDivide", Tensor::floorDivide, Tensor::floorDivide));
        rows.add(binary("remainder", Tensor::remainder, Tensor::remainder));
        rows.add(binary("fmod", Tensor::fmod, Tensor::fmod));
        rows.add(reduction("any", Tensor::any, v -> nonzero(v) > 0 ? 1 : 0));
        rows.add(reduction("all", Tensor::all, v -> nonzero(v) == v.length ? 1 : 0));
        rows.add(Row.of("countNonzero", IntegerCalls::countNonzero));
        return rows;
    }

    interface WithNumber {
        Tensor apply(Tensor x, double b);
    }

    /// Whether integers have an op.
    static boolean takes(String op, Held x) {
        return isInteger(x) && (UNARY.containsKey(op) || BINARY.containsKey(op));
    }

    static boolean isInteger(Held x) {
        return x.dtype() == DType.INT32 || x.dtype() == DType.INT64;
    }

    private static Held integers(Machine m, Choice c) {
        Held found = c.coin() ? m.find(c, IntegerCalls::isInteger) : null;
        return found != null ? found : m.fresh(c, c.of(DType.INT32, DType.INT64), c.shape());
    }

    private static Held truth(Machine m, Choice c) {
        if (c.oneIn(20)) {
            return m.any(c);
        }
        Held found = c.coin() ? m.find(c, held -> held.dtype() == DType.BOOL) : null;
        return found != null ? found : m.fresh(c, DType.BOOL, c.shape());
    }

    /// Whether a number is an integer of a dtype.
    static boolean has(DType dtype, double number) {
        return Math.rint(number) == number && wrapped(dtype, (long) number) == number && number < 0x1p63;
    }

    private static double wrapped(DType dtype, long value) {
        return dtype == DType.INT32 ? (int) value : value;
    }

    /// What a result is held against: nothing, which NaN says, where an operand is not known exactly.
    private static double magnitude(double... operands) {
        for (double operand : operands) {
            if (!(Math.abs(operand) < EXACT)) {
                return Double.NaN;
            }
        }
        return 0;
    }

    private static Row unary(String op, UnaryOperator<Tensor> call) {
        return Row.of(op, (m, c) -> unary(op, call, integers(m, c), m, c));
    }

    static void unary(String op, UnaryOperator<Tensor> call, Held x, Machine m, Choice c) {
        LongUnaryOperator reference = UNARY.get(op);
        new Attempt(m, c, x + "." + op + "()")
                .reads(x)
                .expects(() -> Reference.map(x.known, v -> wrapped(x.dtype(), reference.applyAsLong((long) v))))
                .within(() -> Reference.map(x.known, v -> magnitude(v)))
                .gives(() -> call.apply(x.tensor));
    }

    private static Row binary(String op, BinaryOperator<Tensor> call, WithNumber withNumber) {
        return Row.of(op, (m, c) -> binary(op, call, withNumber, integers(m, c), m, c));
    }

    static void binary(String op, BinaryOperator<Tensor> call, WithNumber withNumber, Held a, Machine m, Choice c) {
        LongBinaryOperator reference = BINARY.get(op);
        if (c.oneIn(5)) {
            double b = c.coin() ? c.below(9) - 4 : c.number(false);
            new Attempt(m, c, a + "." + op + "(" + b + ")")
                    .reads(a)
                    .expects(() -> {
                        Dense.require(has(a.dtype(), b));
                        return Reference.map(a.known, v -> of(reference, a.dtype(), v, b));
                    })
                    .within(() -> Reference.map(a.known, v -> magnitude(v, b)))
                    .gives(() -> withNumber.apply(a.tensor, b));
            return;
        }
        Held b = m.partner(c, a);
        new Attempt(m, c, a + "." + op + "(" + b + ")")
                .reads(a, b)
                .expects(() -> {
                    Dense.require(a.dtype() == b.dtype());
                    return Reference.zip(a.known, b.known, (u, v) -> of(reference, a.dtype(), u, v));
                })
                .within(() -> Reference.zip(a.known, b.known, (u, v) -> magnitude(u, v)))
                .gives(() -> call.apply(a.tensor, b.tensor));
    }

    private static double of(LongBinaryOperator reference, DType dtype, double a, double b) {
        return wrapped(dtype, reference.applyAsLong((long) a, (long) b));
    }

    private static Row logic(String op, BinaryOperator<Tensor> call, LongBinaryOperator reference) {
        return Row.of(op, (m, c) -> {
            Held a = truth(m, c);
            Held b = m.partner(c, a);
            new Attempt(m, c, a + "." + op + "(" + b + ")")
                    .reads(a, b)
                    .expects(() -> {
                        Dense.require(a.dtype() == DType.BOOL && b.dtype() == DType.BOOL);
                        return Reference.zip(a.known, b.known, (u, v) -> reference.applyAsLong((long) u, (long) v));
                    })
                    .gives(() -> call.apply(a.tensor, b.tensor));
        });
    }

    private static double nonzero(double[] values) {
        double count = 0;
        for (double value : values) {
            count += value != 0 ? 1 : 0;
        }
        return count;
    }

    private static long nonzero(long divisor) {
        Dense.require(divisor != 0);
        return divisor;
    }

    private interface Along {
        Tensor apply(Tensor x, int axis, boolean keepDims);
    }

    private static Row reduction(String op, Along call, ToDoubleFunction<double[]> reference) {
        return Row.of(op, (m, c) -> {
            Held x = truth(m, c);
            int axis = c.axis(x.rank());
            boolean keep = c.coin();
            new Attempt(m, c, x + "." + op + "(" + axis + ", " + keep + ")")
                    .reads(x)
                    .expects(() -> {
                        Dense.require(x.dtype() == DType.BOOL);
                        return Reference.reduce(x.known, axis, keep, reference);
                    })
                    .gives(() -> call.apply(x.tensor, axis, keep));
        });
    }

    private static void countNonzero(Machine m, Choice c) {
        Held x = m.any(c);
        int axis = c.axis(x.rank());
        boolean keep = c.coin();
        new Attempt(m, c, x + ".countNonzero(" + axis + ", " + keep + ")")
                .reads(x)
                .expects(() -> Reference.reduce(x.known, axis, keep, IntegerCalls::nonzero))
                .gives(() -> x.tensor.countNonzero(axis, keep));
    }
}
