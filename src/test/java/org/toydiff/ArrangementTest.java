package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.toydiff.Checks.rejected;

import java.util.Arrays;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.ArrangementOps.Padding;

/// Ops that arrange elements, against naive loops, NumPy's results and difference quotients. Those that only move
/// elements are in [OpTableTest] too.
class ArrangementTest {
    private final TensorArena arena = TensorArena.ofConfined();

    @AfterEach
    void close() {
        arena.close();
    }

    /// 0 to n − 1, of which a BOOL tensor has the truth values.
    private static Tensor counting(DType dtype, long... shape) {
        long n = 1;
        for (long size : shape) {
            n *= size;
        }
        return Tensor.arange(dtype, 0, n, 1).reshape(shape);
    }

    private static void requireElements(Tensor y, long[] shape, double... expected) {
        assertArrayEquals(shape, y.shape());
        double[] converted = y.dtype() == DType.BOOL
                ? Arrays.stream(expected).map(v -> v == 0 ? 0 : 1).toArray()
                : expected;
        assertArrayEquals(converted, y.toDoubleArray());
    }

    private static long[] shape(long... sizes) {
        return sizes;
    }

    private static void requireGradients(UnaryOperator<Tensor> op, long... shape) {
        Tensor x = Tensor.rand(DType.FLOAT64, shape);
        GradientCheck.check(op, x);
        GradientCheck.check(t -> Oracles.gradientOf(u -> op.apply(u).sum(), t), x);
    }

    @ParameterizedTest
    @EnumSource
    void movesEveryDType(DType dtype) {
        Tensor x = counting(dtype, 2, 3);
        requireElements(x.flip(1), shape(2, 3), 2, 1, 0, 5, 4, 3);
        requireElements(x.transpose().flip(0, 1), shape(3, 2), 5, 2, 4, 1, 3, 0);
        requireElements(x.flip(), shape(2, 3), 0, 1, 2, 3, 4, 5);
        requireElements(x.roll(1, 1), shape(2, 3), 2, 0, 1, 5, 3, 4);
        requireElements(x.roll(Long.MIN_VALUE, 0), shape(2, 3), 0, 1, 2, 3, 4, 5);
        requireElements(x.slice(1, 0, 3, 2), shape(2, 2), 0, 2, 3, 5);
        requireElements(x.slice(1, 1, -1, Long.MAX_VALUE), shape(2, 1), 1, 4);
        requireElements(x.tile(2), shape(2, 6), 0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5);
        requireElements(x.repeat(2, 0), shape(4, 3), 0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5);
        requireElements(x.pad(0, 1, 0, 1), shape(3, 3), 1, 1, 1, 0, 1, 2, 3, 4, 5);
        requireElements(x.triu(0), shape(2, 3), 0, 1, 2, 0, 4, 5);
        requireElements(x.tril(-1), shape(2, 3), 0, 0, 0, 3, 0, 0);
        requireElements(x.diag(1), shape(2), 1, 5);
        requireElements(x.get(0).diag(-1).slice(0, 1, 4), shape(3, 4), 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0);
        assertEquals(dtype, x.flip(0).dtype());
    }

    @Test
    void splitsIntoParts() {
        Tensor x = counting(DType.FLOAT32, 7);
        assertEquals(
                List.of(3L, 3L, 1L), x.split(3, 0).stream().map(Tensor::size).toList());
        assertEquals(
                List.of(2L, 2L, 2L, 1L),
                x.chunk(4, 0).stream().map(Tensor::size).toList());
        // torch.arange(7).chunk(5) has four parts.
        assertEquals(
                List.of(2L, 2L, 2L, 1L),
                x.chunk(5, 0).stream().map(Tensor::size).toList());
        assertEquals(
                List.of(0L),
                x.slice(0, 0, 0).split(3, 0).stream().map(Tensor::size).toList());
        assertEquals(
                List.of(7L),
                x.split(Long.MAX_VALUE, 0).stream().map(Tensor::size).toList());
    }

    @Test
    void shapesChangeAsInPyTorch() {
        Tensor x = counting(DType.INT32, 1, 2, 1, 3);
        assertArrayEquals(shape(2, 3), x.squeeze().shape());
        assertArrayEquals(shape(2, 3), x.flatten(0, 2).shape());
        assertArrayEquals(shape(6), x.flatten(0, -1).shape());
        assertArrayEquals(shape(1), Tensor.scalar(1).flatten(0, -1).shape());
        assertArrayEquals(shape(3, 1, 2, 1), x.movedim(-1, 0).shape());
        assertArrayEquals(shape(2, 1, 3, 1), x.movedim(0, -1).shape());
        assertArrayEquals(shape(1, 2, 1, 3), x.movedim(2, 2).shape());
    }

    /// By numpy.pad, whose modes "reflect", "edge" and "wrap" these are.
    @Test
    void padsWithItsOwnElements() {
        Tensor x = counting(DType.FLOAT64, 4);
        requireElements(x.pad(0, 2, 3, Padding.REFLECT), shape(9), 2, 1, 0, 1, 2, 3, 2, 1, 0);
        requireElements(x.pad(0, 2, 1, Padding.REPLICATE), shape(7), 0, 0, 0, 1, 2, 3, 3);
        requireElements(x.pad(0, 3, 2, Padding.CIRCULAR), shape(9), 1, 2, 3, 0, 1, 2, 3, 0, 1);
        for (Padding padding : Padding.values()) {
            requireElements(x.pad(0, 0, 0, padding), shape(4), 0, 1, 2, 3);
            assertArrayEquals(
                    shape(0, 2), Tensor.ones(0, 2).pad(0, 0, 0, padding).shape());
            requireGradients(t -> t.pad(1, 2, 1, padding).power(2), 2, 3);
        }
        rejected(
                "pad: axis 0 of [4] has 4 positions, REFLECT by 4 and 0 needs 5; pad with a value, or by less",
                () -> x.pad(0, 4, 0, Padding.REFLECT));
        rejected(
                "pad: axis 0 of [0, 2] has 0 positions, REPLICATE by 0 and 1 needs 1; pad with a value, or by less",
                () -> Tensor.ones(0, 2).pad(0, 0, 1, Padding.REPLICATE));
    }

    @Test
    void trianglesAndDiagonalsAreThoseOfANaiveLoop() {
        for (long diagonal : new long[] {Long.MIN_VALUE, -4, -3, -1, 0, 1, 2, 5, Long.MAX_VALUE}) {
            requireTriangle(Tensor.rand(2, 3, 5), diagonal);
            requireTriangle(Tensor.rand(5, 2, 3).transpose(1, 2, 0), diagonal);
            requireTriangle(Tensor.ones(0, 4), diagonal);
        }
        for (long diagonal = -3; diagonal <= 5; diagonal++) {
            Tensor x = Tensor.rand(3, 5);
            double[] all = x.toDoubleArray();
            long k = diagonal;
            double[] expected = IntStream.range(0, 15)
                    .filter(i -> i % 5 - i / 5 == k)
                    .mapToDouble(i -> all[i])
                    .toArray();
            assertArrayEquals(expected, x.diag(diagonal).toDoubleArray());
            assertArrayEquals(expected, x.transpose().diag(-diagonal).toDoubleArray());
            Tensor matrix = x.get(0).diag(diagonal);
            assertArrayEquals(x.get(0).toDoubleArray(), matrix.diag(diagonal).toDoubleArray());
            assertEquals(x.get(0).sum().item(), matrix.sum().item(), 1e-6);
        }
    }

    private static void requireTriangle(Tensor x, long diagonal) {
        requireKept(x, x.triu(diagonal), (i, j) -> Math.subtractExact((long) j, i) >= diagonal);
        requireKept(x, x.tril(diagonal), (i, j) -> Math.subtractExact((long) j, i) <= diagonal);
    }

    private static void requireKept(Tensor x, Tensor y, BiPredicate<Integer, Integer> kept) {
        int rows = (int) x.size(-2);
        int columns = (int) x.size(-1);
        double[] expected = x.toDoubleArray();
        for (int i = 0; i < expected.length; i++) {
            if (!kept.test(i / columns % rows, i % columns)) {
                expected[i] = 0;
            }
        }
        assertArrayEquals(expected, y.toDoubleArray());
    }

    @Test
    void aTriangleOfNothingIteratesOverNothing() {
        assertArrayEquals(
                shape(Long.MAX_VALUE, 0),
                Tensor.empty(Long.MAX_VALUE, 0).triu(0).shape());
    }

    /// By numpy.outer, numpy.kron and numpy.meshgrid(…, indexing="ij").
    @Test
    void productsAndGridsAreNumPys() {
        Tensor a = Tensor.of(1, 2);
        Tensor b = Tensor.of(3, 4, 5);
        requireElements(a.outer(b), shape(2, 3), 3, 4, 5, 6, 8, 10);
        requireElements(a.kron(b), shape(6), 3, 4, 5, 6, 8, 10);
        requireElements(Tensor.eye(2).kron(a), shape(2, 4), 1, 2, 0, 0, 0, 0, 1, 2);
        requireElements(a.kron(Tensor.eye(2)), shape(2, 4), 1, 0, 2, 0, 0, 1, 0, 2);
        List<Tensor> grids = Tensor.meshgrid(a, b, Tensor.scalar(7));
        requireElements(grids.get(0), shape(2, 3, 1), 1, 1, 1, 2, 2, 2);
        requireElements(grids.get(1), shape(2, 3, 1), 3, 4, 5, 3, 4, 5);
        requireElements(grids.get(2), shape(2, 3, 1), 7, 7, 7, 7, 7, 7);
    }

    @Test
    void gradientsAgreeWithDifferences() {
        requireGradients(t -> t.pad(1, 2, 1, 3).power(2), 2, 3);
        requireGradients(t -> t.triu(1).add(t.tril(-1)).power(2), 2, 3, 4);
        requireGradients(t -> t.diag(-1).power(2), 3);
        requireGradients(t -> t.diag(1).power(2), 3, 4);
        requireGradients(t -> t.flip(0).multiply(t).slice(1, 0, 4, 3), 2, 4);
        requireGradients(t -> t.roll(2, 1).multiply(t), 2, 5);
        requireGradients(t -> t.outer(t.slice(0, 0, 2)), 3);
        requireGradients(t -> t.kron(t.get(0)), 2, 3);
        requireGradients(t -> t.tile(2, 1, 2).power(2), 2, 3);
        requireGradients(t -> t.repeat(3, -1).power(2), 2, 3);
        requireGradients(
                t -> Tensor.meshgrid(t, t).get(0).multiply(Tensor.meshgrid(t, t).get(1)), 3);
    }

    @Test
    void oneCopyIsANewTensorToo() {
        Tensor x = counting(DType.FLOAT32, 2, 3);
        for (Tensor y : List.of(x.tile(1, 1), x.tile(), x.repeat(1, 0), x.flip(), x.roll(0, 0), x.pad(0, 0, 0, 0))) {
            assertNotSame(x.storage, y.storage);
            assertArrayEquals(x.toDoubleArray(), y.toDoubleArray());
        }
    }

    @Test
    void viewsShareTheBlock() {
        Tensor x = counting(DType.FLOAT32, 3, 3);
        for (Tensor view : List.of(x.diag(0), x.slice(0, 0, 3, 2), x.split(2, 1).get(1), x.movedim(0, 1))) {
            assertSame(x.storage, view.storage);
        }
    }

    @Test
    void refusesBadArguments() {
        Tensor x = Tensor.ones(2, 3);
        rejected("flip: axes [0, -2] of [2, 3] name axis 0 twice; name each once", () -> x.flip(0, -2));
        rejected(
                "pad: -1 before and 0 after [2, 3] must not be negative; slice makes an axis shorter",
                () -> x.pad(0, -1, 0, 0));
        rejected(
                "pad: [2, 3] by " + Long.MAX_VALUE + " and 1 is longer than a long can count; pad by less",
                () -> x.pad(0, Long.MAX_VALUE, 1, 0));
        rejected(
                "tile: -1 copies of an axis of [2, 3] with 3 positions; give 0 or more, and no more than a long can"
                        + " count",
                () -> x.tile(-1));
        rejected("triu: [3] has no rows and columns; reshape it", () -> x.get(0).triu(0));
        rejected("diag: [2, 3] has no diagonal 4; give -2 to 3", () -> x.diag(4));
        rejected("diag: [] is neither a vector nor a matrix; reshape it", () -> Tensor.scalar(1)
                .diag(0));
        rejected("outer: [2, 3] and [3] must be vectors; reshape(-1) makes one", () -> x.outer(x.get(0)));
        rejected("meshgrid: there are no vectors; give one or more", Tensor::meshgrid);
        rejected(
                "meshgrid: [2, 3] (tensor 1) must be a vector; reshape(-1) makes one",
                () -> Tensor.meshgrid(x.get(0), x));
        rejected(
                "slice: step 0 along axis 0 of [2, 3] must be at least 1; flip reverses an axis",
                () -> x.slice(0, 0, 2, 0));
        rejected("split: parts of 0 positions of [2, 3]; give at least 1", () -> x.split(0, 0));
        rejected("chunk: 0 parts of [2, 3]; give at least 1", () -> x.chunk(0, 0));
        rejected("flatten: axis 0 of [2, 3] is before axis 1; give the first one first", () -> x.flatten(1, 0));
        rejected(
                "pad: NaN has no value of dtype int32; replace it, or keep a floating dtype",
                () -> counting(DType.INT32, 2).pad(0, 1, 1, Double.NaN));
    }
}
