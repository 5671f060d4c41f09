package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;
import static org.toydiff.Checks.rejected;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BinaryOperator;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.internal.launch.Shape;

/// Logic on truth values, and counts.
@Tag("kernels")
class LogicTest extends ArenaTest {
    private interface Truth {
        boolean of(boolean a, boolean b);
    }

    private record Row(String name, BinaryOperator<Tensor> op, Truth oracle) {}

    private static final List<Row> ROWS = List.of(
            new Row("logicalAnd", Tensor::logicalAnd, (a, b) -> a && b),
            new Row("logicalOr", Tensor::logicalOr, (a, b) -> a || b),
            new Row("logicalXor", Tensor::logicalXor, (a, b) -> a ^ b),
            new Row(
                    "logicalNot",
                    (a, b) -> a.logicalNot().broadcastTo(b.logicalOr(a).shape()),
                    (a, b) -> !a),
            new Row("equalTo", Tensor::equalTo, (a, b) -> a == b),
            new Row("notEqualTo", Tensor::notEqualTo, (a, b) -> a != b),
            new Row("greater", Tensor::greater, (a, b) -> a && !b),
            new Row("greaterOrEqual", Tensor::greaterOrEqual, (a, b) -> a || !b),
            new Row("less", Tensor::less, (a, b) -> !a && b),
            new Row("lessOrEqual", Tensor::lessOrEqual, (a, b) -> !a || b));

    private static final long[][][] SHAPES = {
        {{3, 5}, {3, 5}}, {{3, 5}, {5}}, {{3, 1}, {1, 5}}, {{}, {3, 5}}, {{3, 70}, {1}}, {{0, 3}, {3}}
    };

    private static Tensor truths(int seed, long... shape) {
        var random = new SplittableRandom(seed);
        int[] values = new int[(int) Shape.size(shape)];
        Arrays.setAll(values, i -> random.nextInt(2));
        return Tensor.of(DType.BOOL, values, values.length).reshape(shape);
    }

    @TestFactory
    Stream<DynamicTest> rows() {
        return ROWS.stream()
                .map(row -> dynamicTest(row.name, () -> {
                    for (long[][] pair : SHAPES) {
                        require(row, truths(1, pair[0]), truths(2, pair[1]));
                    }
                    for (int n : Oracles.SIZES) {
                        require(row, truths(n, n), truths(n + 1, n));
                        require(row, truths(n, n, 3).transpose(), truths(n + 1, 3, n));
                        require(row, truths(n, 3, n + 1).slice(1, 1, n + 1), truths(n + 1, 3, n));
                    }
                }));
    }

    private static void require(Row row, Tensor a, Tensor b) {
        long[] shape = Shape.broadcast("test", a.shape(), b.shape());
        double[] u = a.broadcastTo(shape).toDoubleArray();
        double[] v = b.broadcastTo(shape).toDoubleArray();
        double[] expected = new double[u.length];
        Arrays.setAll(expected, i -> row.oracle.of(u[i] != 0, v[i] != 0) ? 1 : 0);
        Tensor y = row.op.apply(a, b);
        assertEquals(DType.BOOL, y.dtype());
        assertArrayEquals(shape, y.shape());
        assertArrayEquals(expected, y.toDoubleArray(), row.name);
        assertFalse(y.tracksGradient());
    }

    @Test
    void anyAndAllAreCounts() {
        for (long[] shape : new long[][] {{3, 5}, {40, 1}, {1, 300}, {5, 3000}, {2, 2}}) {
            for (Tensor x :
                    List.of(truths(3, shape), Tensor.zeros(DType.BOOL, shape), Tensor.ones(DType.BOOL, shape))) {
                for (Tensor view : List.of(x, x.transpose())) {
                    double[][] rows = rowsOf(view);
                    requireRows(view.any(1), rows, row -> Arrays.stream(row).anyMatch(v -> v != 0) ? 1 : 0);
                    requireRows(view.all(1), rows, row -> Arrays.stream(row).allMatch(v -> v != 0) ? 1 : 0);
                    requireRows(
                            view.transpose().any(0),
                            rows,
                            row -> Arrays.stream(row).anyMatch(v -> v != 0) ? 1 : 0);
                    requireRows(view.countNonzero(-1), rows, row -> Arrays.stream(row)
                            .sum());
                    assertEquals(
                            Arrays.stream(x.toDoubleArray()).max().orElse(0),
                            view.any().item());
                    assertEquals(
                            Arrays.stream(x.toDoubleArray()).min().orElse(1),
                            view.all().item());
                    assertArrayEquals(
                            new long[] {view.size(0), 1}, view.all(1, true).shape());
                    assertEquals(DType.BOOL, view.all(0).dtype());
                    assertEquals(DType.INT64, view.countNonzero().dtype());
                }
            }
        }
    }

    private static double[][] rowsOf(Tensor x) {
        double[][] rows = new double[(int) x.size(0)][];
        Arrays.setAll(rows, i -> x.get(i).toDoubleArray());
        return rows;
    }

    private static void requireRows(Tensor y, double[][] rows, ToDoubleFunction<double[]> oracle) {
        assertArrayEquals(Arrays.stream(rows).mapToDouble(oracle).toArray(), y.toDoubleArray());
    }

    @Test
    void nothingHasNoneAndAll() {
        Tensor nothing = Tensor.zeros(DType.BOOL, 0, 2);
        assertEquals(0, nothing.any().item());
        assertEquals(1, nothing.all().item());
        assertArrayEquals(new double[] {1, 1}, nothing.all(0).toDoubleArray());
        assertArrayEquals(new long[] {0}, nothing.any(1).shape());
        assertEquals(0, nothing.countNonzero().item());
    }

    /// `torch.count_nonzero`: NaN is not 0, and both zeros are.
    @Test
    void whatIsNotZeroIsCountedInEveryDType() {
        Tensor x = Tensor.of(new double[] {0.0, -0.0, Double.NaN, 1e-320, -3, 0});
        assertEquals(3, x.countNonzero().item());
        assertEquals(2, x.cast(DType.FLOAT32).countNonzero().item(), "1e-320 is 0 as a float");
        assertArrayEquals(
                new long[] {2, 1},
                Tensor.of(new int[] {5, 0, -1, 0, 0, 7}, 2, 3).countNonzero(1).toLongArray());
        assertArrayEquals(
                new long[] {1, 0, 2},
                Tensor.of(new int[] {5, 0, -1, 0, 0, 7}, 2, 3).countNonzero(0).toLongArray());
        assertEquals(1, Tensor.of(new long[] {1L << 40, 0}).countNonzero().item());
        long live = arena.liveBytes();
        Tensor.ones(1000).countNonzero();
        assertEquals(live + 4032 + 64, arena.liveBytes(), "the elements and their number");
    }

    @Test
    void otherDTypesAreRefused() {
        Tensor x = Tensor.ones(2);
        Tensor truth = x.equalTo(1);
        rejected(
                "logicalAnd: takes BOOL, and [2] is float32; compare it, or cast it to BOOL",
                () -> truth.logicalAnd(x));
        rejected("logicalNot: takes BOOL, and [2] is float32; compare it, or cast it to BOOL", x::logicalNot);
        rejected("any: takes BOOL, and [2] is float32; compare it, or cast it to BOOL", x::any);
        rejected("all: axis 2 is out of range for a tensor of rank 1; use -1 to 0", () -> truth.all(2));
        rejected(
                "logicalOr: [2] and [3] do not broadcast (axis -1: 2 and 3)",
                () -> truth.logicalOr(Tensor.zeros(DType.BOOL, 3)));
    }
}
