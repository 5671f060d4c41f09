package org.toydiff.fuzz;

import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.toydiff.ArrangementOps.Padding;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Calls of what arranges elements in a new tensor, and of what draws samples.
final class ArrangementCalls {
    private ArrangementCalls() {}

    static List<Row> rows() {
        return List.of(
                Row.of("flatten", ArrangementCalls::flatten),
                Row.of("movedim", ArrangementCalls::movedim),
                Row.of("flip", ArrangementCalls::flip),
                Row.of("roll", ArrangementCalls::roll),
                Row.of("pad", ArrangementCalls::pad),
                Row.of("tile", ArrangementCalls::tile),
                Row.of("repeat", ArrangementCalls::repeat),
                Row.of("triu", (m, c) -> triangle(m, c, true)),
                Row.of("tril", (m, c) -> triangle(m, c, false)),
                Row.of("diag", ArrangementCalls::diag),
                Row.of("outer", ArrangementCalls::outer),
                Row.of("kron", ArrangementCalls::kron),
                Row.of("linspace", ArrangementCalls::spaced),
                Row.of("logspace", ArrangementCalls::spaced),
                Row.of("randint", ArrangementCalls::integers),
                Row.of("randperm", ArrangementCalls::integers),
                Row.of("bernoulli", ArrangementCalls::bernoulli),
                Row.of("dropout", ArrangementCalls::dropout),
                Row.of("multinomial", ArrangementCalls::multinomial));
    }

    /// The array of `shape` whose elements are those of x at other places.
    private static Dense moved(Dense x, long[] shape, UnaryOperator<long[]> source) {
        return Dense.build(shape, index -> x.at(source.apply(index.clone())));
    }

    private static void flatten(Machine m, Choice c) {
        Held x = m.any(c);
        int start = c.axis(x.rank());
        int end = c.axis(x.rank());
        new Attempt(m, c, x + ".flatten(" + start + ", " + end + ")")
                .reads(x)
                .expects(() -> Reference.reshape(x.known, flattened(x.shape(), start, end)))
                .views(
                        x,
                        known -> Reference.reshape(known, flattened(x.shape(), start, end)),
                        () -> x.tensor.flatten(start, end));
    }

    private static long[] flattened(long[] shape, int start, int end) {
        if (shape.length == 0) {
            return new long[] {1};
        }
        int first = Reference.axis(start, shape.length);
        int last = Reference.axis(end, shape.length);
        Dense.require(first <= last);
        return LongStream.concat(
                        LongStream.concat(
                                Arrays.stream(shape, 0, first),
                                LongStream.of(Dense.size(Arrays.copyOfRange(shape, first, last + 1)))),
                        Arrays.stream(shape, last + 1, shape.length))
                .toArray();
    }

    private static void movedim(Machine m, Choice c) {
        Held x = m.any(c);
        int from = c.axis(x.rank());
        int to = c.axis(x.rank());
        new Attempt(m, c, x + ".movedim(" + from + ", " + to + ")")
                .reads(x)
                .views(
                        x,
                        known -> Reference.transpose(known, order(x.rank(), from, to)),
                        () -> x.tensor.movedim(from, to));
    }

    private static int[] order(int rank, int from, int to) {
        int source = Reference.axis(from, rank);
        int destination = Reference.axis(to, rank);
        int[] order = new int[rank];
        int next = 0;
        for (int i = 0; i < rank; i++) {
            next += next == source ? 1 : 0;
            order[i] = i == destination ? source : next++;
        }
        return order;
    }

    private static void flip(Machine m, Choice c) {
        Held x = m.any(c);
        int axis = c.axis(x.rank());
        new Attempt(m, c, x + ".flip(" + axis + ")")
                .reads(x)
                .expects(() -> {
                    int along = Reference.axis(axis, x.rank());
                    return moved(x.known, x.shape(), index -> {
                        index[along] = x.shape()[along] - 1 - index[along];
                        return index;
                    });
                })
                .gives(() -> x.tensor.flip(axis));
    }

    private static void roll(Machine m, Choice c) {
        Held x = m.any(c);
        int axis = c.axis(x.rank());
        long shift = c.below(20) - 10;
        new Attempt(m, c, x + ".roll(" + shift + ", " + axis + ")")
                .reads(x)
                .expects(() -> {
                    int along = Reference.axis(axis, x.rank());
                    return moved(x.known, x.shape(), index -> {
                        index[along] = Math.floorMod(index[along] - shift, x.shape()[along]);
                        return index;
                    });
                })
                .gives(() -> x.tensor.roll(shift, axis));
    }

    private static void pad(Machine m, Choice c) {
        Held x = m.any(c);
        int axis = c.axis(x.rank());
        int before = c.below(4) - (c.oneIn(30) ? 4 : 0);
        int after = c.below(4);
        Padding padding = c.oneIn(4) ? null : c.of(Padding.values());
        new Attempt(
                        m,
                        c,
                        x + ".pad(" + axis + ", " + before + ", " + after + ", " + (padding == null ? 1 : padding)
                                + ")")
                .reads(x)
                .expects(() -> padded(x.known, axis, before, after, padding))
                .gives(() -> padding == null
                        ? x.tensor.pad(axis, before, after, 1)
                        : x.tensor.pad(axis, before, after, padding));
    }

    private static Dense padded(Dense x, int axis, int before, int after, Padding padding) {
        int along = Reference.axis(axis, x.rank());
        long n = x.shape()[along];
        int most = Math.max(before, after);
        Dense.require(before >= 0);
        Dense.require(padding != Padding.REFLECT || most == 0 || n > most);
        Dense.require(padding != Padding.CIRCULAR || n >= most);
        Dense.require(padding != Padding.REPLICATE || most == 0 || n > 0);
        long[] shape = x.shape().clone();
        shape[along] += before + after;
        return Dense.build(shape, index -> {
            long i = index[along] - before;
            if (padding == null && (i < 0 || i >= n)) {
                return 1;
            }
            long[] source = index.clone();
            source[along] = padding == null ? i : source(i, n, padding);
            return x.at(source);
        });
    }

    private static long source(long i, long n, Padding padding) {
        return switch (padding) {
            case CIRCULAR -> Math.floorMod(i, n);
            case REPLICATE -> Math.clamp(i, 0, n - 1);
            case REFLECT -> i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
        };
    }

    private static void tile(Machine m, Choice c) {
        Held x = m.any(c);
        long[] times = new long[c.below(x.rank() + 2)];
        Arrays.setAll(times, i -> c.below(3));
        int rank = Math.max(x.rank(), times.length);
        if (rank > 5 || x.size() > 100) {
            return;
        }
        long[] shape = new long[rank];
        for (int i = 0; i < rank; i++) {
            long size = i < rank - x.rank() ? 1 : x.shape()[i - (rank - x.rank())];
            shape[i] = size * (i < rank - times.length ? 1 : times[i - (rank - times.length)]);
        }
        new Attempt(m, c, x + ".tile(" + GraphMaker.list(times) + ")")
                .reads(x)
                .expects(() -> moved(x.known, shape, index -> {
                    long[] source = Arrays.copyOfRange(index, rank - x.rank(), rank);
                    for (int i = 0; i < source.length; i++) {
                        source[i] %= x.shape()[i];
                    }
                    return source;
                }))
                .gives(() -> x.tensor.tile(times));
    }

    private static void repeat(Machine m, Choice c) {
        Held x = m.any(c);
        int axis = c.axis(x.rank());
        long times = c.below(4) - (c.oneIn(30) ? 4 : 0);
        if (x.size() > 400) {
            return;
        }
        new Attempt(m, c, x + ".repeat(" + times + ", " + axis + ")")
                .reads(x)
                .expects(() -> {
                    int along = Reference.axis(axis, x.rank());
                    Dense.require(times >= 0);
                    long[] shape = x.shape().clone();
                    shape[along] *= times;
                    return moved(x.known, shape, index -> {
                        index[along] /= times;
                        return index;
                    });
                })
                .gives(() -> x.tensor.repeat(times, axis));
    }

    private static void triangle(Machine m, Choice c, boolean upper) {
        Held x = m.any(c);
        long diagonal = c.below(9) - 4;
        new Attempt(m, c, x + (upper ? ".triu(" : ".tril(") + diagonal + ")")
                .reads(x)
                .expects(() -> {
                    Dense.require(x.rank() >= 2);
                    return Dense.build(x.shape(), index -> {
                        long off = index[x.rank() - 1] - index[x.rank() - 2];
                        return (upper ? off >= diagonal : off <= diagonal) ? x.known.at(index) : 0;
                    });
                })
                .gives(() -> upper ? x.tensor.triu(diagonal) : x.tensor.tril(diagonal));
    }

    private static void diag(Machine m, Choice c) {
        Held x = m.any(c);
        long diagonal = c.below(7) - 3;
        long down = Math.max(0, -diagonal);
        long right = Math.max(0, diagonal);
        Attempt attempt = new Attempt(m, c, x + ".diag(" + diagonal + ")").reads(x);
        if (x.rank() == 2) {
            attempt.views(
                    x,
                    known -> {
                        Dense.require(down <= x.shape()[0] && right <= x.shape()[1]);
                        long n = Math.min(x.shape()[0] - down, x.shape()[1] - right);
                        return moved(known, new long[] {n}, index -> new long[] {index[0] + down, index[0] + right});
                    },
                    () -> x.tensor.diag(diagonal));
            return;
        }
        attempt.expects(() -> {
                    Dense.require(x.rank() == 1);
                    long n = x.shape()[0] + down + right;
                    return Dense.build(
                            new long[] {n, n},
                            index -> index[1] - index[0] == diagonal ? x.known.at(index[0] - down) : 0);
                })
                .gives(() -> x.tensor.diag(diagonal));
    }

    /// The products of a's elements, or null where those of integers may wrap around.
    private static Dense exact(Held a, Dense products) {
        double bound = a.dtype() == DType.INT32 ? 0x1p31 : IntegerCalls.EXACT;
        boolean exact = a.isFloating() || Arrays.stream(products.values()).allMatch(v -> Math.abs(v) < bound);
        return exact ? products : null;
    }

    private static void outer(Machine m, Choice c) {
        Held a = m.any(c);
        Held b = m.fresh(c, a.dtype(), c.oneIn(20) ? c.shape() : new long[] {c.below(4)});
        new Attempt(m, c, a + ".outer(" + b + ")")
                .reads(a, b)
                .expects(() -> {
                    Dense.require(a.rank() == 1 && b.rank() == 1 && a.dtype() != DType.BOOL);
                    return exact(
                            a,
                            Dense.build(
                                    new long[] {a.size(), b.size()},
                                    index -> a.known.at(index[0]) * b.known.at(index[1])));
                })
                .gives(() -> a.tensor.outer(b.tensor));
    }

    private static void kron(Machine m, Choice c) {
        Held a = m.any(c);
        Held b = m.fresh(c, a.dtype(), c.below(3), 1 + c.below(2));
        if (a.size() > 100) {
            return;
        }
        new Attempt(m, c, a + ".kron(" + b + ")")
                .reads(a, b)
                .expects(() -> {
                    Dense.require(a.dtype() != DType.BOOL);
                    return exact(a, product(a.known, b.known));
                })
                .gives(() -> a.tensor.kron(b.tensor));
    }

    private static Dense product(Dense a, Dense b) {
        int rank = Math.max(a.rank(), b.rank());
        long[] inner = new long[rank];
        long[] shape = new long[rank];
        for (int i = 0; i < rank; i++) {
            inner[i] = i < rank - b.rank() ? 1 : b.shape()[i - (rank - b.rank())];
            shape[i] = inner[i] * (i < rank - a.rank() ? 1 : a.shape()[i - (rank - a.rank())]);
        }
        return Dense.build(shape, index -> {
            long[] inA = new long[rank];
            long[] inB = new long[rank];
            for (int i = 0; i < rank; i++) {
                inA[i] = index[i] / inner[i];
                inB[i] = index[i] % inner[i];
            }
            return a.at(Arrays.copyOfRange(inA, rank - a.rank(), rank))
                    * b.at(Arrays.copyOfRange(inB, rank - b.rank(), rank));
        });
    }

    private static void spaced(Machine m, Choice c) {
        DType dtype = c.floating();
        double start = c.number(true);
        double stop = c.number(true);
        long count = c.size();
        boolean powers = c.coin();
        new Attempt(
                        m,
                        c,
                        "Tensor." + (powers ? "logspace(" : "linspace(") + dtype.name() + ", " + start + ", " + stop
                                + ", " + count + (powers ? ", 2)" : ")"))
                .expects(() -> Dense.build(new long[] {count}, index -> {
                    double at = count == 1 ? start : start + index[0] * ((stop - start) / (count - 1));
                    return powers ? Math.pow(2, at) : at;
                }))
                .within(() -> Dense.build(new long[] {count}, index -> 4))
                .gives(() -> powers
                        ? Tensor.logspace(dtype, start, stop, count, 2)
                        : Tensor.linspace(dtype, start, stop, count));
    }

    private static void integers(Machine m, Choice c) {
        long[] shape = c.shape();
        long n = c.size();
        boolean permutation = c.coin();
        new Attempt(
                        m,
                        c,
                        permutation
                                ? "Tensor.randperm(" + n + ")"
                                : "Tensor.randint(0, 5, " + GraphMaker.list(shape) + ")")
                .gives(() -> permutation ? Tensor.randperm(n) : Tensor.randint(0, 5, shape));
    }

    private static void bernoulli(Machine m, Choice c) {
        Held x = m.any(c);
        new Attempt(m, c, x + ".bernoulli()").reads(x).mayRefuse().gives(x.tensor::bernoulli);
    }

    private static void dropout(Machine m, Choice c) {
        Held x = m.any(c);
        double p = 0.25 * c.below(5);
        new Attempt(m, c, x + ".dropout(" + p + ")").reads(x).mayRefuse().gives(() -> x.tensor.dropout(p));
    }

    private static void multinomial(Machine m, Choice c) {
        Held x = m.any(c);
        long count = c.below(3);
        boolean replacement = c.coin();
        new Attempt(m, c, x + ".multinomial(" + count + ", " + replacement + ")")
                .reads(x)
                .mayRefuse()
                .gives(() -> x.tensor.multinomial(count, replacement));
    }
}
