package org.toydiff.fuzz;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Calls of reductions, over everything or along an axis, and of what works along an axis.
final class ReductionCalls {
    private ReductionCalls() {}

    private interface Along {
        Tensor apply(Tensor x, int axis, boolean keepDims);
    }

    /// `magnitude` is what rounding is relative to.
    private record Kind(
            String op,
            UnaryOperator<Tensor> all,
            Along along,
            ToDoubleFunction<double[]> reference,
            ToDoubleFunction<double[]> magnitude) {}

    private static final List<Kind> KINDS = List.of(
            new Kind("sum", Tensor::sum, Tensor::sum, Reference::sum, v -> Reference.sum(sizes(v))),
            new Kind("mean", Tensor::mean, Tensor::mean, Reference::mean, v -> Reference.mean(sizes(v))),
            new Kind("max", Tensor::max, Tensor::max, Reference::max, v -> Math.abs(Reference.max(v))),
            new Kind("min", Tensor::min, Tensor::min, Reference::min, v -> Math.abs(Reference.min(v))),
            new Kind("var", Tensor::var, Tensor::var, Reference::var, ReductionCalls::square),
            new Kind(
                    "std", Tensor::std, Tensor::std, v -> Math.sqrt(Reference.var(v)), v -> 1e3 * Math.sqrt(square(v))),
            new Kind(
                    "norm",
                    Tensor::norm,
                    (x, axis, keep) -> x.norm(2, axis, keep),
                    ReductionCalls::norm,
                    v -> norm(v)));

    private static double[] sizes(double[] values) {
        double[] sizes = new double[values.length];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = Math.abs(values[i]);
        }
        return sizes;
    }

    private static double square(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value * value;
        }
        return sum / Math.max(1, values.length);
    }

    private static double norm(double[] values) {
        return Math.sqrt(square(values) * values.length);
    }

    static List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        for (Kind kind : KINDS) {
            rows.add(new Row(kind.op, 5, (m, c) -> reduce(kind, m.floating(c), m, c)));
        }
        rows.add(Row.of("argmax", (m, c) -> argmax(m.floating(c), m, c)));
        rows.add(Row.of("argmin", (m, c) -> argmin(m.floating(c), m, c)));
        rows.add(Row.of("logSumExp", ReductionCalls::logSumExp));
        rows.add(Row.of("softmax", ReductionCalls::softmax));
        rows.add(Row.of("logSoftmax", ReductionCalls::softmax));
        rows.add(Row.of("topk", ReductionCalls::topk));
        rows.add(Row.of("var", ReductionCalls::corrected));
        rows.add(Row.of("norm", ReductionCalls::norm));
        return rows;
    }

    /// The largest or the smallest element.
    static void extreme(boolean largest, Held x, Machine m, Choice c) {
        String op = largest ? "max" : "min";
        KINDS.stream().filter(kind -> kind.op.equals(op)).forEach(kind -> reduce(kind, x, m, c));
    }

    private static void reduce(Kind kind, Held x, Machine m, Choice c) {
        if (c.oneIn(3)) {
            ElementCalls.attempt(m, c, x + "." + kind.op + "()", x)
                    .expects(() -> {
                        requireReducible(kind.op, x);
                        return Reference.reduce(x.known, kind.reference);
                    })
                    .within(() -> Reference.reduce(x.known, kind.magnitude))
                    .gives(() -> kind.all.apply(x.tensor));
            return;
        }
        int axis = c.axis(x.rank());
        boolean keep = c.coin();
        ElementCalls.attempt(
                        m,
                        c,
                        x + "." + kind.op + "(" + (kind.op.equals("norm") ? "2, " : "") + axis + ", " + keep + ")",
                        x)
                .expects(() -> {
                    requireReducible(kind.op, x);
                    return alongAny(x, axis, keep, kind.reference);
                })
                .within(() -> alongAny(x, axis, keep, kind.magnitude))
                .gives(() -> kind.along.apply(x.tensor, axis, keep));
    }

    /// Of integers and truth values there are sums, and of integers extremes.
    private static void requireReducible(String op, Held x) {
        boolean extreme = op.equals("max") || op.equals("min");
        Dense.require(op.equals("sum") || x.isFloating() || extreme && IntegerCalls.isInteger(x));
    }

    private static Dense along(Held x, int axis, boolean keep, ToDoubleFunction<double[]> f) {
        ElementCalls.requireFloating(x);
        return alongAny(x, axis, keep, f);
    }

    private static Dense alongAny(Held x, int axis, boolean keep, ToDoubleFunction<double[]> f) {
        // Nothing has no maximum, even where the result would be empty.
        Dense result = Reference.reduce(x.known, axis, keep, f);
        if (result.size() == 0 && x.shape()[Reference.axis(axis, x.rank())] == 0) {
            f.applyAsDouble(new double[0]);
        }
        return result;
    }

    static void argmax(Held x, Machine m, Choice c) {
        int axis = c.axis(x.rank());
        ElementCalls.attempt(m, c, x + ".argmax(" + axis + ")", x)
                .expects(() -> position(x, axis, Reference::argmax))
                .gives(() -> x.tensor.argmax(axis));
    }

    /// Nothing to compare with where a double does not have every integer.
    private static Dense position(Held x, int axis, ToDoubleFunction<double[]> f) {
        Dense.require(x.dtype() != DType.BOOL);
        Dense positions = alongAny(x, axis, false, f);
        boolean exact =
                x.isFloating() || Arrays.stream(x.known.values()).allMatch(v -> Math.abs(v) < IntegerCalls.EXACT);
        return exact ? positions : null;
    }

    static void argmin(Held x, Machine m, Choice c) {
        int axis = c.axis(x.rank());
        ElementCalls.attempt(m, c, x + ".argmin(" + axis + ")", x)
                .expects(() -> position(x, axis, v -> {
                    double[] opposite = new double[v.length];
                    for (int i = 0; i < v.length; i++) {
                        opposite[i] = -v[i];
                    }
                    return Reference.argmax(opposite);
                }))
                .gives(() -> x.tensor.argmin(axis));
    }

    private static double logSumExp(double[] values) {
        Dense.require(values.length > 0);
        double max = Reference.max(values);
        double sum = 0;
        for (double value : values) {
            sum += Math.exp(value - max);
        }
        return max + Math.log(sum);
    }

    private static void logSumExp(Machine m, Choice c) {
        Held x = m.floating(c);
        int axis = c.axis(x.rank());
        boolean keep = c.coin();
        boolean compared = x.size() > 0 && x.known.isFinite();
        Attempt attempt = ElementCalls.attempt(m, c, x + ".logSumExp(" + axis + ", " + keep + ")", x)
                .mayRefuse();
        if (compared) {
            attempt.expects(() -> along(x, axis, keep, ReductionCalls::logSumExp))
                    .within(() -> along(x, axis, keep, v -> 1 + Reference.max(sizes(v))));
        } else if (x.size() > 0) {
            attempt.mayRefuse();
        }
        attempt.gives(() -> x.tensor.logSumExp(axis, keep));
    }

    private static void softmax(Machine m, Choice c) {
        Held x = m.floating(c);
        int axis = c.axis(x.rank());
        boolean log = c.coin();
        boolean compared = x.size() > 0 && x.known.isFinite();
        Attempt attempt = ElementCalls.attempt(m, c, x + (log ? ".logSoftmax(" : ".softmax(") + axis + ")", x);
        attempt.expects(() -> {
            ElementCalls.requireFloating(x);
            Reference.axis(axis, x.rank());
            return compared ? softmax(x.known, axis, log) : x.known;
        });
        double largest = compared ? Reference.max(sizes(x.known.values())) : Double.NaN;
        attempt.within(() -> Reference.map(x.known, v -> 10 + 2 * largest))
                .gives(() -> log ? x.tensor.logSoftmax(axis) : x.tensor.softmax(axis));
    }

    private static Dense softmax(Dense x, int axis, boolean log) {
        Dense total = Reference.reduce(x, axis, true, ReductionCalls::logSumExp);
        return Reference.zip(x, total, (v, sum) -> log ? v - sum : Math.exp(v - sum));
    }

    private static void topk(Machine m, Choice c) {
        Held x = m.any(c);
        int axis = c.axis(x.rank());
        boolean inside = axis >= -x.rank() && axis < x.rank();
        long n = inside ? x.shape()[axis < 0 ? axis + x.rank() : axis] : 0;
        long k = n == 0 || c.oneIn(20) ? c.below(3) : 1 + c.below((int) n);
        ElementCalls.attempt(m, c, x + ".topk(" + k + ", " + axis + ").values()", x)
                .expects(() -> {
                    Reference.axis(axis, x.rank());
                    Dense.require(k <= n);
                    return topk(x.known, axis < 0 ? axis + x.rank() : axis, (int) k);
                })
                .gives(() -> x.tensor.topk(k, axis).values());
    }

    private static Dense topk(Dense x, int axis, int k) {
        long[] shape = x.shape().clone();
        shape[axis] = k;
        return Dense.build(shape, index -> {
            Dense run = Reference.reduce(x, axis, true, v -> {
                double[] sorted = v.clone();
                Arrays.sort(sorted);
                return v.length == 0 ? 0 : sorted[v.length - 1 - (int) index[axis]];
            });
            long[] at = index.clone();
            at[axis] = 0;
            return run.at(at);
        });
    }

    /// With ddof, where there is more than that.
    private static void corrected(Machine m, Choice c) {
        Held x = m.floating(c);
        int axis = c.axis(x.rank());
        boolean keep = c.coin();
        int ddof = c.below(4) - (c.oneIn(20) ? 4 : 0);
        boolean deviation = c.coin();
        ElementCalls.attempt(m, c, x + (deviation ? ".std(" : ".var(") + axis + ", " + keep + ", " + ddof + ")", x)
                .expects(() -> {
                    Dense.require(ddof >= 0);
                    return along(x, axis, keep, v -> {
                        double variance = Reference.var(v) * v.length / (v.length - ddof);
                        return deviation ? Math.sqrt(variance) : variance;
                    });
                })
                .within(() -> along(x, axis, keep, v -> v.length > ddof ? 1e3 * (1 + square(v)) : Double.NaN))
                .gives(() -> deviation ? x.tensor.std(axis, keep, ddof) : x.tensor.var(axis, keep, ddof));
    }

    private static void norm(Machine m, Choice c) {
        Held x = m.floating(c);
        int axis = c.axis(x.rank());
        double p = c.of(1.0, 2.0, 3.0, 0.5, Double.POSITIVE_INFINITY);
        ElementCalls.attempt(m, c, x + ".norm(" + p + ", " + axis + ", true)", x)
                .expects(() -> along(x, axis, true, v -> norm(v, p)))
                .within(() -> along(x, axis, true, v -> tame(norm(v, 1)) ? norm(v, p) : Double.NaN))
                .mayRefuse()
                .gives(() -> x.tensor.norm(p, axis, true));
    }

    /// Whether no power of it is too large or too small for a float.
    private static boolean tame(double size) {
        return size == 0 || (size > 1e-10 && size < 1e10);
    }

    private static double norm(double[] values, double p) {
        double sum = 0;
        double max = 0;
        for (double value : values) {
            sum += Math.pow(Math.abs(value), p);
            max = Math.max(max, Math.abs(value));
        }
        return Double.isInfinite(p) ? max : Math.pow(sum, 1 / p);
    }
}
