package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.internal.launch.Shape;

/// Products of operands of any rank, that lie in any way and broadcast in any way, and their gradients, against loops
/// over single elements.
class ProductTest extends ArenaTest {
    private static final int ROUNDS = 1500;

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64"})
    void matmulOfAnyShapesIsTheLoops(DType dtype) {
        var random = new Random(3);
        for (int round = 0; round < ROUNDS; round++) {
            try (var scratch = TensorArena.ofConfined()) {
                long[][] shapes = shapes(random, true);
                Tensor a = tracked(random, dtype, shapes[0]);
                Tensor b = tracked(random, dtype, shapes[1]);
                check("matmul of " + layout(a) + " and " + layout(b), random, a, b, false, null, a.matmul(b));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64"})
    void fmaOfAnyShapesIsTheLoops(DType dtype) {
        var random = new Random(4);
        for (int round = 0; round < ROUNDS; round++) {
            try (var scratch = TensorArena.ofConfined()) {
                long[][] shapes = shapes(random, true);
                Tensor a = tracked(random, dtype, shapes[0]);
                Tensor b = tracked(random, dtype, shapes[1]);
                long[] product;
                try (var off = Autograd.noGradient()) {
                    product = a.matmul(b).shape();
                }
                Tensor c = tracked(random, dtype, broadcastable(random, product));
                check(
                        "fma of " + layout(a) + ", " + layout(b) + " and " + layout(c),
                        random,
                        a,
                        b,
                        false,
                        c,
                        a.fma(b, c));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64"})
    void linearOfAnyShapesIsTheLoops(DType dtype) {
        var random = new Random(5);
        for (int round = 0; round < ROUNDS; round++) {
            try (var scratch = TensorArena.ofConfined()) {
                long in = size(random);
                long out = size(random);
                long[] leading = random.longs(1 + random.nextInt(3), 0, 4).toArray();
                long[] shape = Arrays.copyOf(leading, leading.length + 1);
                shape[leading.length] = in;
                Tensor x = tracked(random, dtype, shape);
                Tensor weight = tracked(random, dtype, out, in);
                Tensor bias = random.nextInt(4) == 0 ? null : tracked(random, dtype, out);
                String what = "linear of " + layout(x) + " and " + layout(weight);
                check(what, random, x, weight, true, bias, x.linear(weight, bias));
            }
        }
    }

    /// The gradient `gᵀ·x` to a weight is a product of a swapped operand. It is put onto the block of the weight's
    /// gradient, first onto one that holds nothing yet, then onto the sum of those before.
    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64"})
    void gradientsOfSeveralUsesAddUpInTheBlockOfTheWeight(DType dtype) {
        var random = new Random(6);
        for (int round = 0; round < ROUNDS / 5; round++) {
            try (var scratch = TensorArena.ofConfined()) {
                long in = size(random);
                long out = size(random);
                Tensor weight = tracked(random, dtype, out, in);
                double[] expected = new double[(int) (out * in)];
                String what = "linear with " + layout(weight);
                for (int backward = 0; backward < 3; backward++) {
                    Tensor loss = Tensor.zeros(dtype);
                    for (int use = 0; use <= random.nextInt(2); use++) {
                        long[] shape = random.longs(2 + random.nextInt(2), 0, 4).toArray();
                        shape[shape.length - 1] = in;
                        Tensor x = random.nextBoolean()
                                ? tracked(random, dtype, shape)
                                : RandomViews.of(random, dtype, shape);
                        what += ", of " + layout(x);
                        loss = loss.add(weighted(random, x, weight, expected));
                    }
                    loss.backward(random.nextBoolean() ? Release.EAGER : Release.AT_CLOSE);
                    assertArrayEquals(expected, weight.gradient().toDoubleArray(), tolerance(dtype), what);
                }
            }
        }
    }

    /// Some `Σ w·y` of `y = x·weightᵀ`, whose gradient to the weight is added to `expected`.
    private static Tensor weighted(Random random, Tensor x, Tensor weight, double[] expected) {
        Tensor y = x.linear(weight, null);
        double[] weights = new double[(int) y.size()];
        Tensor loss = weighted(random, y, weights);
        double[][] gradients = new double[3][];
        byLoop(x, weight.detach().transpose(), null, weights, gradients);
        int out = (int) weight.size(0);
        for (int i = 0; i < expected.length; i++) {
            expected[i % out * (expected.length / out) + i / out] += gradients[1][i];
        }
        return loss;
    }

    /// A bias is added, an activation applied and passed backward through within the product: with the bits of ops of
    /// their own, also where a tile has one column or fills whole rows.
    @ParameterizedTest
    @EnumSource(Activation.class)
    void operationsThatFollowAProductGiveTheBitsOfTheirOwn(Activation activation) {
        long[][] sizes = {
            {64, 10, 1, 3},
            {1, 5, 1, 3},
            {7, 3, 4, 3},
            {1, 3, 40, 3},
            {1030, 3, 1, 3},
            {300, 64, 310, 3},
            {40, 60, 1025, 3},
            // Alone, the product of the gradient would be divided along its long inner axis.
            {32, 8, 40, 9000}
        };
        for (long[] size : sizes) {
            try (var arena = TensorArena.ofConfined()) {
                Tensor x = Tensor.randn(size[0], size[1]);
                Tensor weight = Tensor.randn(size[2], size[1]).trackGradient();
                Tensor bias = Tensor.randn(size[2]).trackGradient();
                Tensor last = Tensor.randn(size[3], size[2]).trackGradient();
                List<Tensor> parameters = List.of(weight, bias, last);
                Tensor y = x.linear(weight, bias, activation);
                Tensor z = x.matmul(weight.transpose()).add(bias);
                Tensor expected =
                        switch (activation) {
                            case RELU -> z.relu();
                            case TANH -> z.tanh();
                            case SIGMOID -> z.sigmoid();
                        };
                assertArrayEquals(expected.toFloatArray(), y.toFloatArray());
                // EAGER passes through the activation within the product, AT_CLOSE in an op of its own.
                y.linear(last, null).sum().backward(Release.AT_CLOSE);
                List<float[]> gradients = parameters.stream()
                        .map(each -> each.gradient().toFloatArray())
                        .toList();
                parameters.forEach(Tensor::zeroGradient);
                x.linear(weight, bias, activation).linear(last, null).sum().backward(Release.EAGER);
                for (int i = 0; i < gradients.size(); i++) {
                    assertArrayEquals(
                            gradients.get(i), parameters.get(i).gradient().toFloatArray());
                }
            }
        }
    }

    /// A residual block hands its gradient on; a product is added onto that, although AT_CLOSE keeps it.
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"FLOAT32", "FLOAT64", "BFLOAT16"})
    void productsAreAddedOntoAWaitingGradientWithTheSameBitsUnderEitherRelease(DType dtype) {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.randn(dtype, 5, 700).trackGradient();
            Tensor in = Tensor.randn(dtype, 3, 700).trackGradient();
            Tensor out = Tensor.randn(dtype, 700, 3).trackGradient();
            List<double[]> gradients = new ArrayList<>();
            for (Release release : Release.values()) {
                x.zeroGradient();
                Tensor h = x.tanh();
                Tensor y = h.add(h.linear(in, null).linear(out, null));
                y.sin().sum().backward(release);
                gradients.add(x.gradient().toDoubleArray());
                if (release == Release.AT_CLOSE) {
                    // The gradient that waited is that of y, whole as it was.
                    assertArrayEquals(
                            y.detach().cos().toDoubleArray(), y.gradient().toDoubleArray());
                }
            }
            assertArrayEquals(gradients.get(0), gradients.get(1));
        }
    }

    /// Heads that lie beside each other in memory, of which every other axis is stretched: neither is copied.
    @Test
    void batchesMultiplyWhereTheyLie() {
        var random = new Random(7);
        Tensor q =
                RandomViews.of(random, DType.FLOAT32, 2, 5, 3, 4).copyTo(arena).transpose(0, 2, 1, 3);
        Tensor k =
                RandomViews.of(random, DType.FLOAT32, 2, 6, 3, 4).copyTo(arena).transpose(0, 2, 3, 1);
        Tensor shared = RandomViews.of(random, DType.FLOAT32, 3, 4, 6).copyTo(arena);
        Tensor first = RandomViews.of(random, DType.FLOAT32, 2, 1, 4, 6).copyTo(arena);
        for (Tensor b : List.of(k, shared, first, k.slice(1, 1, 2))) {
            double[] expected = byLoop(q, b, null, new double[2 * 3 * 5 * 6], new double[3][]);
            try (var step = TensorArena.ofConfined()) {
                assertArrayEquals(expected, q.matmul(b).toDoubleArray(), 1e-5, layout(b));
                assertEquals(768, step.peakBytes(), layout(b) + ": the bytes of the result alone");
            }
        }
    }

    private static double tolerance(DType dtype) {
        return dtype == DType.FLOAT32 ? 1e-3 : 1e-10;
    }

    private static Tensor tracked(Random random, DType dtype, long... shape) {
        return RandomViews.of(random, dtype, shape).trackGradient();
    }

    private static String layout(Tensor t) {
        return Shape.text(t.shape) + " with strides " + Shape.text(t.strides);
    }

    private static long size(Random random) {
        return random.nextInt(8) == 0 ? random.nextInt(2) : 1 + random.nextInt(5);
    }

    /// Shapes of two operands that multiply, of ranks 1 to 5.
    private static long[][] shapes(Random random, boolean vectors) {
        long m = size(random);
        long k = size(random);
        long n = size(random);
        long[] leading = random.longs(random.nextInt(4), 0, 4).toArray();
        long[] a = operand(random, vectors, broadcastable(random, leading), new long[] {m, k}, 1);
        long[] b = operand(random, vectors, broadcastable(random, leading), new long[] {k, n}, 0);
        return new long[][] {a, b};
    }

    private static long[] operand(Random random, boolean vectors, long[] leading, long[] matrix, int inner) {
        if (vectors && random.nextInt(6) == 0) {
            return new long[] {matrix[inner]};
        }
        long[] shape = Arrays.copyOf(leading, leading.length + 2);
        System.arraycopy(matrix, 0, shape, leading.length, 2);
        return shape;
    }

    /// A shape that stretches to `shape`.
    private static long[] broadcastable(Random random, long[] shape) {
        int from = random.nextInt(3) == 0 ? random.nextInt(shape.length + 1) : 0;
        long[] result = Arrays.copyOfRange(shape, from, shape.length);
        for (int i = 0; i < result.length; i++) {
            result[i] = random.nextInt(3) == 0 ? 1 : result[i];
        }
        return result;
    }

    /// `y = a·b + c`, b read with its axes exchanged when `swapped`, and the gradients of some `Σ w·y`.
    private static void check(String what, Random random, Tensor a, Tensor b, boolean swapped, Tensor c, Tensor y) {
        double tolerance = tolerance(y.dtype);
        double[] weights = new double[(int) y.size()];
        Tensor loss = weighted(random, y, weights);
        double[][] gradients = new double[3][];
        Tensor right = swapped ? b.detach().transpose() : b;
        assertArrayEquals(byLoop(a, right, c, weights, gradients), y.toDoubleArray(), tolerance, what);
        List<Tensor> inputs = c == null ? List.of(a, b) : List.of(a, b, c);
        List<Tensor> found = Autograd.gradients(loss, inputs);
        for (int i = 0; i < inputs.size(); i++) {
            String which = what + ": gradient to input " + i;
            Tensor gradient = i == 1 && swapped ? found.get(1).transpose() : found.get(i);
            assertArrayEquals(gradients[i], gradient.toDoubleArray(), tolerance, which);
        }
    }

    /// `Σ w·y`, such that the gradient w of y is stretched, transposed, a slice of a larger one, or plain; w's
    /// elements are written to `weights`.
    private static Tensor weighted(Random random, Tensor y, double[] weights) {
        int axis = y.rank() == 0 ? 0 : random.nextInt(y.rank());
        Tensor w;
        Tensor loss;
        switch (y.rank() == 0 ? 0 : random.nextInt(5)) {
            case 1 -> {
                w = Tensor.ones(y.dtype, y.shape);
                loss = y.sum();
            }
            case 2 -> {
                Tensor summed = y.sum(axis, true);
                Tensor some = RandomViews.of(random, y.dtype, summed.shape);
                w = some.broadcastTo(y.shape);
                loss = summed.multiply(some).sum();
            }
            case 3 -> {
                Tensor turned = y.transpose();
                Tensor some = RandomViews.of(random, y.dtype, turned.shape);
                w = some.transpose();
                loss = turned.multiply(some).sum();
            }
            case 4 -> {
                Tensor joined = Tensor.concat(axis, Tensor.ones(y.dtype, y.shape), y);
                Tensor some = RandomViews.of(random, y.dtype, joined.shape);
                w = some.slice(axis, y.shape[axis], 2 * y.shape[axis]);
                loss = joined.multiply(some).sum();
            }
            default -> {
                w = RandomViews.of(random, y.dtype, y.shape);
                loss = y.multiply(w).sum();
            }
        }
        System.arraycopy(w.toDoubleArray(), 0, weights, 0, weights.length);
        return loss;
    }

    private static double[] byLoop(Tensor a, Tensor b, Tensor c, double[] weights, double[][] gradients) {
        double[] as = a.toDoubleArray();
        double[] bs = b.toDoubleArray();
        double[] cs = c == null ? null : c.toDoubleArray();
        double[] ys = new double[weights.length];
        gradients[0] = new double[as.length];
        gradients[1] = new double[bs.length];
        gradients[2] = cs == null ? null : new double[cs.length];
        long[] left = a.rank() == 1 ? new long[] {1, a.shape[0]} : a.shape;
        long[] right = b.rank() == 1 ? new long[] {b.shape[0], 1} : b.shape;
        long[] shape = product(left, right);
        long[] shown = shown(shape, a.rank() == 1, b.rank() == 1);
        int rank = shape.length;
        long[] index = new long[rank];
        for (int at = 0; at < ys.length; at++) {
            for (int l = 0; l < left[left.length - 1]; l++) {
                long[] ai = index.clone();
                ai[rank - 1] = l;
                long[] bi = index.clone();
                bi[rank - 2] = l;
                int i = RandomViews.position(left, ai);
                int j = RandomViews.position(right, bi);
                ys[at] += as[i] * bs[j];
                gradients[0][i] += weights[at] * bs[j];
                gradients[1][j] += weights[at] * as[i];
            }
            if (cs != null) {
                int i = RandomViews.position(c.shape, shown(index, a.rank() == 1, b.rank() == 1));
                ys[at] += cs[i];
                gradients[2][i] += weights[at];
            }
            RandomViews.next(shape, index);
        }
        assert Shape.size(shown) == ys.length;
        return ys;
    }

    private static long[] product(long[] left, long[] right) {
        long[] shape = new long[Math.max(left.length, right.length)];
        for (int i = 1; i <= shape.length; i++) {
            long m = i <= left.length ? left[left.length - i] : 1;
            long n = i <= right.length ? right[right.length - i] : 1;
            shape[shape.length - i] = i == 1 ? n : i == 2 ? m : m == 1 ? n : m;
        }
        return shape;
    }

    /// Without the axes that a vector was given.
    private static long[] shown(long[] axes, boolean row, boolean column) {
        long[] result = axes;
        if (column) {
            result = Arrays.copyOf(result, result.length - 1);
        }
        if (row) {
            long[] without = Arrays.copyOf(result, result.length - 1);
            if (!column) {
                without[without.length - 1] = result[result.length - 1];
            }
            result = without;
        }
        return result;
    }

    @Test
    void aBatchOfOneIsMultipliedAsABatchOfTwo() {
        Tensor two = Tensor.ones(2, 3);
        assertArrayEquals(new long[] {1, 2, 4}, two.matmul(Tensor.ones(1, 3, 4)).shape());
        Tensor sliced = Tensor.ones(1, 2, 6).slice(2, 0, 3);
        assertArrayEquals(
                new float[] {3, 3, 3, 3, 3, 3, 3, 3},
                sliced.linear(Tensor.ones(4, 3), null).toFloatArray());
    }
}
