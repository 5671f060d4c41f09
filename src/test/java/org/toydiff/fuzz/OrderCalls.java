package org.toydiff.fuzz;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Calls of what orders, accumulates, counts and masks elements.
final class OrderCalls {
    private OrderCalls() {}

    static List<Row> rows() {
        return List.of(
                Row.of("sort", OrderCalls::sort),
                Row.of("argsort", OrderCalls::argsort),
                Row.of("median", OrderCalls::median),
                Row.of("quantile", OrderCalls::quantile),
                Row.of("quantile", OrderCalls::quantiles),
                Row.of("nanSum", (m, c) -> withoutNan("nanSum", Tensor::nanSum, Reference::sum, m, c)),
                Row.of("nanMean", (m, c) -> withoutNan("nanMean", Tensor::nanMean, Reference::mean, m, c)),
                Row.of(
                        "nanMedian",
                        (m, c) -> withoutNan("nanMedian", Tensor::nanMedian, run -> rankedOrNan(run, 0.5, true), m, c)),
                Row.of(
                        "nanQuantile",
                        (m, c) -> withoutNan(
                                "nanQuantile",
                                (x, axis, keep) -> x.nanQuantile(0.7, axis, keep),
                                run -> rankedOrNan(run, 0.7, false),
                                m,
                                c)),
                Row.of("cumsum", (m, c) -> accumulate(m, c, true)),
                Row.of("cumprod", (m, c) -> accumulate(m, c, false)),
                Row.of("prod", OrderCalls::prod),
                Row.of("diff", OrderCalls::diff),
                Row.of("select", OrderCalls::select),
                Row.of("put", OrderCalls::put),
                Row.of("nonzero", OrderCalls::nonzero),
                Row.of("bincount", OrderCalls::bincount),
                Row.of("sum", OrderCalls::severalAxes));
    }

    /// The array with each run along an axis replaced, of the same length.
    private static Dense runs(Dense x, int axis, UnaryOperator<double[]> f) {
        int along = Reference.axis(axis, x.rank());
        int n = (int) x.shape()[along];
        int step = (int) Dense.size(Arrays.copyOfRange(x.shape(), along + 1, x.rank()));
        double[] y = x.values().clone();
        for (int i = 0; i < y.length; i++) {
            if (i / step % n == 0) {
                double[] run = new double[n];
                for (int j = 0; j < n; j++) {
                    run[j] = x.values()[i + j * step];
                }
                double[] result = f.apply(run);
                for (int j = 0; j < n; j++) {
                    y[i + j * step] = result[j];
                }
            }
        }
        return new Dense(x.shape(), y);
    }

    private static double[] order(double[] run, boolean descending) {
        Comparator<Integer> byValue = Comparator.comparingDouble(i -> run[i] + 0.0);
        return IntStream.range(0, run.length)
                .boxed()
                .sorted(descending ? byValue.reversed() : byValue)
                .mapToDouble(i -> i)
                .toArray();
    }

    private static double[] sorted(double[] run, boolean descending) {
        return Arrays.stream(order(run, descending)).map(i -> run[(int) i]).toArray();
    }

    private static void sort(Machine m, Choice c) {
        Held x = m.any(c);
        int axis = c.axis(x.rank());
        boolean descending = c.coin();
        new Attempt(m, c, x + ".sort(" + axis + ", " + descending + ").values()")
                .reads(x)
                .expects(() -> runs(x.known, axis, run -> sorted(run, descending)))
                .gives(() -> x.tensor.sort(axis, descending).values());
    }

    private static void argsort(Machine m, Choice c) {
        Held x = m.any(c);
        int axis = c.axis(x.rank());
        boolean descending = c.coin();
        new Attempt(m, c, x + ".argsort(" + axis + ", " + descending + ")")
                .reads(x)
                .expects(() -> runs(x.known, axis, run -> order(run, descending)))
                .gives(() -> x.tensor.argsort(axis, descending));
    }

    /// A reduction of runs with at least one element.
    private static Dense reduced(Dense x, int axis, boolean keep, ToDoubleFunction<double[]> f) {
        Dense.require(x.shape()[Reference.axis(axis, x.rank())] > 0);
        return Reference.reduce(x, axis, keep, f);
    }

    /// Of sorted elements the one of a rank, between two of them interpolated.
    private static double ranked(double[] run, double rank) {
        double[] sorted = sorted(run, false);
        double low = sorted[(int) rank];
        double high = sorted[(int) Math.ceil(rank)];
        double last = sorted[sorted.length - 1];
        if (Double.isNaN(last)) {
            return last;
        }
        return rank == (int) rank ? low : low + (rank - (int) rank) * (high - low);
    }

    private static void median(Machine m, Choice c) {
        Held x = m.any(c);
        int axis = c.axis(x.rank());
        boolean keep = c.coin();
        new Attempt(m, c, x + ".median(" + axis + ", " + keep + ")")
                .reads(x)
                .expects(() -> reduced(x.known, axis, keep, run -> ranked(run, (run.length - 1) / 2)))
                .gives(() -> x.tensor.median(axis, keep));
    }

    private static void quantile(Machine m, Choice c) {
        Held x = m.floating(c);
        int axis = c.axis(x.rank());
        boolean keep = c.coin();
        double q = c.of(0.0, 0.25, 0.5, 0.7, 1.0, 1.5);
        ElementCalls.attempt(m, c, x + ".quantile(" + q + ", " + axis + ", " + keep + ")", x)
                .expects(() -> {
                    ElementCalls.requireFloating(x);
                    Dense.require(q <= 1);
                    return reduced(x.known, axis, keep, run -> ranked(run, q * (run.length - 1)));
                })
                .within(() -> reduced(x.known, axis, keep, run -> Arrays.stream(run)
                        .map(Math::abs)
                        .max()
                        .getAsDouble()))
                .gives(() -> x.tensor.quantile(q, axis, keep));
    }

    private static void quantiles(Machine m, Choice c) {
        Held x = m.floating(c);
        int axis = c.axis(x.rank());
        double[] q = {c.of(0.0, 0.25, 0.5), c.of(0.3, 1.0, 1.5)};
        ElementCalls.attempt(m, c, x + ".quantile(new double[] {" + q[0] + ", " + q[1] + "}, " + axis + ")", x)
                .expects(() -> {
                    ElementCalls.requireFloating(x);
                    Dense.require(q[1] <= 1);
                    return Reference.stack(
                            0,
                            reduced(x.known, axis, false, run -> ranked(run, q[0] * (run.length - 1))),
                            reduced(x.known, axis, false, run -> ranked(run, q[1] * (run.length - 1))));
                })
                .within(() -> {
                    Dense sizes = reduced(x.known, axis, false, OrderCalls::largestSize);
                    return Reference.stack(0, sizes, sizes);
                })
                .gives(() -> x.tensor.quantile(q, axis));
    }

    private static double largestSize(double[] run) {
        return Arrays.stream(run).map(Math::abs).max().orElse(0);
    }

    private interface Along {
        Tensor apply(Tensor x, int axis, boolean keepDims);
    }

    /// The element at a part of a sorted run, or the one before it.
    private static double rankedOrNan(double[] run, double q, boolean down) {
        double rank = q * (run.length - 1);
        return run.length == 0 ? Double.NaN : ranked(run, down ? Math.floor(rank) : rank);
    }

    private static void withoutNan(String op, Along call, ToDoubleFunction<double[]> reference, Machine m, Choice c) {
        Held x = op.equals("nanSum") || op.equals("nanMedian") ? m.any(c) : m.floating(c);
        int axis = c.axis(x.rank());
        boolean keep = c.coin();
        boolean ranks = op.equals("nanMedian") || op.equals("nanQuantile");
        ToDoubleFunction<double[]> ofRest = run -> reference.applyAsDouble(
                Arrays.stream(run).filter(v -> !Double.isNaN(v)).toArray());
        new Attempt(m, c, x + "." + op + "(" + (op.equals("nanQuantile") ? "0.7, " : "") + axis + ", " + keep + ")")
                .reads(x)
                .expects(() -> {
                    Dense.require(x.isFloating() || op.equals("nanSum") || op.equals("nanMedian"));
                    return unlessLarge(
                            x,
                            ranks
                                    ? reduced(x.known, axis, keep, ofRest)
                                    : Reference.reduce(x.known, axis, keep, ofRest));
                })
                .within(() -> Reference.reduce(x.known, axis, keep, run -> Arrays.stream(sizes(run))
                        .filter(v -> !Double.isNaN(v))
                        .sum()))
                .gives(() -> call.apply(x.tensor, axis, keep));
    }

    private static double[] accumulated(double[] run, DoubleBinaryOperator f) {
        double[] y = run.clone();
        for (int i = 1; i < y.length; i++) {
            y[i] = f.applyAsDouble(y[i - 1], y[i]);
        }
        return y;
    }

    /// Nothing to compare with where integers wrap around, which doubles do not.
    static Dense unlessLarge(Held x, Dense results) {
        boolean exact = Arrays.stream(results.values()).allMatch(v -> Math.abs(v) < 0x1p53);
        return exact || x.isFloating() ? results : null;
    }

    private static void accumulate(Machine m, Choice c, boolean sums) {
        Held x = m.any(c);
        int axis = c.axis(x.rank());
        DoubleBinaryOperator f = sums ? Double::sum : (a, b) -> a * b;
        new Attempt(m, c, x + (sums ? ".cumsum(" : ".cumprod(") + axis + ")")
                .reads(x)
                .expects(() -> unlessLarge(x, runs(x.known, axis, run -> accumulated(run, f))))
                .within(() -> runs(x.known, axis, run -> accumulated(sizes(run), f)))
                .gives(() -> sums ? x.tensor.cumsum(axis) : x.tensor.cumprod(axis));
    }

    private static double[] sizes(double[] run) {
        return Arrays.stream(run).map(Math::abs).toArray();
    }

    private static double product(double[] run) {
        return Arrays.stream(run).reduce(1, (a, b) -> a * b);
    }

    private static void prod(Machine m, Choice c) {
        Held x = m.any(c);
        int axis = c.axis(x.rank());
        boolean keep = c.coin();
        new Attempt(m, c, x + ".prod(" + axis + ", " + keep + ")")
                .reads(x)
                .expects(() -> unlessLarge(x, Reference.reduce(x.known, axis, keep, OrderCalls::product)))
                .within(() -> Reference.reduce(x.known, axis, keep, run -> product(sizes(run))))
                .gives(() -> x.tensor.prod(axis, keep));
    }

    private static void diff(Machine m, Choice c) {
        Held x = m.any(c);
        int axis = c.axis(x.rank());
        new Attempt(m, c, x + ".diff(" + axis + ")")
                .reads(x)
                .expects(() -> {
                    int along = Reference.axis(axis, x.rank());
                    long[] shape = x.shape().clone();
                    shape[along] = Math.max(0, shape[along] - 1);
                    if (Arrays.stream(x.known.values()).anyMatch(v -> Math.abs(v) > 0x1p52)) {
                        // A state of the generator, whose differences wrap around.
                        return null;
                    }
                    return Dense.build(shape, index -> {
                        long[] next = index.clone();
                        next[along]++;
                        double difference = x.known.at(next) - x.known.at(index);
                        return x.dtype() == DType.BOOL ? Math.abs(difference) : difference;
                    });
                })
                .gives(() -> x.tensor.diff(axis));
    }

    private static Held mask(Machine m, Choice c, Held x) {
        return m.fresh(c, c.oneIn(20) ? c.dtype() : DType.BOOL, c.shrunk(x.shape()));
    }

    private static Dense stretched(Held mask, Held x) {
        Dense.require(mask.dtype() == DType.BOOL);
        return Reference.broadcastTo(mask.known, x.shape());
    }

    private static long count(Held mask, Held x) {
        return Arrays.stream(stretched(mask, x).values()).filter(v -> v != 0).count();
    }

    private static void select(Machine m, Choice c) {
        Held x = m.any(c);
        Held mask = mask(m, c, x);
        new Attempt(m, c, x + ".select(" + mask + ")")
                .reads(x, mask)
                .expects(() -> {
                    double[] set = stretched(mask, x).values();
                    double[] taken = IntStream.range(0, set.length)
                            .filter(i -> set[i] != 0)
                            .mapToDouble(i -> x.known.values()[i])
                            .toArray();
                    return new Dense(new long[] {taken.length}, taken);
                })
                .gives(() -> x.tensor.select(mask.tensor));
    }

    private static void put(Machine m, Choice c) {
        Held x = m.any(c);
        Held mask = mask(m, c, x);
        if (mask.dtype() != DType.BOOL || c.oneIn(3)) {
            new Attempt(m, c, x + ".put(" + mask + ", 1)")
                    .reads(x, mask)
                    .expects(() ->
                            Reference.where(stretched(mask, x), new Dense(new long[0], new double[] {1}), x.known))
                    .gives(() -> x.tensor.put(mask.tensor, 1));
            return;
        }
        Held values = m.fresh(c, x.dtype(), count(mask, x) + (c.oneIn(20) ? 1 : 0));
        new Attempt(m, c, x + ".put(" + mask + ", " + values + ")")
                .reads(x, mask, values)
                .expects(() -> {
                    Dense set = stretched(mask, x);
                    Dense.require(values.size() == count(mask, x));
                    double[] y = x.known.values().clone();
                    int next = 0;
                    for (int i = 0; i < y.length; i++) {
                        y[i] = set.values()[i] != 0 ? values.known.values()[next++] : y[i];
                    }
                    return new Dense(x.shape(), y);
                })
                .gives(() -> x.tensor.put(mask.tensor, values.tensor));
    }

    private static void nonzero(Machine m, Choice c) {
        Held x = m.any(c);
        new Attempt(m, c, x + ".nonzero()")
                .reads(x)
                .expects(() -> {
                    double[] values = x.known.values();
                    int[] found = IntStream.range(0, values.length)
                            .filter(i -> values[i] != 0)
                            .toArray();
                    return Dense.build(new long[] {found.length, x.rank()}, index -> {
                        long[] later = Arrays.copyOfRange(x.shape(), (int) index[1] + 1, x.rank());
                        return found[(int) index[0]] / Dense.size(later) % x.shape()[(int) index[1]];
                    });
                })
                .gives(x.tensor::nonzero);
    }

    private static void bincount(Machine m, Choice c) {
        Held x = m.fresh(c, c.of(DType.INT32, DType.INT64, DType.FLOAT32), c.below(20));
        int least = c.below(8);
        new Attempt(m, c, x + ".bincount(" + least + ")")
                .reads(x)
                .expects(() -> {
                    Dense.require(!x.isFloating());
                    double largest = Arrays.stream(x.known.values()).max().orElse(-1);
                    return Dense.build(
                            new long[] {Math.max(least, (long) largest + 1)}, index -> Arrays.stream(x.known.values())
                                    .filter(v -> v == index[0])
                                    .count());
                })
                .gives(() -> x.tensor.bincount(least));
    }

    /// Two axes at once, against one after the other.
    private static void severalAxes(Machine m, Choice c) {
        Held x = m.floating(c);
        int first = c.axis(x.rank());
        int second = c.axis(x.rank());
        ElementCalls.attempt(m, c, x + ".sum(new int[] {" + first + ", " + second + "}, true)", x)
                .expects(() -> {
                    Dense.require(Reference.axis(first, x.rank()) != Reference.axis(second, x.rank()));
                    Dense once = Reference.reduce(x.known, first, true, Reference::sum);
                    return Reference.reduce(once, second, true, Reference::sum);
                })
                .within(() -> {
                    Dense once = Reference.reduce(Reference.map(x.known, Math::abs), first, true, Reference::sum);
                    return Reference.reduce(once, second, true, Reference::sum);
                })
                .gives(() -> x.tensor.sum(new int[] {first, second}, true));
    }
}
