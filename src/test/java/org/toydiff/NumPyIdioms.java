package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// What a NumPy user writes, and the same in toydiff. Each line has NumPy's expression, ours, and NumPy's result,
/// flattened.
class NumPyIdioms {
    // x = np.array([[3., -1., 2.], [0., 5., -4.]]); v = np.array([1., 2., 3., 4.])
    // i = np.array([3, 1, 2, 1]); m = np.array([True, False, True, True])
    private Tensor x;
    private Tensor v;
    private Tensor i;
    private Tensor m;

    private interface Idiom {
        Tensor compute();
    }

    private DynamicTest numpy(String expression, Idiom ours, double... result) {
        return dynamicTest(expression, () -> {
            try (var arena = TensorArena.ofConfined()) {
                x = Tensor.of(new float[][] {{3, -1, 2}, {0, 5, -4}});
                v = Tensor.of(1, 2, 3, 4);
                i = Tensor.of(new long[] {3, 1, 2, 1});
                m = Tensor.of(DType.BOOL, new int[] {1, 0, 1, 1});
                assertArrayEquals(result, ours.compute().toDoubleArray(), 1e-6);
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> idioms() {
        return Stream.of(
                // Selecting.
                numpy("x[x > 0]", () -> x.select(x.greater(0)), 3, 2, 5),
                numpy("x[:, ::2]", () -> x.slice(1, 0, 3, 2), 3, 2, 0, -4),
                numpy("x[::-1]", () -> x.flip(0), 0, 5, -4, 3, -1, 2),
                numpy("x[:, [2, 0]]", () -> x.indexSelect(1, Tensor.of(new long[] {2, 0})), 2, 3, -4, 0),
                numpy("np.where(x < 0, 0, x)", () -> Tensor.where(x.less(0), Tensor.zerosLike(x), x), 3, 0, 2, 0, 5, 0),
                numpy("v[m] = -1", () -> v.put(m, -1), -1, 2, -1, -1),
                numpy("np.argwhere(x < 0)", () -> x.less(0).nonzero(), 0, 1, 1, 2),
                numpy("np.triu(x)", () -> x.triu(0), 3, -1, 2, 0, 5, -4),
                // Arranging.
                numpy("np.concatenate([v, v[:2]])", () -> Tensor.concat(0, v, v.slice(0, 0, 2)), 1, 2, 3, 4, 1, 2),
                numpy("np.roll(v, 1)", () -> v.roll(1, 0), 4, 1, 2, 3),
                numpy("np.pad(v, (1, 2))", () -> v.pad(0, 1, 2, 0), 0, 1, 2, 3, 4, 0, 0),
                numpy("np.tile(v[:2], 2)", () -> v.slice(0, 0, 2).tile(2), 1, 2, 1, 2),
                numpy("np.repeat(v[:2], 2)", () -> v.slice(0, 0, 2).repeat(2, 0), 1, 1, 2, 2),
                numpy("x.T.ravel()", () -> x.transpose().flatten(0, -1), 3, 0, -1, 5, 2, -4),
                numpy("np.diag(v[:2])", () -> v.slice(0, 0, 2).diag(0), 1, 0, 0, 2),
                numpy(
                        "np.eye(3)[[2, 0]]",
                        () -> Tensor.eye(3).indexSelect(0, Tensor.of(new long[] {2, 0})),
                        0,
                        0,
                        1,
                        1,
                        0,
                        0),
                numpy("np.outer(v[:2], v[:2])", () -> v.slice(0, 0, 2).outer(v.slice(0, 0, 2)), 1, 2, 2, 4),
                // Ordering.
                numpy("np.sort(x, axis=1)", () -> x.sort(1).values(), -1, 2, 3, -4, 0, 5),
                numpy("np.argsort(x, axis=1, kind='stable')", () -> x.argsort(1), 1, 2, 0, 2, 0, 1),
                numpy("np.unique(i)", () -> i.unique().values(), 1, 2, 3),
                numpy("np.unique(i, return_counts=True)[1]", () -> i.unique().counts(), 2, 1, 1),
                numpy("np.bincount(i)", () -> i.bincount(), 0, 2, 1, 1),
                numpy("np.histogram(v, bins=2)[0]", () -> v.histogram(2).counts(), 2, 2),
                // Reducing.
                numpy("x.sum(axis=(0, 1))", () -> x.sum(0, 1), 5),
                numpy(
                        "x - x.mean(axis=1, keepdims=True)",
                        () -> x.subtract(x.mean(1, true)),
                        5 / 3.0,
                        -7 / 3.0,
                        2 / 3.0,
                        -1 / 3.0,
                        14 / 3.0,
                        -13 / 3.0),
                numpy("np.cumsum(v)", () -> v.cumsum(0), 1, 3, 6, 10),
                numpy("np.diff(v ** 2)", () -> v.power(2).diff(0), 3, 5, 7),
                numpy("np.prod(v)", () -> v.prod(), 24),
                numpy("np.quantile(v, 0.5)", () -> v.quantile(0.5), 2.5),
                numpy("np.isnan(x / 0).any()", () -> x.divide(0).isNan().any(), 1),
                numpy("(x > 0) & (x < 3)", () -> x.greater(0).logicalAnd(x.less(3)), 0, 0, 1, 0, 0, 0),
                numpy("np.linalg.norm(x, axis=1)", () -> x.norm(2, 1, false), Math.sqrt(14), Math.sqrt(41)),
                // Arithmetic.
                numpy(
                        "np.clip(np.round(x / 2), -1, 1)",
                        () -> x.divide(2).round().clamp(-1, 1),
                        1,
                        0,
                        1,
                        0,
                        1,
                        -1),
                numpy("i // 2", () -> i.floorDivide(2), 1, 0, 1, 0),
                numpy("-7 % i", () -> Tensor.full(DType.INT64, -7).remainder(i), 2, 0, 1, 0),
                numpy(
                        "np.nan_to_num(x / 0)[0, 0] > 1e38",
                        () -> x.divide(0).nanToNum().get(0).get(0).greater(1e38),
                        1),
                numpy(
                        "np.exp(x - x.max()) / np.exp(x - x.max()).sum()",
                        () -> x.reshape(-1).softmax(0),
                        0.11330225,
                        0.00207520,
                        0.04168157,
                        0.00564099,
                        0.83719668,
                        0.00010332));
    }
}
