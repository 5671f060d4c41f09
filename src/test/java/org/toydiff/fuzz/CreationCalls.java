package org.toydiff.fuzz;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Calls of what makes tensors, in the innermost arena and in others.
final class CreationCalls {
    private CreationCalls() {}

    static List<Row> rows() {
        return List.of(
                Row.of("of", (m, c) -> m.fresh(c, c.dtype(), c.shape())),
                Row.of("zeros", (m, c) -> constant(m, c, "zeros", 0)),
                Row.of("ones", (m, c) -> constant(m, c, "ones", 1)),
                Row.of("full", CreationCalls::full),
                Row.of("scalar", CreationCalls::scalar),
                Row.of("empty", CreationCalls::empty),
                Row.of("eye", CreationCalls::eye),
                Row.of("arange", CreationCalls::arange),
                Row.of("rand", CreationCalls::random),
                Row.of("randn", CreationCalls::random),
                Row.of("zerosLike", (m, c) -> like(m, c, "zerosLike")),
                Row.of("onesLike", (m, c) -> like(m, c, "onesLike")),
                Row.of("emptyLike", (m, c) -> like(m, c, "emptyLike")),
                Row.of("randomState", CreationCalls::randomState),
                Row.of("setRandomState", CreationCalls::randomState),
                Row.of("initialSeed", (m, c) -> new Attempt(m, c, "Tensor.initialSeed()").runs(Tensor::initialSeed)),
                Row.of("manualSeed", (m, c) -> new Attempt(m, c, "Tensor.manualSeed(3)")
                        .runs(() -> Tensor.manualSeed(3))));
    }

    /// The result in an arena that is named now and then.
    private static void give(
            Machine m, Choice c, String op, String arguments, Supplier<Dense> expected, Maker inHome, Maker innermost) {
        if (!c.oneIn(4)) {
            new Attempt(m, c, "Tensor." + op + "(" + arguments + ")")
                    .expects(expected)
                    .gives(() -> innermost.make(null));
            return;
        }
        Held.Home home = c.coin() && m.foreignHome(c) != null ? m.foreignHome(c) : m.home(c);
        new Attempt(m, c, "Tensor." + op + "(" + home.name + ", " + arguments + ")")
                .expects(expected)
                .mustFail(() -> !home.open)
                .gives(home, () -> inHome.make(home));
    }

    private interface Maker {
        Tensor make(Held.Home home);
    }

    private static Dense filled(long[] shape, double value) {
        double[] values = new double[(int) Dense.size(shape)];
        Arrays.fill(values, value);
        return new Dense(shape, values);
    }

    private static void constant(Machine m, Choice c, String op, double value) {
        DType dtype = c.dtype();
        long[] shape = c.shape();
        boolean negative = shape.length > 0 && c.oneIn(20);
        if (negative) {
            shape[c.below(shape.length)] = -1;
        }
        boolean ones = value == 1;
        give(
                m,
                c,
                op,
                dtype.name() + ", " + GraphMaker.list(shape),
                () -> {
                    Dense.require(!negative);
                    return filled(shape, value);
                },
                home -> ones ? Tensor.ones(home.arena, dtype, shape) : Tensor.zeros(home.arena, dtype, shape),
                home -> ones ? Tensor.ones(dtype, shape) : Tensor.zeros(dtype, shape));
    }

    private static void full(Machine m, Choice c) {
        DType dtype = c.floating();
        long[] shape = c.shape();
        double value = (float) c.number(false);
        give(
                m,
                c,
                "full",
                dtype.name() + ", " + value + ", " + GraphMaker.list(shape),
                () -> filled(shape, value),
                home -> Tensor.full(home.arena, dtype, value, shape),
                home -> Tensor.full(dtype, value, shape));
    }

    private static void scalar(Machine m, Choice c) {
        DType dtype = c.floating();
        double value = (float) c.number(false);
        give(
                m,
                c,
                "scalar",
                dtype.name() + ", " + value,
                () -> filled(new long[0], value),
                home -> Tensor.scalar(home.arena, dtype, value),
                home -> Tensor.scalar(dtype, value));
    }

    private static void empty(Machine m, Choice c) {
        DType dtype = c.floating();
        long[] shape = c.shape();
        give(
                m,
                c,
                "empty",
                dtype.name() + ", " + GraphMaker.list(shape),
                () -> null,
                home -> Tensor.empty(home.arena, dtype, shape),
                home -> Tensor.empty(dtype, shape));
    }

    private static void eye(Machine m, Choice c) {
        DType dtype = c.dtype();
        long n = c.size() - (c.oneIn(20) ? 7 : 0);
        give(
                m,
                c,
                "eye",
                dtype.name() + ", " + n,
                () -> {
                    Dense.require(n >= 0);
                    return Dense.build(new long[] {n, n}, index -> index[0] == index[1] ? 1 : 0);
                },
                home -> Tensor.eye(home.arena, dtype, n),
                home -> Tensor.eye(dtype, n));
    }

    private static void arange(Machine m, Choice c) {
        DType dtype = c.of(DType.FLOAT32, DType.FLOAT64, DType.INT32, DType.INT64);
        int start = c.below(9) - 4;
        int stop = start + c.below(20) - 2;
        int step = c.oneIn(20) ? 0 : c.of(1, 2, 3, -1);
        give(
                m,
                c,
                "arange",
                dtype.name() + ", " + start + ", " + stop + ", " + step,
                () -> {
                    Dense.require(step != 0);
                    long n = Math.max(0, Math.ceilDiv(stop - start, step));
                    return Dense.build(new long[] {n}, index -> start + index[0] * step);
                },
                home -> Tensor.arange(home.arena, dtype, start, stop, step),
                home -> Tensor.arange(dtype, start, stop, step));
    }

    private static void random(Machine m, Choice c) {
        DType dtype = c.floating();
        long[] shape = c.shape();
        boolean normal = c.coin();
        long seed = c.below(100);
        boolean seeded = c.coin();
        give(
                m,
                c,
                normal ? "randn" : "rand",
                dtype.name() + (seeded ? ", new SplittableRandom(" + seed + ")" : "") + ", " + GraphMaker.list(shape),
                () -> null,
                home -> normal ? Tensor.randn(home.arena, dtype, shape) : Tensor.rand(home.arena, dtype, shape),
                home -> {
                    var generator = new SplittableRandom(seed);
                    if (normal) {
                        return seeded ? Tensor.randn(dtype, generator, shape) : Tensor.randn(dtype, shape);
                    }
                    return seeded ? Tensor.rand(dtype, generator, shape) : Tensor.rand(dtype, shape);
                });
    }

    private static void like(Machine m, Choice c, String op) {
        Held x = m.any(c);
        // Only shape and dtype are asked for, which a tensor has for ever.
        new Attempt(m, c, "Tensor." + op + "(" + x + ")")
                .expects(() -> op.equals("emptyLike") ? null : filled(x.shape(), op.equals("onesLike") ? 1 : 0))
                .mayFail()
                .gives(() -> switch (op) {
                    case "zerosLike" -> Tensor.zerosLike(x.tensor);
                    case "onesLike" -> Tensor.onesLike(x.tensor);
                    default -> Tensor.emptyLike(x.tensor);
                });
    }

    private static void randomState(Machine m, Choice c) {
        Held state = Machine.required(new Attempt(m, c, "Tensor.randomState()").gives(Tensor::randomState));
        Held given = c.oneIn(4) ? m.any(c) : state;
        new Attempt(m, c, "Tensor.setRandomState(" + given + ")")
                .reads(given)
                .expects(() -> {
                    Dense.require(given.dtype() == state.dtype() && given.size() == state.size());
                    Dense.require(Arrays.stream(given.known.values()).anyMatch(v -> v != 0));
                    return null;
                })
                .runs(() -> Tensor.setRandomState(given.tensor));
    }
}
