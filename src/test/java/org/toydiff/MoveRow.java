package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.toydiff.Oracles.REAL;
import static org.toydiff.Oracles.SPECIAL;
import static org.toydiff.Oracles.layouts;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/// The row of an op that moves elements in [OpTableTest].
///
/// @param name the op's, and what is special about the row
/// @param apply calls it
/// @param sources which element of a [3, n] input each element of its output is
record MoveRow(String name, UnaryOperator<Tensor> apply, IntFunction<int[]> sources) {
    static final List<MoveRow> ALL = List.of(
            new MoveRow("reshape", x -> x.reshape(-1), n -> range(0, 3 * n)),
            new MoveRow("reshape of a view", x -> x.transpose().reshape(3 * x.shape()[1]), n -> turned(n)),
            new MoveRow("transpose", Tensor::transpose, n -> turned(n)),
            new MoveRow("squeeze", x -> x.slice(0, 1, 2).squeeze(-2), n -> range(n, 2 * n)),
            new MoveRow("unsqueeze", x -> x.unsqueeze(1).unsqueeze(-1).transpose(3, 2, 1, 0), n -> turned(n)),
            new MoveRow("slice", x -> x.slice(0, 1, -1), n -> range(n, 2 * n)),
            new MoveRow("slice with a step", x -> x.slice(0, 0, 3, 2), n -> {
                int[] rows = Arrays.copyOf(range(0, n), 2 * n);
                System.arraycopy(range(2 * n, 3 * n), 0, rows, n, n);
                return rows;
            }),
            new MoveRow("get", x -> x.get(-1), n -> range(2 * n, 3 * n)),
            new MoveRow("flatten", x -> x.unsqueeze(1).flatten(0, -1), n -> range(0, 3 * n)),
            new MoveRow("movedim", x -> x.unsqueeze(0).movedim(-1, 0), n -> turned(n)),
            new MoveRow("split", x -> x.split(2, 0).get(1), n -> range(2 * n, 3 * n)),
            new MoveRow("chunk", x -> x.chunk(2, 0).get(0), n -> range(0, 2 * n)),
            new MoveRow("flip", x -> x.flip(-1, 0), n -> IntStream.range(0, 3 * n)
                    .map(i -> 3 * n - 1 - i)
                    .toArray()),
            new MoveRow("roll", x -> x.roll(-4, 0), n -> IntStream.range(0, 3 * n)
                    .map(i -> (i + n) % (3 * n))
                    .toArray()),
            new MoveRow("tile", x -> x.tile(2, 1, 1), n -> IntStream.range(0, 6 * n)
                    .map(i -> i % (3 * n))
                    .toArray()),
            new MoveRow("repeat", x -> x.repeat(2, 1), n -> IntStream.range(0, 6 * n)
                    .map(i -> i / 2)
                    .toArray()),
            new MoveRow("broadcastTo", x -> x.get(0).broadcastTo(2, x.shape()[1]), n -> {
                int[] row = Arrays.copyOf(range(0, n), 2 * n);
                System.arraycopy(row, 0, row, n, n);
                return row;
            }),
            new MoveRow(
                    "cast",
                    x -> x.cast(x.dtype() == DType.FLOAT32 ? DType.FLOAT64 : DType.FLOAT32),
                    n -> range(0, 3 * n)),
            new MoveRow("indexSelect", x -> x.indexSelect(0, Tensor.of(new int[] {2, 0, 2})), n -> {
                int[] rows = Arrays.copyOf(range(2 * n, 3 * n), 3 * n);
                System.arraycopy(range(0, n), 0, rows, n, n);
                System.arraycopy(rows, 0, rows, 2 * n, n);
                return rows;
            }),
            new MoveRow("concat", x -> Tensor.concat(0, x.get(1).reshape(1, -1), x), n -> {
                int[] rows = Arrays.copyOf(range(n, 2 * n), 4 * n);
                System.arraycopy(range(0, 3 * n), 0, rows, n, 3 * n);
                return rows;
            }),
            new MoveRow("stack", x -> Tensor.stack(-2, x.get(2), x.get(0)), n -> {
                int[] rows = Arrays.copyOf(range(2 * n, 3 * n), 2 * n);
                System.arraycopy(range(0, n), 0, rows, n, n);
                return rows;
            }),
            new MoveRow(
                    "where",
                    x -> Tensor.where(
                            Tensor.of(DType.BOOL, new int[] {1, 0, 1}, 3, 1),
                            x,
                            x.get(1).broadcastTo(x.shape())),
                    n -> range(0, 3 * n)),
            new MoveRow("select", x -> x.select(Tensor.of(DType.BOOL, new int[] {1, 0, 1}, 3, 1)), n -> {
                int[] rows = Arrays.copyOf(range(0, n), 2 * n);
                System.arraycopy(range(2 * n, 3 * n), 0, rows, n, n);
                return rows;
            }),
            new MoveRow("put", x -> x.put(Tensor.of(DType.BOOL, new int[] {0, 1, 0}, 3, 1), x.get(2)), n -> {
                int[] rows = range(0, 3 * n);
                System.arraycopy(range(2 * n, 3 * n), 0, rows, n, n);
                return rows;
            }),
            new MoveRow("topk", x -> x.topk(0, 0).values(), n -> new int[0]),
            new MoveRow("gather", x -> x.gather(0, Tensor.full(DType.INT64, 2, 2, x.shape()[1])), n -> {
                int[] row = Arrays.copyOf(range(2 * n, 3 * n), 2 * n);
                System.arraycopy(row, 0, row, n, n);
                return row;
            }));

    private static int[] range(int from, int to) {
        return IntStream.range(from, to).toArray();
    }

    private static int[] turned(int n) {
        return IntStream.range(0, 3 * n).map(i -> i % 3 * n + i / 3).toArray();
    }

    /// {@return the op's name}
    String op() {
        return name.split(" ")[0];
    }

    /// Requires values and gradients of the op on one of the layouts of a [3, n] input.
    void require(DType dtype, int n, int layout) {
        try (var arena = TensorArena.ofConfined()) {
            double[] x = REAL.draw(new Random(n), 3 * n, 0.003);
            for (int i = 0; i < x.length; i++) {
                // Floats that both dtypes hold, special ones among them.
                x[i] = i % 7 == 0 ? (float) SPECIAL[i / 7 % SPECIAL.length] : (float) x[i];
            }
            int[] moved = sources.apply(n);
            Tensor leaf = layouts(dtype, x, 3, n).get(layout).trackGradient();
            Tensor y = apply.apply(leaf);
            assertArrayEquals(Arrays.stream(moved).mapToDouble(i -> x[i]).toArray(), y.toDoubleArray());
            Tensor weights = Tensor.arange(y.dtype(), 1, y.size() + 1, 1).reshape(y.shape());
            y.backward(weights, Release.EAGER);
            double[] expected = new double[3 * n];
            for (int i = 0; i < moved.length; i++) {
                expected[moved[i]] += i + 1;
            }
            assertArrayEquals(expected, leaf.gradient().toDoubleArray(), name + " gradient");
        }
    }
}
