package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;
import static org.toydiff.Oracles.GRADIENT_TOLERANCE;
import static org.toydiff.Oracles.POSITIVE;
import static org.toydiff.Oracles.REAL;
import static org.toydiff.Oracles.SIZES;
import static org.toydiff.Oracles.SPECIAL;
import static org.toydiff.Oracles.derivative;
import static org.toydiff.Oracles.distinct;
import static org.toydiff.Oracles.gradientTolerance;
import static org.toydiff.Oracles.layouts;
import static org.toydiff.Oracles.requireClose;
import static org.toydiff.Oracles.rounded;
import static org.toydiff.Oracles.sources;
import static org.toydiff.Oracles.std;
import static org.toydiff.Oracles.tolerance;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BinaryOperator;
import java.util.function.DoubleBinaryOperator;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.internal.launch.Shape;

/// One row for each op: its double oracle and domain. Every row runs over sizes, layouts, dtypes, broadcasts and
/// special values; its gradient is held against the oracle, differentiated in double by differences of fourth
/// order.
@Tag("kernels")
class OpTableTest {
    record Binary(
            String name,
            BinaryOperator<Tensor> op,
            DoubleBinaryOperator oracle,
            Oracles.Domain first,
            Oracles.Domain second) {}

    interface AlongAxis {
        Tensor apply(Tensor x, int axis, boolean keepDims);
    }

    record Lane(String name, UnaryOperator<Tensor> all, AlongAxis one, ToDoubleFunction<double[]> oracle) {}

    static final List<Binary> BINARY = List.of(
            new Binary("add", Tensor::add, Double::sum, REAL, REAL),
            new Binary("subtract", Tensor::subtract, (a, b) -> a - b, REAL, REAL),
            new Binary("multiply", Tensor::multiply, (a, b) -> a * b, REAL, REAL),
            new Binary("divide", Tensor::divide, (a, b) -> a / b, REAL, POSITIVE),
            new Binary("power", Tensor::power, Math::pow, POSITIVE, REAL),
            new Binary("maximum", Tensor::maximum, Math::max, REAL, REAL),
            new Binary("minimum", Tensor::minimum, Math::min, REAL, REAL),
            new Binary("atan2", Tensor::atan2, Math::atan2, REAL, POSITIVE),
            new Binary("hypot", Tensor::hypot, Math::hypot, REAL, REAL),
            new Binary("fmod", Tensor::fmod, (a, b) -> a % b, REAL, new Oracles.Domain(1.1, 3)),
            new Binary("remainder", Tensor::remainder, Oracles::remainder, REAL, new Oracles.Domain(1.1, 3)));

    static final List<Binary> MASKS = List.of(
            new Binary("greater", Tensor::greater, (a, b) -> a > b ? 1 : 0, REAL, REAL),
            new Binary("greaterOrEqual", Tensor::greaterOrEqual, (a, b) -> a >= b ? 1 : 0, REAL, REAL),
            new Binary("less", Tensor::less, (a, b) -> a < b ? 1 : 0, REAL, REAL),
            new Binary("lessOrEqual", Tensor::lessOrEqual, (a, b) -> a <= b ? 1 : 0, REAL, REAL),
            new Binary("equalTo", Tensor::equalTo, (a, b) -> a == b ? 1 : 0, REAL, REAL),
            new Binary("notEqualTo", Tensor::notEqualTo, (a, b) -> a != b ? 1 : 0, REAL, REAL));

    static final List<Lane> LANES = List.of(
            new Lane("sum", Tensor::sum, Tensor::sum, v -> Arrays.stream(v).sum()),
            new Lane("mean", Tensor::mean, Tensor::mean, v -> Arrays.stream(v).sum() / v.length),
            new Lane(
                    "max", Tensor::max, Tensor::max, v -> Arrays.stream(v).reduce(Double.NEGATIVE_INFINITY, Math::max)),
            new Lane(
                    "min", Tensor::min, Tensor::min, v -> Arrays.stream(v).reduce(Double.POSITIVE_INFINITY, Math::min)),
            new Lane("median", Tensor::median, Tensor::median, v -> Arrays.stream(v)
                    .sorted()
                    .toArray()[(v.length - 1) / 2]),
            new Lane("var", Tensor::var, Tensor::var, v -> std(v) * std(v)),
            new Lane("std", Tensor::std, Tensor::std, Oracles::std));

    /// Ops that have no row here, and the test that has them.
    private static final Map<String, Class<?>> ELSEWHERE = Map.ofEntries(
            Map.entry("matmul", ProductTest.class),
            Map.entry("fma", ProductTest.class),
            Map.entry("linear", ProductTest.class),
            Map.entry("convolution", ConvolutionTest.class),
            Map.entry("transposedConvolution", ConvolutionTest.class),
            Map.entry("unfold", ConvolutionTest.class),
            Map.entry("fold", ConvolutionTest.class),
            Map.entry("scaledDotProductAttention", AttentionTest.class),
            Map.entry("layerNorm", NormalizationTest.class),
            Map.entry("rmsNorm", NormalizationTest.class),
            Map.entry("groupNorm", NormalizationTest.class),
            Map.entry("batchNorm", NormalizationTest.class),
            Map.entry("maxPool", PoolingTest.class),
            Map.entry("avgPool", PoolingTest.class),
            Map.entry("adaptiveAvgPool", PoolingTest.class),
            Map.entry("upsampleNearest", PoolingTest.class),
            Map.entry("upsampleLinear", PoolingTest.class),
            Map.entry("rnn", RecurrenceTest.class),
            Map.entry("lstm", RecurrenceTest.class),
            Map.entry("gru", RecurrenceTest.class),
            Map.entry("einsum", EinsumTest.class),
            Map.entry("custom", CustomOpTest.class),
            Map.entry("pad", ArrangementTest.class),
            Map.entry("triu", ArrangementTest.class),
            Map.entry("tril", ArrangementTest.class),
            Map.entry("diag", ArrangementTest.class),
            Map.entry("outer", ArrangementTest.class),
            Map.entry("kron", ArrangementTest.class),
            Map.entry("meshgrid", ArrangementTest.class),
            Map.entry("bernoulli", SamplingTest.class),
            Map.entry("dropout", DropoutTest.class),
            Map.entry("multinomial", SamplingTest.class),
            Map.entry("argmax", ReductionTest.class),
            Map.entry("argmin", ReductionTest.class),
            Map.entry("norm", ReductionTest.class),
            Map.entry("isNan", NonFiniteTest.class),
            Map.entry("isFinite", NonFiniteTest.class),
            Map.entry("isInf", NonFiniteTest.class),
            Map.entry("nanToNum", NonFiniteTest.class),
            Map.entry("quantile", StatisticsTest.class),
            Map.entry("nanSum", NanTest.class),
            Map.entry("nanMean", NanTest.class),
            Map.entry("nanMedian", NanTest.class),
            Map.entry("nanQuantile", NanTest.class),
            Map.entry("bincount", StatisticsTest.class),
            Map.entry("histogram", StatisticsTest.class),
            Map.entry("cumsum", CumulativeTest.class),
            Map.entry("cumprod", CumulativeTest.class),
            Map.entry("prod", CumulativeTest.class),
            Map.entry("diff", CumulativeTest.class),
            Map.entry("sort", SortingTest.class),
            Map.entry("argsort", SortingTest.class),
            Map.entry("unique", SortingTest.class),
            Map.entry("nonzero", MaskTest.class),
            Map.entry("softmax", GoldenTest.class),
            Map.entry("logSoftmax", GoldenTest.class),
            Map.entry("crossEntropy", GoldenTest.class),
            Map.entry("logSumExp", GoldenTest.class),
            Map.entry("floorDivide", IntegerTest.class),
            Map.entry("remainder", IntegerTest.class),
            Map.entry("logicalAnd", LogicTest.class),
            Map.entry("logicalOr", LogicTest.class),
            Map.entry("logicalXor", LogicTest.class),
            Map.entry("logicalNot", LogicTest.class),
            Map.entry("any", LogicTest.class),
            Map.entry("all", LogicTest.class),
            Map.entry("countNonzero", LogicTest.class));

    /// Public methods of a tensor that are no ops: factories, queries, gradients, and where a tensor lies.
    private static final Set<String> NO_OPS = Set.of("""
            arange empty emptyLike eye full linspace logspace of ones onesLike rand randint randn randperm scalar
            wrap zeros zerosLike
            manualSeed initialSeed randomState setRandomState
            dtype shape size rank isContiguous item at segment toDoubleArray toFloatArray toLongArray toString
            trackGradient tracksGradient gradient hasGradient zeroGradient backward releaseSchedule retain detach
            copyFrom copyTo moveTo
            """.split("\\s+"));

    private static final List<DType> FLOATING = List.of(DType.FLOAT32, DType.FLOAT64, DType.BFLOAT16);

    /// Operands of few digits lie on the steps of these, where differences are no gradient: [Bfloat16Test] has them.
    private static final Set<String> STEPS = Set.of("ceil", "floor", "fmod", "remainder", "round", "trunc");

    private static Stream<DType> dtypes(String op) {
        return FLOATING.stream().filter(dtype -> dtype != DType.BFLOAT16 || !STEPS.contains(op));
    }

    @TestFactory
    Stream<DynamicTest> unaryRows() {
        return UnaryRow.ALL.stream().flatMap(row -> dtypes(row.name())
                .map(dtype -> dynamicTest(row.name() + " " + dtype, () -> {
                    for (int n : SIZES) {
                        try (var arena = TensorArena.ofConfined()) {
                            double[] x = rounded(dtype, row.domain().draw(new Random(n), n, 0.003));
                            requireUnary(row, dtype, x, n, 1);
                            if (n % 3 == 0) {
                                requireUnary(row, dtype, x, n / 3, 3);
                            }
                        }
                    }
                    requireSpecial(row, dtype);
                })));
    }

    private static void requireUnary(UnaryRow row, DType dtype, double[] x, int rows, int columns) {
        double[] y = Arrays.stream(x).map(row.oracle()).toArray();
        double[] dy = Arrays.stream(x).map(v -> derivative(row.oracle(), v)).toArray();
        for (Tensor layout : layouts(dtype, x, rows, columns)) {
            Tensor leaf = layout.trackGradient();
            Tensor out = row.op().apply(leaf);
            requireClose(y, out.toDoubleArray(), tolerance(dtype), row.name() + " value");
            out.sum().backward(Release.EAGER);
            requireClose(dy, leaf.gradient().toDoubleArray(), gradientTolerance(dtype), row.name() + " gradient");
        }
    }

    private static void requireSpecial(UnaryRow row, DType dtype) {
        try (var arena = TensorArena.ofConfined()) {
            double[] x = rounded(dtype, SPECIAL);
            double[] y = rounded(dtype, Arrays.stream(x).map(row.oracle()).toArray());
            requireClose(
                    y, row.op().apply(Tensor.of(dtype, x)).toDoubleArray(), tolerance(dtype), row.name() + " special");
        }
    }

    @TestFactory
    Stream<DynamicTest> binaryRows() {
        long[][][] shapes = {
            {{3, 5}, {3, 5}},
            {{3, 5}, {5}},
            {{3, 1}, {1, 5}},
            {{}, {3, 5}},
            {{2, 3, 4}, {3, 1}},
            {{3, 5}, {1}},
            {{0, 3}, {3}}
        };
        return BINARY.stream().flatMap(row -> dtypes(row.name)
                .map(dtype -> dynamicTest(row.name + " " + dtype, () -> {
                    for (long[][] pair : shapes) {
                        requireBinary(row, dtype, pair[0], pair[1]);
                    }
                    for (int n : SIZES) {
                        requireBinary(row, dtype, new long[] {n}, new long[] {n});
                    }
                    requireSpecial(row, dtype);
                    requireWrongShape(row);
                })));
    }

    private static void requireBinary(Binary row, DType dtype, long[] shapeA, long[] shapeB) {
        try (var arena = TensorArena.ofConfined()) {
            long[] shape = Shape.broadcast("test", shapeA, shapeB);
            var random = new Random(Shape.size(shape));
            double[] a = rounded(dtype, row.first.draw(random, (int) Shape.size(shapeA), 0.002));
            double[] b = rounded(dtype, row.second.draw(random, (int) Shape.size(shapeB), 0.006));
            int[] fromA = sources(shapeA, shape);
            int[] fromB = sources(shapeB, shape);
            double[] y = new double[fromA.length];
            double[] gradientA = new double[a.length];
            double[] gradientB = new double[b.length];
            for (int i = 0; i < y.length; i++) {
                double u = a[fromA[i]];
                double v = b[fromB[i]];
                y[i] = row.oracle.applyAsDouble(u, v);
                gradientA[fromA[i]] += derivative(t -> row.oracle.applyAsDouble(t, v), u);
                gradientB[fromB[i]] += derivative(t -> row.oracle.applyAsDouble(u, t), v);
            }
            Tensor x = tensor(dtype, a, shapeA).trackGradient();
            Tensor z = tensor(dtype, b, shapeB).trackGradient();
            Tensor out = row.op.apply(x, z);
            assertArrayEquals(shape, out.shape());
            requireClose(y, out.toDoubleArray(), tolerance(dtype), row.name + " value");
            out.sum().backward(Release.EAGER);
            requireClose(
                    gradientA, x.gradient().toDoubleArray(), gradientTolerance(dtype), row.name + " gradient of a");
            requireClose(
                    gradientB, z.gradient().toDoubleArray(), gradientTolerance(dtype), row.name + " gradient of b");
            Tensor turned = row.op.apply(
                    x.detach().transpose(), z.detach().broadcastTo(shape).transpose());
            if (Arrays.equals(shape, shapeA)) {
                requireClose(y, turned.transpose().toDoubleArray(), tolerance(dtype), row.name + " transposed");
            }
        }
    }

    private static Tensor tensor(DType dtype, double[] values, long[] shape) {
        return Tensor.of(dtype, values, values.length).reshape(shape);
    }

    private static void requireSpecial(Binary row, DType dtype) {
        try (var arena = TensorArena.ofConfined()) {
            double[] x = rounded(dtype, SPECIAL);
            List<Double> y = new ArrayList<>();
            for (double a : x) {
                for (double b : x) {
                    y.add(row.oracle.applyAsDouble(a, b));
                }
            }
            Tensor column = Tensor.of(dtype, x, x.length, 1);
            double[] expected = rounded(dtype, y.stream().mapToDouble(v -> v).toArray());
            requireClose(
                    expected,
                    row.op.apply(column, Tensor.of(dtype, x)).toDoubleArray(),
                    tolerance(dtype),
                    row.name + " special");
        }
    }

    private static void requireWrongShape(Binary row) {
        try (var arena = TensorArena.ofConfined()) {
            var failure = assertThrows(
                    IllegalArgumentException.class, () -> row.op.apply(Tensor.ones(2, 3), Tensor.ones(4, 5)));
            assertEquals(row.name + ": [2, 3] and [4, 5] do not broadcast (axis -1: 3 and 5)", failure.getMessage());
        }
    }

    @TestFactory
    Stream<DynamicTest> masks() {
        return MASKS.stream()
                .map(row -> dynamicTest(row.name, () -> {
                    for (DType dtype : FLOATING) {
                        requireSpecial(row, dtype);
                    }
                    requireWrongShape(row);
                    try (var arena = TensorArena.ofConfined()) {
                        for (DType dtype : new DType[] {DType.INT32, DType.INT64, DType.BOOL}) {
                            Tensor a = Tensor.of(dtype, new int[] {0, 1, 1, 0});
                            Tensor b = Tensor.of(dtype, new int[] {0, 1, 0, 1});
                            double[] expected = {
                                row.oracle.applyAsDouble(0, 0),
                                row.oracle.applyAsDouble(1, 1),
                                row.oracle.applyAsDouble(1, 0),
                                row.oracle.applyAsDouble(0, 1)
                            };
                            assertEquals(DType.BOOL, row.op.apply(a, b).dtype());
                            assertArrayEquals(expected, row.op.apply(a, b).toDoubleArray());
                        }
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> reductions() {
        return LANES.stream().flatMap(row -> Stream.of(DType.FLOAT32, DType.FLOAT64)
                .map(dtype -> dynamicTest(row.name + " " + dtype, () -> {
                    for (int n : SIZES) {
                        if (n > 0) {
                            requireLanes(row, dtype, n, 1);
                            requireLanes(row, dtype, 3, n);
                        }
                    }
                })));
    }

    private static void requireLanes(Lane row, DType dtype, int rows, int columns) {
        double[] x = distinct(dtype, rows * columns);
        for (int layout = 0; layout < 3; layout++) {
            try (var arena = TensorArena.ofConfined()) {
                Tensor leaf = layouts(dtype, x, rows, columns).get(layout).trackGradient();
                Tensor byRow = row.one.apply(leaf, 1, false);
                double[] y = new double[rows];
                for (int i = 0; i < rows; i++) {
                    y[i] = row.oracle.applyAsDouble(Arrays.copyOfRange(x, i * columns, (i + 1) * columns));
                }
                requireClose(y, byRow.toDoubleArray(), tolerance(dtype) * 10, row.name + " along rows");
                assertArrayEquals(
                        new long[] {rows, 1}, row.one.apply(leaf, -1, true).shape());
                Tensor all = row.all.apply(leaf);
                requireClose(
                        new double[] {row.oracle.applyAsDouble(x)},
                        all.toDoubleArray(),
                        tolerance(dtype) * 10,
                        row.name);
                all.backward(Release.EAGER);
                double[] gradient = leaf.gradient().toDoubleArray();
                boolean kink = row.name.equals("std") && x.length == 1;
                for (int sample = 0; sample < 8 && !kink; sample++) {
                    int i = new Random(sample).nextInt(x.length);
                    double expected = derivative(
                            t -> {
                                double[] moved = x.clone();
                                moved[i] = t;
                                return row.oracle.applyAsDouble(moved);
                            },
                            x[i]);
                    assertEquals(expected, gradient[i], GRADIENT_TOLERANCE, row.name + " gradient");
                }
            }
        }
    }

    @Test
    void emptySumsAreZeroAndEmptyMeansNaN() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.zeros(0, 2);
            assertEquals(0, x.sum().item());
            assertTrue(Double.isNaN(x.mean().item()));
            assertArrayEquals(new double[] {0, 0}, x.sum(0).toDoubleArray());
            assertArrayEquals(new long[] {0}, x.sum(1).shape());
        }
    }

    @Test
    void nanIsTheLargestAndTheSmallest() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(1, Float.NaN, 3, Float.NaN);
            assertTrue(Double.isNaN(x.max().item()));
            assertTrue(Double.isNaN(x.min().item()));
            assertEquals(1, x.argmax(0).item());
            assertEquals(2, Tensor.of(1, 2, 5, 5).argmax(0).item());
        }
    }

    @Test
    void productsAreNaiveSums() {
        var random = new Random(5);
        int[] sizes = {0, 1, 3, 8, 17, 65};
        for (int m : sizes) {
            for (int k : sizes) {
                for (int n : new int[] {1, 9}) {
                    for (DType dtype : FLOATING) {
                        requireProduct(random, m, k, n, dtype);
                    }
                }
            }
        }
    }

    private static void requireProduct(Random random, int m, int k, int n, DType dtype) {
        try (var arena = TensorArena.ofConfined()) {
            double[] a = rounded(dtype, REAL.draw(random, m * k, 0.003));
            double[] b = rounded(dtype, REAL.draw(random, k * n, 0.003));
            double[] y = new double[m * n];
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    for (int l = 0; l < k; l++) {
                        y[i * n + j] += a[i * k + l] * b[l * n + j];
                    }
                }
            }
            double tolerance = tolerance(dtype) * 20;
            for (Tensor x : layouts(dtype, a, m, k)) {
                for (Tensor z : layouts(dtype, b, k, n)) {
                    requireClose(y, x.matmul(z).toDoubleArray(), tolerance, "matmul");
                    Tensor one = Tensor.ones(dtype, n);
                    double[] plusOne = Arrays.stream(y).map(v -> v + 1).toArray();
                    requireClose(plusOne, x.fma(z, one).toDoubleArray(), tolerance, "fma");
                }
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> moves() {
        return MoveRow.ALL.stream().flatMap(row -> Stream.of(DType.FLOAT32, DType.FLOAT64)
                .map(dtype -> dynamicTest(row.name() + " " + dtype, () -> {
                    for (int n : SIZES) {
                        for (int layout = 0; layout < 3; layout++) {
                            row.require(dtype, n, layout);
                        }
                    }
                })));
    }

    @Test
    void gradientsOfGradientsAgreeWithDifferences() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.rand(DType.FLOAT64, 3, 4).add(0.5);
            for (UnaryRow row : UnaryRow.ALL) {
                Tensor in = Tensor.of(DType.FLOAT64, row.domain().draw(new Random(1), 12, 0.003), 3, 4);
                GradientCheck.check(row.op(), in);
                GradientCheck.check(t -> Oracles.gradientOf(row.op(), t), in);
            }
            Tensor z = Tensor.rand(DType.FLOAT64, 3, 4).add(2);
            for (Binary row : BINARY) {
                GradientCheck.check(xs -> row.op.apply(xs.get(0), xs.get(1)), x, z);
                GradientCheck.check(t -> Oracles.gradientOf(u -> row.op.apply(u, z), t), x);
                GradientCheck.check(t -> Oracles.gradientOf(u -> row.op.apply(x, u), t), z);
            }
            GradientCheck.check(xs -> xs.get(0).matmul(xs.get(1)).power(2), x, x.transpose());
            GradientCheck.check(
                    t -> t.std(1)
                            .add(t.max(1))
                            .add(t.slice(1, 0, 2).sum(1))
                            .add(t.get(0).mean()),
                    x);
            GradientCheck.check(
                    t -> Tensor.where(t.greater(Tensor.full(DType.FLOAT64, 1)), t.exp(), t.sin())
                            .add(t.logSumExp(0))
                            .add(t.norm(2, 1, true))
                            .add(t.norm(3, 0, true))
                            .add(t.norm())
                            .add(t.var(1, true, 1)),
                    x);
            GradientCheck.check(
                    t -> Oracles.gradientOf(
                            u -> u.logSumExp(1, true).add(u.norm(2, 1, true)).add(u.var(1, true)), t),
                    x);
            GradientCheck.check(
                    t -> Oracles.gradientOf(u -> u.indexSelect(1, Tensor.of(new int[] {3, 0, 3, 1})), t), x);
            GradientCheck.check(t -> Tensor.concat(1, t.exp(), t, t.sin()).multiply(3), x);
            GradientCheck.check(
                    t -> Oracles.gradientOf(u -> u.unsqueeze(1).exp().squeeze(1), t), x);
            GradientCheck.check(t -> t.topk(2, 1).values().exp(), x);
            GradientCheck.check(
                    t -> t.gather(1, Tensor.of(new int[] {1, 1, 3}, 3, 1)).exp(), x);
            assertThrows(AssertionError.class, () -> GradientCheck.check(t -> t.multiply(t.detach()), x));
        }
    }

    static Set<String> rows() {
        var rows = new TreeSet<>(ELSEWHERE.keySet());
        UnaryRow.ALL.forEach(row -> rows.add(row.name()));
        BINARY.forEach(row -> rows.add(row.name));
        MASKS.forEach(row -> rows.add(row.name));
        LANES.forEach(row -> rows.add(row.name));
        MoveRow.ALL.forEach(row -> rows.add(row.op()));
        return rows;
    }

    /// Whichever class or interface declares it.
    @Test
    void everyPublicMethodOfATensorIsAnOpWithARowOrNoOp() {
        Set<String> methods = Arrays.stream(Tensor.class.getMethods())
                .filter(method -> method.getDeclaringClass() != Object.class)
                .map(Method::getName)
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> known = rows();
        assertTrue(Collections.disjoint(known, NO_OPS));
        known.addAll(NO_OPS);
        var others = new TreeSet<>(methods);
        others.removeAll(known);
        assertEquals(Set.of(), others, "public methods that are neither");
        known.removeAll(methods);
        assertEquals(Set.of(), known, "names of no public method");
    }

    /// As schedules, drawings and messages name it.
    @Test
    void everyOpIsRecordedUnderItsName() {
        Map<String, UnaryOperator<Tensor>> ops = new LinkedHashMap<>();
        UnaryRow.ALL.forEach(row -> ops.put(row.name(), row.op()));
        BINARY.forEach(row -> ops.put(row.name, x -> row.op.apply(x, x)));
        LANES.forEach(row -> ops.put(row.name, row.all));
        LANES.forEach(row -> ops.put(row.name + " along an axis", x -> row.one.apply(x, 1, false)));
        MoveRow.ALL.forEach(row -> ops.put(row.name(), row.apply()));
        ops.put("unsqueeze", x -> x.unsqueeze(1));
        ops.put("matmul", x -> x.matmul(x.transpose()));
        ops.put("linear", x -> x.linear(x, null));
        ops.put("scaledDotProductAttention", x -> x.scaledDotProductAttention(x, x, null, true));
        ops.put("rnn", x -> x.unsqueeze(0)
                .rnn(x.slice(1, 0, 1), x.slice(0, 0, 1), Tensor.ones(1, 1), null, null, null, false, Activation.TANH)
                .getFirst());
        ops.put("gru", x -> x.unsqueeze(0)
                .gru(x.slice(1, 0, 1), x, Tensor.ones(3, 1), null, null, null, false)
                .getFirst());
        ops.put("softmax", x -> x.softmax(1));
        ops.put("logSoftmax", x -> x.logSoftmax(1));
        ops.put("logSumExp", x -> x.logSumExp(1));
        ops.put("norm", Tensor::norm);
        ops.put("cumsum", x -> x.cumsum(1));
        ops.put("cumprod", x -> x.cumprod(1));
        ops.put("prod", x -> x.prod(1));
        ops.put("sort", x -> x.sort(1).values());
        // These consist of other ops, and are recorded as those.
        List.of(
                        "topk",
                        "put",
                        "median",
                        "median along an axis",
                        "flatten",
                        "movedim",
                        "split",
                        "chunk",
                        "tile",
                        "repeat")
                .forEach(ops::remove);
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(3, 4).trackGradient();
            ops.forEach((name, op) -> {
                String first = Autograd.draw(op.apply(x))
                        .lines()
                        .filter(line -> line.startsWith("  n0 [label="))
                        .findFirst()
                        .orElseThrow();
                assertEquals("  n0 [label=\"" + name.split(" ")[0], first.substring(0, first.indexOf(" (step 1)")));
            });
        }
    }
}
