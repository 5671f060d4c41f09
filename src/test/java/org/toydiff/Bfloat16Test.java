package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.Checks.rejected;
import static org.toydiff.DType.BFLOAT16;
import static org.toydiff.DType.FLOAT32;
import static org.toydiff.DType.FLOAT64;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.toydiff.nn.Functional;
import org.toydiff.nn.LayerNorm;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.SGD;

/// BFLOAT16 as an element type: PyTorch's results, to the bit or to the last place, and double-precision oracles.
class Bfloat16Test extends ArenaTest {
    private static final int INFINITY = 0x7f80;

    /// torch.tensor(…, dtype=torch.bfloat16)
    private static Tensor a() {
        return Tensor.of(BFLOAT16, new double[] {0.5, -1.25, 3, 0.1, 2.5, 100, -0.3, 7, -4, 0.01, 1.5, -2}, 3, 4);
    }

    private static Tensor c() {
        return Tensor.of(BFLOAT16, new double[] {1.5, 0.25, -2, 0.7, 0.3, -3, 8, 0.05, 1, 2, -0.5, 12}, 3, 4);
    }

    private static int[] bits(Tensor x) {
        short[] bits = x.reshape(x.size()).copyTo(x.storage.home).segment().toArray(ValueLayout.JAVA_SHORT);
        int[] unsigned = new int[bits.length];
        Arrays.setAll(unsigned, i -> bits[i] & 0xffff);
        return unsigned;
    }

    private static void same(Tensor x, int... expected) {
        assertEquals(BFLOAT16, x.dtype());
        assertArrayEquals(expected, bits(x));
    }

    /// The place of a number among all of its type.
    private static int place(int bits) {
        int magnitude = bits & 0x7fff;
        assertTrue(magnitude <= INFINITY, "NaN");
        return bits == magnitude ? magnitude : -magnitude;
    }

    /// Requires numbers that differ by one in the last place at most.
    private static void near(Tensor x, int... expected) {
        assertEquals(BFLOAT16, x.dtype());
        int[] actual = bits(x);
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < actual.length; i++) {
            int at = i;
            assertEquals(
                    place(expected[i]), place(actual[i]), 1, () -> "element " + at + " of " + Arrays.toString(actual));
        }
    }

    @Test
    void castsAreThoseOfPyTorch() {
        // torch.tensor([…]).to(torch.bfloat16)
        Tensor x = Tensor.of(
                0f,
                -0f,
                1,
                -1,
                Float.POSITIVE_INFINITY,
                Float.NEGATIVE_INFINITY,
                3.4e38f,
                3.3961775e38f,
                1e-40f,
                9.2e-41f,
                4.6e-41f,
                1.00390625f,
                1.01171875f,
                0.1f,
                -65504.5f);
        same(
                x.cast(BFLOAT16),
                0x0000,
                0x8000,
                0x3f80,
                0xbf80,
                0x7f80,
                0xff80,
                0x7f80,
                0x7f80,
                0x0001,
                0x0001,
                0x0001,
                0x3f80,
                0x3f82,
                0x3dcd,
                0xc780);
        Tensor nan = Tensor.of(Float.NaN, -Float.NaN).cast(BFLOAT16);
        assertTrue(Double.isNaN(nan.at(0)) && Double.isNaN(nan.at(1)));
        assertEquals(0.10009765625, Tensor.of(0.1f).cast(BFLOAT16).cast(FLOAT64).item());
    }

    @Test
    void elementwiseOpsAreThoseOfPyTorch() {
        Tensor a = a();
        Tensor c = c();
        same(a.add(c), 0x4000, 0xbf80, 0x3f80, 0x3f4d, 0x4033, 0x42c2, 0x40f6, 0x40e2, 0xc040, 0x4001, 0x3f80, 0x4120);
        same(
                a.multiply(c),
                0x3f40,
                0xbea0,
                0xc0c0,
                0x3d8f,
                0x3f40,
                0xc396,
                0xc01a,
                0x3eb3,
                0xc080,
                0x3ca4,
                0xbf40,
                0xc1c0);
        same(
                a.divide(c),
                0x3eab,
                0xc0a0,
                0xbfc0,
                0x3e13,
                0x4105,
                0xc205,
                0xbd1a,
                0x430c,
                0xc080,
                0x3ba4,
                0xc040,
                0xbe2b);
        same(a.exp(), 0x3fd3, 0x3e93, 0x41a1, 0x3f8d, 0x4143, 0x7f80, 0x3f3e, 0x4489, 0x3c96, 0x3f81, 0x408f, 0x3e0b);
        same(a.tanh(), 0x3eed, 0xbf59, 0x3f7f, 0x3dcc, 0x3f7d, 0x3f80, 0xbe96, 0x3f80, 0xbf80, 0x3c24, 0x3f68, 0xbf77);
        same(
                a.sigmoid(),
                0x3f1f,
                0x3e64,
                0x3f74,
                0x3f06,
                0x3f6d,
                0x3f80,
                0x3eda,
                0x3f80,
                0x3c93,
                0x3f01,
                0x3f51,
                0x3df4);
        same(
                a.maximum(c),
                0x3fc0,
                0x3e80,
                0x4040,
                0x3f33,
                0x4020,
                0x42c8,
                0x4100,
                0x40e0,
                0x3f80,
                0x4000,
                0x3fc0,
                0x4140);
        // PyTorch rounds the root, then its reciprocal.
        near(
                c.abs().rsqrt(),
                0x3f51,
                0x4000,
                0x3f35,
                0x3f99,
                0x3fea,
                0x3f14,
                0x3eb5,
                0x408f,
                0x3f80,
                0x3f35,
                0x3fb5,
                0x3e94);
    }

    @Test
    void stepsAreThoseOfPyTorch() {
        Tensor a = a();
        Tensor c = c();
        same(a.floor(), 0x0000, 0xc000, 0x4040, 0x0000, 0x4000, 0x42c8, 0xbf80, 0x40e0, 0xc080, 0x0000, 0x3f80, 0xc000);
        same(a.ceil(), 0x3f80, 0xbf80, 0x4040, 0x3f80, 0x4040, 0x42c8, 0x8000, 0x40e0, 0xc080, 0x3f80, 0x4000, 0xc000);
        same(a.round(), 0x0000, 0xbf80, 0x4040, 0x0000, 0x4000, 0x42c8, 0x8000, 0x40e0, 0xc080, 0x0000, 0x4000, 0xc000);
        same(a.trunc(), 0x0000, 0xbf80, 0x4040, 0x0000, 0x4000, 0x42c8, 0x8000, 0x40e0, 0xc080, 0x0000, 0x3f80, 0xc000);
        same(a.fmod(c), 0x3f00, 0x8000, 0x3f80, 0x3dcd, 0x3dc0, 0x3f80, 0xbe9a, 0x3d31, 0x8000, 0x3c24, 0x0000, 0xc000);
        Tensor remainder = a.remainder(c);
        // PyTorch's zeros have the sign of the dividend there, Python's that of the divisor.
        assertArrayEquals(
                new double[] {0.5, 0, -1, 0.10009765625, 0.09375, -2, 7.6875, 0.043212890625, 0, 0.010009765625, 0, 10},
                remainder.add(0).toDoubleArray());
    }

    @Test
    void reductionsAreThoseOfPyTorch() {
        Tensor a = a();
        same(a.sum(0), 0xbf80, 0x42c6, 0x4086, 0x40a3);
        same(a.mean(1), 0x3f16, 0x41da, 0xbf90);
        same(a.max(1), 0x4040, 0x42c8, 0x3fc0);
        near(a.std(1), 0x3fc5, 0x4228, 0x4005);
        near(a.norm(), 0x42c9);
        near(
                a.cumsum(1),
                0x3f00,
                0xbf40,
                0x4010,
                0x4016,
                0x4020,
                0x42cd,
                0x42cc,
                0x42da,
                0xc080,
                0xc07f,
                0xc01f,
                0xc090);
        assertArrayEquals(new long[] {2, 1, 2}, a.argmax(1).toLongArray());
        assertArrayEquals(
                new long[] {1, 3, 0, 2, 2, 0, 3, 1, 0, 3, 1, 2}, a.argsort(1).toLongArray());
        assertArrayEquals(
                new long[] {0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0},
                a.greater(c()).cast(DType.INT64).toLongArray());
    }

    @Test
    void softmaxAndCrossEntropyAreThoseOfPyTorch() {
        Tensor a = a().trackGradient();
        near(
                a.softmax(1),
                0x3d92,
                0x3c4b,
                0x3f5e,
                0x3d44,
                0x0000,
                0x3f80,
                0x0000,
                0x0000,
                0x3b55,
                0x3e37,
                0x3f4b,
                0x3cc4);
        requireRounded(a.cast(FLOAT64).logSoftmax(1), a.logSoftmax(1));
        Tensor loss = a.crossEntropy(Tensor.of(new long[] {2, 0, 3})).mean();
        near(loss, 0x4207);
        loss.backward();
        double[] expected = {0.0238, 0.00421, -0.0432, 0.0161, -0.334, 0.334, 0, 0, 0.0011, 0.0598, 0.2656, -0.3262};
        assertArrayEquals(expected, a.gradient().toDoubleArray(), 0x1p-9);
    }

    @Test
    void longRowsColumnsAndRunsAreSummedInMoreThanBfloat16() {
        var random = new Random(3);
        long[][] shapes = {{70_000}, {3, 5000}, {40_000, 3}, {1000, 70}, {2, 700, 40}};
        for (long[] shape : shapes) {
            double[] values = random.doubles(size(shape), 0, 1)
                    .map(Bfloat16Oracle::rounded)
                    .toArray();
            Tensor x = Tensor.of(BFLOAT16, values, shape);
            Tensor exact = Tensor.of(FLOAT64, values, shape);
            for (int axis = 0; axis < shape.length; axis++) {
                requireRounded(exact.sum(axis), x.sum(axis));
                requireRounded(exact.mean(axis), x.mean(axis));
                requireRounded(exact.max(axis), x.max(axis));
                requireRounded(exact.var(axis), x.var(axis));
            }
            requireRounded(exact.sum(), x.sum());
            requireRounded(exact.norm(), x.norm());
            requireRounded(exact.min(), x.min());
        }
    }

    private static int size(long... shape) {
        return Math.toIntExact(Arrays.stream(shape).reduce(1, (p, q) -> p * q));
    }

    /// Requires the numbers nearest to others, or their neighbours.
    private static void requireRounded(Tensor exact, Tensor x) {
        double[] expected = exact.toDoubleArray();
        near(
                x,
                Arrays.stream(expected)
                        .mapToInt(v -> Bfloat16Oracle.nearest(v) & 0xffff)
                        .toArray());
    }

    @Test
    void longRowsHaveASoftmaxToo() {
        // Beyond the scratch memory of a row.
        int n = 200_000;
        Tensor y = Tensor.zeros(BFLOAT16, 2, n).softmax(1);
        assertEquals(Bfloat16Oracle.rounded(1.0 / n), y.at(1, n - 1));
    }

    @Test
    void productsAreRoundedOnceWhateverTheirSizeAndLayout() {
        var random = new Random(4);
        int[][] sizes = {
            {2, 3, 4}, {300, 1, 5}, {1, 700, 1}, {5, 600, 300}, {270, 1100, 1}, {260, 530, 257}, {1030, 9, 530}
        };
        for (int[] size : sizes) {
            Tensor a = drawn(random, size[0], size[1]);
            Tensor b = drawn(random, size[1], size[2]);
            Tensor exact = a.cast(FLOAT64).matmul(b.cast(FLOAT64));
            requireSum(exact, a.matmul(b), size[1]);
            requireSum(exact, turned(a).matmul(b), size[1]);
            requireSum(exact, a.matmul(turned(b)), size[1]);
            requireSum(exact, turned(a).matmul(turned(b)), size[1]);
            Tensor c = drawn(random, size[0], size[2]);
            requireSum(exact.add(c.cast(FLOAT64)), a.fma(b, c), size[1]);
        }
        Tensor batch = drawn(random, 5 * 7, 9).reshape(5, 7, 9);
        Tensor other = drawn(random, 5 * 9, 3).reshape(5, 9, 3);
        requireSum(batch.cast(FLOAT64).matmul(other.cast(FLOAT64)), batch.matmul(other), 9);
        Tensor empty = Tensor.empty(BFLOAT16, 2, 0).matmul(Tensor.empty(BFLOAT16, 0, 3));
        assertArrayEquals(new double[6], empty.toDoubleArray());
    }

    private static Tensor drawn(Random random, int rows, int columns) {
        return Tensor.randn(BFLOAT16, random, rows, columns);
    }

    /// The same elements with contiguous columns.
    private static Tensor turned(Tensor x) {
        return x.transpose().add(0).transpose();
    }

    /// Half a step of BFLOAT16, and the error of a sum of n products in floats.
    private static void requireSum(Tensor exact, Tensor y, int n) {
        double[] expected = exact.toDoubleArray();
        double[] actual = y.toDoubleArray();
        for (int i = 0; i < expected.length; i++) {
            double tolerance = Math.abs(expected[i]) * 0x1p-8 + n * 0x1p-20;
            assertEquals(expected[i], actual[i], tolerance, () -> y.size() + " elements, inner size " + n);
        }
    }

    @Test
    void aLinearLayerAndItsActivationAreTheOpsOneAfterTheOther() {
        var random = new Random(6);
        for (Activation activation : Activation.values()) {
            Tensor x = drawn(random, 600, 40).trackGradient();
            Tensor weight = drawn(random, 530, 40).trackGradient();
            Tensor bias = drawn(random, 1, 530).reshape(530).detach().trackGradient();
            Tensor fused = x.linear(weight, bias, activation);
            fused.sum().backward();
            List<Tensor> leaves = List.of(x, weight, bias);
            List<int[]> gradients = leaves.stream().map(t -> bits(t.gradient())).toList();
            leaves.forEach(Tensor::zeroGradient);
            Tensor linear = x.linear(weight, bias);
            Tensor apart =
                    switch (activation) {
                        case RELU -> linear.relu();
                        case TANH -> linear.tanh();
                        case SIGMOID -> linear.sigmoid();
                    };
            same(fused, bits(apart));
            apart.sum().backward();
            for (int i = 0; i < 3; i++) {
                assertArrayEquals(gradients.get(i), bits(leaves.get(i).gradient()), activation + " " + i);
            }
        }
    }

    @Test
    void elementsMoveAsTheyAre() {
        Tensor a = a();
        Tensor c = c();
        Tensor mask = a.greater(c);
        assertArrayEquals(
                a.cast(FLOAT32).transpose().toFloatArray(), a.transpose().toFloatArray());
        same(Tensor.where(mask, a, c), bits(a.maximum(c)));
        same(Tensor.concat(0, a, c).slice(0, 3, 6), bits(c));
        same(Tensor.stack(1, a, c).slice(1, 0, 1).squeeze(1), bits(a));
        Tensor order = a.argsort(1);
        assertArrayEquals(a.sort(1).values().toDoubleArray(), a.gather(1, order).toDoubleArray());
        same(a.flip(1).flip(1), bits(a));
        assertEquals(100, a.at(1, 1));
        assertEquals(7, a.select(a.greater(6)).at(1));
        Tensor strided = Tensor.empty(BFLOAT16, 3, 2).copyFrom(a.slice(1, 0, 4, 2));
        assertArrayEquals(new double[] {0.5, 3, 2.5, Bfloat16Oracle.rounded(-0.3), -4, 1.5}, strided.toDoubleArray());
    }

    @Test
    void factoriesRoundTheirNumbers() {
        assertArrayEquals(
                filled(70_001, 0.10009765625),
                Tensor.full(BFLOAT16, 0.1, 70_001).toDoubleArray());
        assertEquals(3, Tensor.ones(BFLOAT16, 3).sum().item());
        assertArrayEquals(
                new double[] {0, 1, 2}, Tensor.arange(BFLOAT16, 0, 3, 1).toDoubleArray());
        double[] uniform = Tensor.rand(BFLOAT16, new Random(1), 10_000).toDoubleArray();
        assertTrue(Arrays.stream(uniform).allMatch(v -> v >= 0 && v < 1));
        assertEquals(0.5, Arrays.stream(uniform).average().orElseThrow(), 0.02);
        assertEquals(
                0x1.fep127,
                Tensor.of(BFLOAT16, Float.POSITIVE_INFINITY).nanToNum().item());
    }

    private static double[] filled(int n, double value) {
        double[] filled = new double[n];
        Arrays.fill(filled, value);
        return filled;
    }

    @Test
    void itPrintsTheNumbersThatItHas() {
        assertEquals(
                "Tensor([0.10009766, 3.        ], dtype=bfloat16)",
                Tensor.of(BFLOAT16, 0.1f, 3).toString());
    }

    @Test
    void otherDTypesAreRefusedWithTheCastThatHelps() {
        Tensor x = Tensor.ones(BFLOAT16, 2);
        rejected("add: [2] is bfloat16 and [2] is float32; cast(DType.FLOAT32) the first", () -> x.add(Tensor.ones(2)));
        rejected(
                "multiply: [2] is int32 and [2] is bfloat16; cast(DType.FLOAT64) both",
                () -> Tensor.ones(DType.INT32, 2).multiply(x));
        rejected(
                "exp: takes FLOAT32, FLOAT64 or BFLOAT16, and [2] is bool; cast(DType.FLOAT32) first",
                () -> Tensor.ones(DType.BOOL, 2).exp());
    }

    @Test
    void aCastPassesGradientsOnInTheDTypeOfItsInput() {
        Tensor x = Tensor.of(1.5f, -2, 3).trackGradient();
        Tensor y = x.cast(BFLOAT16);
        y.multiply(y).cast(FLOAT32).sum().backward();
        assertEquals(FLOAT32, x.gradient().dtype());
        assertArrayEquals(new float[] {3, -4, 6}, x.gradient().toFloatArray());
        Tensor leaf = Tensor.of(BFLOAT16, 1.5f, -2, 3).trackGradient();
        leaf.multiply(leaf).sum().backward();
        assertEquals(BFLOAT16, leaf.gradient().dtype());
        assertArrayEquals(new float[] {3, -4, 6}, leaf.gradient().toFloatArray());
    }

    @Test
    void anOptimizerUpdatesWeightsOfBfloat16() {
        Tensor weight = Tensor.ones(BFLOAT16, 2000).trackGradient();
        var optimizer = new SGD(List.of(weight), 0.5, 0.9);
        weight.sum().backward();
        optimizer.step();
        assertArrayEquals(filled(2000, 0.5), weight.toDoubleArray());
        optimizer.step();
        // 0.5 − 0.5·(0.9 + 1), of a velocity that is rounded to 1.8984375.
        assertArrayEquals(filled(2000, Bfloat16Oracle.rounded(0.5 - 0.5 * 1.9)), weight.toDoubleArray());
    }

    /// Each step is that of FLOAT32 from the same numbers, rounded.
    @Test
    void everyUpdateIsThatOfFloat32Rounded() {
        List<Consumer<Tensor[]>> updates = List.of(
                t -> Updates.sgd(t[0], t[1], 0.1, 1e-2),
                t -> Updates.sgd(t[0], t[1], t[2], 0.1, 1, 0.9, true, 1e-2),
                t -> Updates.adam(t[0], t[1], t[2], t[3], 3, 1e-2, 0.9, 0.99, 1e-8, 1e-2, 1),
                t -> Updates.adaptive(t[0], t[1], t[3], t[2], 1e-2, 0.99, 0.01, 1e-8, 0.9, 0));
        var random = new Random(8);
        for (Consumer<Tensor[]> update : updates) {
            Tensor[] halves = new Tensor[4];
            Arrays.setAll(halves, i -> Tensor.rand(BFLOAT16, random, 3001));
            int[] gradient = bits(halves[1]);
            Tensor[] floats = Arrays.stream(halves).map(t -> t.cast(FLOAT32)).toArray(Tensor[]::new);
            update.accept(halves);
            update.accept(floats);
            for (int i : new int[] {0, 2, 3}) {
                same(halves[i], bits(floats[i].cast(BFLOAT16)));
            }
            assertArrayEquals(gradient, bits(halves[1]));
        }
        Tensor x = Tensor.rand(BFLOAT16, random, 70_000);
        assertEquals(x.cast(FLOAT64).norm().item(), Updates.norm(x), 1e-3);
    }

    @Test
    void layersOfBfloat16Train() {
        Tensor.manualSeed(2);
        var net = new Sequential(
                new Linear(BFLOAT16, 3, 16), new ReLU(), new LayerNorm(BFLOAT16, 16), new Linear(BFLOAT16, 16, 2));
        var optimizer = new SGD(net.parameters(), 0.1);
        Tensor x = Tensor.randn(BFLOAT16, new Random(1), 32, 3);
        Tensor labels = x.sum(1).greater(0).cast(DType.INT64);
        double first = Double.NaN;
        double last = Double.NaN;
        for (int i = 0; i < 30; i++) {
            try (var step = TensorArena.ofConfined()) {
                Tensor loss = Functional.crossEntropyLoss(net.forward(x), labels);
                assertEquals(BFLOAT16, loss.dtype());
                loss.backward(Release.EAGER);
                optimizer.step();
                optimizer.zeroGradients();
                last = loss.item();
                first = i == 0 ? last : first;
            }
        }
        assertTrue(last < first / 2, first + " to " + last);
    }
}
